using System.Net;
using System.Text.Json.Nodes;
using Dcr.Client;
using Dcr.ClientTests.Support;
using Xunit;

namespace Dcr.ClientTests;

/// <summary>A client renews the keys that the server hosts for it, on a network that loses requests and answers.</summary>
public sealed class HostedKeyTests(RealServer server) : IClassFixture<RealServer>
{
    private readonly FaultyHandler _network = new();
    private readonly MemoryStore _store = new();
    private readonly RemoteKey _old = new();
    private readonly RemoteKey _new = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_key_takes_the_place_of_the_old_one_without_a_gap()
    {
        var (keys, client) = await StartAsync();
        await SignInAsync(client, _old);
        var set = await keys.ReadAsync(Cancellation);
        Assert.Equal(client.Metadata.JwksUri, set.JwksUri);
        Assert.Contains(set.Id, set.JwksUri, StringComparison.Ordinal);
        var first = Assert.Single(set.Keys);
        Assert.Equal((_old.PublicJwk.Kid, _old.PublicJwk.Thumbprint(), HostedKeyState.Active, false), (first.Kid, first.Thumbprint, first.State, first.SafeToRetire));
        Assert.NotNull(first.LastUsedAt);

        var added = await keys.AddAsync(_new.PublicJwk, provenBy: _old, Cancellation);
        Assert.Equal((KidOf(_new), HostedKeyState.Pending, null, null), (added.Kid, added.State, added.Until, added.LastUsedAt));
        await Assert.ThrowsAsync<DcrException>(() => SignInAsync(client, _new));

        Assert.Equal(HostedKeyState.Active, (await keys.ActivateAsync(KidOf(_new), provenBy: _old, Cancellation)).State);
        await SignInAsync(client, _old);
        await SignInAsync(client, _new);

        var end = DateTimeOffset.UtcNow.AddDays(1);
        var retiring = await keys.RetireAsync(KidOf(_old), end, provenBy: _new, Cancellation);
        Assert.Equal((HostedKeyState.Retiring, end.ToUnixTimeSeconds()), (retiring.State, retiring.Until!.Value.ToUnixTimeSeconds()));
        await SignInAsync(client, _old);

        Assert.Equal(HostedKeyState.Withdrawn, (await keys.WithdrawAsync(KidOf(_old), provenBy: _new, Cancellation)).State);
        await Assert.ThrowsAsync<DcrException>(() => SignInAsync(client, _old));
        await SignInAsync(client, _new);
        Assert.Equal([HostedKeyState.Withdrawn, HostedKeyState.Active], (await keys.ReadAsync(Cancellation)).Keys.Select(key => key.State));
    }

    [Fact]
    public async Task A_proof_is_for_one_change_of_one_key_at_one_URL()
    {
        var (keys, client) = await StartAsync();

        await keys.AddAsync(_new.PublicJwk, _old, Cancellation);
        await keys.ActivateAsync(KidOf(_new), _old, Cancellation);

        var url = $"{server.Issuer}/oauth/register/{client.ClientId}/keys";
        Assert.Equal([url, $"{url}/{KidOf(_new)}/activate"], Posts().Select(sent => sent.Uri.AbsoluteUri));
        foreach (var (sent, proof) in Posts().Zip(Proofs()))
        {
            Assert.Equal($"Bearer {_store.State!.RegistrationAccessToken}", sent.Authorization);
            Assert.Equal("key-proof+jwt", proof.Header["typ"]!.GetValue<string>());
            Assert.Equal(_old.PublicJwk.Kid, proof.Header["kid"]!.GetValue<string>());
            Assert.Equal((client.ClientId, _new.PublicJwk.Thumbprint(), sent.Uri.AbsoluteUri), (proof["iss"], proof["sub"], proof["aud"]));
            Assert.True(proof.IsSignedBy(_old.PublicJwk));
        }
    }

    [Theory]
    [InlineData("next key")]
    [InlineData("a+b&c=d?e#f")]
    [InlineData("Schlüssel")]
    [InlineData("50%25")]
    [InlineData("a%2Fb")]
    [InlineData("~(2026).'1'!*")]
    public async Task A_kid_may_be_any_text(string kid)
    {
        var (keys, client) = await StartAsync();
        using var key = ClientKey.FromECDsa(System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256), kid);

        await keys.AddAsync(key.PublicJwk, _old, Cancellation);
        await keys.ActivateAsync(kid, _old, Cancellation);

        await SignInAsync(client, key);
    }

    [Fact]
    public async Task A_key_without_a_kid_is_named_by_its_thumbprint()
    {
        var (keys, _) = await StartAsync();
        _network.LoseAnswers(HttpMethod.Post);

        var added = await keys.AddAsync(_new.PublicJwk with { Kid = null }, _old, Cancellation);

        Assert.Equal(_new.PublicJwk.Thumbprint(), added.Kid);
    }

    [Fact]
    public async Task Only_an_active_key_proves_a_change()
    {
        var (keys, _) = await StartAsync();
        await keys.AddAsync(_new.PublicJwk, _old, Cancellation);

        foreach (var notActive in new[] { _new, new RemoteKey() })
        {
            var refusal = await Assert.ThrowsAsync<DcrException>(() => keys.ActivateAsync(KidOf(_new), provenBy: notActive, Cancellation));
            Assert.Equal((HttpStatusCode.BadRequest, "invalid_key_proof"), (refusal.StatusCode, refusal.Error));
        }
        Assert.Equal([HostedKeyState.Active, HostedKeyState.Pending], (await keys.ReadAsync(Cancellation)).Keys.Select(key => key.State));
    }

    [Fact]
    public async Task What_the_set_does_not_allow_is_a_conflict()
    {
        var (keys, _) = await StartAsync();
        var other = new RemoteKey();

        // Another key under a kid that is taken; the same key under another; the last one is to retire; what is withdrawn is to come back.
        await AssertConflictAsync(() => keys.AddAsync(_new.PublicJwk with { Kid = KidOf(_old) }, _old, Cancellation));
        await AssertConflictAsync(() => keys.AddAsync(_old.PublicJwk with { Kid = "again" }, _old, Cancellation));
        await AssertConflictAsync(() => keys.RetireAsync(KidOf(_old), DateTimeOffset.UtcNow.AddDays(1), _old, Cancellation));
        await keys.AddAsync(other.PublicJwk, _old, Cancellation);
        await keys.WithdrawAsync(KidOf(other), _old, Cancellation);
        await AssertConflictAsync(() => keys.AddAsync(other.PublicJwk, _old, Cancellation));
        await AssertConflictAsync(() => keys.ActivateAsync(KidOf(other), _old, Cancellation));
    }

    [Fact]
    public async Task Says_when_there_is_no_such_key_no_such_set_or_no_such_client()
    {
        var (keys, _) = await StartAsync();
        var dcr = server.Connect();
        var inline = dcr.RegistrationIn(new MemoryStore());
        await inline.RegisterAsync(await dcr.GetInitialAccessTokenAsync(server.Onboarding, cancellationToken: Cancellation), new ClientMetadata(), _old, Cancellation);

        var fault = await Assert.ThrowsAsync<InvalidOperationException>(() => keys.ActivateAsync("unheard-of", _old, Cancellation));
        Assert.Contains("unheard-of", fault.Message, StringComparison.Ordinal);
        var refusal = await Assert.ThrowsAsync<DcrException>(() => inline.HostedKeys.AddAsync(_new.PublicJwk, _old, Cancellation));
        Assert.Equal((HttpStatusCode.NotFound, "not_found"), (refusal.StatusCode, refusal.Error));
        await Assert.ThrowsAsync<InvalidOperationException>(() => dcr.RegistrationIn(new MemoryStore()).HostedKeys.ReadAsync(Cancellation));
    }

    /// <summary>What can be done to a set with an active and a pending key; retired and withdrawn is the key that proves it.</summary>
    public static TheoryData<string, bool> Changes() => new MatrixTheoryData<string, bool>(["add", "activate", "retire", "withdraw"], [true, false]);

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task A_change_whose_answer_is_lost_is_done_once(string change, bool answerIsLost)
    {
        var (keys, _) = await StartAsync();
        var (wanted, act) = await ReadyAsync(keys, change);
        var before = _network.Count(HttpMethod.Post, "/oauth/register/");
        _ = answerIsLost ? _network.LoseAnswers(HttpMethod.Post, 2) : _network.LoseRequests(HttpMethod.Post, 2);

        var key = await act(keys);

        Assert.Equal(wanted, key.State);
        Assert.Equal(key, (await keys.ReadAsync(Cancellation)).Keys.Single(other => other.Kid == key.Kid));
        var proofs = Proofs().Skip(before).ToList();
        Assert.Equal(3, proofs.Count);
        Assert.Equal(3, proofs.Select(proof => proof["jti"]).Distinct().Count());
    }

    [Theory]
    [InlineData("add")]
    [InlineData("activate")]
    [InlineData("retire")]
    [InlineData("withdraw")]
    public async Task A_change_that_was_lost_for_good_is_done_when_the_next_process_asks_again(string change)
    {
        var (keys, _) = await StartAsync();
        var (wanted, act) = await ReadyAsync(keys, change);
        _network.LoseAnswers(HttpMethod.Post, RealServer.Quick.MaxAttempts);
        await Assert.ThrowsAsync<HttpRequestException>(() => act(keys));

        var next = new FaultyHandler();
        var key = await act(server.Connect(next).RegistrationIn(_store).HostedKeys);

        Assert.Equal(wanted, key.State);
        Assert.Equal(0, next.Count(HttpMethod.Post, "/oauth/register/"));
    }

    [Fact]
    public async Task A_lost_request_does_not_turn_a_refusal_into_a_success()
    {
        var (keys, _) = await StartAsync();
        _network.LoseRequests(HttpMethod.Post);

        await AssertConflictAsync(() => keys.RetireAsync(KidOf(_old), DateTimeOffset.UtcNow.AddDays(1), _old, Cancellation));
    }

    [Fact]
    public async Task Two_processes_that_add_one_key_both_have_it_added()
    {
        var (keys, _) = await StartAsync();
        var other = server.Connect().RegistrationIn(_store).HostedKeys;

        var added = await Task.WhenAll(keys.AddAsync(_new.PublicJwk, _old, Cancellation), other.AddAsync(_new.PublicJwk, _old, Cancellation));

        Assert.Equal(added[0], added[1]);
    }

    [Fact]
    public async Task Changes_and_updates_at_once_take_turns_with_the_token()
    {
        var (_, client) = await StartAsync();
        var registration = server.Connect(_network).RegistrationIn(_store);

        await Task.WhenAll(Enumerable.Range(0, 6).Select(i => i % 2 == 0
            ? registration.UpdateAsync(client.Metadata with { ClientName = $"Name {i}" }, cancellationToken: Cancellation)
            : (Task)registration.HostedKeys.AddAsync(new RemoteKey().PublicJwk, _old, Cancellation)));

        Assert.Equal(4, (await registration.HostedKeys.ReadAsync(Cancellation)).Keys.Count);
    }

    [Fact]
    public async Task After_an_update_whose_answer_was_lost_keys_still_change()
    {
        var (keys, client) = await StartAsync();
        _network.LoseAnswers(HttpMethod.Put, RealServer.Quick.MaxAttempts);
        var registration = server.Connect(_network).RegistrationIn(_store);
        await Assert.ThrowsAsync<HttpRequestException>(() => registration.UpdateAsync(client.Metadata, cancellationToken: Cancellation));

        await keys.AddAsync(_new.PublicJwk, _old, Cancellation);

        Assert.Equal(PendingRequest.Update, _store.State!.Pending);
        await registration.ReadAsync(Cancellation);
    }

    private async Task<(HostedKeys Keys, ClientInformation Client)> StartAsync()
    {
        var jwksUri = await server.HostAsync(_old.PublicJwk);
        var dcr = server.Connect(_network);
        var registration = dcr.RegistrationIn(_store);
        var initial = await dcr.GetInitialAccessTokenAsync(server.Onboarding, cancellationToken: Cancellation);
        return (registration.HostedKeys, await registration.RegisterAsync(initial, new ClientMetadata { JwksUri = jwksUri }, _old, Cancellation));
    }

    private async Task<(HostedKeyState Wanted, Func<HostedKeys, Task<HostedKey>> Act)> ReadyAsync(HostedKeys keys, string change)
    {
        if (change == "add")
        {
            return (HostedKeyState.Pending, it => it.AddAsync(_new.PublicJwk, _old, Cancellation));
        }
        await keys.AddAsync(_new.PublicJwk, _old, Cancellation);
        if (change == "activate")
        {
            return (HostedKeyState.Active, it => it.ActivateAsync(KidOf(_new), _old, Cancellation));
        }
        await keys.ActivateAsync(KidOf(_new), _old, Cancellation);
        var end = DateTimeOffset.UtcNow.AddHours(1);
        return change == "retire"
            ? (HostedKeyState.Retiring, it => it.RetireAsync(KidOf(_old), end, provenBy: _old, Cancellation))
            : (HostedKeyState.Withdrawn, it => it.WithdrawAsync(KidOf(_old), provenBy: _old, Cancellation));
    }

    private static string KidOf(ISigningKey key) => key.PublicJwk.Kid!;

    private async Task SignInAsync(ClientInformation client, ISigningKey key) =>
        await server.Connect().AccessTokensFor(new ClientCredentials(client.ClientId, key)).GetAsync(cancellationToken: Cancellation);

    private static async Task AssertConflictAsync(Func<Task> act) =>
        Assert.Equal("conflict", (await Assert.ThrowsAsync<DcrException>(act)).Error);

    private IEnumerable<SentRequest> Posts() =>
        _network.Sent.Where(sent => sent.Method == HttpMethod.Post && sent.Uri.AbsolutePath.StartsWith("/oauth/register/", StringComparison.Ordinal));

    private IEnumerable<Jwt> Proofs() => Posts().Select(sent => Jwt.Parse(JsonNode.Parse(sent.Body!)!["proof"]!.GetValue<string>()));
}
