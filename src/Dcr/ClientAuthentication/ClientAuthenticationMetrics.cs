using System.Diagnostics.Metrics;
using Dcr.Protocol;

namespace Dcr.ClientAuthentication;

/// <summary>
/// Counts accepted assertions by their audience, those that only an exception made good, and refusals by rule. Labels have closed sets
/// of values.
/// </summary>
internal sealed class ClientAuthenticationMetrics
{
    private readonly Counter<long> _accepted;
    private readonly Counter<long> _excepted;
    private readonly Counter<long> _refused;

    public ClientAuthenticationMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(DcrMeter.Name);
        _accepted = meter.CreateCounter<long>("dcr.client_assertions.accepted", "{assertion}", "Client assertions accepted, by audience.");
        _excepted = meter.CreateCounter<long>(
            "dcr.client_assertions.excepted",
            "{assertion}",
            "Client assertions accepted that RFC 10070 or the longest life forbids, by what was excused: audience or lifetime.");
        _refused = meter.CreateCounter<long>(
            "dcr.client_assertions.refused", "{assertion}", "Client assertions refused, by the first rule that failed.");
    }

    public void Accepted(AssertionVerdict.Accepted assertion)
    {
        _accepted.Add(1, KeyValuePair.Create<string, object?>("audience", assertion.Audience switch
        {
            AcceptedAudience.Issuer => "issuer",
            AcceptedAudience.IssuerInArray => "issuer_in_array",
            AcceptedAudience.OwnEndpoints => "own_endpoints",
            _ => "unknown",
        }));
        if (assertion.Audience == AcceptedAudience.OwnEndpoints)
        {
            _excepted.Add(1, KeyValuePair.Create<string, object?>("excused", "audience"));
        }
        if (assertion.LivesLonger)
        {
            _excepted.Add(1, KeyValuePair.Create<string, object?>("excused", "lifetime"));
        }
    }

    public void Refused(AssertionRule rule) => _refused.Add(1, KeyValuePair.Create<string, object?>("rule", rule));
}
