namespace Dcr.Client;

/// <summary>How a <see cref="DcrClient"/> goes about its requests. The defaults suit nearly everybody.</summary>
public sealed record DcrClientOptions
{
    private readonly int _maxAttempts = 4;
    private readonly TimeSpan _retryDelay = TimeSpan.FromMilliseconds(500);

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>How often a request is sent at most when its answer is lost or the server is away: 1 to 10, default 4.</summary>
    public int MaxAttempts
    {
        get => _maxAttempts;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 10);
            _maxAttempts = value;
        }
    }

    /// <summary>
    /// The pause before the second attempt, default half a second; doubled for each one after, and each up to half as long
    /// again by chance. A <c>Retry-After</c> of up to ten seconds goes before it; a longer one ends the attempts.
    /// </summary>
    public TimeSpan RetryDelay
    {
        get => _retryDelay;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromMinutes(1));
            _retryDelay = value;
        }
    }
}
