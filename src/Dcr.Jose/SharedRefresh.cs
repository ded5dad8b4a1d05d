namespace Dcr.Jose;

/// <summary>
/// A value that many need and that is fetched again from time to time. However many ask, one refresh is under way, and all who
/// wait share its result and its failure. The old value is served while <see cref="SharedRefreshRules{T}"/> allow it. Ages are
/// told by the monotonic clock and counted from the moment the value was asked for.
/// </summary>
/// <param name="refresh">
/// Fetches the value; is handed what is known (null: nothing) and a token that is cancelled after
/// <see cref="SharedRefreshRules{T}.Timeout"/>, never because somebody who waits gives up.
/// </param>
/// <param name="rules">How old what may be.</param>
/// <param name="time">Whose timestamps tell the age; the wall clock is never looked at.</param>
public sealed class SharedRefresh<T>(Func<T?, CancellationToken, Task<T>> refresh, SharedRefreshRules<T> rules, TimeProvider time)
    where T : class
{
    private readonly Lock _lock = new();
    private volatile Kept? _kept;
    private TaskCompletionSource<T>? _underWay;
    private long? _failedAt;

    /// <summary>What was last fetched and may still be served, however it stands with its refresh. Null: there is nothing.</summary>
    public T? Usable => _kept is { } kept && IsUsable(kept) ? kept.Value : null;

    /// <summary>What was last fetched, however old. Null: nothing, or it was dropped.</summary>
    public T? Latest => _kept?.Value;

    /// <summary>The refresh that is under way, for who waits for it and would not begin one. Null: none is.</summary>
    public Task<T>? UnderWay
    {
        get
        {
            lock (_lock)
            {
                return _underWay?.Task;
            }
        }
    }

    /// <summary>A value that is fresh, or one that may be served in its place.</summary>
    /// <param name="cancellationToken">Ends this wait, and neither the refresh nor the wait of others.</param>
    /// <exception cref="TimeoutException">The refresh took too long, and no value from before may be served.</exception>
    public ValueTask<T> GetAsync(CancellationToken cancellationToken) => GetAsync(refresh, cancellationToken);

    /// <summary>The same, where a refresh goes by who begins it: whoever asks while it is under way joins that one, as it is.</summary>
    /// <param name="refreshBy">How whoever asks would refresh the value.</param>
    /// <param name="cancellationToken">Ends this wait, and neither the refresh nor the wait of others.</param>
    /// <exception cref="TimeoutException">The refresh took too long, and no value from before may be served.</exception>
    public ValueTask<T> GetAsync(Func<T?, CancellationToken, Task<T>> refreshBy, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(refreshBy);
        if (_kept is { IsDue: false } kept && IsFresh(kept))
        {
            return ValueTask.FromResult(kept.Value);
        }
        return JoinAsync(refreshBy, cancellationToken);
    }

    /// <summary>The next who asks starts a refresh, although the value is fresh.</summary>
    public void SetDue()
    {
        lock (_lock)
        {
            _kept = _kept is { } kept ? kept with { IsDue = true } : null;
        }
    }

    /// <summary>Does not serve this value again. One that has been replaced meanwhile changes nothing.</summary>
    public void Drop(Func<T, bool> isIt)
    {
        ArgumentNullException.ThrowIfNull(isIt);
        lock (_lock)
        {
            if (_kept is { } kept && isIt(kept.Value))
            {
                _kept = null;
            }
        }
    }

    /// <summary>Whatever was asked for before now is not served to those who ask from now on: it has changed.</summary>
    public void Invalidate()
    {
        lock (_lock)
        {
            _kept = null;
            _underWay = null;
        }
    }

    private async ValueTask<T> JoinAsync(Func<T?, CancellationToken, Task<T>> refreshBy, CancellationToken cancellationToken)
    {
        TaskCompletionSource<T> joined;
        T? usable;
        bool isMine;
        lock (_lock)
        {
            if (_kept is { IsDue: false } kept && IsFresh(kept))
            {
                return kept.Value;
            }
            usable = Usable;
            if (usable is not null && _failedAt is { } failedAt && time.GetElapsedTime(failedAt) < rules.PauseAfterFailure)
            {
                return usable;
            }
            isMine = _underWay is null;
            joined = _underWay ??= new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        if (isMine)
        {
            // Not within the lock. It tells its outcome to all by what was joined, and throws nothing itself.
            _ = RunAsync(joined, refreshBy);
        }
        if (usable is not null && (rules.Meanwhile == WhileRefreshing.ServeOld || (rules.Meanwhile == WhileRefreshing.OneWaits && !isMine)))
        {
            return usable;
        }
        return await joined.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task RunAsync(TaskCompletionSource<T> underWay, Func<T?, CancellationToken, Task<T>> refreshBy)
    {
        var asked = time.GetTimestamp();
        using var limit = new CancellationTokenSource(rules.Timeout, time);
        try
        {
            // Waited for apart, so that a refresh which does not look at its token keeps nobody.
            var value = await refreshBy(_kept?.Value, limit.Token).WaitAsync(limit.Token).ConfigureAwait(false);
            Keep(underWay, value, asked);
        }
        catch (OperationCanceledException exception) when (limit.IsCancellationRequested)
        {
            Fail(underWay, new TimeoutException($"A refresh did not end within {rules.Timeout.TotalSeconds} s.", exception));
        }
        catch (Exception exception)
        {
            // Whatever it is, those who wait are told.
            Fail(underWay, exception);
        }
    }

    private void Keep(TaskCompletionSource<T> underWay, T value, long asked)
    {
        lock (_lock)
        {
            if (_underWay == underWay)
            {
                (_underWay, _failedAt, _kept) = (null, null, new Kept(value, asked, IsDue: false));
            }
        }
        underWay.SetResult(value);
    }

    private void Fail(TaskCompletionSource<T> underWay, Exception fault)
    {
        T? usable;
        lock (_lock)
        {
            if (_underWay == underWay)
            {
                (_underWay, _failedAt) = (null, time.GetTimestamp());
                _kept = _kept is { } kept ? kept with { IsDue = false } : null;
            }
            usable = rules.IsOutage(fault) ? Usable : null;
        }
        if (usable is not null)
        {
            underWay.SetResult(usable);
            return;
        }
        underWay.SetException(fault);
        // Seen, also where everybody was served the old value and nobody waits for this one.
        _ = underWay.Task.Exception;
    }

    private bool IsFresh(Kept kept) => time.GetElapsedTime(kept.AskedAt) < rules.FreshFor(kept.Value);

    private bool IsUsable(Kept kept) => time.GetElapsedTime(kept.AskedAt) < rules.UsableFor(kept.Value);

    private sealed record Kept(T Value, long AskedAt, bool IsDue);
}
