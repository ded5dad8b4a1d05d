using Dcr.AccessTokens;
using Dcr.Auditing;
using Dcr.Onboarding;
using Dcr.Proofs;
using Dcr.Protocol;

namespace InMemoryStore;

/// <summary>What is only ever added to.</summary>
internal sealed class InMemoryRecords(InMemoryDatabase database)
    : IStoreLifecycle, IAuditStore, IRevokedTokenStore, IUsedJtiStore, ISeededClientStore
{
    public Task InitializeAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task PingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<StoreClock?> ReadClockAsync(CancellationToken cancellationToken) => Task.FromResult<StoreClock?>(null);

    public Task AddAsync(AuditRecord record, CancellationToken cancellationToken) => database.DoAsync(() =>
    {
        database.Audit.Add(record);
        return true;
    });

    public Task<IReadOnlyList<AuditRecord>> ListAsync(string? subject, string? before, int limit, CancellationToken cancellationToken) =>
        database.DoAsync<IReadOnlyList<AuditRecord>>(() =>
        [
            .. database.Audit
                .Where(record => (subject is null || record.Subject == subject)
                    && (before is null || string.CompareOrdinal(record.Id, before) < 0))
                .OrderByDescending(record => record.Id, StringComparer.Ordinal)
                .Take(limit),
        ]);

    public Task AddAsync(string jti, DateTimeOffset expiresAt, CancellationToken cancellationToken) =>
        database.DoAsync(() => database.RevokedTokens.Add(jti));

    public Task<bool> IsRevokedAsync(string jti, CancellationToken cancellationToken) =>
        database.DoAsync(() => database.RevokedTokens.Contains(jti));

    public Task<RecordJtiOutcome> RecordAsync(
        string clientId, string jti, DateTimeOffset expiresAt, CancellationToken cancellationToken) =>
        database.DoAsync(() => database.UsedJtis.Add((clientId, jti)) ? RecordJtiOutcome.Recorded : RecordJtiOutcome.AlreadyUsed);

    public Task<bool> IsUsedAsync(string clientId, string jti, CancellationToken cancellationToken) =>
        database.DoAsync(() => database.UsedJtis.Contains((clientId, jti)));

    public Task<string?> FindEntryAsync(string clientId, CancellationToken cancellationToken) =>
        database.DoAsync(() => database.SeedEntries.GetValueOrDefault(clientId));

    public Task RecordEntryAsync(string clientId, string entryHash, CancellationToken cancellationToken) =>
        database.DoAsync(() => database.SeedEntries[clientId] = entryHash);
}

/// <summary>One for each node: who holds a lease is known to all, for how long it has gone without a renewal is what a node saw.</summary>
internal sealed class InMemoryLeases(InMemoryDatabase database, TimeProvider time) : ILeaseStore
{
    private readonly SeenUnchanged _seen = new(time);

    public Task<bool> TryTakeAsync(string name, string holder, TimeSpan life, CancellationToken cancellationToken) =>
        database.DoAsync(() =>
        {
            if (database.Leases.TryGetValue(name, out var held)
                && held.Holder != holder
                && _seen.For(name, $"{held.Renewals} {held.Holder}") < held.Life)
            {
                return false;
            }
            database.Leases[name] = (holder, held.Renewals + 1, life);
            return true;
        });
}
