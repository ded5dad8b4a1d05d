using System.Net;
using System.Text.Json.Nodes;
using Dcr.Protocol;
using Dcr.ProtocolTests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>
/// Dcr:SecurityProfile=Fapi2: what the FAPI 2.0 Security Profile (Final) demands of an authorization server with this grant. Modelled on
/// what the OpenID Foundation's test plan for client credentials with private_key_jwt and DPoP checks.
/// </summary>
public abstract class Fapi2Tests(DcrServer server) : ServerTests(server)
{
    private Task<Answer> TokenAsync(AssertionScenario assertion, TestKey? prover, string? scope = "dcr") =>
        Server.PostTokenAsync(Requests.TokenForm(assertion.Sign(), scope), [.. prover is null ? [] : new[] { (DpopScenario.Header, Server.TokenProof(prover).Sign()) }]);

    private Task<Answer> InitialAsync(Action<AssertionScenario>? change = null)
    {
        var assertion = Server.Assertion(Server.OnboardingKey, DcrServer.OnboardingClient);
        change?.Invoke(assertion);
        return TokenAsync(assertion, Server.OnboardingKey);
    }

    private async Task<OnboardedClient> OnboardAsync()
    {
        var initial = (await InitialAsync()).Succeeded()["access_token"];
        var key = TestKey.Create();
        return OnboardedClient.Of((await Server.RegisterBoundAsync(Server.OnboardingKey, initial, Requests.Metadata(key))).Succeeded(HttpStatusCode.Created), key);
    }

    private Task<Answer> ManageAsync(HttpMethod method, OnboardedClient client, TestKey prover, string? token = null, JsonObject? body = null)
    {
        token ??= client.RegistrationAccessToken;
        var proof = Server.Proof(prover, method, client.RegistrationClientUri, token).Sign();
        return Server.SendAsync(method, client.Path, $"DPoP {token}", body is null ? null : DpopScenario.Json(body), (DpopScenario.Header, proof));
    }

    [Fact]
    [Requirement("F2-5.3.2.1-01", "F2-5.3.2.1-02", "F2-5.3.2.1-06", "F2-5.4-01")]
    public async Task Says_in_its_metadata_what_it_accepts()
    {
        var metadata = (await Server.GetAsync("/.well-known/oauth-authorization-server")).Succeeded().Json;
        // The one for ID tokens is there for clients that insist on it (OpenID Connect Discovery section 3); this server issues none.
        string[] others = ["introspection_signing_alg_values_supported", "id_token_signing_alg_values_supported"];
        foreach (var member in metadata.Where(member => member.Key.EndsWith("signing_alg_values_supported", StringComparison.Ordinal) && !others.Contains(member.Key)))
        {
            Assert.Equal(["PS256", "ES256"], member.Value!.AsArray().Select(alg => alg!.GetValue<string>()));
        }
        Assert.Equal(["client_credentials"], metadata["grant_types_supported"]!.AsArray().Select(type => type!.GetValue<string>()));
        Assert.All(metadata["token_endpoint_auth_methods_supported"]!.AsArray(), method => Assert.Contains("jwt", method!.GetValue<string>(), StringComparison.Ordinal));
    }

    [Fact]
    [Requirement("F2-5.3.2.1-04", "F2-5.3.2.1-14")]
    public async Task Takes_a_client_through_onboarding_with_tokens_that_are_bound()
    {
        var client = await OnboardAsync();
        var answer = (await TokenAsync(Server.Assertion(client.Key, client.ClientId), client.Key, "read")).Succeeded();
        Assert.Equal("DPoP", answer["token_type"]);
        Assert.Equal(client.Key.Thumbprint(), TokenQueries.Claims(answer["access_token"])["cnf"]!["jkt"]!.GetValue<string>());
    }

    [Fact]
    [Requirement("F2-5.3.2.1-04")]
    public async Task Rejects_a_token_request_without_a_proof_and_a_bound_token_as_Bearer()
    {
        (await TokenAsync(Server.Assertion(Server.OnboardingKey, DcrServer.OnboardingClient), prover: null)).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "bound");
        var initial = (await InitialAsync()).Succeeded()["access_token"];
        (await Server.RegisterAsync(initial, Requests.Metadata(TestKey.Create()))).Refused(HttpStatusCode.Unauthorized, "invalid_token", "DPoP");
    }

    [Fact]
    [Requirement("F2-5.3.2.1-04")]
    public async Task Binds_the_registration_access_token_to_the_keys_of_its_client()
    {
        var client = await OnboardAsync();
        Assert.True(client.Information["dpop_bound_access_tokens"]!.GetValue<bool>());
        var metadata = Requests.Metadata(client.Key);
        metadata["client_id"] = client.ClientId;
        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Put, HttpMethod.Delete })
        {
            var body = method == HttpMethod.Put ? metadata : null;
            (await Server.SendAsync(method, client.Path, client.RegistrationAccessToken, body)).Refused(HttpStatusCode.Unauthorized, "invalid_token", "DPoP");
            (await ManageAsync(method, client, TestKey.Create(), body: body)).Refused(HttpStatusCode.Unauthorized, "invalid_dpop_proof", "one of the client's keys");
        }
        (await ManageAsync(HttpMethod.Get, client, client.Key)).Succeeded();
        var updated = (await ManageAsync(HttpMethod.Put, client, client.Key, body: metadata)).Succeeded();
        Assert.True(updated.Json["dpop_bound_access_tokens"]!.GetValue<bool>());
        var renewed = updated["registration_access_token"];
        (await Server.SendAsync(HttpMethod.Get, client.Path, renewed, (JsonObject?)null)).Refused(HttpStatusCode.Unauthorized, "invalid_token", "DPoP");
        Assert.Equal(HttpStatusCode.NoContent, (await ManageAsync(HttpMethod.Delete, client, client.Key, renewed)).Status);
    }

    [Fact]
    [Requirement("F2-5.3.2.1-08", "P-AUDIENCE")]
    public async Task Takes_no_exception_for_assertions()
    {
        var client = await OnboardAsync();
        var admin = (await TokenAsync(Server.Assertion(Server.AdminKey, DcrServer.Admin), Server.AdminKey, "dcr.admin")).Succeeded()["access_token"];
        var url = $"{Server.Issuer}/admin/v1/clients/{client.ClientId}/assertion-exception";
        var body = new JsonObject { ["audience"] = "own_endpoints", ["max_lifetime_seconds"] = 3600, ["until"] = Server.Time.GetUtcNow().AddDays(1) };
        var proof = Server.Proof(Server.AdminKey, HttpMethod.Put, url, admin).Sign();
        (await Server.SendAsync(HttpMethod.Put, new Uri(url).AbsolutePath, $"DPoP {admin}", DpopScenario.Json(body), (DpopScenario.Header, proof)))
            .Refused(HttpStatusCode.BadRequest, "invalid_request", "Fapi2");
    }

    [Fact]
    [Requirement("F2-5.3.2.1-08", "R10070-4-01", "R10070-4-02")]
    public async Task Accepts_the_issuer_as_a_plain_string_only()
    {
        (await InitialAsync()).Succeeded();
        (await InitialAsync(assertion => assertion.WithClaim("aud", new JsonArray(Server.Issuer)))).Refused(HttpStatusCode.Unauthorized, "invalid_client", "plain string");
        (await InitialAsync(assertion => assertion.WithClaim("aud", new JsonArray(Server.Issuer, Server.TokenEndpoint)))).Refused(HttpStatusCode.Unauthorized, "invalid_client", "aud");
        (await InitialAsync(assertion => assertion.WithClaim("aud", Server.TokenEndpoint))).Refused(HttpStatusCode.Unauthorized, "invalid_client", "aud");
    }

    [Theory]
    [Requirement("F2-5.3.2.1-13")]
    [InlineData("iat", 9, true)]
    [InlineData("nbf", 9, true)]
    [InlineData("iat", 61, false)]
    [InlineData("nbf", 61, false)]
    public async Task Tolerates_a_clock_that_is_a_little_ahead(string claim, int seconds, bool accepted)
    {
        var answer = await InitialAsync(assertion => assertion.WithClaim(claim, Server.Time.GetUtcNow().AddSeconds(seconds).ToUnixTimeSeconds()));
        if (accepted)
        {
            answer.Succeeded();
        }
        else
        {
            answer.Refused(HttpStatusCode.Unauthorized, "invalid_client", claim);
        }
    }

    [Theory]
    [Requirement("F2-5.3.2.1-13")]
    [InlineData(299, true)]
    [InlineData(330, false)]
    public async Task Accepts_an_assertion_for_five_minutes_at_most(int seconds, bool accepted)
    {
        var answer = await InitialAsync(assertion => assertion.WithClaim("exp", Server.Time.GetUtcNow().AddSeconds(seconds).ToUnixTimeSeconds()));
        Assert.Equal(accepted, answer.Status == HttpStatusCode.OK);
    }

    [Theory]
    [Requirement("F2-5.4-01", "F2-5.4-03", "F2-5.4-04")]
    [InlineData("PS256", true)]
    [InlineData("RS256", false)]
    [InlineData("PS384", false)]
    public async Task Accepts_the_algorithms_of_the_profile_only(string alg, bool accepted)
    {
        var key = TestKey.Create(alg);
        var initial = (await InitialAsync()).Succeeded()["access_token"];
        var registered = (await Server.RegisterBoundAsync(Server.OnboardingKey, initial, Requests.Metadata(key))).Succeeded(HttpStatusCode.Created);
        var answer = await TokenAsync(Server.Assertion(key, registered["client_id"]), Server.OnboardingKey, "read");
        if (accepted)
        {
            answer.Succeeded();
        }
        else
        {
            answer.Refused(HttpStatusCode.Unauthorized, "invalid_client", "alg");
        }
    }

    [Theory]
    [Requirement("F2-5.4-01")]
    [InlineData("ES384")]
    [InlineData("ES512")]
    public async Task Rejects_keys_that_no_algorithm_of_the_profile_fits(string alg)
    {
        var initial = (await InitialAsync()).Succeeded()["access_token"];
        (await Server.RegisterBoundAsync(Server.OnboardingKey, initial, Requests.Metadata(TestKey.Create(alg)))).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "PS256 ES256");
    }
}

/// <summary>Settings that the profile forbids stop the start.</summary>
public sealed class Fapi2ConfigurationTests
{
    [Fact]
    [Requirement("F2-5.4-02", "F2-5.4-01", "P-OPTIONS")]
    public async Task Refuses_plain_http_and_weak_signatures_at_start()
    {
        await using var server = new SqliteServer();
        server.Settings["Dcr:SecurityProfile"] = "Fapi2";
        server.Settings["Dcr:SigningKeys:Algorithm"] = "RS256";
        var fault = await Assert.ThrowsAnyAsync<Exception>(async () => await server.InitializeAsync());
        Assert.Contains("Dcr:Jwks:AllowHttp", fault.Message, StringComparison.Ordinal);
        Assert.Contains("Dcr:SigningKeys:Algorithm", fault.Message, StringComparison.Ordinal);
    }

    /// <summary>A host that has the server within sets the profile in its code.</summary>
    [Fact]
    [Requirement("F2-5.4-02", "F2-5.4-01", "P-OPTIONS", "P-EMBED")]
    public async Task Refuses_them_also_when_the_profile_is_set_in_code()
    {
        await using var server = new SqliteServer
        {
            Configure = services => services.Configure<DcrOptions>(options => options.SecurityProfile = SecurityProfile.Fapi2),
        };
        server.Settings["Dcr:SigningKeys:Algorithm"] = "RS256";
        var fault = await Assert.ThrowsAnyAsync<Exception>(async () => await server.InitializeAsync());
        Assert.Contains("Dcr:Jwks:AllowHttp", fault.Message, StringComparison.Ordinal);
        Assert.Contains("Dcr:SigningKeys:Algorithm", fault.Message, StringComparison.Ordinal);
    }
}

public sealed class Fapi2Sqlite : SqliteServer
{
    public Fapi2Sqlite()
    {
        Settings["Dcr:SecurityProfile"] = "Fapi2";
        Settings.Remove("Dcr:Jwks:AllowHttp");
    }
}

public sealed class Fapi2MongoDb : MongoDbServer
{
    public Fapi2MongoDb()
    {
        Settings["Dcr:SecurityProfile"] = "Fapi2";
        Settings.Remove("Dcr:Jwks:AllowHttp");
    }
}

public sealed class Fapi2TestsOnSqlite(Fapi2Sqlite server) : Fapi2Tests(server), IClassFixture<Fapi2Sqlite>;

public sealed class Fapi2TestsOnMongoDb(Fapi2MongoDb server) : Fapi2Tests(server), IClassFixture<Fapi2MongoDb>;
