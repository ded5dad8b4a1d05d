using Dcr.Auditing;
using Microsoft.Extensions.Caching.Memory;

namespace Dcr.ClientAuthentication;

/// <summary>
/// Leaves refused authentications of known clients in the audit trail: at most one record per client and rule in ten
/// minutes and node, since a stranger who knows a client id can cause refusals without end.
/// </summary>
internal sealed class RefusalAudit(IAuditStore audit, AuditRecords records) : IDisposable
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMinutes(10);

    private readonly MemoryCache _recent = new(new MemoryCacheOptions { SizeLimit = 100_000 });

    public async Task RecordAsync(string clientId, AssertionRule rule, string detail, CancellationToken cancellationToken)
    {
        var key = (clientId, rule);
        if (_recent.TryGetValue(key, out _))
        {
            return;
        }
        _recent.Set(key, true, new MemoryCacheEntryOptions { AbsoluteExpirationRelativeToNow = s_interval, Size = 1 });
        var record = records.Create(AuditActions.AuthenticationRefused, clientId, actor: null) with
        {
            Changes = new Dictionary<string, AuditChange> { [rule.ToString()] = new(null, detail) },
        };
        await audit.AddAsync(record, cancellationToken);
    }

    public void Dispose() => _recent.Dispose();
}
