namespace Dcr.Keys;

/// <summary>
/// How often a <c>kid</c> that is not known may cause a download from one URL: a few at once, then one each time that a part of
/// <c>Dcr:Jwks:UnknownKidCooldown</c> has passed, so that in the long run there are <see cref="InCooldown"/> in each.
/// </summary>
internal sealed class UnknownKidBudget(TimeSpan cooldown, TimeProvider time)
{
    public const int InCooldown = 3;

    private readonly Lock _lock = new();
    private readonly TimeSpan _each = cooldown / InCooldown;
    private readonly long _began = time.GetTimestamp();

    // When the whole budget is there again, since the beginning.
    private TimeSpan _full;

    /// <summary>Null: one was there, and is taken. Else how long it is until the next.</summary>
    public TimeSpan? Take()
    {
        lock (_lock)
        {
            var now = time.GetElapsedTime(_began);
            var full = _full > now ? _full : now;
            var wait = full - now - (cooldown - _each);
            if (wait > TimeSpan.Zero)
            {
                return wait;
            }
            _full = full + _each;
            return null;
        }
    }
}
