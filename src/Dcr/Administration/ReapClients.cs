using System.Security.Cryptography;
using System.Text.Json.Serialization;
using Dcr.AccessTokens;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dcr.Administration;

/// <summary>POST /admin/v1/clients:reap: does now, or with <c>dry_run</c> only counts, what <see cref="ReapClientsRegularly"/> does anyway.</summary>
internal static class ReapClientsRoute
{
    public static async Task<IResult> HandleAsync(AccessTokenCaller caller, HttpRequest request, IMediator mediator, CancellationToken cancellationToken)
    {
        var body = await JsonBody.ReadAsync(request, DcrJson.Default.ReapRequest, cancellationToken);
        if (!body.IsSuccess)
        {
            return new OAuthErrorResult(body.Error with { Code = "invalid_request" });
        }
        var reaped = await mediator.Send(new ReapClients(body.Value.DryRun, caller, body.Value.All), cancellationToken);
        return reaped.IsSuccess ? TypedResults.Json(reaped.Value, DcrJson.Default.ReapedClients) : new OAuthErrorResult(reaped.Error);
    }
}

/// <param name="DryRun">True: only count. Default false.</param>
/// <param name="All">True: however many they are, and whether or not the clock is believed; an administrator has looked. Default false.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ReapRequest([property: JsonPropertyName("dry_run")] bool DryRun = false, [property: JsonPropertyName("all")] bool All = false);

/// <param name="Expired">Clients whose time was over, or that were not used for too long.</param>
/// <param name="Removed">Clients that had been expired for 30 days.</param>
/// <param name="Done">False: there are more; say it again.</param>
/// <param name="Withheld">Why no more are ended unless <c>all</c> is given. Absent: none are withheld.</param>
public sealed record ReapedClients(
    [property: JsonPropertyName("expired")] long Expired,
    [property: JsonPropertyName("removed")] long Removed,
    [property: JsonPropertyName("done")] bool Done,
    [property: JsonPropertyName("withheld")] string? Withheld = null);

/// <param name="DryRun">True: only count.</param>
/// <param name="Caller">The administrator. Null: the server by itself.</param>
/// <param name="All">By an administrator who has looked.</param>
/// <param name="Before">How many this look has ended already.</param>
internal sealed record ReapClients(bool DryRun, AccessTokenCaller? Caller, bool All = false, long Before = 0) : IRequest<Result<ReapedClients>>, IActsFor
{
    ICaller? IActsFor.Caller => Caller;
}

/// <summary>
/// Expires clients whose time is over and removes those that have been expired for long. Clients are found by when they are to be
/// looked at; one that was used meanwhile is looked at again when that use will be too long ago. One look ends a tenth of the live clients at
/// most, and none while the clock has jumped and nobody knows why: an administrator may say that they are to be ended all the same.
/// </summary>
internal sealed class ReapClientsHandler(IClientStore clients, IClientLifecycleStore lifecycles, ClockWatch clock, AuditRecords records, TimeProvider time)
    : IRequestHandler<ReapClients, Result<ReapedClients>>
{
    private const int BatchSize = 100;
    private const int Share = 10;
    private const int AlwaysAllowed = 1000;
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(2);

    public async Task<Result<ReapedClients>> Handle(ReapClients request, CancellationToken cancellationToken)
    {
        var withheld = request.All ? null : await clock.DoubtAsync(cancellationToken);
        if (withheld is not null && !request.DryRun)
        {
            return new ReapedClients(0, 0, Done: true, withheld);
        }
        var most = request.All || request.DryRun ? long.MaxValue : Math.Max(AlwaysAllowed, await lifecycles.CountLiveAsync(cancellationToken) / Share) - request.Before;
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
                    return new ReapedClients(expired, removed, Done: true, $"one look ends a tenth of the live clients, or {AlwaysAllowed}");
                }
                var isOver = client.Status == ClientStatus.Expired || client.Lifecycle.EndsAt(client.LastUsedAt) <= now;
                if (!isOver)
                {
                    await ReviewAgainAsync(client, request.DryRun, cancellationToken);
                }
                else if (client.Status == ClientStatus.Expired)
                {
                    removed += request.DryRun || await RemoveAsync(client, cancellationToken) ? 1 : 0;
                }
                else
                {
                    expired += request.DryRun || await ExpireAsync(client, now, cancellationToken) ? 1 : 0;
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
        : lifecycles.ReviewAgainAsync(client.ClientId, client.Lifecycle.ReviewAt!.Value, client.Lifecycle.EndsAt(client.LastUsedAt), cancellationToken);

    /// <summary>False: it has been used or changed meanwhile.</summary>
    private async Task<bool> ExpireAsync(Client client, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var expired = client with { Status = ClientStatus.Expired, Version = client.Version + 1, Lifecycle = client.Lifecycle.Expired(now) };
        var record = records.Create(AuditActions.ClientExpired, client.ClientId, actor: null) with
        {
            Changes = new Dictionary<string, AuditChange> { ["status"] = new(WireEnum.NameOf(client.Status), WireEnum.NameOf(expired.Status)) },
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

/// <summary>Reaps once a minute, on one node at a time.</summary>
internal sealed partial class ReapClientsRegularly(IMediator mediator, ILeaseStore leases, ClockWatch clock, Readiness readiness, TimeProvider time, ILogger<ReapClientsRegularly> logger) : BackgroundService
{
    private const string Lease = "reaper";
    private static readonly TimeSpan s_every = TimeSpan.FromMinutes(1);

    private readonly string _node = RandomNumberGenerator.GetHexString(32, lowercase: true);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_every, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                if (readiness.IsReady)
                {
                    await LookAsync(stoppingToken);
                }
            }
            catch (StoreUnavailableException exception)
            {
                LogWaiting(exception);
            }
            // The clients stay due, and the next round finds them: no reason to stop serving.
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception);
            }
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        // Before the lease: a node whose clock is right shall have it.
        if (await clock.DoubtAsync(cancellationToken) is { } reason)
        {
            LogWithheld(reason);
            return;
        }
        await ReapAsync(cancellationToken);
    }

    private async Task ReapAsync(CancellationToken cancellationToken)
    {
        var ended = 0L;
        // Longer than the pause, so that the same node goes on.
        while (await leases.TryTakeAsync(Lease, _node, 2 * s_every, cancellationToken))
        {
            var reaped = (await mediator.Send(new ReapClients(DryRun: false, Caller: null, Before: ended), cancellationToken)).Value!;
            ended += reaped.Expired + reaped.Removed;
            if (reaped.Expired + reaped.Removed > 0)
            {
                LogReaped(reaped.Expired, reaped.Removed);
            }
            if (reaped.Withheld is { } reason)
            {
                LogWithheld(reason);
            }
            if (reaped.Done)
            {
                return;
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Expired} clients expired, {Removed} were removed")]
    private partial void LogReaped(long expired, long removed);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Clients that have expired wait, {Reason}; POST /admin/v1/clients:reap with all ends them now")]
    private partial void LogWithheld(Printed reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Clients that have expired could not be reaped; the next round tries again")]
    private partial void LogFailed(Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Clients that have expired wait: the store is away")]
    private partial void LogWaiting(Exception exception);
}
