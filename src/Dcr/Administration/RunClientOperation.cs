using System.Security.Cryptography;
using System.Text.Json;
using System.Threading.Channels;
using Dcr.AccessTokens;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using Dcr.Registration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dcr.Administration;

/// <summary>
/// Does operations on many clients, batch by batch: as long as a caller cares to wait, then in the background, on one node at a
/// time, until every one is done, also those of nodes that ended.
/// </summary>
internal sealed partial class RunClientOperation(
    IClientOperationStore operations, IClientStore clients, IRevokedTokenStore revoked, IAuditStore audit, ILeaseStore leases, Readiness readiness, AuditRecords records, TimeProvider time, ILogger<RunClientOperation> logger) : BackgroundService
{
    private const int BatchSize = 500;
    private const int AtOnce = 10;
    private const string Lease = "client-operations";
    private static readonly TimeSpan s_leaseLife = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_lookEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_callerWaits = TimeSpan.FromSeconds(1);

    private readonly Channel<bool> _looks = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly string _node = RandomNumberGenerator.GetHexString(32, lowercase: true);

    /// <summary>Begins an operation and does as much of it as fits into a moment; a dry run is counted and done.</summary>
    /// <returns>Null: what the operation rests on does not hold any more, and nothing was begun.</returns>
    public async Task<ClientOperation?> StartAsync(
        ClientStatus becomes, OriginFilter origin, IReadOnlyList<StatementOrigin>? unlessRestingOn, bool dryRun, Act act, CancellationToken cancellationToken)
    {
        var record = records.Create(becomes == ClientStatus.Revoked ? AuditActions.OriginRevoked : AuditActions.OriginSuspended, subject: "", act.Actor);
        var operation = new ClientOperation
        {
            Id = record.Id,
            Origin = origin,
            UnlessRestingOn = unlessRestingOn,
            Becomes = becomes,
            Actor = act.Actor!,
            StartedAt = record.At,
            DryRun = dryRun,
            Done = dryRun,
        };
        operation = operation with { Matched = await operations.CountAsync(operation, cancellationToken) };
        if (!await operations.AddAsync(operation, act.Grounds, cancellationToken))
        {
            return null;
        }
        if (!dryRun)
        {
            await audit.AddAsync(record with { Subject = operation.Id, Changes = Describe(operation) }, cancellationToken);
        }
        operation = await RunAsync(operation, time.GetTimestamp(), cancellationToken);
        if (!operation.Done)
        {
            _looks.Writer.TryWrite(true);
        }
        return operation;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(LookAsync(stoppingToken), LookNowAndThenAsync(stoppingToken));

    /// <summary>For what another node began and did not finish.</summary>
    private async Task LookNowAndThenAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_lookEvery, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            _looks.Writer.TryWrite(true);
        }
    }

    private async Task LookAsync(CancellationToken stoppingToken)
    {
        await foreach (var _ in _looks.Reader.ReadAllAsync(stoppingToken))
        {
            try
            {
                if (readiness.IsReady)
                {
                    await FinishAllAsync(stoppingToken);
                }
            }
            catch (StoreUnavailableException exception)
            {
                LogWaiting(exception);
            }
            // Every step that was acknowledged is kept, and the next look goes on: no reason to stop serving.
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception);
            }
        }
    }

    private async Task<ClientOperation> RunAsync(ClientOperation operation, long since, CancellationToken cancellationToken)
    {
        while (!operation.Done && time.GetElapsedTime(since) < s_callerWaits)
        {
            operation = await StepAsync(operation, cancellationToken);
        }
        return operation;
    }

    private async Task FinishAllAsync(CancellationToken cancellationToken)
    {
        foreach (var unfinished in await operations.ListUnfinishedAsync(AtOnce, cancellationToken))
        {
            var operation = unfinished;
            while (!operation.Done && await leases.TryTakeAsync(Lease, _node, time.GetUtcNow() + s_leaseLife, cancellationToken))
            {
                operation = await StepAsync(operation, cancellationToken);
            }
        }
    }

    private async Task<ClientOperation> StepAsync(ClientOperation operation, CancellationToken cancellationToken)
    {
        if (operation is { After: null, Becomes: ClientStatus.Revoked })
        {
            await EndInitialAccessTokensAsync(operation, cancellationToken);
        }
        var action = operation.Becomes == ClientStatus.Revoked ? AuditActions.ClientRevoked : AuditActions.ClientSuspended;
        var stepped = await operations.StepAsync(
            operation,
            BatchSize,
            (clientId, status) => records.Create(action, clientId, operation.Actor) with
            {
                Changes = new Dictionary<string, AuditChange>
                {
                    ["status"] = new(WireEnum.NameOf(status), WireEnum.NameOf(operation.Becomes)),
                    ["operation"] = new(null, operation.Id),
                },
            },
            cancellationToken);
        LogStep(stepped.Id, stepped.Changed, stepped.Matched);
        return stepped;
    }

    /// <summary>
    /// Before anything is revoked: the initial access tokens that the origin names make no client any more, not even one whose registration is
    /// under way. An onboarding client that is still active asks for new ones.
    /// </summary>
    private async Task EndInitialAccessTokensAsync(ClientOperation operation, CancellationToken cancellationToken)
    {
        if (operation.Origin.InitialTokenJti is { } jti)
        {
            await revoked.AddAsync(jti, time.GetUtcNow() + InitialAccessTokenPolicy.LongestLifetime, cancellationToken);
        }
        if (operation.Origin.OnboardingClient is not { } onboardingClient)
        {
            return;
        }
        while (await clients.FindAsync(onboardingClient, cancellationToken) is { StatusIndex: not null } onboarding)
        {
            var record = records.Create(AuditActions.ClientSignedOut, onboardingClient, operation.Actor) with
            {
                Changes = new Dictionary<string, AuditChange> { ["operation"] = new(null, operation.Id) },
            };
            await clients.SignOutAsync(onboardingClient, onboarding.Version, record, Grounds.Server, cancellationToken);
        }
    }

    private static Dictionary<string, AuditChange> Describe(ClientOperation operation) =>
        JsonSerializer.SerializeToElement(operation.Origin, DcrJson.Default.OriginFilter).EnumerateObject()
            .ToDictionary(member => member.Name, member => new AuditChange(null, member.Value.GetString()));

    [LoggerMessage(Level = LogLevel.Information, Message = "Operation {OperationId}: {Changed} of {Matched} clients")]
    private partial void LogStep(Printed operationId, long changed, long matched);

    [LoggerMessage(Level = LogLevel.Error, Message = "An operation on clients failed; it is tried again")]
    private partial void LogFailed(Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Operations on clients wait: the store is away")]
    private partial void LogWaiting(Exception exception);
}
