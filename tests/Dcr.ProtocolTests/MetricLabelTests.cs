using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>No text of a request becomes the value of a label: a stranger could make as many time series as there are texts.</summary>
public sealed class MetricLabelTests(SqliteServer server) : ServerTests(server), IClassFixture<SqliteServer>
{
    private static readonly Dictionary<string, string[]> s_closed = new()
    {
        ["dcr.client_assertions.accepted"] = ["issuer", "issuer_in_array", "own_endpoints"],
        ["dcr.client_assertions.excepted"] = ["audience", "lifetime"],
        ["dcr.client_assertions.refused"] = ["Shape", "Algorithm", "Client", "Key", "Signature", "Audience", "Times", "SingleUse", "Attestation"],
    };

    [Fact]
    [Requirement("P-LABEL")]
    public async Task No_label_holds_what_was_sent()
    {
        var marker = $"m{Guid.NewGuid():N}";
        var seen = new ConcurrentBag<(string Meter, string Instrument, string Label, string Value)>();
        using var listener = Listen(seen);
        var key = TestKey.Create(kid: marker);
        var client = await Server.OnboardAsync(key, metadata =>
        {
            metadata["client_name"] = marker;
            metadata["software_id"] = marker;
        });
        AssertionScenario By() => Server.Assertion(key, client.ClientId);
        foreach (var assertion in new[]
        {
            By(), By().WithHeader("alg", marker), By().WithHeader("typ", marker), By().WithHeader("kid", marker + "2"), By().WithClaim("aud", marker),
            By().WithClaim("iss", marker).WithClaim("sub", marker), By().WithClaim("jti", new string('x', 300) + marker), By().WithClaim("exp", marker),
            Server.Assertion(Server.OnboardingKey, marker),
        })
        {
            await Server.PostTokenAsync(assertion.Sign(), marker);
        }
        var form = Requests.TokenForm(By().Sign(), "read");
        form["grant_type"] = marker;
        form["client_assertion_type"] = marker;
        form[marker] = marker;
        await Server.PostTokenAsync(form, ("DPoP", marker), ("OAuth-Client-Attestation", marker), ("User-Agent", marker), ("X-Forwarded-For", marker));
        foreach (var path in new[] { $"/{marker}", $"/oauth/register/{marker}", $"/oauth/{marker}", $"/keys/{marker}/jwks.json", $"/oauth/status/{marker}", $"/admin/v1/clients/{marker}?{marker}={marker}" })
        {
            await Server.GetAsync(path, marker);
            await Server.SendAsync(new HttpMethod(marker.ToUpperInvariant()), path, marker, new JsonObject { [marker] = marker });
        }
        using (var elsewhere = new HttpRequestMessage(HttpMethod.Get, "/oauth/jwks"))
        {
            elsewhere.Headers.Host = $"{marker}.example";
            await Answer.ReadAsync(await Server.Http.SendAsync(elsewhere, Cancellation));
        }

        Assert.Contains(seen, measured => measured.Instrument == "dcr.client_assertions.refused");
        Assert.Contains(seen, measured => measured.Instrument == "http.server.request.duration");
        Assert.Contains(seen, measured => measured is { Instrument: "dcr.use_case.duration", Label: "use_case", Value: "IssueAccessToken" });
        Assert.Contains(seen, measured => measured is { Instrument: "dcr.use_case.duration", Label: "outcome", Value: "invalid_client" });
        Assert.DoesNotContain(seen, measured => measured.Value.Contains(marker, StringComparison.OrdinalIgnoreCase) || measured.Value.Contains(client.ClientId, StringComparison.Ordinal));
        Assert.All(seen.Where(measured => s_closed.ContainsKey(measured.Instrument)), measured => Assert.Contains(measured.Value, s_closed[measured.Instrument]));
    }

    private MeterListener Listen(ConcurrentBag<(string Meter, string Instrument, string Label, string Value)> seen)
    {
        var meters = Server.Services.GetRequiredService<IMeterFactory>();
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listening) =>
            {
                if (instrument.Meter.Scope == meters)
                {
                    listening.EnableMeasurementEvents(instrument);
                }
            },
        };
        void Note(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            foreach (var tag in tags)
            {
                seen.Add((instrument.Meter.Name, instrument.Name, tag.Key, tag.Value?.ToString() ?? ""));
            }
        }
        listener.SetMeasurementEventCallback<long>((instrument, _, tags, _) => Note(instrument, tags));
        listener.SetMeasurementEventCallback<int>((instrument, _, tags, _) => Note(instrument, tags));
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Note(instrument, tags));
        listener.Start();
        return listener;
    }
}
