using System.Diagnostics.Metrics;
using Dcr.ClientAuthentication;

namespace Dcr.Keys;

/// <summary>Counts downloads of JWK Sets by what they came to.</summary>
internal sealed class JwksMetrics(IMeterFactory meters)
{
    private readonly Counter<long> _fetches = meters.Create(ClientAuthenticationMetrics.MeterName)
        .CreateCounter<long>("dcr.jwks.fetches", "{fetch}", "Downloads of JWK Sets, by outcome.");

    public void Fetched(JwksFetchOutcome outcome) => _fetches.Add(1, KeyValuePair.Create<string, object?>("outcome", outcome switch
    {
        JwksFetched => "fetched",
        JwksNotModified => "not_modified",
        JwksFetchFailed failed => failed.Reason.ToString(),
        _ => "unknown",
    }));
}
