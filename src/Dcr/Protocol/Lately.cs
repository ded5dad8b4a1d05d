namespace Dcr.Protocol;

/// <summary>
/// What is allowed for a short time after something was done. The clock may be set back meanwhile, and must not make a leave of an
/// hour last for as long as it was set back: the leave holds within its length of the moment it was given, before it and after it
/// (decision 0010).
/// </summary>
internal static class Lately
{
    /// <param name="until">The end that was written down when the leave was given.</param>
    /// <param name="length">How long the leave was then.</param>
    /// <param name="now">By the wall clock.</param>
    public static bool Holds(DateTimeOffset until, TimeSpan length, DateTimeOffset now) => (now - (until - length)).Duration() < length;
}
