namespace Dcr.Protocol;

internal static class StoredTime
{
    /// <summary>Now, to the millisecond that stores keep: what is answered at once and what is read later are then the same.</summary>
    public static DateTimeOffset GetUtcNowAsStored(this TimeProvider time) =>
        DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());
}
