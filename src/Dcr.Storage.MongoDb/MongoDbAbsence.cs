using System.Diagnostics;
using MongoDB.Driver.Core.Clusters;
using MongoDB.Driver.Core.Clusters.ServerSelectors;
using MongoDB.Driver.Core.Servers;

namespace Dcr.Storage.MongoDb;

/// <summary>
/// The driver lets each operation wait for a server. While there has been none to write to for as long as one operation
/// waits, the next need not: they fail at once, until the driver's monitor finds one again.
/// </summary>
internal sealed class MongoDbAbsence(TimeSpan patience) : IServerSelector
{
    private long _since;

    public IEnumerable<ServerDescription> SelectServers(ClusterDescription cluster, IEnumerable<ServerDescription> servers)
    {
        List<ServerDescription> candidates = [.. servers];
        if (candidates.Any(IsWritable))
        {
            Interlocked.Exchange(ref _since, 0);
            return candidates;
        }
        var now = Stopwatch.GetTimestamp();
        var since = Interlocked.CompareExchange(ref _since, now, 0);
        return since == 0 || Stopwatch.GetElapsedTime(since, now) < patience
            ? candidates
            : throw new TimeoutException(
                $"No MongoDB server has taken writes for {Stopwatch.GetElapsedTime(since, now).TotalSeconds:F0} s.");
    }

    private static bool IsWritable(ServerDescription server) => server is
    {
        State: ServerState.Connected,
        Type: ServerType.ReplicaSetPrimary or ServerType.ShardRouter or ServerType.Standalone or ServerType.LoadBalanced,
    };
}
