using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;

namespace Dcr.Bulk;

/// <summary>
/// Expires clients whose time is over and removes those that have been expired for long. Clients are found by when they are to be
/// looked at; one that was used meanwhile is looked at again when that use will be too long ago. One look ends a tenth of the live clients
/// at most, and none while the clock has jumped and nobody knows why: an administrator may say that they are to be ended all the same.
/// </summary>
internal sealed class ExpiredClients(
    IClientStore clients, IClientLifecycleStore lifecycles, ClockWatch clock, AuditRecords records, TimeProvider time)
{
    private const int BatchSize = 100;
    private const int Share = 10;
    private const int AlwaysAllowed = 1000;
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(2);

    /// <param name="dryRun">True: only count.</param>
    /// <param name="all">True: however many they are, and whether or not the clock is believed.</param>
    /// <param name="before">How many this look has ended already.</param>
    /// <param name="cancellationToken">Stops between two clients.</param>
    public async Task<ReapedClients> EndAsync(bool dryRun, bool all, long before, CancellationToken cancellationToken)
    {
        var withheld = all ? null : await clock.DoubtAsync(cancellationToken);
        if (withheld is not null && !dryRun)
        {
            return new ReapedClients(0, 0, Done: true, withheld);
        }
        var most = all || dryRun
            ? long.MaxValue
            : Math.Max(AlwaysAllowed, await lifecycles.CountLiveAsync(cancellationToken) / Share) - before;
        // Read once: the clock may jump while this works.
        var (began, beganAt) = (time.GetTimestamp(), time.GetUtcNow());
        long expired = 0;
        long removed = 0;
        ReviewCursor? after = null;
        while (time.GetElapsedTime(began) < s_longest)
        {
            var now = beganAt + time.GetElapsedTime(began);
            var due = await lifecycles.ListDueAsync(now, after, BatchSize, cancellationToken);
            foreach (var client in due)
            {
                if (expired + removed >= most)
                {
                    return new ReapedClients(
                        expired, removed, Done: true, $"one look ends a tenth of the live clients, or {AlwaysAllowed}");
                }
                var isOver = client.Status == ClientStatus.Expired || client.Lifecycle.EndsAt(client.LastUsedAt) <= now;
                if (!isOver)
                {
                    await ReviewAgainAsync(client, dryRun, cancellationToken);
                }
                else if (client.Status == ClientStatus.Expired)
                {
                    removed += dryRun || await RemoveAsync(client, cancellationToken) ? 1 : 0;
                }
                else
                {
                    expired += dryRun || await ExpireAsync(client, now, cancellationToken) ? 1 : 0;
                }
            }
            if (due.Count < BatchSize)
            {
                return new ReapedClients(expired, removed, Done: true, withheld);
            }
            after = new ReviewCursor(due[^1].Lifecycle.ReviewAt!.Value, due[^1].ClientId);
        }
        return new ReapedClients(expired, removed, Done: false, withheld);
    }

    private Task ReviewAgainAsync(Client client, bool dryRun, CancellationToken cancellationToken) => dryRun
        ? Task.CompletedTask
        : lifecycles.ReviewAgainAsync(
            client.ClientId, client.Lifecycle.ReviewAt!.Value, client.Lifecycle.EndsAt(client.LastUsedAt), cancellationToken);

    /// <summary>False: it has been used or changed meanwhile.</summary>
    private async Task<bool> ExpireAsync(Client client, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var expired = client with
        {
            Status = ClientStatus.Expired,
            Version = client.Version + 1,
            Lifecycle = client.Lifecycle.Expired(now),
        };
        var record = records.Create(AuditActions.ClientExpired, client.ClientId, actor: null) with
        {
            Changes = new Dictionary<string, AuditChange>
            {
                ["status"] = new(WireEnum.NameOf(client.Status), WireEnum.NameOf(expired.Status)),
            },
        };
        return await lifecycles.ExpireAsync(expired, record, cancellationToken) == ReplaceOutcome.Done;
    }

    private async Task<bool> RemoveAsync(Client client, CancellationToken cancellationToken)
    {
        var record = records.Create(AuditActions.ClientRemoved, client.ClientId, actor: null) with
        {
            Changes = Registration.MetadataChanges.Between(client.Metadata, null),
        };
        return await clients.DeleteAsync(client.ClientId, client.Version, record, Grounds.Server, cancellationToken) == ReplaceOutcome.Done;
    }
}
