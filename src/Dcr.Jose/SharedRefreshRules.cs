namespace Dcr.Jose;

/// <summary>How old the value of a <see cref="SharedRefresh{T}"/> may be, and who waits for a new one.</summary>
public sealed record SharedRefreshRules<T>
{
    /// <summary>How long a value is served without a refresh.</summary>
    public required Func<T, TimeSpan> FreshFor { get; init; }

    /// <summary>How long a value may be served where it cannot be refreshed. Counted, as the other, from when it was asked for.</summary>
    public required Func<T, TimeSpan> UsableFor { get; init; }

    /// <summary>How long a refresh may take; then it has failed. Infinite: it has limits of its own.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>What those do who ask while the value is not fresh, and may still be served. Default: all wait.</summary>
    public WhileRefreshing Meanwhile { get; init; }

    /// <summary>After a failed refresh, the old value is served for this long before the next attempt. Default: none.</summary>
    public TimeSpan PauseAfterFailure { get; init; }

    /// <summary>Whether the old value covers a failure. Default: it covers every one.</summary>
    public Func<Exception, bool> IsOutage { get; init; } = static _ => true;
}

/// <summary>What those do who ask while a value is refreshed that may still be served.</summary>
public enum WhileRefreshing
{
    /// <summary>All wait: the old value is served only after the refresh has failed.</summary>
    AllWait,

    /// <summary>Whoever started the refresh waits for it; the others have the old value.</summary>
    OneWaits,

    /// <summary>Nobody waits; the new value is for those who ask later.</summary>
    ServeOld,
}
