using System.Net;
using Dcr.Client;
using Dcr.ClientTests.Support;
using Xunit;

namespace Dcr.ClientTests;

/// <summary>A registration is tried out: it says what would come of it, and nothing comes of it.</summary>
public sealed class ValidationTests(RealServer server) : IClassFixture<RealServer>
{
    private readonly FaultyHandler _network = new();
    private readonly RemoteKey _key = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Says_what_would_be_registered_and_uses_nothing_up()
    {
        var dcr = server.Connect();
        var initial = await dcr.GetInitialAccessTokenAsync(server.Onboarding, cancellationToken: Cancellation);
        var metadata = new ClientMetadata { ClientName = "Warehouse 7" };

        var valid = await dcr.ValidateRegistrationAsync(initial, metadata, _key, Cancellation);
        Assert.Equal(("Warehouse 7", "read"), (valid.ClientName, valid.Scope));
        Assert.Equal(["client_credentials"], valid.GrantTypes!);
        Assert.Equal(_key.PublicJwk.Kid, Assert.Single(valid.Jwks!.Keys).Kid);
        Assert.Null(valid.OtherMembers);

        // The token is good for one registration, which it still is.
        var client = await dcr.RegistrationIn(new MemoryStore()).RegisterAsync(initial, metadata, _key, Cancellation);
        Assert.Equal(valid.Scope, client.Metadata.Scope);
        var usedUp = await Assert.ThrowsAsync<DcrException>(() => dcr.ValidateRegistrationAsync(initial, metadata, _key, Cancellation));
        Assert.Equal("invalid_token", usedUp.Error);
    }

    [Fact]
    public async Task Says_what_is_wrong()
    {
        var dcr = server.Connect();
        var initial = await dcr.GetInitialAccessTokenAsync(server.Onboarding, cancellationToken: Cancellation);

        var refusal = await Assert.ThrowsAsync<DcrException>(() => dcr.ValidateRegistrationAsync(initial, new ClientMetadata { Scope = "read everything" }, _key, Cancellation));

        Assert.Equal((HttpStatusCode.BadRequest, "invalid_client_metadata"), (refusal.StatusCode, refusal.Error));
        Assert.Contains("scope", refusal.ErrorDescription, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_that_is_bound_to_a_key_comes_with_a_proof_for_the_URL_without_its_query()
    {
        var dcr = server.Connect(_network);
        var initial = await dcr.GetInitialAccessTokenAsync(server.DeviceMaker, bindTo: _key, Cancellation);

        await dcr.ValidateRegistrationAsync(initial, new ClientMetadata(), _key, Cancellation);
        await dcr.ValidateRegistrationAsync(initial, new ClientMetadata(), _key, Cancellation);
        await dcr.RegistrationIn(new MemoryStore()).RegisterAsync(initial, new ClientMetadata(), _key, Cancellation);

        var sent = _network.Sent.Where(request => request.Uri.AbsolutePath == "/oauth/register").ToList();
        Assert.Equal(["?validate_only=true", "?validate_only=true", ""], sent.Select(request => request.Uri.Query));
        Assert.All(sent, request => Assert.Equal($"{server.Issuer}/oauth/register", Jwt.Parse(request.Dpop!)["htu"]));
    }

    [Fact]
    public async Task A_policy_that_asks_for_a_proof_is_told_of_it()
    {
        var dcr = server.Connect();
        var initial = await dcr.GetInitialAccessTokenAsync(server.Prover, cancellationToken: Cancellation);
        var metadata = new ClientMetadata { Jwks = new(_key.PublicJwk) };

        Assert.Equal("invalid_dpop_proof", (await Assert.ThrowsAsync<DcrException>(() => dcr.ValidateRegistrationAsync(initial, metadata, cancellationToken: Cancellation))).Error);
        await dcr.ValidateRegistrationAsync(initial, metadata, _key, Cancellation);
    }

    [Fact]
    public async Task A_validation_whose_answer_is_lost_is_asked_again()
    {
        _network.LoseAnswers(HttpMethod.Post, 2);
        var dcr = server.Connect(_network);
        var initial = await dcr.GetInitialAccessTokenAsync(server.DeviceMaker, bindTo: _key, Cancellation);

        await dcr.ValidateRegistrationAsync(initial, new ClientMetadata(), _key, Cancellation);

        Assert.Equal(3, _network.Count(HttpMethod.Post, "/oauth/register"));
        Assert.All(_network.Lost, answer => Assert.DoesNotContain("client_id", answer, StringComparison.Ordinal));
        Assert.All(_network.Sent, request => Assert.Null(request.IdempotencyKey));
    }

    [Fact]
    public async Task A_server_that_registers_instead_is_not_taken_for_one_that_validates()
    {
        _network.Answer(HttpMethod.Post, HttpStatusCode.Created);
        var dcr = server.Connect(_network);

        var fault = await Assert.ThrowsAsync<HttpRequestException>(() => dcr.ValidateRegistrationAsync(new InitialAccessToken("any"), new ClientMetadata(), _key, Cancellation));

        Assert.Contains("validate_only", fault.Message, StringComparison.Ordinal);
    }
}
