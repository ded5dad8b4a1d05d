namespace Dcr.Keys;

/// <summary>One URI in the cache: what is known of its document, and the download that is under way.</summary>
internal sealed class JwksEntry(string uri)
{
    private readonly Lock _lock = new();
    private Task<CachedJwks>? _underWay;
    private DateTimeOffset? _unknownKidAt;
    private volatile CachedJwks _current = new();

    public string Uri { get; } = uri;

    public CachedJwks Current => _current;

    public Task<CachedJwks>? UnderWay
    {
        get
        {
            lock (_lock)
            {
                return _underWay;
            }
        }
    }

    /// <summary>True once in a cooldown: the caller may download because of a <c>kid</c> that is not known.</summary>
    public bool TryUseUnknownKid(DateTimeOffset now, TimeSpan cooldown)
    {
        lock (_lock)
        {
            if (_unknownKidAt + cooldown > now)
            {
                return false;
            }
            _unknownKidAt = now;
            return true;
        }
    }

    /// <summary>However many ask, one download is under way.</summary>
    public Task<CachedJwks> JoinOrStart(Func<Task<CachedJwks>> download)
    {
        lock (_lock)
        {
            return _underWay ??= RunAsync(download());
        }
    }

    private async Task<CachedJwks> RunAsync(Task<CachedJwks> download)
    {
        // Not before the lock around the start is left.
        await Task.Yield();
        try
        {
            return _current = await download;
        }
        finally
        {
            lock (_lock)
            {
                _underWay = null;
            }
        }
    }
}

/// <summary>What is known of the document at one URI.</summary>
internal sealed record CachedJwks
{
    /// <summary>Null: it could never be had.</summary>
    public ClientKeySet? Keys { get; init; }

    public int Bytes { get; init; }

    public JwksValidators Validators { get; init; } = JwksValidators.None;

    /// <summary>When the host last gave or confirmed the document.</summary>
    public DateTimeOffset FetchedAt { get; init; }

    public DateTimeOffset FreshUntil { get; init; }

    /// <summary>Null: the last attempt succeeded.</summary>
    public JwksFailure? LastFailure { get; init; }

    public bool IsFresh(DateTimeOffset now) => Keys is not null && now < FreshUntil;

    public bool FailedSince(DateTimeOffset then) => LastFailure is { } failure && failure.At > then;
}

internal sealed record JwksFailure(DateTimeOffset At, JwksFetchFailure Reason, string Description);
