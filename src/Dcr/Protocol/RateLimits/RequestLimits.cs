using System.Net;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

namespace Dcr.Protocol.RateLimits;

/// <summary>
/// How much one address, or one client, may ask of this node. An address pays for each proof that was refused, after it was refused; a
/// client for what it does after it has proved itself. So nothing that others send in a client's name takes anything from it. Buckets
/// fill by the monotonic clock, and are forgotten some seconds after they are full.
/// </summary>
internal sealed class RequestLimits(IOptions<RateLimitOptions> options) : IDisposable
{
    private const string TooManyOfClient = "The client sends too many requests. Try again later.";
    private static readonly TimeSpan s_period = TimeSpan.FromSeconds(1);

    private readonly bool _enabled = options.Value.Enabled;

    private readonly PartitionedRateLimiter<IPAddress> _addresses = Buckets<IPAddress>(
        options.Value.RefusedPerAddressPerSecond, options.Value.RefusedPerAddressBurst, EqualityComparer<IPAddress>.Default);

    private readonly PartitionedRateLimiter<string> _clients = Buckets<string>(
        options.Value.PerClientPerSecond, options.Value.PerClientBurst, StringComparer.Ordinal);

    /// <summary>A proof from this address was refused. Null: it is told so.</summary>
    public OAuthError? CountRefusedProof(IPAddress address) =>
        Take(_addresses, address, "Too many requests from this address could not be authenticated. Try again later.");

    /// <summary>A client, or whoever holds a token for it, has proved itself. Null: it may go on.</summary>
    public OAuthError? CountProved(string caller) => Take(_clients, caller, TooManyOfClient);

    /// <summary>Whether <see cref="CountProved"/> would refuse the caller. Counts nothing.</summary>
    public OAuthError? FindExhausted(string caller) =>
        _enabled && _clients.GetStatistics(caller) is { CurrentAvailablePermits: 0 }
            ? OAuthError.TooManyRequests(TooManyOfClient, s_period)
            : null;

    public void Dispose()
    {
        _addresses.Dispose();
        _clients.Dispose();
    }

    private OAuthError? Take<T>(PartitionedRateLimiter<T> buckets, T key, string description)
    {
        if (!_enabled)
        {
            return null;
        }
        using var lease = buckets.AttemptAcquire(key);
        return lease.IsAcquired
            ? null
            : OAuthError.TooManyRequests(
                description,
                lease.TryGetMetadata(MetadataName.RetryAfter, out var retryAfter) && retryAfter > s_period ? retryAfter : s_period);
    }

    private static PartitionedRateLimiter<T> Buckets<T>(int perSecond, int burst, IEqualityComparer<T> comparer)
        where T : notnull
    {
        var bucket = new TokenBucketRateLimiterOptions
        {
            TokenLimit = burst,
            TokensPerPeriod = Math.Min(perSecond, burst),
            ReplenishmentPeriod = s_period,
            QueueLimit = 0,
        };
        return PartitionedRateLimiter.Create<T, T>(key => RateLimitPartition.GetTokenBucketLimiter(key, _ => bucket), comparer);
    }
}
