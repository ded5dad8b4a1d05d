using Dcr.Jose;

namespace Dcr.Keys;

/// <summary>What is known of the document at one URI.</summary>
internal sealed record CachedJwks
{
    /// <summary>The download that said so. 0: none yet.</summary>
    public long Number { get; init; }

    /// <summary>Null: it could never be had.</summary>
    public PublicKeySet? Keys { get; init; }

    public JwksValidators Validators { get; init; } = JwksValidators.None;

    /// <summary>
    /// When the host last gave or confirmed the document, by the clock that only goes forward (<see cref="TimeProvider.GetTimestamp"/>).
    /// </summary>
    public long ConfirmedAt { get; init; }

    /// <summary>How long it is fresh from then on.</summary>
    public TimeSpan Freshness { get; init; }

    /// <summary><see cref="ConfirmedAt"/> as people read it, at that moment.</summary>
    public DateTimeOffset FetchedAt { get; init; }

    public DateTimeOffset FreshUntil => FetchedAt + Freshness;

    /// <summary>Null: the last attempt succeeded.</summary>
    public JwksFailure? LastFailure { get; init; }

    public TimeSpan Age(TimeProvider time) => time.GetElapsedTime(ConfirmedAt);

    public bool IsFresh(TimeProvider time) => Keys is not null && Age(time) < Freshness;

    /// <summary>What is known after a download.</summary>
    /// <param name="outcome">What it came to.</param>
    /// <param name="known">What it was asked with, which may not be this any more.</param>
    /// <param name="started">When it began, by the clock that only goes forward.</param>
    /// <param name="options">How long a document may be fresh.</param>
    /// <param name="time">Now.</param>
    public CachedJwks After(JwksFetchOutcome outcome, CachedJwks known, long started, JwksOptions options, TimeProvider time) =>
        outcome switch
        {
            JwksFetched fetched => new CachedJwks
            {
                Keys = fetched.Keys,
                Validators = fetched.Validators,
                ConfirmedAt = started,
                FetchedAt = time.GetUtcNow(),
                Freshness = Within(options, fetched.MaxAge),
            },
            // It confirms another document than this: there is nothing to say of this one.
            JwksNotModified when Keys != known.Keys => this,
            JwksNotModified same => this with
            {
                ConfirmedAt = started,
                FetchedAt = time.GetUtcNow(),
                Freshness = Within(options, same.MaxAge),
                LastFailure = null,
            },
            JwksFetchFailed failed =>
                this with { LastFailure = new JwksFailure(time.GetUtcNow(), time.GetTimestamp(), failed.Detail, failed.Description) },
            _ => throw new InvalidOperationException($"A fetch outcome of an unknown kind: {outcome}"),
        };

    private static TimeSpan Within(JwksOptions options, TimeSpan? maxAge)
    {
        var wished = maxAge ?? options.DefaultFreshness;
        return wished < options.MinFreshness ? options.MinFreshness : wished > options.MaxFreshness ? options.MaxFreshness : wished;
    }
}

/// <param name="At">As people read it.</param>
/// <param name="Timestamp">By the clock that only goes forward.</param>
/// <param name="Detail">For the log and for administrators.</param>
/// <param name="Description">Safe for strangers.</param>
internal sealed record JwksFailure(DateTimeOffset At, long Timestamp, string Detail, string Description);
