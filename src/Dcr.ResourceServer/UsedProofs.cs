using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Dcr.Jose;

namespace Dcr.ResourceServer;

/// <summary>
/// The proofs that were used, so that each is used once on this instance: kept for an hour by the monotonic clock, and as long as the wall
/// clock would let them pass, so that a clock which is set ahead or back brings none of them to life. Full, it forgets first what no clock
/// lets pass now, and then refuses rather than forget.
/// </summary>
internal sealed class UsedProofs(TimeProvider time)
{
    private const int MaxProofs = 1_000_000;

    private static readonly TimeSpan s_margin = TimeSpan.FromHours(1);
    private static readonly TimeSpan s_leastMargin = TimeSpan.FromMinutes(2);

    private readonly Lock _lock = new();
    private readonly HashSet<UInt128> _used = [];
    private readonly Queue<Use> _inOrder = new();

    /// <summary>False: it has been used before.</summary>
    public bool TryUse(string proof, DateTimeOffset issuedAt)
    {
        // Half of a SHA-256: a caller cannot choose two proofs with one.
        var key = BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(proof)));
        lock (_lock)
        {
            var now = time.GetUtcNow();
            while (_inOrder.TryPeek(out var oldest) && IsOver(oldest, now))
            {
                _used.Remove(_inOrder.Dequeue().Key);
            }
            if (_used.Count >= MaxProofs || !_used.Add(key))
            {
                return false;
            }
            _inOrder.Enqueue(new Use(key, time.GetTimestamp(), ProofTimes.EndOf(issuedAt)));
            return true;
        }
    }

    private bool IsOver(Use use, DateTimeOffset now) =>
        now > use.EndsAt && time.GetElapsedTime(use.At) >= (_used.Count < MaxProofs ? s_margin : s_leastMargin);

    private readonly record struct Use(UInt128 Key, long At, DateTimeOffset EndsAt);
}
