using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;

namespace Dcr.Bulk;

/// <summary>
/// Lets the clients of one origin go on, suspended and expired ones, as if an administrator resumed one after the other: each begins with
/// the life that its policy gave it, and none too many for the cap of its onboarding client. It goes over them once; a client for which
/// there is no room stays as it is.
/// </summary>
internal sealed class ClientResumer(IClientOperationStore operations, ClientEditor change, TimeProvider time)
{
    private const int AtOnce = 8;

    public async Task<ClientOperation> StepAsync(ClientOperation operation, int limit, CancellationToken cancellationToken)
    {
        var next = await operations.NextAsync(operation, limit, cancellationToken);
        var resumed = 0L;
        // What the operation rests on was judged when it was stored; from then on it is the server's to finish.
        var act = new Act(operation.Actor, Grounds.Server);
        await Parallel.ForEachAsync(
            next,
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
            async (client, cancellation) => Interlocked.Add(ref resumed, await TryResumeAsync(client.ClientId, act, cancellation) ? 1 : 0));
        // First what was done, wherever another node that came over the same clients has moved the operation to.
        var counted = resumed == 0 ? operation : await operations.CountChangedAsync(operation, resumed, cancellationToken);
        if (counted.Done || counted.After != operation.After)
        {
            return counted;
        }
        return await operations.MoveAsync(
            counted, counted with { Done = next.Count < limit, After = next.Count == 0 ? counted.After : next[^1] }, cancellationToken);
    }

    /// <summary>False: it is gone, was resumed by somebody else, or may not be.</summary>
    private async Task<bool> TryResumeAsync(string clientId, Act act, CancellationToken cancellationToken)
    {
        var isChanged = false;
        var resumed = await change.ExecuteAsync(
            clientId,
            client =>
            {
                var decided = StatusChange.Decide(client, ClientStatus.Active, time.GetUtcNow());
                isChanged = decided.IsSuccess && decided.Value != client;
                return decided;
            },
            AuditActions.ClientResumed,
            StatusChange.Describe,
            act,
            cancellationToken);
        return resumed.IsSuccess && isChanged;
    }
}
