using System.Net;
using System.Text.Json.Nodes;
using Dcr.Client;
using Dcr.ClientTests.Support;
using Xunit;

namespace Dcr.ClientTests;

/// <summary>The life of a registered client at the real server.</summary>
public sealed class RegistrationTests(RealServer server) : IClassFixture<RealServer>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Registers_reads_updates_uses_and_deletes()
    {
        var dcr = server.Connect();
        using var key = ClientKey.Generate();
        var store = new FileRegistrationStore(server.TempFile("registration.json"));
        var registration = dcr.RegistrationIn(store);

        var client = await registration.RegisterAsync(
            await dcr.GetInitialAccessTokenAsync(server.Onboarding, cancellationToken: Cancellation),
            new ClientMetadata { ClientName = "Warehouse 7", Scope = "read", OtherMembers = new() { ["client_name#de"] = JsonElementOf("Lager 7") } },
            key,
            Cancellation);
        Assert.Equal("Warehouse 7", client.Metadata.ClientName);
        Assert.Equal("Lager 7", Assert.Single(client.Metadata.OtherMembers!).Value.GetString());
        Assert.Equal(key.PublicJwk.Kid, Assert.Single(client.Metadata.Jwks!.Keys).Kid);
        Assert.NotNull(client.ClientIdIssuedAt);
        Assert.Null(client.ClientIdExpiresAt);
        Assert.Equal(client.ClientId, await registration.FindClientIdAsync(Cancellation));

        var first = (await store.LoadAsync(Cancellation))!.RegistrationAccessToken;
        var read = await registration.ReadAsync(Cancellation);
        Assert.Equal(client.ETag, read.ETag);

        var updated = await registration.UpdateAsync(read.Metadata with { Scope = "read write" }, read.ETag, cancellationToken: Cancellation);
        Assert.Equal("read write", updated.Metadata.Scope);
        Assert.NotEqual(read.ETag, updated.ETag);
        Assert.NotEqual(first, (await store.LoadAsync(Cancellation))!.RegistrationAccessToken);
        Assert.Equal("Lager 7", (await registration.ReadAsync(Cancellation)).Metadata.OtherMembers!["client_name#de"].GetString());

        var token = await dcr.AccessTokensFor(new ClientCredentials(client.ClientId, key)).GetAsync("write", cancellationToken: Cancellation);
        Assert.Equal("write", token.Scope);

        await registration.DeleteAsync(updated.ETag, Cancellation);
        Assert.Null(await registration.FindClientIdAsync(Cancellation));
        var refusal = await Assert.ThrowsAsync<DcrException>(() => dcr.AccessTokensFor(new ClientCredentials(client.ClientId, key)).GetAsync(cancellationToken: Cancellation));
        Assert.Equal((HttpStatusCode.Unauthorized, "invalid_client"), (refusal.StatusCode, refusal.Error));
    }

    [Fact]
    public async Task A_client_whose_tokens_are_bound_manages_itself_with_a_proof_of_its_key()
    {
        var dcr = server.Connect();
        using var key = ClientKey.Generate();
        using var newKey = ClientKey.Generate();
        var store = new MemoryStore();
        var registration = dcr.RegistrationIn(store, boundTo: key);
        var client = await registration.RegisterAsync(
            await dcr.GetInitialAccessTokenAsync(server.Onboarding, cancellationToken: Cancellation),
            new ClientMetadata { DpopBoundAccessTokens = true },
            key,
            Cancellation);
        Assert.True(client.Metadata.DpopBoundAccessTokens);

        var refusal = await Assert.ThrowsAsync<DcrException>(() => dcr.RegistrationIn(store).ReadAsync(Cancellation));
        Assert.Equal(HttpStatusCode.Unauthorized, refusal.StatusCode);

        client = await registration.ReadAsync(Cancellation);
        await registration.UpdateAsync(client.Metadata with { Jwks = newKey.PublicJwkSet }, client.ETag, cancellationToken: Cancellation);
        registration = dcr.RegistrationIn(store, boundTo: newKey);
        Assert.Equal(newKey.PublicJwk.Kid, Assert.Single((await registration.ReadAsync(Cancellation)).Metadata.Jwks!.Keys).Kid);
        await registration.DeleteAsync(cancellationToken: Cancellation);
    }

    [Fact]
    public async Task A_key_changes_in_two_steps_without_a_gap()
    {
        var dcr = server.Connect();
        using var oldKey = ClientKey.Generate();
        using var newKey = ClientKey.Generate(SigningAlgorithm.PS256);
        var registration = dcr.RegistrationIn(new MemoryStore());
        var client = await registration.RegisterAsync(
            await dcr.GetInitialAccessTokenAsync(server.Prover, cancellationToken: Cancellation), new ClientMetadata(), oldKey, Cancellation);

        var both = await registration.UpdateAsync(
            client.Metadata with { Jwks = new(oldKey.PublicJwk, newKey.PublicJwk) }, client.ETag, proofKey: oldKey, newKeys: [newKey], Cancellation);
        await dcr.AccessTokensFor(new ClientCredentials(client.ClientId, oldKey)).GetAsync(cancellationToken: Cancellation);
        await dcr.AccessTokensFor(new ClientCredentials(client.ClientId, newKey)).GetAsync(cancellationToken: Cancellation);

        await registration.UpdateAsync(both.Metadata with { Jwks = newKey.PublicJwkSet }, both.ETag, cancellationToken: Cancellation);
        await dcr.AccessTokensFor(new ClientCredentials(client.ClientId, newKey)).GetAsync(cancellationToken: Cancellation);
        await Assert.ThrowsAsync<DcrException>(() => dcr.AccessTokensFor(new ClientCredentials(client.ClientId, oldKey)).GetAsync(cancellationToken: Cancellation));
    }

    [Fact]
    public async Task A_device_registers_with_a_token_that_is_bound_to_its_key()
    {
        var network = new FaultyHandler();
        var dcr = server.Connect(network);
        var device = new RemoteKey();

        var initial = await dcr.GetInitialAccessTokenAsync(server.DeviceMaker, bindTo: device, Cancellation);
        var client = await dcr.RegistrationIn(new MemoryStore()).RegisterAsync(initial, new ClientMetadata(), device, Cancellation);

        var sent = network.Sent.Single(request => request.Uri.AbsolutePath == "/oauth/register");
        Assert.StartsWith("DPoP ", sent.Authorization, StringComparison.Ordinal);
        Assert.NotNull(Jwt.Parse(sent.Dpop!)["ath"]);
        Assert.Equal(device.PublicJwk.Kid, Assert.Single(client.Metadata.Jwks!.Keys).Kid);
    }

    [Fact]
    public async Task A_bound_token_is_of_no_use_to_somebody_else()
    {
        var dcr = server.Connect();
        var store = new MemoryStore();
        var initial = await dcr.GetInitialAccessTokenAsync(server.DeviceMaker, bindTo: new RemoteKey(), Cancellation);

        var refusal = await Assert.ThrowsAsync<DcrException>(() => dcr.RegistrationIn(store).RegisterAsync(
            new InitialAccessToken(initial.Value, new RemoteKey()), new ClientMetadata(), new RemoteKey(), Cancellation));

        Assert.Equal("invalid_dpop_proof", refusal.Error);
        Assert.Null(store.State);
    }

    [Fact]
    public async Task A_refusal_says_what_is_wrong_and_leaves_nothing_pending()
    {
        var dcr = server.Connect();
        using var key = ClientKey.Generate();
        var store = new MemoryStore();
        var registration = dcr.RegistrationIn(store);
        var initial = await dcr.GetInitialAccessTokenAsync(server.Onboarding, cancellationToken: Cancellation);

        var refusal = await Assert.ThrowsAsync<DcrException>(() => registration.RegisterAsync(initial, new ClientMetadata { Scope = "everything" }, key, Cancellation));
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_client_metadata"), (refusal.StatusCode, refusal.Error));
        Assert.Contains("scope", refusal.ErrorDescription, StringComparison.Ordinal);
        Assert.Null(store.State);

        // Corrected, with the same token.
        await registration.RegisterAsync(initial, new ClientMetadata { Scope = "read" }, key, Cancellation);
        var before = store.State;
        await Assert.ThrowsAsync<DcrException>(() => registration.UpdateAsync(new ClientMetadata { Scope = "everything", Jwks = key.PublicJwkSet }, cancellationToken: Cancellation));
        Assert.Equal(before, store.State);
        await Assert.ThrowsAsync<DcrException>(() => registration.DeleteAsync("\"99\"", Cancellation));
        Assert.Equal(before, store.State);
    }

    [Fact]
    public async Task An_update_of_what_has_changed_meanwhile_is_refused()
    {
        var (registration, store, client, _) = await RegisterAsync(server.Connect());
        await registration.UpdateAsync(client.Metadata with { ClientName = "Second" }, client.ETag, cancellationToken: Cancellation);

        var refusal = await Assert.ThrowsAsync<DcrException>(() => registration.UpdateAsync(client.Metadata with { ClientName = "Third" }, client.ETag, cancellationToken: Cancellation));

        Assert.Equal(HttpStatusCode.PreconditionFailed, refusal.StatusCode);
        Assert.Null(store.State!.Pending);
        Assert.Equal("Second", (await registration.ReadAsync(Cancellation)).Metadata.ClientName);
    }

    [Fact]
    public async Task A_store_is_for_one_client()
    {
        var dcr = server.Connect();
        var (registration, _, client, _) = await RegisterAsync(dcr);

        var fault = await Assert.ThrowsAsync<InvalidOperationException>(() => registration.RegisterAsync(new InitialAccessToken("any"), new ClientMetadata(), cancellationToken: Cancellation));
        Assert.Contains(client.ClientId, fault.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidOperationException>(() => dcr.RegistrationIn(new MemoryStore()).ReadAsync(Cancellation));
    }

    [Fact]
    public async Task Updates_at_once_run_one_after_another()
    {
        var (registration, _, client, _) = await RegisterAsync(server.Connect());

        await Task.WhenAll(Enumerable.Range(0, 10).Select(i => registration.UpdateAsync(client.Metadata with { ClientName = $"Name {i}" }, cancellationToken: Cancellation)));

        Assert.StartsWith("Name ", (await registration.ReadAsync(Cancellation)).Metadata.ClientName, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Takes_over_a_client_that_was_registered_by_other_means()
    {
        var dcr = server.Connect();
        var (_, store, client, _) = await RegisterAsync(dcr);
        var taken = new MemoryStore();
        await taken.SaveAsync(
            new RegistrationState { ClientId = client.ClientId, RegistrationClientUri = store.State!.RegistrationClientUri, RegistrationAccessToken = store.State.RegistrationAccessToken },
            Cancellation);

        Assert.Equal(client.ClientId, (await dcr.RegistrationIn(taken).ReadAsync(Cancellation)).ClientId);
    }

    private async Task<(ClientRegistration Registration, MemoryStore Store, ClientInformation Client, ISigningKey Key)> RegisterAsync(DcrClient dcr)
    {
        var store = new MemoryStore();
        var key = new RemoteKey();
        var registration = dcr.RegistrationIn(store);
        var initial = await dcr.GetInitialAccessTokenAsync(server.Onboarding, cancellationToken: Cancellation);
        return (registration, store, await registration.RegisterAsync(initial, new ClientMetadata(), key, Cancellation), key);
    }

    private static System.Text.Json.JsonElement JsonElementOf(string text) => System.Text.Json.JsonDocument.Parse(JsonValue.Create(text).ToJsonString()).RootElement;
}
