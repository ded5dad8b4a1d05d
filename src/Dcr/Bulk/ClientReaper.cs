using System.Security.Cryptography;
using Dcr.Protocol;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dcr.Bulk;

/// <summary>Reaps once a minute, on one node at a time.</summary>
internal sealed partial class ClientReaper(
    ExpiredClients expired, ILeaseStore leases, ClockWatch clock, Readiness readiness, TimeProvider time, ILogger<ClientReaper> logger)
    : BackgroundService
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
            var reaped = await expired.EndAsync(dryRun: false, all: false, ended, cancellationToken);
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

    [LoggerMessage(EventId = 2004, Level = LogLevel.Information, Message = "{Expired} clients expired, {Removed} were removed")]
    private partial void LogReaped(long expired, long removed);

    [LoggerMessage(
        EventId = 2005,
        Level = LogLevel.Warning,
        Message = "Clients that have expired wait, {Reason}; POST /admin/v1/clients:reap with all ends them now")]
    private partial void LogWithheld(Printed reason);

    [LoggerMessage(
        EventId = 2006, Level = LogLevel.Error, Message = "Clients that have expired could not be reaped; the next round tries again")]
    private partial void LogFailed(Exception exception);

    [LoggerMessage(EventId = 2007, Level = LogLevel.Warning, Message = "Clients that have expired wait: the store is away")]
    private partial void LogWaiting(Exception exception);
}
