using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>Software statements: RFC 7591 section 2.3.</summary>
public abstract class SoftwareStatementTests(DcrServer server) : ServerTests(server)
{
    private readonly StatementIssuer _issuer = new();

    private Task<OnboardingParty> PartyAsync(string mode = "required", params string[] softwareIds) =>
        Server.OnboardingClientAsync(StatementIssuer.Policy(mode, _issuer.Trusted(softwareIds)));

    private static JsonObject Metadata(string? statement)
    {
        var metadata = Requests.Metadata(TestKey.Create());
        metadata["software_statement"] = statement;
        return metadata;
    }

    private async Task<Answer> AcceptsAsync(string statement, Action<JsonObject>? change = null)
    {
        var metadata = Metadata(statement);
        change?.Invoke(metadata);
        return (await Server.RegisterAsync(await PartyAsync(), metadata)).Succeeded(HttpStatusCode.Created);
    }

    private async Task RefusesAsync(string? statement, string names, string error = "invalid_software_statement", string mode = "required") =>
        (await Server.RegisterAsync(await PartyAsync(mode), Metadata(statement))).Refused(HttpStatusCode.BadRequest, error, names);

    private long Now => Server.Time.GetUtcNow().ToUnixTimeSeconds();

    [Fact]
    [Requirement("R7591-2.3-01", "R7591-3.2.1-04", "P-POLICY")]
    public async Task Accepts_a_statement_of_a_trusted_issuer_and_returns_it_unmodified()
    {
        var statement = _issuer.Sign();
        var answer = await AcceptsAsync(statement);
        Assert.Equal(statement, answer["software_statement"]);
        var read = (await Server.GetAsync(new Uri(answer["registration_client_uri"]).AbsolutePath, answer["registration_access_token"])).Succeeded();
        Assert.Equal(statement, read["software_statement"]);
    }

    [Fact]
    [Requirement("R7591-2.3-02", "R7591-3.2.1-01")]
    public async Task Prefers_its_claims_to_the_members_of_the_request()
    {
        var claims = _issuer.Claims();
        claims["client_name"] = "As stated";
        claims["client_name#ja"] = "\u540d";
        claims["scope"] = "read";
        claims["redirect_uris"] = new JsonArray("https://stated.example/cb");
        claims["contacts"] = new JsonArray("stated@app.example");
        claims["made_up"] = true;
        var answer = await AcceptsAsync(_issuer.Sign(claims), m =>
        {
            m["client_name"] = "As asked";
            m["client_name#ja"] = "x";
            m["scope"] = "read write";
            m["redirect_uris"] = new JsonArray("https://asked.example/cb");
            m["software_id"] = "another-app";
            m["software_version"] = "2";
        });
        Assert.Equal("As stated", answer["client_name"]);
        Assert.Equal("\u540d", answer["client_name#ja"]);
        Assert.Equal("read", answer["scope"]);
        Assert.Equal("""["https://stated.example/cb"]""", answer.Json["redirect_uris"]!.ToJsonString());
        Assert.Equal("""["stated@app.example"]""", answer.Json["contacts"]!.ToJsonString());
        Assert.Equal("the-app", answer["software_id"]);
        Assert.Equal("2", answer["software_version"]);
        Assert.Null(answer.Json["made_up"]);
        Assert.Null(answer.Json["iss"]);
    }

    [Fact]
    [Requirement("R7591-2.3-02")]
    public async Task Takes_keys_from_the_statement_in_place_of_those_of_the_request()
    {
        var stated = TestKey.Create(kid: "stated");
        var claims = _issuer.Claims();
        claims["jwks"] = TestKey.Jwks(stated);
        var answer = await AcceptsAsync(_issuer.Sign(claims), m =>
        {
            m.Remove("jwks");
            m["jwks_uri"] = "https://asked.example/jwks";
        });
        Assert.Null(answer.Json["jwks_uri"]);
        await Server.AccessTokenAsync(stated, answer["client_id"]);
    }

    [Fact]
    [Requirement("R7591-2.3-02", "P-CEILING")]
    public async Task Rejects_a_statement_that_says_more_than_the_policy_allows()
    {
        var claims = _issuer.Claims();
        claims["scope"] = "read dcr.admin";
        await RefusesAsync(_issuer.Sign(claims), "registration_policy.scope", "invalid_client_metadata");
    }

    [Fact]
    [Requirement("R7591-2.3-01")]
    public async Task Accepts_a_statement_by_a_key_that_is_downloaded()
    {
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(_issuer.Key).ToJsonString());
        var policy = StatementIssuer.Policy("required", new JsonObject { ["issuer"] = _issuer.Issuer, ["jwks_uri"] = host.Url });
        var party = await Server.OnboardingClientAsync(policy);
        (await Server.RegisterAsync(party, Metadata(_issuer.Sign()))).Succeeded(HttpStatusCode.Created);
        (await Server.RegisterAsync(party, Metadata(_issuer.Sign(with: TestKey.Create())))).Refused(HttpStatusCode.BadRequest, "invalid_software_statement", "signed");
    }

    [Theory]
    [Requirement("R7591-2.3-01")]
    [InlineData("PS256")]
    [InlineData("RS256")]
    [InlineData("ES384")]
    public async Task Accepts_every_algorithm_of_the_server(string alg)
    {
        var issuer = new StatementIssuer(alg);
        var party = await Server.OnboardingClientAsync(StatementIssuer.Policy("required", issuer.Trusted()));
        (await Server.RegisterAsync(party, Metadata(issuer.Sign()))).Succeeded(HttpStatusCode.Created);
    }

    [Fact]
    [Requirement("P-POLICY")]
    public async Task Accepts_no_statement_when_it_is_optional_and_rejects_none_when_it_is_required()
    {
        (await Server.RegisterAsync(await PartyAsync("optional"), Metadata(null))).Succeeded(HttpStatusCode.Created);
        (await Server.RegisterAsync(await PartyAsync("optional"), Metadata(_issuer.Sign()))).Succeeded(HttpStatusCode.Created);
        await RefusesAsync(null, $"registration_policy.software_statement trusts {_issuer.Issuer}");
    }

    [Fact]
    [Requirement("R7591-2.3-03", "P-POLICY")]
    public async Task Rejects_any_statement_when_the_policy_accepts_none() =>
        await RefusesAsync(_issuer.Sign(), "registration_policy.software_statement accepts none", "unapproved_software_statement", "none");

    [Fact]
    [Requirement("R7591-2.3-03", "P-POLICY")]
    public async Task Rejects_a_statement_of_an_issuer_that_is_not_trusted()
    {
        var other = new StatementIssuer();
        await RefusesAsync(other.Sign(), $"registration_policy.software_statement trusts {_issuer.Issuer}", "unapproved_software_statement", "optional");
    }

    [Fact]
    [Requirement("R7591-2.3-03", "P-POLICY")]
    public async Task Rejects_a_statement_about_software_that_is_not_accepted()
    {
        var party = await PartyAsync("required", "the-app", "another-app");
        (await Server.RegisterAsync(party, Metadata(_issuer.Sign(_issuer.Claims("another-app"))))).Succeeded(HttpStatusCode.Created);
        (await Server.RegisterAsync(party, Metadata(_issuer.Sign(_issuer.Claims("unknown-app")))))
            .Refused(HttpStatusCode.BadRequest, "unapproved_software_statement", "registration_policy.software_statement accepts the-app another-app");
        var unnamed = _issuer.Claims();
        unnamed.Remove("software_id");
        var sent = Metadata(_issuer.Sign(unnamed));
        sent["software_id"] = "the-app";
        (await Server.RegisterAsync(party, sent)).Refused(HttpStatusCode.BadRequest, "unapproved_software_statement", "software_id");
    }

    [Fact]
    [Requirement("R7591-2.3-01")]
    public async Task Rejects_a_statement_that_cannot_be_verified()
    {
        var signed = _issuer.Sign();
        await RefusesAsync(_issuer.Sign(with: TestKey.Create()), _issuer.Issuer);
        await RefusesAsync(signed[..^4] + (signed.EndsWith("AAAA", StringComparison.Ordinal) ? "BBBB" : "AAAA"), "signed");
        await RefusesAsync("not.a.jwt", "malformed");
        await RefusesAsync("", "software_statement: needed");
        await RefusesAsync($"{signed}.{signed}", "malformed");
        await RefusesAsync(_issuer.Sign(header: new JsonObject { ["alg"] = "none" }), "alg");
        await RefusesAsync(_issuer.Sign(header: new JsonObject { ["alg"] = "HS256", ["kid"] = _issuer.Key.Kid }), "alg");
        await RefusesAsync(_issuer.Sign(header: new JsonObject { ["alg"] = "ES256", ["kid"] = "unknown" }), "signed");
        await RefusesAsync(_issuer.Sign(header: new JsonObject { ["alg"] = "ES256", ["jwk"] = TestKey.Create().PublicJwk() }, with: TestKey.Create()), "software_statement");
    }

    [Theory]
    [Requirement("R7591-2.3-01")]
    [InlineData("iss", null)]
    [InlineData("iss", "5")]
    [InlineData("client_name", "{}")]
    [InlineData("redirect_uris", "\"https://app.example/cb\"")]
    [InlineData("exp", "\"tomorrow\"")]
    public async Task Rejects_claims_that_are_malformed_and_names_them(string claim, string? json)
    {
        var claims = _issuer.Claims();
        claims.Remove(claim);
        if (json is not null)
        {
            claims[claim] = JsonNode.Parse(json);
        }
        await RefusesAsync(_issuer.Sign(claims), claim);
    }

    [Fact]
    [Requirement("R7591-2.3-01")]
    public async Task Honours_its_times()
    {
        var claims = _issuer.Claims();
        claims["exp"] = Now + 60;
        claims["iat"] = Now - 1000;
        await AcceptsAsync(_issuer.Sign(claims));
        claims["exp"] = Now - 60;
        await RefusesAsync(_issuer.Sign(claims), "exp");
        claims["exp"] = Now + 3600;
        claims["nbf"] = Now + 60;
        await RefusesAsync(_issuer.Sign(claims), "nbf");
    }

    [Fact]
    [Requirement("R7591-2.3-01")]
    public async Task Lets_a_client_update_itself_with_the_statement_it_has_after_that_has_expired()
    {
        var claims = _issuer.Claims();
        claims["exp"] = Now + 60;
        var party = await PartyAsync();
        var statement = _issuer.Sign(claims);
        var client = await Server.OnboardAsync(party, m => m["software_statement"] = statement);
        Server.Time.Advance(TimeSpan.FromMinutes(5));
        (await Server.RegisterAsync(party, Metadata(statement))).Refused(HttpStatusCode.BadRequest, "invalid_software_statement", "exp");

        var update = Metadata(statement);
        update["client_id"] = client.ClientId;
        update["jwks"] = TestKey.Jwks(client.Key);
        update["client_name"] = "Renamed";
        var updated = (await Server.SendAsync(HttpMethod.Put, client.Path, client.RegistrationAccessToken, update)).Succeeded();
        Assert.Equal(statement, updated["software_statement"]);
        update["software_statement"] = null;
        (await Server.SendAsync(HttpMethod.Put, client.Path, updated["registration_access_token"], update)).Refused(HttpStatusCode.BadRequest, "invalid_software_statement", "needed");
    }

    [Fact]
    [Requirement("P-LINEAGE")]
    public async Task Remembers_the_statement_that_made_a_client_when_an_update_leaves_it_out()
    {
        var statement = _issuer.Sign();
        var client = await Server.OnboardAsync(await PartyAsync("optional"), m => m["software_statement"] = statement);
        var update = Metadata(null);
        update["client_id"] = client.ClientId;
        var updated = (await Server.SendAsync(HttpMethod.Put, client.Path, client.RegistrationAccessToken, update)).Succeeded();
        Assert.Equal(statement, updated["software_statement"]);
        var shown = (await Server.AdminAsync(HttpMethod.Get, $"clients/{client.ClientId}")).Succeeded();
        Assert.Equal(_issuer.Issuer, shown.Json["origin"]!["software_statement"]!["issuer"]!.GetValue<string>());
        Assert.Equal("the-app", shown.Json["origin"]!["software_statement"]!["software_id"]!.GetValue<string>());
    }

    [Theory]
    [Requirement("R7591-2.3-02", "P-POLICY")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Keeps_what_a_statement_fixed_when_an_update_leaves_it_out(bool policyTakesNoneAnyMore)
    {
        var fixedKey = TestKey.Create();
        var claims = _issuer.Claims();
        claims["scope"] = "read";
        claims["client_name"] = "As stated";
        claims["jwks"] = TestKey.Jwks(fixedKey);
        var party = await PartyAsync("optional");
        var client = await Server.OnboardAsync(party, m => m["software_statement"] = _issuer.Sign(claims)) with { Key = fixedKey };
        if (policyTakesNoneAnyMore)
        {
            (await Server.ReplacePolicyAsync(party, [])).Succeeded();
        }

        var own = TestKey.Create();
        var update = Requests.Metadata(own);
        update["client_id"] = client.ClientId;
        update["scope"] = "read write";
        update["client_name"] = "Anything else";
        update["client_uri"] = "https://not-stated.example/";
        var updated = (await Server.SendAsync(HttpMethod.Put, client.Path, client.RegistrationAccessToken, update)).Succeeded();

        Assert.Equal("read", updated["scope"]);
        Assert.Equal("As stated", updated["client_name"]);
        Assert.Equal("https://not-stated.example/", updated["client_uri"]);
        (await Server.PostTokenAsync(Server.Assertion(own, client.ClientId).Sign())).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        (await Server.PostTokenAsync(Server.Assertion(fixedKey, client.ClientId).Sign())).Succeeded();
    }

    [Fact]
    [Requirement("P-POLICY")]
    public async Task Makes_as_many_clients_of_one_statement_as_the_policy_says()
    {
        var policy = StatementIssuer.Policy("required", _issuer.Trusted());
        policy["software_statement"]!["uses"] = 2;
        var party = await Server.OnboardingClientAsync(policy);
        var claims = _issuer.Claims();
        claims["jti"] = "statement-1";
        var statement = _issuer.Sign(claims);

        (await Server.RegisterAsync(party, Metadata(_issuer.Sign()))).Refused(HttpStatusCode.BadRequest, "invalid_software_statement", "jti");
        var first = await Server.OnboardAsync(party, m => m["software_statement"] = statement);
        (await Server.RegisterAsync(party, Metadata(statement))).Succeeded(HttpStatusCode.Created);
        // Signed again it is still the same statement.
        foreach (var again in new[] { statement, _issuer.Sign(claims) })
        {
            (await Server.RegisterAsync(party, Metadata(again))).Refused(HttpStatusCode.BadRequest, "unapproved_software_statement", "registration_policy.software_statement.uses allows 2");
            var tried = await Server.SendAsync(HttpMethod.Post, "/oauth/register?validate_only=true", await Server.InitialAccessTokenAsync(party), Metadata(again));
            tried.Refused(HttpStatusCode.BadRequest, "unapproved_software_statement", "uses");
        }
        // A client of it updates itself as often as it likes.
        var update = Metadata(statement);
        update["client_id"] = first.ClientId;
        update["jwks"] = TestKey.Jwks(first.Key);
        (await Server.SendAsync(HttpMethod.Put, first.Path, first.RegistrationAccessToken, update)).Succeeded();

        claims["jti"] = "statement-2";
        (await Server.RegisterAsync(party, Metadata(_issuer.Sign(claims)))).Succeeded(HttpStatusCode.Created);
    }
}

public sealed class SoftwareStatementTestsOnSqlite(SqliteServer server) : SoftwareStatementTests(server), IClassFixture<SqliteServer>;

public sealed class SoftwareStatementTestsOnMongoDb(MongoDbServer server) : SoftwareStatementTests(server), IClassFixture<MongoDbServer>;
