using Dcr.Storage.MongoDb;
using Microsoft.Extensions.DependencyInjection;
using MongoDB.Driver.Core.Configuration;
using MongoDB.Driver.Core.Events;

namespace Dcr.StorageTests;

/// <summary>Stops a node right before one of the commands that it sends to MongoDB, until it is told to go on.</summary>
public sealed class CommandGate : IDisposable
{
    private static readonly string[] s_counted = ["insert", "update", "delete", "find", "findAndModify", "aggregate", "count"];

    private readonly ManualResetEventSlim _open = new(initialState: true);
    private TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _stopBefore = -1;
    private int _sent;

    /// <summary>How many commands have been sent since the gate was last set.</summary>
    public int Sent => Volatile.Read(ref _sent);

    public void Configure(ClusterBuilder cluster) => cluster.Subscribe<CommandStartedEvent>(Pass);

    /// <summary>Stops before the command with this number, counted from 0.</summary>
    /// <returns>Completes when the node has come to it.</returns>
    public Task StopBefore(int command)
    {
        _arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _sent, 0);
        _stopBefore = command;
        _open.Reset();
        return _arrived.Task;
    }

    public void GoOn()
    {
        _stopBefore = -1;
        _open.Set();
    }

    public void Dispose() => _open.Dispose();

    private void Pass(CommandStartedEvent command)
    {
        if (!s_counted.Contains(command.CommandName) || Interlocked.Increment(ref _sent) - 1 != _stopBefore)
        {
            return;
        }
        _arrived.TrySetResult();
        _open.Wait();
    }
}

internal static class GatedNodes
{
    /// <summary>Another node on the store, which the gate stops where a test likes.</summary>
    public static Node Open(this StoreUnderTest store, CommandGate gate) => store.Open(services =>
        services.Configure<MongoDbStorageOptions>(options => options.ConfigureCluster = gate.Configure));
}
