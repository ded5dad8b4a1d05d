using System.Net;
using Dcr.Client;
using Dcr.ClientTests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Dcr.ClientTests;

/// <summary>draft-ietf-oauth-attestation-based-client-auth-11: a backend vouches for the key of a device, which registers with it.</summary>
public sealed class AttestationTests(RealServer server) : IClassFixture<RealServer>
{
    private readonly RemoteKey _device = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_device_registers_with_what_the_backend_handed_over()
    {
        var network = new FaultyHandler();
        var dcr = server.Connect(network);
        var handedOver = (await AttestAsync(_device.PublicJwk)).Value;

        var initial = await dcr.GetInitialAccessTokenAsync(new ClientAttestation(handedOver), _device, Cancellation);
        Assert.Same(_device, initial.BoundTo);
        Assert.NotNull(initial.ExpiresAt);
        var client = await dcr.RegistrationIn(new MemoryStore()).RegisterAsync(initial, new ClientMetadata(), _device, Cancellation);
        await dcr.AccessTokensFor(new ClientCredentials(client.ClientId, _device)).GetAsync("read", cancellationToken: Cancellation);

        var sent = network.Sent.First(request => request.Uri.AbsolutePath == "/oauth/token");
        Assert.Equal(handedOver, sent.Attestation);
        Assert.True(Jwt.Parse(sent.Dpop!).IsSignedBy(_device.PublicJwk));
        Assert.Equal("grant_type=client_credentials&scope=dcr", sent.Body);
        Assert.All(network.Sent.Where(request => request != sent), request => Assert.Null(request.Attestation));
    }

    [Fact]
    public async Task An_attestation_is_good_for_several_requests()
    {
        var dcr = server.Connect();
        var attestation = await AttestAsync(server.Prover.Key.PublicJwk);

        var first = await dcr.GetInitialAccessTokenAsync(attestation, server.Prover.Key, Cancellation);
        var second = await dcr.GetInitialAccessTokenAsync(attestation, server.Prover.Key, Cancellation);

        Assert.NotEqual(first.Value, second.Value);
    }

    [Fact]
    public async Task An_attestation_says_who_vouches_for_which_key_of_which_app_and_until_when()
    {
        using var attester = ClientKey.Generate(SigningAlgorithm.ES384);
        var time = new FakeTimeProvider(DateTimeOffset.FromUnixTimeSeconds(1_800_000_000));

        var jwt = Jwt.Parse((await ClientAttestation.CreateAsync("https://app.example", attester, "orders-app", _device.PublicJwk, time: time, cancellationToken: Cancellation)).Value);
        var brief = Jwt.Parse((await ClientAttestation.CreateAsync("https://app.example", attester, "orders-app", _device.PublicJwk, TimeSpan.FromSeconds(30), time, Cancellation)).Value);

        Assert.Equal("ES384", jwt.Header["alg"]!.GetValue<string>());
        Assert.Equal("oauth-client-attestation+jwt", jwt.Header["typ"]!.GetValue<string>());
        Assert.Equal(attester.PublicJwk.Kid, jwt.Header["kid"]!.GetValue<string>());
        Assert.Equal(("https://app.example", "orders-app"), (jwt["iss"], jwt["sub"]));
        Assert.Equal((1_800_000_000, 1_800_000_300), (jwt.Claims["iat"]!.GetValue<long>(), jwt.Claims["exp"]!.GetValue<long>()));
        Assert.Equal(1_800_000_030, brief.Claims["exp"]!.GetValue<long>());
        Assert.Equal(["crv", "kty", "x", "y"], jwt.Claims["cnf"]!["jwk"]!.AsObject().Select(member => member.Key).Order(StringComparer.Ordinal));
        Assert.True(jwt.IsSignedBy(attester.PublicJwk));
    }

    [Fact]
    public async Task A_thief_of_an_attestation_has_no_use_for_it() =>
        await AssertRefusedAsync(await AttestAsync(_device.PublicJwk), new RemoteKey(), HttpStatusCode.BadRequest, "invalid_dpop_proof");

    [Fact]
    public async Task Rejects_an_attestation_by_somebody_who_is_not_trusted()
    {
        using var stranger = ClientKey.Generate();
        await AssertRefusedAsync(await ClientAttestation.CreateAsync(RealServer.AttesterIssuer, stranger, RealServer.App, _device.PublicJwk, cancellationToken: Cancellation), _device);
        await AssertRefusedAsync(await ClientAttestation.CreateAsync("https://other.example", server.Attester, RealServer.App, _device.PublicJwk, cancellationToken: Cancellation), _device);
    }

    [Fact]
    public async Task Rejects_an_attestation_for_a_client_that_takes_none() =>
        await AssertRefusedAsync(await ClientAttestation.CreateAsync(RealServer.AttesterIssuer, server.Attester, server.Onboarding.ClientId, _device.PublicJwk, cancellationToken: Cancellation), _device);

    [Fact]
    public async Task Rejects_an_attestation_that_has_ended()
    {
        var refusal = await AssertRefusedAsync(await AttestAsync(_device.PublicJwk, new FakeTimeProvider(DateTimeOffset.UtcNow.AddMinutes(-6))), _device);

        Assert.Contains("exp", refusal.ErrorDescription, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lost_answer_and_a_nonce_are_met_with_a_fresh_proof_and_the_same_attestation()
    {
        var scripted = new ScriptedServer();
        var attempt = 0;
        scripted.OnToken = _ => attempt++ switch
        {
            0 => throw new HttpRequestException("lost"),
            1 => ScriptedServer.Refusal(HttpStatusCode.BadRequest, "use_dpop_nonce", "n-1"),
            _ => scripted.NewToken("DPoP"),
        };
        var attestation = await AttestAsync(_device.PublicJwk);

        await new DcrClient(new HttpClient(scripted), ScriptedServer.Issuer, RealServer.Quick).GetInitialAccessTokenAsync(attestation, _device, Cancellation);

        var sent = scripted.Sent.Where(request => request.Dpop is not null).ToList();
        Assert.Equal(3, sent.Select(request => Jwt.Parse(request.Dpop!)["jti"]).Distinct().Count());
        Assert.Equal([null, null, "n-1"], sent.Select(request => Jwt.Parse(request.Dpop!)["nonce"]));
        Assert.Equal([attestation.Value], sent.Select(request => request.Attestation).Distinct());
    }

    [Theory]
    [InlineData("")]
    [InlineData("s3cr3t")]
    [InlineData("s3cr3t.s3cr3t")]
    [InlineData("s3cr3t..s3cr3t")]
    [InlineData("s3cr3t.s3cr3t.s3cr3t\n")]
    [InlineData("s3cr3t.s3cr3t.s3cr3t=")]
    [InlineData("s3cr3t.s3 cr3t.s3cr3t")]
    [InlineData("s3cr3t.s3cr3t.s3cr3t.s3cr3t.s3cr3t")]
    public void A_text_that_is_no_signed_JWT_is_no_attestation(string text)
    {
        var fault = Assert.ThrowsAny<ArgumentException>(() => new ClientAttestation(text));

        Assert.DoesNotContain("s3cr3t", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-60)]
    public async Task An_attestation_that_has_ended_is_not_made(int seconds) =>
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () =>
            await ClientAttestation.CreateAsync(RealServer.AttesterIssuer, server.Attester, RealServer.App, _device.PublicJwk, TimeSpan.FromSeconds(seconds), cancellationToken: Cancellation));

    private ValueTask<ClientAttestation> AttestAsync(PublicJwk deviceKey, TimeProvider? time = null) =>
        ClientAttestation.CreateAsync(RealServer.AttesterIssuer, server.Attester, RealServer.App, deviceKey, time: time, cancellationToken: Cancellation);

    private async Task<DcrException> AssertRefusedAsync(
        ClientAttestation attestation, ISigningKey deviceKey, HttpStatusCode status = HttpStatusCode.Unauthorized, string error = "invalid_client")
    {
        var refusal = await Assert.ThrowsAsync<DcrException>(() => server.Connect().GetInitialAccessTokenAsync(attestation, deviceKey, Cancellation));
        Assert.Equal((status, error), (refusal.StatusCode, refusal.Error));
        return refusal;
    }
}
