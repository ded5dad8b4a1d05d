using System.Collections.Concurrent;

namespace Dcr.Protocol;

/// <summary>
/// For how long this process has seen something in the store stand as it is, by its own monotonic clock. What a node left behind when it
/// ended is told from what one is at work on by this, whatever the wall clocks of the nodes say.
/// </summary>
/// <param name="time">Its monotonic clock.</param>
/// <param name="most">So many are remembered; then all are forgotten, and begin anew. Null: whoever asks keeps them few by
/// <see cref="KeepOnly"/>.</param>
public sealed class SeenUnchanged(TimeProvider time, int? most = null)
{
    private readonly ConcurrentDictionary<string, (string State, long Since)> _seen = new(StringComparer.Ordinal);

    /// <param name="name">What is looked at.</param>
    /// <param name="state">How it is: another state begins anew.</param>
    public TimeSpan For(string name, string state)
    {
        if (_seen.Count >= most)
        {
            _seen.Clear();
        }
        var now = time.GetTimestamp();
        var seen = _seen.AddOrUpdate(name, _ => (state, now), (_, before) => before.State == state ? before : (state, now));
        return time.GetElapsedTime(seen.Since, now);
    }

    /// <summary>Forgets everything but these, which is all that there is at this moment.</summary>
    public void KeepOnly(IReadOnlySet<string> names)
    {
        foreach (var name in _seen.Keys)
        {
            if (!names.Contains(name))
            {
                _seen.TryRemove(name, out _);
            }
        }
    }
}
