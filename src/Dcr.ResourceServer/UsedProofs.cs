namespace Dcr.ResourceServer;

/// <summary>
/// The proofs of the last minutes, so that each is used once on this instance. Two generations, each as long as a proof may be old or ahead
/// of its time; full, it refuses rather than forget.
/// </summary>
internal sealed class UsedProofs
{
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(1);

    private const int MaxProofs = 1_000_000;

    private readonly Lock _lock = new();
    private HashSet<string> _now = [];
    private HashSet<string> _before = [];
    private DateTimeOffset _began;

    /// <summary>False: it has been used before.</summary>
    public bool TryUse(string proof, DateTimeOffset now)
    {
        lock (_lock)
        {
            // A proof is good from one life before its time to one life after it.
            if (now - _began >= 2 * Life)
            {
                _before = now - _began >= 4 * Life ? [] : _now;
                _now = [];
                _began = now;
            }
            return _now.Count < MaxProofs && !_before.Contains(proof) && _now.Add(proof);
        }
    }
}
