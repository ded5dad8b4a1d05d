using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Dcr.Storage.Testing;

/// <summary>
/// One store of its own for each test class, with two nodes on it. An implementer derives from this once: it makes an empty store, says
/// how a node is given it, and removes it. Tests of one class run one after the other on the same store; classes run side by side, each
/// on another.
/// </summary>
public abstract class StoreUnderTest : IAsyncLifetime
{
    private readonly List<Node> _nodes = [];

    /// <summary>Why there is no store to test on this machine, for example no server. Null: there is one.</summary>
    public virtual string? SkipReason => null;

    /// <summary>
    /// The clock of both nodes, in whole milliseconds, which is what stores keep of a time. Its wall clock and its monotonic clock move
    /// apart where a test steps the former.
    /// </summary>
    public TestClock Time { get; } = new(DateTimeOffset.FromUnixTimeMilliseconds(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()));

    /// <summary>The node that most tests write on.</summary>
    public Node One => _nodes[0];

    /// <summary>The node that most tests read on: what <see cref="One"/> was told is done, it must see.</summary>
    public Node Other => _nodes[1];

    public async ValueTask InitializeAsync()
    {
        if (SkipReason is not null)
        {
            return;
        }
        await PrepareAsync();
        _nodes.AddRange([Open(), Open()]);
        // Both at once, as nodes start.
        await Task.WhenAll(_nodes.Select(node => node.Lifecycle.InitializeAsync(default)));
    }

    /// <summary>Another node on the same store. Nothing works in its background yet.</summary>
    /// <param name="configure">Changes the node's services, after <see cref="Configure"/>. Null: nothing more.</param>
    public Node Open(Action<IServiceCollection>? configure = null)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.None));
        services.AddSingleton<TimeProvider>(Time);
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        Configure(services);
        configure?.Invoke(services);
        return new Node(services.BuildServiceProvider());
    }

    /// <summary>Stops both nodes; the store stays.</summary>
    public async Task DisposeNodesAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }
        _nodes.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await DisposeNodesAsync();
        if (SkipReason is null)
        {
            await DropAsync();
        }
    }

    /// <summary>Makes what the nodes need, once, before the first. By default nothing.</summary>
    protected virtual Task PrepareAsync() => Task.CompletedTask;

    /// <summary>
    /// Gives one node the store, by the implementer's own <c>UseX</c> on a <see cref="DcrBuilder"/> of these services. A logger factory,
    /// a configuration and the clock are there already.
    /// </summary>
    protected abstract void Configure(IServiceCollection services);

    /// <summary>Removes the store, after the last node has ended.</summary>
    protected abstract Task DropAsync();
}
