using System.Diagnostics.Metrics;
using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>RFC 10070: the issuer is the sole audience of a client assertion; and the dated exceptions for clients that cannot do that yet.</summary>
public abstract class AssertionExceptionTests(DcrServer server) : ServerTests(server)
{
    private DateTimeOffset Now => Server.Time.GetUtcNow();

    private AssertionScenario For(OnboardedClient client, params string[] audiences) => Server.Assertion(client.Key, client.ClientId)
        .WithClaim("aud", audiences is [var one] ? one : new JsonArray([.. audiences.Select(audience => JsonValue.Create(audience))]));

    private AssertionScenario Lasting(OnboardedClient client, int seconds) =>
        Server.Assertion(client.Key, client.ClientId).WithClaim("exp", Now.AddSeconds(seconds).ToUnixTimeSeconds());

    private Task<Answer> SetAsync(OnboardedClient client, JsonObject exception) =>
        Server.AdminAsync(HttpMethod.Put, $"clients/{client.ClientId}/assertion-exception", exception);

    private Task<Answer> RemoveAsync(string clientId) => Server.AdminAsync(HttpMethod.Delete, $"clients/{clientId}/assertion-exception");

    private async Task<JsonObject> ShownAsync(OnboardedClient client) =>
        (await Server.AdminAsync(HttpMethod.Get, $"clients/{client.ClientId}")).Succeeded().Json;

    private async Task<bool> IsListedAsync(OnboardedClient client, string value = "true") =>
        (await Server.AdminAsync(HttpMethod.Get, $"clients?assertion_exception={value}&limit=200")).Succeeded().Json["items"]!.AsArray()
            .Any(item => item!["client_id"]!.GetValue<string>() == client.ClientId);

    private JsonObject Exception(TimeSpan? lasting = null, int? lifetime = null, bool audience = true)
    {
        var body = new JsonObject { ["until"] = Now + (lasting ?? TimeSpan.FromDays(30)) };
        if (audience)
        {
            body["audience"] = "own_endpoints";
        }
        if (lifetime is not null)
        {
            body["max_lifetime_seconds"] = lifetime;
        }
        return body;
    }

    private string[][] OwnEndpoints =>
    [
        [Server.TokenEndpoint],
        [Server.Issuer + "/oauth/introspect"],
        [Server.Issuer + "/oauth/revoke"],
        [Server.Issuer, Server.TokenEndpoint],
        [Server.TokenEndpoint, Server.Issuer + "/oauth/revoke", Server.Issuer + "/oauth/introspect"],
        [Server.Issuer, Server.Issuer],
    ];

    private string[][] Others =>
    [
        [],
        ["https://other.example"],
        [Server.Issuer, "https://other.example"],
        [Server.TokenEndpoint, Server.TokenEndpoint + "/"],
        [Server.RegistrationEndpoint],
        [Server.Issuer + "/admin/v1"],
        [Server.TokenEndpoint + "?x=1"],
    ];

    private static void Refused(Answer answer, string? says = null) => answer.Refused(HttpStatusCode.Unauthorized, "invalid_client", says);

    [Fact]
    [Requirement("R10070-4-01", "R10070-4-02")]
    public async Task Rejects_every_audience_but_the_issuer_from_a_client_without_an_exception()
    {
        var client = await Server.OnboardAsync();
        foreach (var audiences in OwnEndpoints.Concat(Others))
        {
            Refused(await Server.PostTokenAsync(For(client, audiences).Sign()), $"aud must be the issuer, {Server.Issuer}, and nothing else");
        }
        (await Server.PostTokenAsync(For(client, Server.Issuer).Sign())).Succeeded();
        Assert.False(await IsListedAsync(client));
        Assert.True(await IsListedAsync(client, "false"));
    }

    [Fact]
    [Requirement("P-AUDIENCE")]
    public async Task Accepts_URLs_of_this_server_from_an_excepted_client_until_the_end()
    {
        var client = await Server.OnboardAsync();
        var until = Now.AddHours(2);
        var set = (await SetAsync(client, Exception(TimeSpan.FromHours(2)))).Succeeded();
        Assert.Equal(("own_endpoints", until.ToUnixTimeMilliseconds()), Read(set.Json["assertion_exception"]!));
        foreach (var audiences in OwnEndpoints)
        {
            (await Server.PostTokenAsync(For(client, audiences).Sign())).Succeeded();
        }
        foreach (var audiences in Others)
        {
            Refused(await Server.PostTokenAsync(For(client, audiences).Sign()), "and nothing else");
        }
        (await Server.PostTokenAsync(For(client, Server.Issuer).Sign())).Succeeded();
        Refused(await Server.PostTokenAsync(Lasting(client, 3600).Sign()), "ahead");

        Server.Time.Advance(TimeSpan.FromHours(2) - TimeSpan.FromSeconds(1));
        (await Server.PostTokenAsync(For(client, Server.TokenEndpoint).Sign())).Succeeded();
        Server.Time.Advance(TimeSpan.FromSeconds(1));
        Refused(await Server.PostTokenAsync(For(client, Server.TokenEndpoint).Sign()), "The exception for this client ended at");
        (await Server.PostTokenAsync(For(client, Server.Issuer).Sign())).Succeeded();
        Assert.True(await IsListedAsync(client));
    }

    private static (string, long) Read(JsonNode exception) =>
        (exception["audience"]!.GetValue<string>(), exception["until"]!.GetValue<DateTimeOffset>().ToUnixTimeMilliseconds());

    [Fact]
    [Requirement("P-AUDIENCE", "R7523-3-04")]
    public async Task Accepts_a_longer_life_from_an_excepted_client_until_the_end()
    {
        var client = await Server.OnboardAsync();
        Refused(await Server.PostTokenAsync(Lasting(client, 3600).Sign()), "ahead");
        (await SetAsync(client, Exception(TimeSpan.FromHours(3), lifetime: 3600, audience: false))).Succeeded();
        (await Server.PostTokenAsync(Lasting(client, 3600).Sign())).Succeeded();
        Refused(await Server.PostTokenAsync(Lasting(client, 3620).Sign()), "at most 3600 s");
        Refused(await Server.PostTokenAsync(For(client, Server.TokenEndpoint).Sign()), "aud");
        Server.Time.Advance(TimeSpan.FromHours(3));
        Refused(await Server.PostTokenAsync(Lasting(client, 3600).Sign()), "at most 600 s");
    }

    [Fact]
    [Requirement("OIDCC-9-01", "P-REPLAY", "P-AUDIENCE")]
    public async Task A_copy_of_an_assertion_is_refused_as_long_as_it_lasts_and_moves_nothing()
    {
        var client = await Server.OnboardAsync();
        (await SetAsync(client, Exception(lifetime: 3600))).Succeeded();
        var assertion = Lasting(client, 3600).WithClaim("aud", Server.TokenEndpoint).Sign();
        (await Server.PostTokenAsync(assertion)).Succeeded();
        var before = await ShownAsync(client);

        Server.Time.Advance(TimeSpan.FromSeconds(3605));
        Refused(await Server.PostTokenAsync(assertion), "used before");
        var after = await ShownAsync(client);
        foreach (var member in new[] { "last_used_at", "assertion_exception_needed_at" })
        {
            Assert.Equal(before[member]!.GetValue<DateTimeOffset>(), after[member]!.GetValue<DateTimeOffset>());
        }
    }

    [Fact]
    [Requirement("P-AUDIENCE", "P-AUDIT")]
    public async Task Lists_and_shows_who_has_an_exception_until_when_and_when_it_was_needed_and_audits_it()
    {
        var client = await Server.OnboardAsync();
        Assert.False((await ShownAsync(client)).ContainsKey("assertion_exception"));
        (await SetAsync(client, Exception(lifetime: 1800))).Succeeded();
        Assert.True(await IsListedAsync(client));
        (await Server.PostTokenAsync(For(client, Server.Issuer).Sign())).Succeeded();
        Assert.False((await ShownAsync(client)).ContainsKey("assertion_exception_needed_at"));

        (await Server.PostTokenAsync(For(client, Server.TokenEndpoint).Sign())).Succeeded();
        var shown = await ShownAsync(client);
        Assert.Equal(Now.ToUnixTimeMilliseconds(), shown["assertion_exception_needed_at"]!.GetValue<DateTimeOffset>().ToUnixTimeMilliseconds());
        Assert.Equal(1800, shown["assertion_exception"]!["max_lifetime_seconds"]!.GetValue<int>());

        // What the client changes itself leaves the exception alone.
        var metadata = Requests.Metadata(client.Key);
        metadata["client_id"] = client.ClientId;
        (await Server.SendAsync(HttpMethod.Put, client.Path, client.RegistrationAccessToken, metadata)).Succeeded();
        Assert.True((await ShownAsync(client)).ContainsKey("assertion_exception"));

        Assert.Equal(HttpStatusCode.NoContent, (await RemoveAsync(client.ClientId)).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await RemoveAsync(client.ClientId)).Status);
        Refused(await Server.PostTokenAsync(For(client, Server.TokenEndpoint).Sign()), "and nothing else");
        Assert.False((await ShownAsync(client)).ContainsKey("assertion_exception"));
        // It has needed one a moment ago. After a week of use without, it is not listed any more.
        Assert.True(await IsListedAsync(client));
        Server.Time.Advance(TimeSpan.FromDays(8));
        (await Server.PostTokenAsync(For(client, Server.Issuer).Sign())).Succeeded();
        Assert.False(await IsListedAsync(client));

        var audit = (await Server.AdminAsync(HttpMethod.Get, $"audit?subject={client.ClientId}")).Succeeded().Json["items"]!.AsArray();
        var removed = Assert.Single(audit, record => record!["action"]!.GetValue<string>() == "client.assertion_exception_removed")!;
        var set = Assert.Single(audit, record => record!["action"]!.GetValue<string>() == "client.assertion_exception_set")!;
        Assert.Equal((DcrServer.Admin, DcrServer.Admin), (set["actor"]!.GetValue<string>(), removed["actor"]!.GetValue<string>()));
        var said = set["changes"]!["assertion_exception"]!["after"]!.GetValue<string>();
        Assert.Contains("\"max_lifetime_seconds\":1800", said, StringComparison.Ordinal);
        Assert.Equal(said, removed["changes"]!["assertion_exception"]!["before"]!.GetValue<string>());
    }

    [Theory]
    [Requirement("P-AUDIENCE")]
    [InlineData("""{}""", "until")]
    [InlineData("""{"until":"LATER"}""", "audience")]
    [InlineData("""{"audience":"own_endpoints"}""", "until")]
    [InlineData("""{"audience":"own_endpoints","until":null}""", "until")]
    [InlineData("""{"audience":"own_endpoints","until":"PAST"}""", "until")]
    [InlineData("""{"audience":"own_endpoints","until":"9999-12-31T23:59:59Z"}""", "until")]
    [InlineData("""{"audience":"own_endpoints","until":"tomorrow"}""", "until")]
    [InlineData("""{"audience":"own_endpoints","until":1900000000}""", "until")]
    [InlineData("""{"audience":"any","until":"LATER"}""", "audience")]
    [InlineData("""{"audience":0,"until":"LATER"}""", "audience")]
    [InlineData("""{"audience":["own_endpoints"],"until":"LATER"}""", "audience")]
    [InlineData("""{"max_lifetime_seconds":600,"until":"LATER"}""", "max_lifetime_seconds")]
    [InlineData("""{"max_lifetime_seconds":3601,"until":"LATER"}""", "max_lifetime_seconds")]
    [InlineData("""{"max_lifetime_seconds":-1,"until":"LATER"}""", "max_lifetime_seconds")]
    [InlineData("""{"max_lifetime_seconds":1e9,"until":"LATER"}""", "max_lifetime_seconds")]
    [InlineData("""{"max_lifetime_seconds":"3600","until":"LATER"}""", "max_lifetime_seconds")]
    [InlineData("""{"audience":"own_endpoints","max_lifetime":3600,"until":"LATER"}""", "max_lifetime")]
    public async Task Rejects_an_exception_that_is_none_or_has_no_end(string body, string names)
    {
        var client = await Server.OnboardAsync();
        var text = body.Replace("LATER", $"{Now.AddDays(1):O}", StringComparison.Ordinal).Replace("PAST", $"{Now:O}", StringComparison.Ordinal);
        (await SetAsync(client, JsonNode.Parse(text)!.AsObject())).Refused(HttpStatusCode.BadRequest, "invalid_request", names);
        Assert.False((await ShownAsync(client)).ContainsKey("assertion_exception"));
    }

    [Fact]
    [Requirement("P-AUDIENCE")]
    public async Task Rejects_what_is_asked_of_no_client_or_by_nobody()
    {
        (await Server.AdminAsync(HttpMethod.Put, "clients/nobody/assertion-exception", Exception())).Refused(HttpStatusCode.NotFound, "not_found");
        (await RemoveAsync("nobody")).Refused(HttpStatusCode.NotFound, "not_found");
        var client = await Server.OnboardAsync();
        var path = Server.Path($"/admin/v1/clients/{client.ClientId}/assertion-exception");
        (await Server.SendAsync(HttpMethod.Put, path, null, Exception())).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        (await Server.SendAsync(HttpMethod.Put, path, await Server.AccessTokenAsync(client.Key, client.ClientId), Exception())).Refused(HttpStatusCode.Forbidden, "insufficient_scope");
        (await Server.AdminAsync(HttpMethod.Get, "clients?assertion_exception=maybe")).Refused(HttpStatusCode.BadRequest, "invalid_request", "assertion_exception");
    }

    [Fact]
    [Requirement("P-AUDIENCE")]
    public async Task Counts_assertions_by_audience_and_those_that_an_exception_made_good()
    {
        var client = await Server.OnboardAsync();
        (await SetAsync(client, Exception(lifetime: 3600))).Succeeded();
        var counted = new List<string>();
        using var listener = new CountedAssertions(Server, counted);
        (await Server.PostTokenAsync(For(client, Server.Issuer).Sign())).Succeeded();
        (await Server.PostTokenAsync(Server.Assertion(client.Key, client.ClientId).WithClaim("aud", new JsonArray(Server.Issuer)).Sign())).Succeeded();
        (await Server.PostTokenAsync(For(client, Server.TokenEndpoint).Sign())).Succeeded();
        (await Server.PostTokenAsync(Lasting(client, 3000).Sign())).Succeeded();
        Refused(await Server.PostTokenAsync(For(client, "https://other.example").Sign()));
        Assert.Equal(
            ["accepted audience=issuer", "accepted audience=issuer_in_array", "accepted audience=own_endpoints", "excepted excused=audience", "accepted audience=issuer", "excepted excused=lifetime", "refused rule=Audience"],
            counted);
    }
}

/// <summary>What a server counts of assertions, as texts.</summary>
internal sealed class CountedAssertions : IDisposable
{
    private const string Prefix = "dcr.client_assertions.";

    private readonly MeterListener _listener;

    public CountedAssertions(DcrServer server, List<string> counted)
    {
        var meters = server.Services.GetRequiredService<IMeterFactory>();
        _listener = new MeterListener
        {
            InstrumentPublished = (instrument, listening) =>
            {
                if (instrument.Meter.Scope == meters && instrument.Name.StartsWith(Prefix, StringComparison.Ordinal))
                {
                    listening.EnableMeasurementEvents(instrument);
                }
            },
        };
        _listener.SetMeasurementEventCallback<long>((instrument, _, tags, _) => counted.Add($"{instrument.Name[Prefix.Length..]} {tags[0].Key}={tags[0].Value}"));
        _listener.Start();
    }

    public void Dispose() => _listener.Dispose();
}

/// <summary>Dcr:AssertionAudience=Dual: for the time of a migration.</summary>
public abstract class DualAudienceTests(DcrServer server) : ServerTests(server)
{
    [Fact]
    [Requirement("P-AUDIENCE")]
    public async Task Accepts_URLs_of_this_server_from_everybody_and_lists_who_needs_that()
    {
        Assert.Contains(Server.Log.Lines, line => line.StartsWith("Warning", StringComparison.Ordinal) && line.Contains("Dcr:AssertionAudience is Dual", StringComparison.Ordinal));
        var old = await Server.OnboardAsync();
        var good = await Server.OnboardAsync();
        (await Server.PostTokenAsync(Server.Assertion(old.Key, old.ClientId).WithClaim("aud", new JsonArray(Server.Issuer, Server.TokenEndpoint)).Sign())).Succeeded();
        (await Server.PostTokenAsync(Server.Assertion(old.Key, old.ClientId).Sign())).Succeeded();
        (await Server.PostTokenAsync(Server.Assertion(old.Key, old.ClientId).WithClaim("aud", Server.TokenEndpoint).Sign())).Succeeded();
        (await Server.PostTokenAsync(Server.Assertion(good.Key, good.ClientId).Sign())).Succeeded();
        (await Server.PostTokenAsync(Server.Assertion(good.Key, good.ClientId).WithClaim("aud", Server.RegistrationEndpoint).Sign()))
            .Refused(HttpStatusCode.Unauthorized, "invalid_client", "aud");
        (await Server.PostTokenAsync(Server.Assertion(good.Key, good.ClientId).WithClaim("exp", Server.Time.GetUtcNow().AddHours(1).ToUnixTimeSeconds()).Sign()))
            .Refused(HttpStatusCode.Unauthorized, "invalid_client", "ahead");

        var listed = (await Server.AdminAsync(HttpMethod.Get, "clients?assertion_exception=true&limit=200")).Succeeded().Json["items"]!.AsArray();
        var item = Assert.Single(listed)!;
        Assert.Equal(old.ClientId, item["client_id"]!.GetValue<string>());
        Assert.Null(item["assertion_exception"]);
        Assert.NotNull(item["assertion_exception_needed_at"]);
    }
}

/// <summary>What the FAPI 2.0 profile says of exceptions: there are none.</summary>
public sealed class AssertionExceptionProfileTests
{
    [Fact]
    [Requirement("F2-5.3.2.1-08", "P-AUDIENCE", "P-OPTIONS")]
    public async Task Refuses_the_dual_rule_at_start()
    {
        await using var server = new Fapi2Sqlite();
        server.Settings["Dcr:AssertionAudience"] = "Dual";
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(async () => await server.InitializeAsync());
        Assert.Contains("Dcr:AssertionAudience is Dual", fault.Message, StringComparison.Ordinal);
    }
}

public sealed class DualSqlite : SqliteServer
{
    public DualSqlite() => Settings["Dcr:AssertionAudience"] = "Dual";
}

public sealed class DualMongoDb : MongoDbServer
{
    public DualMongoDb() => Settings["Dcr:AssertionAudience"] = "Dual";
}

public sealed class AssertionExceptionTestsOnSqlite(SqliteServer server) : AssertionExceptionTests(server), IClassFixture<SqliteServer>;

public sealed class AssertionExceptionTestsOnMongoDb(MongoDbServer server) : AssertionExceptionTests(server), IClassFixture<MongoDbServer>;

public sealed class DualAudienceTestsOnSqlite(DualSqlite server) : DualAudienceTests(server), IClassFixture<DualSqlite>;

public sealed class DualAudienceTestsOnMongoDb(DualMongoDb server) : DualAudienceTests(server), IClassFixture<DualMongoDb>;
