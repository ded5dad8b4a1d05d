using System.Buffers.Text;
using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>Token requests of attested devices: draft-ietf-oauth-attestation-based-client-auth-11.</summary>
public abstract class AttestationTests(DcrServer server) : ServerTests(server)
{
    private readonly TestKey _attester = TestKey.Create(kid: "attester-1");
    private readonly TestKey _device = TestKey.Create(kid: "device");

    private Task<string> OnboardingClientAsync(string mode = "optional") => Server.DeviceOnboardingAsync(Devices.Attested(mode, Devices.WithJwks(_attester)));

    private JwtScenario Attestation(string clientId) => Server.AttestationOf(_device, _attester, clientId);

    private JwtScenario Proof() => Server.AttestationProofBy(_device);

    private Task<Answer> AskAsync(string attestation, string proof, Dictionary<string, string>? form = null) =>
        Server.PostTokenAsync(form ?? Devices.AttestedForm(), (Devices.Attestation, attestation), (Devices.AttestationProof, proof));

    private async Task<Answer> AskAsync(string clientId) => await AskAsync(Attestation(clientId).Sign(), Proof().Sign());

    private async Task RefusesAsync(string attestation, string? says = null) =>
        (await AskAsync(attestation, Proof().Sign())).Refused(HttpStatusCode.Unauthorized, "invalid_client", says);

    private async Task RefusesProofAsync(string proof, string says) =>
        (await AskAsync(Attestation(await OnboardingClientAsync()).Sign(), proof)).Refused(HttpStatusCode.Unauthorized, "invalid_client", says);

    [Theory]
    [Requirement("ABCA-4-01", "ABCA-5.1-01", "ABCA-7.1-01", "ABCA-7.2-01", "P-DEVICE")]
    [InlineData("optional")]
    [InlineData("required")]
    public async Task A_device_registers_the_key_that_was_attested(string mode)
    {
        var clientId = await OnboardingClientAsync(mode);
        var token = (await AskAsync(clientId)).Succeeded();
        Assert.Equal("DPoP", token["token_type"]);
        Assert.Equal("dcr", token["scope"]);
        var claims = JsonNode.Parse(Base64Url.DecodeFromChars(token["access_token"].Split('.')[1]))!;
        Assert.Equal(_device.Thumbprint(), claims["cnf"]!["jkt"]!.GetValue<string>());

        var registered = (await Server.RegisterBoundAsync(_device, token["access_token"], Requests.Metadata(_device))).Succeeded(HttpStatusCode.Created);
        (await Server.PostTokenAsync(Server.Assertion(_device, registered["client_id"]).Sign())).Succeeded();

        var admin = await Server.AdminTokenAsync();
        var origin = (await Server.AdminAsync(HttpMethod.Get, $"clients/{registered["client_id"]}", admin)).Succeeded().Json["origin"]!;
        Assert.Equal(clientId, origin["onboarding_client"]!.GetValue<string>());
        Assert.Equal(Devices.Attester, origin["attester"]!.GetValue<string>());
        Assert.Equal(_attester.Kid, origin["kid"]!.GetValue<string>());
        Assert.Equal(_attester.Thumbprint(), origin["thumbprint"]!.GetValue<string>());
        var listed = await Server.AdminAsync(HttpMethod.Get, $"clients?thumbprint={_attester.Thumbprint()}", admin);
        Assert.Single(listed.Succeeded().Json["items"]!.AsArray());
    }

    [Fact]
    [Requirement("P-REPLAY", "ABCA-5.1-01")]
    public async Task A_copy_of_a_request_with_a_DPoP_proof_moves_no_last_use()
    {
        var clientId = await OnboardingClientAsync();
        Task<Answer> AskAsync(string proof) =>
            Server.PostTokenAsync(Devices.AttestedForm(), (Devices.Attestation, Attestation(clientId).Sign()), (DpopScenario.Header, proof));
        async Task<string> LastUsedAsync() => (await Server.AdminAsync(HttpMethod.Get, $"clients/{clientId}")).Succeeded()["last_used_at"];
        (await AskAsync(Server.TokenProof(_device).Sign())).Succeeded();
        var used = await LastUsedAsync();

        // Within the hour a use is not written down; a little later the copy would be.
        Server.Time.Advance(TimeSpan.FromSeconds(3590));
        var proof = Server.TokenProof(_device).Sign();
        (await AskAsync(proof)).Succeeded();
        Server.Time.Advance(TimeSpan.FromSeconds(15));
        (await AskAsync(proof)).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "used before");
        Assert.Equal(used, await LastUsedAsync());
    }

    [Fact]
    [Requirement("P-DEVICE")]
    public async Task A_device_registers_no_other_key()
    {
        var clientId = await OnboardingClientAsync();
        var token = (await AskAsync(clientId)).Succeeded()["access_token"];
        var other = TestKey.Create(kid: "other");
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(_device).ToJsonString());
        var both = Requests.Metadata(_device);
        both["jwks"] = TestKey.Jwks(_device, other);
        var hosted = Requests.Metadata(_device);
        hosted.Remove("jwks");
        hosted["jwks_uri"] = host.Url;
        foreach (var metadata in new[] { Requests.Metadata(other), both, hosted })
        {
            (await Server.RegisterBoundAsync(_device, token, metadata)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "the one key");
        }
        (await Server.RegisterWithAsync($"Bearer {token}", Requests.Metadata(_device))).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        (await Server.RegisterBoundAsync(other, token, Requests.Metadata(other))).Refused(HttpStatusCode.Unauthorized, "invalid_dpop_proof");
        (await Server.RegisterBoundAsync(_device, token, Requests.Metadata(_device))).Succeeded(HttpStatusCode.Created);
    }

    [Fact]
    [Requirement("ABCA-7.1-02")]
    public async Task Accepts_an_attester_by_jwks_uri_and_its_next_key()
    {
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(_attester).ToJsonString());
        var clientId = await Server.DeviceOnboardingAsync(Devices.Attested("required", new JsonObject { ["issuer"] = Devices.Attester, ["jwks_uri"] = host.Url }));
        (await AskAsync(clientId)).Succeeded();
        var next = TestKey.Create(kid: "attester-2");
        host.Document = TestKey.Jwks(next).ToJsonString();
        (await AskAsync(Server.AttestationOf(_device, next, clientId).Sign(), Proof().Sign())).Succeeded();
        await RefusesAsync(Server.AttestationOf(_device, TestKey.Create(kid: "attester-1"), clientId).Sign());
    }

    [Fact]
    [Requirement("ABCA-4-01", "ABCA-7.1-02")]
    public async Task Without_iss_the_one_attester_is_meant_and_of_two_none()
    {
        var one = await OnboardingClientAsync();
        (await AskAsync(Attestation(one).Without("iss").Sign(), Proof().Sign())).Succeeded();
        var other = Devices.WithJwks(TestKey.Create(kid: "other"), "https://other.example");
        var two = await Server.DeviceOnboardingAsync(Devices.Attested("required", Devices.WithJwks(_attester), other));
        (await AskAsync(two)).Succeeded();
        await RefusesAsync(Attestation(two).Without("iss").Sign());
        // Each attester for itself: the name of one with the key of another is neither.
        await RefusesAsync(Attestation(two).WithClaim("iss", "https://other.example").Sign());
    }

    [Fact]
    [Requirement("ABCA-7.1-02", "R7521-4.2.1-01")]
    public async Task Does_not_tell_a_stranger_whether_the_client_exists()
    {
        var known = await OnboardingClientAsync();
        var suspended = await OnboardingClientAsync();
        await Server.AdminAsync(HttpMethod.Post, $"clients/{suspended}/suspend", await Server.AdminTokenAsync());
        var off = await OnboardingClientAsync("off");
        var stranger = TestKey.Create(kid: _attester.Kid);
        var answers = new[]
        {
            await AskAsync("onboarding-nobody"),
            await AskAsync(suspended),
            await AskAsync(off),
            await AskAsync(DcrServer.OnboardingClient),
            await AskAsync(DcrServer.Admin),
            await AskAsync(Server.AttestationOf(_device, stranger, known).Sign(), Proof().Sign()),
            await AskAsync(Attestation(known).WithClaim("iss", "https://stranger.example").Sign(), Proof().Sign()),
            await AskAsync(Attestation(known).WithHeader("kid", "unknown").Sign(), Proof().Sign()),
            await AskAsync(Attestation(known).Without("sub").Sign(), Proof().Sign()),
            await AskAsync(Attestation(known).WithHeader("jwk", stranger.PublicJwk()).SignWith(stranger), Proof().Sign()),
        };
        Assert.All(answers, answer => answer.Refused(HttpStatusCode.Unauthorized, "invalid_client"));
        Assert.Single(answers.Select(answer => answer.Text).Distinct());
        Assert.Single(answers.Select(answer => answer.Response.Headers.WwwAuthenticate.ToString()).Distinct());
        (await AskAsync(known)).Succeeded();
    }

    [Fact]
    [Requirement("ABCA-4-01", "ABCA-7.1-01", "ABCA-7.5-01")]
    public async Task Rejects_an_attestation_that_is_none()
    {
        var clientId = await OnboardingClientAsync();
        await RefusesAsync(Attestation(clientId).Without("typ").Sign(), "typ");
        await RefusesAsync(Attestation(clientId).WithHeader("typ", "JWT").Sign(), "typ");
        await RefusesAsync(Attestation(clientId).WithHeader("alg", "none").Sign(), "alg");
        await RefusesAsync(Attestation(clientId).WithHeader("alg", "HS256").Sign(), "alg");
        await RefusesAsync(Attestation(clientId).WithHeader("crit", new JsonArray()).Sign(), "crit");
        await RefusesAsync("nonsense", "malformed");
        await RefusesAsync(Attestation(clientId).Without("exp").Sign(), "exp");
        await RefusesAsync(Attestation(clientId).Without("cnf").Sign(), "cnf");
        await RefusesAsync(Attestation(clientId).WithClaim("cnf", "key").Sign(), "cnf");
        await RefusesAsync(Attestation(clientId).WithClaim("cnf", new JsonObject { ["jkt"] = _device.Thumbprint() }).Sign(), "cnf");
        await RefusesAsync(Attestation(clientId).WithClaim("cnf", new JsonObject { ["jwk"] = _device.PrivateJwk() }).Sign(), "cnf");
        await RefusesAsync(Attestation(clientId).WithClaim("cnf", new JsonObject { ["jwk"] = new JsonObject { ["kty"] = "oct", ["k"] = "c2VjcmV0" } }).Sign(), "cnf");
        (await AskAsync(Attestation(clientId).Sign(), Proof().Sign(), Devices.AttestedForm("somebody-else"))).Refused(HttpStatusCode.Unauthorized, "invalid_client", "client_id");
        (await AskAsync(Attestation(clientId).Sign(), Proof().Sign(), Devices.AttestedForm(clientId))).Succeeded();
        (await AskAsync(Attestation(clientId).WithHeader("typ", "application/oauth-client-attestation+jwt").WithClaim("device_model", "x").Sign(), Proof().Sign())).Succeeded();
    }

    [Fact]
    [Requirement("ABCA-7.1-03", "ABCA-7.4-01")]
    public async Task Asks_for_a_fresh_attestation_when_its_time_is_over()
    {
        var clientId = await OnboardingClientAsync();
        var now = Server.Time.GetUtcNow().ToUnixTimeSeconds();
        async Task RefusesAsync(string claim, long value, string says) =>
            (await AskAsync(Attestation(clientId).WithClaim(claim, value).Sign(), Proof().Sign())).Refused(HttpStatusCode.Unauthorized, "invalid_client", says);
        await RefusesAsync("exp", now - 11, "expired");
        await RefusesAsync("iat", now + 12, "future");
        await RefusesAsync("nbf", now + 12, "future");
        (await AskAsync(Attestation(clientId).WithClaim("exp", now - 8).WithClaim("iat", now + 8).Sign(), Proof().Sign())).Succeeded();
    }

    [Fact]
    [Requirement("ABCA-5.1-01", "ABCA-7.2-01", "ABCA-7.2-02", "ABCA-7.2-03")]
    public async Task Rejects_a_proof_that_is_none()
    {
        var now = Server.Time.GetUtcNow().ToUnixTimeSeconds();
        await RefusesProofAsync("nonsense", "malformed");
        await RefusesProofAsync(Proof().Without("typ").Sign(), "typ");
        await RefusesProofAsync(Proof().WithHeader("typ", "dpop+jwt").Sign(), "typ");
        await RefusesProofAsync(Proof().WithHeader("alg", "none").Sign(), "alg");
        await RefusesProofAsync(Proof().WithHeader("alg", "HS256").Sign(), "alg");
        await RefusesProofAsync(Proof().SignWith(TestKey.Create()), "cnf");
        await RefusesProofAsync(Proof().WithHeader("jwk", _attester.PublicJwk()).SignWith(_attester), "cnf");
        await RefusesProofAsync(Proof().Without("aud").Sign(), "aud");
        await RefusesProofAsync(Proof().WithClaim("aud", "https://other.example").Sign(), "aud");
        await RefusesProofAsync(Proof().WithClaim("aud", Server.TokenEndpoint).Sign(), "aud");
        await RefusesProofAsync(Proof().WithClaim("aud", new JsonArray(Server.Issuer, "https://other.example")).Sign(), "aud");
        await RefusesProofAsync(Proof().WithClaim("iss", "somebody-else").Sign(), "iss");
        await RefusesProofAsync(Proof().Without("iat").Sign(), "iat");
        await RefusesProofAsync(Proof().WithClaim("iat", now - 71).Sign(), "ago");
        await RefusesProofAsync(Proof().WithClaim("iat", now + 12).Sign(), "future");
        await RefusesProofAsync(Proof().Without("jti").Sign(), "jti");
        await RefusesProofAsync(Proof().WithClaim("jti", new string('j', 257)).Sign(), "jti");
    }

    [Fact]
    [Requirement("ABCA-5.1-01")]
    public async Task Accepts_what_older_clients_send_beside()
    {
        var clientId = await OnboardingClientAsync();
        var now = Server.Time.GetUtcNow().ToUnixTimeSeconds();
        (await AskAsync(Attestation(clientId).Sign(), Proof().WithClaim("iss", clientId).WithClaim("exp", now + 60).WithClaim("challenge", "none was given").Sign())).Succeeded();
        (await AskAsync(Attestation(clientId).Sign(), Proof().WithClaim("aud", new JsonArray(Server.Issuer)).WithClaim("iat", now - 69).Sign())).Succeeded();
    }

    [Fact]
    [Requirement("ABCA-12.1-01", "ABCA-10.2-01")]
    public async Task A_proof_is_good_once_and_an_attestation_many_times()
    {
        var clientId = await OnboardingClientAsync();
        var attestation = Attestation(clientId).Sign();
        var proof = Proof();
        (await AskAsync(attestation, proof.Sign())).Succeeded();
        (await AskAsync(attestation, proof.Sign())).Refused(HttpStatusCode.Unauthorized, "invalid_client", "used before");
        (await AskAsync(attestation, Proof().Sign())).Succeeded();
        // Also by another attestation of the same key, and for another client.
        (await AskAsync(Attestation(await OnboardingClientAsync()).Sign(), proof.Sign())).Refused(HttpStatusCode.Unauthorized, "invalid_client", "used before");
        var used = await Task.WhenAll(Enumerable.Repeat(Proof().Sign(), 20).Select(same => AskAsync(attestation, same)));
        Assert.Single(used, answer => answer.Status == HttpStatusCode.OK);
    }

    [Fact]
    [Requirement("ABCA-5.2-01", "ABCA-7.3-01")]
    public async Task A_DPoP_proof_by_the_attested_key_is_proof_enough()
    {
        var clientId = await OnboardingClientAsync();
        var attestation = Attestation(clientId).Sign();
        Task<Answer> AskAsync(params (string Name, string Value)[] headers) => Server.PostTokenAsync(Devices.AttestedForm(), [(Devices.Attestation, attestation), .. headers]);
        var proof = Server.TokenProof(_device).Sign();
        Assert.Equal("DPoP", (await AskAsync((DpopScenario.Header, proof))).Succeeded()["token_type"]);
        (await AskAsync((DpopScenario.Header, proof))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "used before");
        (await AskAsync((DpopScenario.Header, Server.TokenProof(TestKey.Create()).Sign()))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "cnf");
        (await AskAsync((DpopScenario.Header, Server.TokenProof(_device).WithClaim("htm", "GET").Sign()))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "htm");
        (await AskAsync((DpopScenario.Header, Server.TokenProof(_device).Sign()), (DpopScenario.Header, Server.TokenProof(_device).Sign()))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof");
        (await AskAsync()).Refused(HttpStatusCode.Unauthorized, "invalid_client", "DPoP");
    }

    [Fact]
    [Requirement("ABCA-7-01")]
    public async Task Both_kinds_of_proof_are_by_the_attested_key()
    {
        var attestation = Attestation(await OnboardingClientAsync()).Sign();
        Task<Answer> AskAsync(TestKey dpop, string proof) => Server.PostTokenAsync(
            Devices.AttestedForm(), (Devices.Attestation, attestation), (Devices.AttestationProof, proof), (DpopScenario.Header, Server.TokenProof(dpop).Sign()));
        (await AskAsync(_device, Proof().Sign())).Succeeded();
        (await AskAsync(TestKey.Create(), Proof().Sign())).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "attested");
        // A good DPoP proof does not make up for a bad one of the other kind.
        (await AskAsync(_device, Proof().SignWith(TestKey.Create()))).Refused(HttpStatusCode.Unauthorized, "invalid_client", "cnf");
    }

    [Fact]
    [Requirement("ABCA-7.1-01", "ABCA-7.2-01")]
    public async Task Rejects_a_header_twice()
    {
        var attestation = Attestation(await OnboardingClientAsync()).Sign();
        Task<Answer> AskAsync(params (string Name, string Value)[] headers) =>
            Server.PostRawAsync(Server.Path("/oauth/token"), new FormUrlEncodedContent(Devices.AttestedForm()), headers);
        (await AskAsync((Devices.Attestation, attestation), (Devices.Attestation, attestation), (Devices.AttestationProof, Proof().Sign())))
            .Refused(HttpStatusCode.Unauthorized, "invalid_client", "one");
        (await AskAsync((Devices.Attestation, attestation), (Devices.AttestationProof, Proof().Sign()), (Devices.AttestationProof, Proof().Sign())))
            .Refused(HttpStatusCode.Unauthorized, "invalid_client", "one");
        (await AskAsync((Devices.Attestation, attestation), (Devices.AttestationProof, Proof().Sign()))).Succeeded();
    }

    [Fact]
    [Requirement("ABCA-7.5-01", "R6749-2.3-01")]
    public async Task Rejects_two_ways_of_authenticating()
    {
        var clientId = await OnboardingClientAsync();
        var form = Requests.TokenForm(Server.Assertion(Server.OnboardingKey, clientId).Sign(), "dcr");
        (await AskAsync(Attestation(clientId).Sign(), Proof().Sign(), form)).Refused(HttpStatusCode.BadRequest, "invalid_request", "one way");
        form = Devices.AttestedForm(clientId);
        form["client_secret"] = "secret";
        (await AskAsync(Attestation(clientId).Sign(), Proof().Sign(), form)).Refused(HttpStatusCode.BadRequest, "invalid_request", "one way");
        (await Server.SendAsync(HttpMethod.Post, Server.Path("/oauth/token"), "Basic YTpi", new FormUrlEncodedContent(Devices.AttestedForm()), (Devices.Attestation, Attestation(clientId).Sign())))
            .Refused(HttpStatusCode.BadRequest, "invalid_request", "one way");
    }

    [Fact]
    [Requirement("P-DEVICE")]
    public async Task The_policy_says_whether_an_assertion_will_do()
    {
        (await Server.PostInitialTokenAsync(await OnboardingClientAsync("optional"))).Succeeded();
        (await Server.PostInitialTokenAsync(await OnboardingClientAsync("off"))).Succeeded();
        (await Server.PostInitialTokenAsync(await OnboardingClientAsync("required"))).Refused(HttpStatusCode.BadRequest, "unauthorized_client", "attestation");
    }

    [Fact]
    [Requirement("P-DEVICE")]
    public async Task A_token_registers_nothing_that_the_policy_of_now_would_not()
    {
        var clientId = await OnboardingClientAsync();
        var unattested = (await Server.PostInitialTokenAsync(clientId)).Succeeded()["access_token"];
        var attested = (await AskAsync(clientId)).Succeeded()["access_token"];
        await Server.ChangePolicyAsync(clientId, Devices.Attested("required", Devices.WithJwks(TestKey.Create(), "https://other.example")));
        (await Server.RegisterAsync(unattested, Requests.Metadata(_device))).Refused(HttpStatusCode.Unauthorized, "invalid_token", "attestation is required");
        (await Server.RegisterBoundAsync(_device, attested, Requests.Metadata(_device))).Refused(HttpStatusCode.Unauthorized, "invalid_token", "not trusted any more");
        await Server.ChangePolicyAsync(clientId, Devices.Attested("off", Devices.WithJwks(_attester)));
        (await Server.RegisterBoundAsync(_device, attested, Requests.Metadata(_device))).Refused(HttpStatusCode.Unauthorized, "invalid_token", "not trusted any more");
        await Server.ChangePolicyAsync(clientId, Devices.Attested("required", Devices.WithJwks(_attester)));
        (await Server.RegisterBoundAsync(_device, attested, Requests.Metadata(_device))).Succeeded(HttpStatusCode.Created);
    }

    [Theory]
    [Requirement("P-DEVICE")]
    [InlineData("read")]
    [InlineData("dcr.admin")]
    [InlineData("introspect")]
    [InlineData(null)]
    public async Task An_attested_device_is_the_onboarding_client_for_registration_only(string? scope)
    {
        var clientId = await Server.DeviceOnboardingAsync(
            Devices.Attested("required", Devices.WithJwks(_attester)), entry => entry["scope"] = "dcr dcr.admin introspect read");
        (await AskAsync(Attestation(clientId).Sign(), Proof().Sign(), Devices.AttestedForm(scope: scope))).Refused(HttpStatusCode.BadRequest, "invalid_scope", "dcr only");
        (await AskAsync(clientId)).Succeeded();
    }

    [Fact]
    [Requirement("P-DEVICE", "ABCA-9-01")]
    public async Task An_onboarding_client_that_only_devices_use_needs_no_key()
    {
        static void WithoutKeys(JsonObject entry)
        {
            entry.Remove("jwks");
            entry["token_endpoint_auth_method"] = "attest_jwt_client_auth";
        }
        var clientId = await Server.DeviceOnboardingAsync(Devices.Attested("required", Devices.WithJwks(_attester)), WithoutKeys);
        var token = (await AskAsync(clientId)).Succeeded()["access_token"];
        (await Server.RegisterBoundAsync(_device, token, Requests.Metadata(_device))).Succeeded(HttpStatusCode.Created);
        (await Server.PostInitialTokenAsync(clientId)).Refused(HttpStatusCode.Unauthorized, "invalid_client");

        var entry = DcrServer.SeedClient("devices-only", "dcr", Server.OnboardingKey, Devices.Attested("optional", Devices.WithJwks(_attester)));
        WithoutKeys(entry);
        (await Server.AdminAsync(HttpMethod.Post, "onboarding-clients", await Server.AdminTokenAsync(), entry))
            .Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "token_endpoint_auth_method");
        // A device does not register that way itself.
        var metadata = Requests.Metadata(_device);
        metadata["token_endpoint_auth_method"] = "attest_jwt_client_auth";
        token = (await AskAsync(clientId)).Succeeded()["access_token"];
        (await Server.RegisterBoundAsync(_device, token, metadata)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "token_endpoint_auth_method");
    }

    [Fact]
    [Requirement("P-DEVICE", "P-REV")]
    public async Task A_quarantined_key_of_an_attester_vouches_for_nobody()
    {
        var clientId = await OnboardingClientAsync("required");
        var admin = await Server.AdminTokenAsync();
        var token = (await AskAsync(clientId)).Succeeded()["access_token"];
        (await Server.AdminAsync(HttpMethod.Post, $"clients/{clientId}/keys/{_attester.Thumbprint()}/quarantine", admin)).Succeeded();
        await RefusesAsync(Attestation(clientId).Sign());
        (await Server.RegisterBoundAsync(_device, token, Requests.Metadata(_device))).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        // Of this onboarding client: another decides for itself.
        (await AskAsync(await OnboardingClientAsync())).Succeeded();
        (await Server.AdminAsync(HttpMethod.Post, $"clients/{clientId}/keys/{_attester.Thumbprint()}/release", admin)).Succeeded();
        (await AskAsync(clientId)).Succeeded();
    }

    [Fact]
    [Requirement("P-LOG")]
    public async Task Writes_no_line_of_a_strangers_making_into_the_log()
    {
        (await AskAsync("nonsense", "nonsense", Devices.AttestedForm("x\nforged line"))).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        await RefusesAsync(Attestation("x\nforged line").Sign());
        await RefusesAsync(Attestation(await OnboardingClientAsync()).WithClaim("iss", "x\nforged line").Sign());
        Assert.DoesNotContain(Server.Log.Lines, line => line.Contains("\nforged line", StringComparison.Ordinal));
    }
}

public sealed class AttestationTestsOnSqlite(SqliteServer server) : AttestationTests(server), IClassFixture<SqliteServer>;

public sealed class AttestationTestsOnMongoDb(MongoDbServer server) : AttestationTests(server), IClassFixture<MongoDbServer>;
