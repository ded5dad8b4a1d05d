using System.Collections.Concurrent;
using Dcr.Auditing;

namespace Dcr.ClientAuthentication;

/// <summary>
/// Leaves refused authentications of known clients in the audit trail: at most one record per client and rule in ten
/// minutes and node, since a stranger who knows a client id can cause refusals without end. The caller has no part in it: one that
/// hangs up leaves its record all the same.
/// </summary>
internal sealed class RefusalAudit(IAuditStore audit, AuditRecords records, TimeProvider time)
{
    private const int MaxRemembered = 100_000;
    private static readonly TimeSpan s_interval = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    // By the monotonic clock: a wall clock that is set back must not stretch the ten minutes.
    private readonly ConcurrentDictionary<(string ClientId, AssertionRule Rule), long> _recent = new();

    public async Task RecordAsync(string clientId, AssertionRule rule, string detail)
    {
        if (!TryBegin((clientId, rule)))
        {
            return;
        }
        var record = records.Create(AuditActions.AuthenticationRefused, clientId, actor: null) with
        {
            Changes = new Dictionary<string, AuditChange> { [rule.ToString()] = new(null, detail) },
        };
        try
        {
            using var deadline = new CancellationTokenSource(s_patience, time);
            await audit.AddAsync(record, deadline.Token);
        }
        catch
        {
            // What was not written is written with the next refusal.
            _recent.TryRemove((clientId, rule), out _);
            throw;
        }
    }

    private bool TryBegin((string ClientId, AssertionRule Rule) refusal)
    {
        var now = time.GetTimestamp();
        if (_recent.TryGetValue(refusal, out var at))
        {
            return time.GetElapsedTime(at, now) >= s_interval && _recent.TryUpdate(refusal, now, at);
        }
        if (_recent.Count >= MaxRemembered)
        {
            Forget(now);
        }
        return _recent.TryAdd(refusal, now);
    }

    private void Forget(long now)
    {
        foreach (var old in _recent.Where(recent => time.GetElapsedTime(recent.Value, now) >= s_interval))
        {
            _recent.TryRemove(old);
        }
        if (_recent.Count >= MaxRemembered)
        {
            // So many clients at once: a record too many is better than a memory without bound.
            _recent.Clear();
        }
    }
}
