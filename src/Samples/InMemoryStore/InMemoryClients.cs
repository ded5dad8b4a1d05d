using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using Dcr.TokenStatus;

namespace InMemoryStore;

internal sealed class InMemoryClients(InMemoryDatabase database, TimeProvider time) : IClientStore, IClientLifecycleStore, IStatusListStore
{
    public Task<Client?> FindAsync(string clientId, CancellationToken cancellationToken) =>
        database.DoAsync(() => database.Clients.GetValueOrDefault(clientId));

    public Task<IReadOnlyList<Client>> ListAsync(
        ClientFilter filter, ClientCursor? after, int limit, CancellationToken cancellationToken) =>
        database.DoAsync<IReadOnlyList<Client>>(() =>
        [
            .. database.Clients.Values
                .Where(client => (filter.Status is null || client.Status == filter.Status)
                    && (filter.AssertionException is not { } excepted
                        || excepted == (client.AssertionException is not null || client.ExceptionNeededAt is not null))
                    && (!filter.OnboardingOnly || client.RegistrationPolicy is not null)
                    && InMemoryDatabase.IsFrom(filter.Origin, client.Origin)
                    && (after is null || InMemoryDatabase.Compare(client, after) < 0))
                .OrderByDescending(client => client.CreatedAt).ThenByDescending(client => client.ClientId, StringComparer.Ordinal)
                .Take(limit),
        ]);

    public Task<bool> HasAdministratorAsync(CancellationToken cancellationToken) =>
        database.DoAsync(() => database.Clients.Values.Any(client => client.Administers));

    public Task<AddClientOutcome> AddAsync(Client client, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        database.ChangeAsync(
            time.GetUtcNow(), grounds, record, AddClientOutcome.Added, AddClientOutcome.GroundsChanged, () =>
                database.Clients.TryAdd(client.ClientId, client) ? AddClientOutcome.Added : AddClientOutcome.AlreadyThere);

    public Task<ReplaceOutcome> ReplaceAsync(
        Client replacement, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        ReplaceAsync(replacement, record, grounds, stored => stored.Status.IsLive() || !replacement.Status.IsLive());

    public Task<ReplaceOutcome> ReplaceAndEndTokensAsync(
        Client replacement, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        ReplaceAsync(replacement, record, grounds, stored => stored.Status.IsLive() || !replacement.Status.IsLive(), endTokens: true);

    public Task<ReplaceOutcome> ExpireAsync(Client expired, AuditRecord record, CancellationToken cancellationToken) =>
        ReplaceAsync(expired, record, Grounds.Server, stored => stored.LastUsedAt == expired.LastUsedAt);

    public Task<ReplaceOutcome> SignOutAsync(
        string clientId, long version, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        ChangeAsync(clientId, version, record, grounds, stored =>
            database.Put(stored, stored with { Version = version + 1, RegistrationAccess = null }, endTokens: true));

    public Task<ReplaceOutcome> DeleteAsync(
        string clientId, long version, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        ChangeAsync(clientId, version, record, grounds, stored => database.Put(stored, next: null));

    public Task<ReviveOutcome> ReviveAsync(
        Client revived, RegistrationLimits limits, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        database.ChangeAsync(time.GetUtcNow(), grounds, record, ReviveOutcome.Done, ReviveOutcome.GroundsChanged, () =>
        {
            if (!database.Clients.TryGetValue(revived.ClientId, out var stored))
            {
                return ReviveOutcome.Gone;
            }
            if (stored.Version != revived.Version - 1 || stored.Status != ClientStatus.Expired)
            {
                return ReviveOutcome.VersionConflict;
            }
            if (database.CountLive(limits.OnboardingClient) >= limits.MaxLiveClients)
            {
                return ReviveOutcome.TooManyLiveClients;
            }
            database.Put(stored, revived);
            return ReviveOutcome.Done;
        });

    public Task<bool> RecordAuthenticationAsync(
        string clientId, bool byException, DateTimeOffset at, CancellationToken cancellationToken) =>
        database.DoAsync(() =>
        {
            if (!database.Clients.TryGetValue(clientId, out var client) || client.Status != ClientStatus.Active)
            {
                return false;
            }
            var isForgotten = client.ExceptionNeededAt < at - Client.ExceptionForgottenAfter;
            database.Clients[clientId] = client with
            {
                LastUsedAt = Later(client.LastUsedAt, at),
                ExceptionNeededAt = byException ? Later(client.ExceptionNeededAt, at) : isForgotten ? null : client.ExceptionNeededAt,
            };
            return true;
        });

    public Task ForgetPreviousRegistrationTokenAsync(string clientId, string currentTokenHash, CancellationToken cancellationToken) =>
        database.DoAsync(() => database.Clients.TryGetValue(clientId, out var client)
            && client.RegistrationAccess?.TokenHash == currentTokenHash
            && Store(client with { RegistrationAccess = new RegistrationAccess { TokenHash = currentTokenHash } }));

    public Task<IReadOnlyList<Client>> ListDueAsync(
        DateTimeOffset now, ReviewCursor? after, int limit, CancellationToken cancellationToken) =>
        database.DoAsync<IReadOnlyList<Client>>(() =>
        [
            .. database.Clients.Values
                .Where(client => client.Status is ClientStatus.Active or ClientStatus.Expired
                    && client.Lifecycle.ReviewAt is { } at
                    && at <= now
                    && (after is null || at > after.ReviewAt
                        || (at == after.ReviewAt && string.CompareOrdinal(client.ClientId, after.ClientId) > 0)))
                .OrderBy(client => client.Lifecycle.ReviewAt).ThenBy(client => client.ClientId, StringComparer.Ordinal)
                .Take(limit),
        ]);

    public Task<long> CountLiveAsync(CancellationToken cancellationToken) => database.DoAsync(() =>
        database.Clients.Values.LongCount(client => client.Status.IsLive() && client.Origin is not null));

    public Task ReviewAgainAsync(string clientId, DateTimeOffset dueAt, DateTimeOffset? reviewAt, CancellationToken cancellationToken) =>
        database.DoAsync(() => database.Clients.TryGetValue(clientId, out var client)
            && client.Lifecycle.ReviewAt == dueAt
            && Store(client with { Lifecycle = client.Lifecycle with { ReviewAt = reviewAt } }));

    public Task<long?> AssignAsync(string clientId, CancellationToken cancellationToken) => database.DoAsync(() =>
    {
        if (!database.Clients.TryGetValue(clientId, out var client) || client.Status != ClientStatus.Active)
        {
            return null;
        }
        if (client.StatusIndex is null)
        {
            client = client with { StatusIndex = database.NextStatusIndex++ };
            database.StatusLists.TryAdd(StatusReference.ListOf(client.StatusIndex.Value), (0, new byte[StatusReference.ListSize / 8]));
            Store(client);
        }
        return client.StatusIndex;
    });

    public Task<long?> FindVersionAsync(int list, CancellationToken cancellationToken) =>
        database.DoAsync(() => database.StatusLists.TryGetValue(list, out var found) ? found.Version : (long?)null);

    public Task<byte[]> ReadAsync(int list, CancellationToken cancellationToken) => database.DoAsync(() =>
        database.StatusLists.TryGetValue(list, out var found) ? [.. found.Bits] : new byte[StatusReference.ListSize / 8]);

    private static DateTimeOffset Later(DateTimeOffset? one, DateTimeOffset other) => one > other ? one.Value : other;

    private bool Store(Client client)
    {
        database.Clients[client.ClientId] = client;
        return true;
    }

    private Task<ReplaceOutcome> ReplaceAsync(
        Client replacement, AuditRecord record, Grounds grounds, Func<Client, bool> condition, bool endTokens = false) =>
        ChangeAsync(
            replacement.ClientId,
            replacement.Version - 1,
            record,
            grounds,
            stored => database.Put(stored, replacement, endTokens),
            condition);

    private Task<ReplaceOutcome> ChangeAsync(
        string clientId,
        long version,
        AuditRecord record,
        Grounds grounds,
        Action<Client> change,
        Func<Client, bool>? condition = null) =>
        database.ChangeAsync(time.GetUtcNow(), grounds, record, ReplaceOutcome.Done, ReplaceOutcome.GroundsChanged, () =>
        {
            if (!database.Clients.TryGetValue(clientId, out var stored))
            {
                return ReplaceOutcome.Gone;
            }
            if (stored.Version != version || condition?.Invoke(stored) == false)
            {
                return ReplaceOutcome.VersionConflict;
            }
            change(stored);
            return ReplaceOutcome.Done;
        });
}
