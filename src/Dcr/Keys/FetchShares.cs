namespace Dcr.Keys;

/// <summary>
/// Whose turn it is to download. What one host (by name and port), one party and one registrant can hold at a time is bounded, in
/// each room; whoever is beyond a bound waits, and keeps nobody else waiting. Keeps nothing of those that ask for nothing.
/// </summary>
internal sealed class FetchShares
{
    private const int MaxWaitingForHost = 100;
    private const int MaxWaiting = 2000;

    private readonly Lock _lock = new();
    private readonly Dictionary<Share, int> _held = [];
    private readonly Dictionary<Share, int> _waitingForHost = [];
    private readonly LinkedList<Waiter> _waiting = [];

    /// <summary>The most that are under way from one host, both rooms together.</summary>
    public static int MostFromOneHost { get; } = MostOf(new Share(FetchRoom.Newcomer, ShareKind.Host, "")) + MostOf(
        new Share(FetchRoom.Registered, ShareKind.Host, ""));

    /// <summary>To be disposed when the download ends. Null: it does not come in time, or too many wait already.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="host">Name and port.</param>
    /// <param name="longestWait">Until it is given up.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<FetchTurn?> TakeAsync(FetchCaller caller, string host, TimeSpan longestWait, CancellationToken cancellationToken)
    {
        Share ofHost = new(caller.Room, ShareKind.Host, host);
        var waiter = new Waiter(
            [
                ofHost,
                new(caller.Room, ShareKind.Party, caller.Party),
                new(caller.Room, ShareKind.Registrant, caller.Registrant),
                new(caller.Room, ShareKind.All, ""),
            ]);
        lock (_lock)
        {
            if (TryHold(waiter))
            {
                return waiter.Given.Task.Result;
            }
            if (_waiting.Count >= MaxWaiting || _waitingForHost.GetValueOrDefault(ofHost) >= MaxWaitingForHost)
            {
                return null;
            }
            _waiting.AddLast(waiter);
            Count(_waitingForHost, ofHost, 1);
        }
        try
        {
            return await waiter.Given.Task.WaitAsync(longestWait, cancellationToken);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            Leave(waiter);
            if (exception is OperationCanceledException)
            {
                throw;
            }
            return null;
        }
    }

    internal void Release(IReadOnlyList<Share> shares)
    {
        lock (_lock)
        {
            foreach (var share in shares)
            {
                Count(_held, share, -1);
            }
            for (var node = _waiting.First; node is not null;)
            {
                var (waiter, next) = (node.Value, node.Next);
                if (TryHold(waiter))
                {
                    _waiting.Remove(node);
                    Count(_waitingForHost, waiter.Shares[0], -1);
                }
                node = next;
            }
        }
    }

    private bool TryHold(Waiter waiter)
    {
        if (waiter.Shares.Any(share => _held.GetValueOrDefault(share) >= MostOf(share)))
        {
            return false;
        }
        foreach (var share in waiter.Shares)
        {
            Count(_held, share, 1);
        }
        waiter.Given.SetResult(new FetchTurn(this, waiter.Shares));
        return true;
    }

    private void Leave(Waiter waiter)
    {
        lock (_lock)
        {
            if (_waiting.Remove(waiter))
            {
                Count(_waitingForHost, waiter.Shares[0], -1);
                return;
            }
        }
        // The turn came in the same moment.
        waiter.Given.Task.Result.Dispose();
    }

    private static void Count(Dictionary<Share, int> counts, Share share, int change)
    {
        var count = counts.GetValueOrDefault(share) + change;
        if (count == 0)
        {
            counts.Remove(share);
        }
        else
        {
            counts[share] = count;
        }
    }

    // A host: a few, but enough that a directory's clients come through together after a start. A party has one document. A
    // registrant's names that hang must leave room for its others, and all of them for other registrants.
    private static int MostOf(Share share) => (share.Room, share.Kind) switch
    {
        (FetchRoom.Newcomer, ShareKind.Host) => 4,
        (FetchRoom.Newcomer, ShareKind.Party) => 2,
        (FetchRoom.Newcomer, ShareKind.Registrant) => 96,
        (FetchRoom.Newcomer, _) => 192,
        (_, ShareKind.Host) => 8,
        (_, ShareKind.Party) => 4,
        (_, ShareKind.Registrant) => 128,
        _ => 384,
    };

    private sealed class Waiter(Share[] shares)
    {
        /// <summary>That of the host first.</summary>
        public Share[] Shares { get; } = shares;

        public TaskCompletionSource<FetchTurn> Given { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

internal enum ShareKind
{
    Host,
    Party,
    Registrant,
    All,
}

internal readonly record struct Share(FetchRoom Room, ShareKind Kind, string Name);

/// <summary>A place among the downloads that are under way.</summary>
internal sealed class FetchTurn(FetchShares shares, IReadOnlyList<Share> held) : IDisposable
{
    private Task _lookUp = Task.CompletedTask;

    /// <summary>The place is kept until the look-up has ended, which may be long after the download was given up.</summary>
    public void HoldFor(Task lookUp) => _lookUp = lookUp;

    public void Dispose()
    {
        if (_lookUp.IsCompleted)
        {
            shares.Release(held);
            return;
        }
        _lookUp.ContinueWith(
            _ => shares.Release(held), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }
}
