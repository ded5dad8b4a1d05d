using System.Threading.Channels;
using Dcr.Protocol;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dcr.Storage.MongoDb;

/// <summary>
/// Carries on in the background what a write to one document could not do, so that no request waits for it: moves audit
/// records and settles counts, of this node as they come, and now and then whatever any node left behind.
/// </summary>
internal sealed partial class MongoDbOutboxWorker(
    MongoDbOutbox outbox, MongoDbAbandonedRegistrations abandoned, TimeProvider time, ILogger<MongoDbOutboxWorker> logger)
    : BackgroundService
{
    private static readonly TimeSpan s_sweepEvery = TimeSpan.FromSeconds(30);

    // What does not fit is found by the sweep.
    private readonly Channel<string> _written = Channel.CreateBounded<string>(
        new BoundedChannelOptions(10_000) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Says that a write left a record with this client. Never waits.</summary>
    public void Notify(string clientId) => _written.Writer.TryWrite(clientId);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(MoveAsTheyComeAsync(stoppingToken), SweepAsync(stoppingToken));

    private async Task MoveAsTheyComeAsync(CancellationToken stoppingToken)
    {
        while (await _written.Reader.WaitToReadAsync(stoppingToken))
        {
            // What came while the last ones were moved goes together, so that the pace is the writers' own.
            var clientIds = new HashSet<string>();
            while (clientIds.Count < MongoDbOutbox.AtOnce && _written.Reader.TryRead(out var clientId))
            {
                clientIds.Add(clientId);
            }
            await TryAsync(() => outbox.MoveAsync(clientIds, stoppingToken), stoppingToken);
        }
    }

    private async Task SweepAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_sweepEvery, time);
        do
        {
            await TryAsync(() => outbox.SweepAsync(stoppingToken), stoppingToken);
            await TryAsync(() => abandoned.SweepAsync(stoppingToken), stoppingToken);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    // Nothing is lost when a move fails: the record stays with its client for the next sweep. That is no reason to stop
    // serving, so even a fault that is no outage is told and not thrown.
    private async Task TryAsync(Func<Task> move, CancellationToken stoppingToken)
    {
        try
        {
            await MongoDbFault.GuardAsync(move);
        }
        catch (StoreUnavailableException exception)
        {
            LogWaiting(exception.Reason);
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            LogFailed(exception);
        }
    }

    [LoggerMessage(
        EventId = 3106,
        Level = LogLevel.Warning,
        Message = "Audit records stay with their clients until the next sweep: MongoDB is away ({Reason})")]
    private partial void LogWaiting(string reason);

    [LoggerMessage(
        EventId = 3107, Level = LogLevel.Error, Message = "Audit records stay with their clients until the next sweep: moving them failed")]
    private partial void LogFailed(Exception exception);
}
