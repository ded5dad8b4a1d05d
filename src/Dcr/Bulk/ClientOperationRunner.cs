using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using System.Threading.Channels;
using Dcr.AccessTokens;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dcr.Bulk;

/// <summary>
/// Does operations on many clients, batch by batch: as long as a caller cares to wait, then in the background, on one node at a
/// time, until every one is done, also those of nodes that ended. None waits for another: each has its turn, and one that fails is
/// tried again at the next look.
/// </summary>
internal sealed partial class ClientOperationRunner(
    IClientOperationStore operations,
    IClientStore clients,
    IRevokedTokenStore revoked,
    ClientResumer resume,
    ILeaseStore leases,
    Readiness readiness,
    AuditRecords records,
    TimeProvider time,
    ILogger<ClientOperationRunner> logger) : BackgroundService
{
    private const int BatchSize = 500;
    private const int AtOnce = 100;
    private const string Lease = "client-operations";
    private static readonly TimeSpan s_leaseLife = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_lookEvery = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_callerWaits = TimeSpan.FromSeconds(1);

    private readonly Channel<bool> _looks = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    /// <summary>Those that a caller of this node waits for, which are done there and not at the same time in the background.</summary>
    private readonly ConcurrentDictionary<string, byte> _waitedFor = new(StringComparer.Ordinal);

    private readonly string _node = RandomNumberGenerator.GetHexString(32, lowercase: true);

    /// <summary>
    /// Begins an operation and does as much of it as fits into a moment; a dry run is counted and done. Once it is stored it goes on,
    /// whether or not the caller waits for the answer.
    /// </summary>
    /// <returns>Null: what the operation rests on does not hold any more, and nothing was begun.</returns>
    public async Task<ClientOperation?> StartAsync(
        ClientStatus becomes,
        OriginFilter origin,
        IReadOnlyList<StatementOrigin>? unlessRestingOn,
        bool dryRun,
        Act act,
        CancellationToken cancellationToken)
    {
        var record = records.Create(ActionOf(becomes), subject: "", act.Actor);
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
        // From here on the caller's patience decides nothing any more.
        var asked = dryRun ? null : record with { Subject = operation.Id, Changes = Describe(operation) };
        if (!await operations.AddAsync(operation, asked, act.Grounds, CancellationToken.None))
        {
            return null;
        }
        _waitedFor.TryAdd(operation.Id, 0);
        try
        {
            await TryAsync(
                operation.Id, async () => operation = await RunAsync(operation, time.GetTimestamp(), cancellationToken), cancellationToken);
            return operation;
        }
        finally
        {
            _waitedFor.TryRemove(operation.Id, out _);
            if (!operation.Done)
            {
                _looks.Writer.TryWrite(true);
            }
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(LookAsync(stoppingToken), LookNowAndThenAsync(stoppingToken));

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
            if (readiness.IsReady)
            {
                await TryAsync(operationId: "", () => FinishAllAsync(stoppingToken), stoppingToken);
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
        var failed = new HashSet<string>();
        int left;
        do
        {
            left = 0;
            string? after = null;
            IReadOnlyList<ClientOperation> unfinished;
            do
            {
                unfinished = await operations.ListUnfinishedAsync(after, AtOnce, cancellationToken);
                var next = unfinished.Where(operation => !failed.Contains(operation.Id) && !_waitedFor.ContainsKey(operation.Id));
                foreach (var operation in next)
                {
                    if (!await leases.TryTakeAsync(Lease, _node, s_leaseLife, cancellationToken))
                    {
                        return;
                    }
                    async Task StepOnceAsync() => left += (await StepAsync(operation, cancellationToken)).Done ? 0 : 1;
                    if (!await TryAsync(operation.Id, StepOnceAsync, cancellationToken))
                    {
                        failed.Add(operation.Id);
                    }
                }
                after = unfinished.Count > 0 ? unfinished[^1].Id : null;
            }
            while (unfinished.Count == AtOnce);
        }
        while (left > 0);
    }

    /// <summary>
    /// False: it failed, which is told. Every step that was acknowledged is kept, and the next look goes on: no reason to stop serving.
    /// </summary>
    private async Task<bool> TryAsync(string operationId, Func<Task> work, CancellationToken stoppingToken)
    {
        try
        {
            await work();
            return true;
        }
        catch (StoreUnavailableException exception)
        {
            LogWaiting(exception, operationId);
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            LogFailed(exception, operationId);
        }
        return false;
    }

    private async Task<ClientOperation> StepAsync(ClientOperation operation, CancellationToken cancellationToken)
    {
        // Once: an onboarding client that is still active has new ones by the next pass.
        if (operation is { After: null, Passes: 0, Becomes: ClientStatus.Revoked })
        {
            await EndInitialAccessTokensAsync(operation, cancellationToken);
        }
        var stepped = operation.Becomes == ClientStatus.Active
            ? await resume.StepAsync(operation, BatchSize, cancellationToken)
            : await StopAsync(operation, cancellationToken);
        LogStep(stepped.Id, stepped.Changed, stepped.Matched);
        return stepped;
    }

    private Task<ClientOperation> StopAsync(ClientOperation operation, CancellationToken cancellationToken) => operations.StepAsync(
        operation,
        BatchSize,
        (clientId, status) =>
            records.Create(
                operation.Becomes == ClientStatus.Revoked ? AuditActions.ClientRevoked : AuditActions.ClientSuspended,
                clientId,
                operation.Actor) with
            {
                Changes = new Dictionary<string, AuditChange>
                {
                    ["status"] = new(WireEnum.NameOf(status), WireEnum.NameOf(operation.Becomes)),
                    ["operation"] = new(null, operation.Id),
                },
            },
        cancellationToken);

    private static string ActionOf(ClientStatus becomes) => becomes switch
    {
        ClientStatus.Revoked => AuditActions.OriginRevoked,
        ClientStatus.Suspended => AuditActions.OriginSuspended,
        _ => AuditActions.OriginResumed,
    };

    /// <summary>
    /// Before anything is revoked: the initial access tokens that the origin names make no client any more, not even one whose registration
    /// is under way. An onboarding client that is still active asks for new ones.
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
        JsonSerializer.SerializeToElement(operation.Origin, ClientsJson.Default.OriginFilter).EnumerateObject()
            .ToDictionary(member => member.Name, member => new AuditChange(null, member.Value.GetString()));

    [LoggerMessage(EventId = 2001, Level = LogLevel.Information, Message = "Operation {OperationId}: {Changed} of {Matched} clients")]
    private partial void LogStep(Printed operationId, long changed, long matched);

    [LoggerMessage(EventId = 2002, Level = LogLevel.Error, Message = "An operation on clients failed; it is tried again: {OperationId}")]
    private partial void LogFailed(Exception exception, Printed operationId);

    [LoggerMessage(EventId = 2003, Level = LogLevel.Warning, Message = "Operations on clients wait: the store is away: {OperationId}")]
    private partial void LogWaiting(Exception exception, Printed operationId);
}
