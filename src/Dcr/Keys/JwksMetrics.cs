using System.Diagnostics.Metrics;
using Dcr.Protocol;

namespace Dcr.Keys;

/// <summary>
/// Downloads of JWK Sets by outcome and how long they took, and how old documents are when they are used. Not by URI:
/// clients could make as many series as they like; a single client is in the admin API.
/// </summary>
internal sealed class JwksMetrics
{
    private readonly Histogram<double> _fetches;
    private readonly Histogram<double> _ages;

    public JwksMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(DcrMeter.Name);
        _fetches = meter.CreateHistogram<double>("dcr.jwks.fetch.duration", "s", "Downloads of JWK Sets, by outcome.");
        _ages = meter.CreateHistogram<double>(
            "dcr.jwks.age", "s", "How long ago the document that a request was answered from was given or confirmed by its host.");
    }

    public void Fetched(JwksFetchOutcome outcome, TimeSpan duration) =>
        _fetches.Record(duration.TotalSeconds, KeyValuePair.Create<string, object?>("outcome", outcome switch
        {
            JwksFetched => "fetched",
            JwksNotModified => "not_modified",
            JwksFetchBusy => "busy",
            JwksFetchFailed failed => failed.Reason.ToString(),
            _ => "unknown",
        }));

    public void Used(TimeSpan age) => _ages.Record(age.TotalSeconds);
}
