using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Proofs;
using Dcr.Protocol;
using Dcr.SigningKeys;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Dcr.Storage.Testing;

/// <summary>The stores as one node of a server has them.</summary>
/// <param name="services">The node's own; disposed of with it.</param>
public sealed class Node(ServiceProvider services) : IAsyncDisposable
{
    private int _disposed;

    public IClientStore Clients => services.GetRequiredService<IClientStore>();

    public IUsedJtiStore Replays => services.GetRequiredService<IUsedJtiStore>();

    public ISigningKeyStore SigningKeys => services.GetRequiredService<ISigningKeyStore>();

    public IAuditStore Audit => services.GetRequiredService<IAuditStore>();

    public IStoreLifecycle Lifecycle => services.GetRequiredService<IStoreLifecycle>();

    /// <summary>Any other store, or a part of one.</summary>
    public T Get<T>()
        where T : notnull => services.GetRequiredService<T>();

    /// <summary>
    /// Starts what works in the background. Until then the node is like one that was killed right after its last write.
    /// </summary>
    public Task StartBackgroundAsync() =>
        Task.WhenAll(services.GetServices<IHostedService>().Select(service => service.StartAsync(default)));

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
        {
            return;
        }
        foreach (var service in services.GetServices<IHostedService>())
        {
            await service.StopAsync(default);
        }
        await services.DisposeAsync();
    }
}
