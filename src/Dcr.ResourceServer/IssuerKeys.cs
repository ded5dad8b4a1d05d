using Dcr.Jose;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Dcr.ResourceServer;

/// <summary>
/// The server's metadata and keys, in place of JwtBearer's own keeper, where each who waits for a server that does not answer waits a
/// time-out of its own, after all before it, and where a key that the server has given up is remembered as the last good one.
/// </summary>
internal sealed class IssuerKeys : BaseConfigurationManager, IConfigurationManager<OpenIdConnectConfiguration>
{
    // As long as the server lets its keys be kept; each key is published twice as long before it signs.
    private static readonly TimeSpan s_fresh = TimeSpan.FromMinutes(5);

    // While the server is away. The status list, which those keys sign, sets a nearer end.
    private static readonly TimeSpan s_usable = TimeSpan.FromHours(1);

    // A stranger can name a key that nobody has in every request.
    private static readonly TimeSpan s_betweenRequests = TimeSpan.FromSeconds(10);

    private readonly SharedRefresh<OpenIdConnectConfiguration> _shared;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private long? _requestedAt;

    /// <param name="address">Of the metadata.</param>
    /// <param name="documents">Fetches it, and the keys it names.</param>
    /// <param name="timeout">For all of it.</param>
    public IssuerKeys(string address, IDocumentRetriever documents, TimeSpan timeout, TimeProvider time)
    {
        MetadataAddress = address;
        UseLastKnownGoodConfiguration = false;
        _time = time;
        _shared = new SharedRefresh<OpenIdConnectConfiguration>(
            (_, stop) => OpenIdConnectConfigurationRetriever.GetAsync(address, documents, stop),
            new SharedRefreshRules<OpenIdConnectConfiguration>
            {
                FreshFor = _ => s_fresh,
                UsableFor = _ => s_usable,
                Timeout = timeout,
                Meanwhile = WhileRefreshing.OneWaits,
                PauseAfterFailure = s_betweenRequests,
            },
            time);
    }

    public Task<OpenIdConnectConfiguration> GetConfigurationAsync(CancellationToken cancel) => _shared.GetAsync(cancel).AsTask();

    public override async Task<BaseConfiguration> GetBaseConfigurationAsync(CancellationToken cancel) => await _shared.GetAsync(cancel);

    /// <summary>A token names a key that is not among those known.</summary>
    public override void RequestRefresh()
    {
        lock (_lock)
        {
            if (_requestedAt is { } at && _time.GetElapsedTime(at) < s_betweenRequests)
            {
                return;
            }
            _requestedAt = _time.GetTimestamp();
        }
        _shared.SetDue();
    }
}
