using System.Diagnostics.Metrics;

namespace Dcr.ClientAuthentication;

/// <summary>Counts accepted assertions by their audience, so that the end of the token endpoint as audience can be planned, and refusals by rule.</summary>
internal sealed class ClientAuthenticationMetrics
{
    public const string MeterName = "Dcr";

    private readonly Counter<long> _accepted;
    private readonly Counter<long> _refused;

    public ClientAuthenticationMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _accepted = meter.CreateCounter<long>("dcr.client_assertions.accepted", "{assertion}", "Client assertions accepted, by audience.");
        _refused = meter.CreateCounter<long>("dcr.client_assertions.refused", "{assertion}", "Client assertions refused, by the first rule that failed.");
    }

    public void Accepted(AssertionAudience audience) => _accepted.Add(1, KeyValuePair.Create<string, object?>("audience", audience));

    public void Refused(AssertionRule rule) => _refused.Add(1, KeyValuePair.Create<string, object?>("rule", rule));
}
