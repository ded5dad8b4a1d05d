using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Dcr.Server;

/// <summary>
/// Stops the server without breaking off a request. From the signal on it is not ready, and every answer says <c>Connection: close</c>;
/// after the drain delay nobody new is let in, whoever was let in is answered, and only then the server stops to listen.
/// </summary>
internal sealed class Draining(
    IOptions<ConnectionOptions> options, ListenSockets sockets, IHostApplicationLifetime lifetime, TimeProvider time)
    : IHostedLifecycleService, IHealthCheck
{
    // Longer than a caller needs from its connection to its request; idle ones are closed after it.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan s_lookEvery = TimeSpan.FromMilliseconds(10);

    private int _connections;

    private bool IsDraining => lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>Counts the connections that are open.</summary>
    public ConnectionDelegate Count(ConnectionDelegate next) => async connection =>
    {
        Interlocked.Increment(ref _connections);
        try
        {
            await next(connection);
        }
        finally
        {
            Interlocked.Decrement(ref _connections);
        }
    };

    /// <summary>RFC 9112 section 9.6: the answer tells that it is the last on its connection.</summary>
    public Task CloseAfterAnswerAsync(HttpContext context, RequestDelegate next)
    {
        context.Response.OnStarting(
            static state =>
            {
                var (context, draining) = ((HttpContext, Draining))state;
                if (draining.IsDraining && HttpProtocol.IsHttp11(context.Request.Protocol))
                {
                    context.Response.Headers.Connection = "close";
                }
                return Task.CompletedTask;
            },
            (context, this));
        return next(context);
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(IsDraining ? HealthCheckResult.Unhealthy("The server is stopping.") : HealthCheckResult.Healthy());

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        // Not by a signal, but by a host that has the server within it and knows its callers.
        if (!IsDraining)
        {
            return;
        }
        await Task.Delay(options.Value.DrainDelay, time, cancellationToken);
        sockets.LetNobodyIn();
        var start = time.GetTimestamp();
        while ((sockets.HasWaiting || Volatile.Read(ref _connections) > 0) && time.GetElapsedTime(start) < s_patience)
        {
            await Task.Delay(s_lookEvery, time, cancellationToken);
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
