using Dcr.Auditing;
using Dcr.Keys;
using Dcr.Protocol;
using Dcr.SigningKeys;

namespace InMemoryStore;

internal sealed class InMemoryKeySets(InMemoryDatabase database, TimeProvider time) : IKeySetStore, IKeyUseStore
{
    public Task<HostedKeySet?> FindAsync(string id, CancellationToken cancellationToken) =>
        database.DoAsync(() => database.KeySets.GetValueOrDefault(id));

    public Task<IReadOnlyList<HostedKeySet>> ListAsync(string? before, int limit, CancellationToken cancellationToken) =>
        database.DoAsync<IReadOnlyList<HostedKeySet>>(() =>
        [
            .. database.KeySets.Values
                .Where(set => before is null || string.CompareOrdinal(set.Id, before) < 0)
                .OrderByDescending(set => set.Id, StringComparer.Ordinal)
                .Take(limit),
        ]);

    public Task<AddKeySetOutcome> AddAsync(HostedKeySet set, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        database.ChangeAsync(time.GetUtcNow(), grounds, record, AddKeySetOutcome.Added, AddKeySetOutcome.GroundsChanged, () =>
        {
            database.KeySets.Add(set.Id, set);
            return AddKeySetOutcome.Added;
        });

    public Task<ReplaceOutcome> ReplaceAsync(
        HostedKeySet replacement, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        ChangeAsync(
            replacement.Id, replacement.Version - 1, record, grounds, () => database.KeySets[replacement.Id] = replacement);

    public Task<ReplaceOutcome> DeleteAsync(
        string id, long version, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        ChangeAsync(id, version, record, grounds, () =>
        {
            database.KeySets.Remove(id);
            database.ForgetKeyUses(KeyUse.KeySetPrefix + id);
        });

    public Task RecordAsync(IReadOnlyCollection<KeyUse> uses, CancellationToken cancellationToken) => database.DoAsync(() =>
    {
        foreach (var use in uses)
        {
            var key = (use.ClientId, use.Thumbprint);
            if (OwnerSince(use) <= use.UsedAt && !(database.KeyUses.TryGetValue(key, out var last) && last > use.UsedAt))
            {
                database.KeyUses[key] = use.UsedAt;
            }
        }
        return uses.Count;
    });

    Task<IReadOnlyDictionary<string, DateTimeOffset>> IKeyUseStore.FindAsync(string clientId, CancellationToken cancellationToken) =>
        database.DoAsync<IReadOnlyDictionary<string, DateTimeOffset>>(() =>
            database.KeyUses.Where(use => use.Key.Owner == clientId).ToDictionary(use => use.Key.Thumbprint, use => use.Value));

    private DateTimeOffset? OwnerSince(KeyUse use) => use.KeySetId is { } id
        ? database.KeySets.GetValueOrDefault(id)?.CreatedAt
        : database.Clients.GetValueOrDefault(use.ClientId)?.CreatedAt;

    private Task<ReplaceOutcome> ChangeAsync(string id, long version, AuditRecord record, Grounds grounds, Action change) =>
        database.ChangeAsync(time.GetUtcNow(), grounds, record, ReplaceOutcome.Done, ReplaceOutcome.GroundsChanged, () =>
        {
            if (!database.KeySets.TryGetValue(id, out var stored))
            {
                return ReplaceOutcome.Gone;
            }
            if (stored.Version != version)
            {
                return ReplaceOutcome.VersionConflict;
            }
            change();
            return ReplaceOutcome.Done;
        });
}

internal sealed class InMemoryQuarantine(InMemoryDatabase database, TimeProvider time) : IQuarantinedKeyStore
{
    public Task<QuarantineOutcome> AddAsync(QuarantinedKey key, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        ChangeAsync(record, grounds, () => database.Quarantine.TryAdd(key.Thumbprint, key));

    public Task<QuarantineOutcome> RemoveAsync(
        string thumbprint, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        ChangeAsync(record, grounds, () => database.Quarantine.Remove(thumbprint));

    public Task<QuarantinedKey?> FindAsync(string thumbprint, CancellationToken cancellationToken) =>
        database.DoAsync(() => database.Quarantine.GetValueOrDefault(thumbprint));

    public Task<IReadOnlyList<QuarantinedKey>> ListAsync(string? after, int limit, CancellationToken cancellationToken) =>
        database.DoAsync<IReadOnlyList<QuarantinedKey>>(() =>
            [.. database.Quarantine.Values.Where(key => string.CompareOrdinal(key.Thumbprint, after) > 0).Take(limit)]);

    public Task<IReadOnlyList<string>> FilterAsync(IReadOnlyCollection<string> thumbprints, CancellationToken cancellationToken) =>
        database.DoAsync<IReadOnlyList<string>>(() => [.. thumbprints.Where(database.Quarantine.ContainsKey)]);

    private Task<QuarantineOutcome> ChangeAsync(AuditRecord record, Grounds grounds, Func<bool> change) => database.ChangeAsync(
        time.GetUtcNow(), grounds, record, QuarantineOutcome.Done, QuarantineOutcome.GroundsChanged, () =>
            change() ? QuarantineOutcome.Done : QuarantineOutcome.AsItWas);
}

internal sealed class InMemorySigningKeys(InMemoryDatabase database, TimeProvider time) : ISigningKeyStore
{
    public Task<IReadOnlyList<StoredSigningKey>> ListAsync(CancellationToken cancellationToken) =>
        database.DoAsync<IReadOnlyList<StoredSigningKey>>(() => [.. database.SigningKeys.Values]);

    public Task<AddSigningKeyOutcome> AddAsync(
        StoredSigningKey key, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        database.ChangeAsync(time.GetUtcNow(), grounds, record, AddSigningKeyOutcome.Added, AddSigningKeyOutcome.GroundsChanged, () =>
            database.SigningKeys.TryAdd(key.Generation, key) ? AddSigningKeyOutcome.Added : AddSigningKeyOutcome.AlreadyThere);

    public Task RemoveAsync(int generation, CancellationToken cancellationToken) =>
        database.DoAsync(() => database.SigningKeys.Remove(generation));
}
