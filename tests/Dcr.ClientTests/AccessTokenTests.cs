using System.Net;
using Dcr.Client;
using Dcr.ClientTests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Dcr.ClientTests;

/// <summary>Access tokens: kept, renewed in time, asked for once, bound to a key where the server wants it.</summary>
public sealed class AccessTokenTests(RealServer server) : IClassFixture<RealServer>
{
    private readonly ScriptedServer _scripted = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly RemoteKey _key = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Gets_a_token_from_the_real_server_and_keeps_it()
    {
        var network = new FaultyHandler();
        var tokens = server.Connect(network).AccessTokensFor(server.Worker);

        var token = await tokens.GetAsync("read write", cancellationToken: Cancellation);
        Assert.Equal("Bearer", token.TokenType);
        Assert.Equal("read write", token.Scope);
        Assert.InRange(token.ExpiresAt, DateTimeOffset.UtcNow.AddMinutes(9), DateTimeOffset.UtcNow.AddMinutes(10));
        Assert.Same(token, await tokens.GetAsync("write read", cancellationToken: Cancellation));
        Assert.Equal(1, network.Count(HttpMethod.Post, "/oauth/token"));
    }

    [Fact]
    public async Task Gets_a_token_that_is_bound_to_a_key_from_the_real_server()
    {
        var token = await server.Connect().AccessTokensFor(server.Worker, proofKey: _key).GetAsync(cancellationToken: Cancellation);

        Assert.Equal("DPoP", token.TokenType);
        Assert.Equal(_key.PublicJwk.Thumbprint(), Jwt.Parse(token.Value).Claims["cnf"]!["jkt"]!.GetValue<string>());
    }

    [Fact]
    public async Task Each_scope_and_resource_has_a_token_of_its_own()
    {
        var tokens = Connect();

        await tokens.GetAsync("read", cancellationToken: Cancellation);
        await tokens.GetAsync("write", cancellationToken: Cancellation);
        await tokens.GetAsync("read", "https://api.example", Cancellation);
        await tokens.GetAsync("read", "https://api.example", Cancellation);

        Assert.Equal(3, _scripted.TokenRequests);
        Assert.Equal([("read", null), ("write", null), ("read", "https://api.example")], _scripted.Forms.Select(form => (form["scope"], form.GetValueOrDefault("resource"))));
    }

    [Fact]
    public async Task Many_callers_make_one_request()
    {
        _scripted.Latency = TimeSpan.FromMilliseconds(50);
        var tokens = Connect();

        var all = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(() => tokens.GetAsync("read", cancellationToken: Cancellation))));

        Assert.Single(all.Distinct());
        Assert.Equal(1, _scripted.TokenRequests);
    }

    [Fact]
    public async Task A_caller_that_gives_up_leaves_the_others_waiting_for_theirs()
    {
        _scripted.Latency = TimeSpan.FromMilliseconds(100);
        var tokens = Connect();
        using var stop = new CancellationTokenSource();

        var first = tokens.GetAsync("read", cancellationToken: stop.Token);
        var second = tokens.GetAsync("read", cancellationToken: Cancellation);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.StartsWith("token-", (await second).Value, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Renews_before_the_end_and_hands_the_old_one_out_meanwhile()
    {
        var tokens = Connect();
        var old = await tokens.GetAsync("read", cancellationToken: Cancellation);

        _time.Advance(TimeSpan.FromSeconds(530));
        Assert.Same(old, await tokens.GetAsync("read", cancellationToken: Cancellation));

        _time.Advance(TimeSpan.FromSeconds(20));
        _scripted.Latency = TimeSpan.FromMilliseconds(200);
        var renewing = tokens.GetAsync("read", cancellationToken: Cancellation);
        Assert.Same(old, await tokens.GetAsync("read", cancellationToken: Cancellation));
        Assert.Equal("token-2", (await renewing).Value);
        Assert.Equal("token-2", (await tokens.GetAsync("read", cancellationToken: Cancellation)).Value);
        Assert.Equal(2, _scripted.TokenRequests);
    }

    [Fact]
    public async Task While_the_server_is_away_the_old_one_is_used_to_its_end()
    {
        var tokens = Connect(new DcrClientOptions { Time = _time, MaxAttempts = 1 });
        var old = await tokens.GetAsync("read", cancellationToken: Cancellation);
        _scripted.OnToken = _ => throw new HttpRequestException("away");

        _time.Advance(TimeSpan.FromSeconds(550));
        Assert.Equal(old.Value, (await tokens.GetAsync("read", cancellationToken: Cancellation)).Value);
        Assert.Equal(old.Value, (await tokens.GetAsync("read", cancellationToken: Cancellation)).Value);
        // Not asked again at once.
        Assert.Equal(2, _scripted.TokenRequests);

        _time.Advance(TimeSpan.FromSeconds(50));
        await Assert.ThrowsAsync<HttpRequestException>(() => tokens.GetAsync("read", cancellationToken: Cancellation));
    }

    [Fact]
    public async Task A_client_that_was_stopped_is_told_although_its_token_has_not_ended()
    {
        var tokens = Connect();
        await tokens.GetAsync("read", cancellationToken: Cancellation);
        _scripted.OnToken = _ => ScriptedServer.Refusal(HttpStatusCode.Unauthorized, "invalid_client");

        _time.Advance(TimeSpan.FromSeconds(550));

        Assert.Equal("invalid_client", (await Assert.ThrowsAsync<DcrException>(() => tokens.GetAsync("read", cancellationToken: Cancellation))).Error);
    }

    [Fact]
    public async Task A_token_that_is_forgotten_is_not_handed_out_again()
    {
        var tokens = Connect();
        var first = await tokens.GetAsync("read", cancellationToken: Cancellation);

        tokens.Forget(first);
        var second = await tokens.GetAsync("read", cancellationToken: Cancellation);
        tokens.Forget(first);

        Assert.NotEqual(first.Value, second.Value);
        Assert.Same(second, await tokens.GetAsync("read", cancellationToken: Cancellation));
    }

    [Fact]
    public async Task Each_attempt_has_an_assertion_of_its_own()
    {
        var lost = 2;
        _scripted.OnToken = _ => lost-- > 0 ? throw new HttpRequestException("lost") : _scripted.NewToken();

        await Connect(RealServer.Quick).GetAsync("read", cancellationToken: Cancellation);

        var assertions = _scripted.Forms.Select(form => Jwt.Parse(form["client_assertion"])).ToList();
        Assert.Equal(3, assertions.Select(jwt => jwt["jti"]).Distinct().Count());
        Assert.All(assertions, jwt => Assert.Equal(ScriptedServer.Issuer, jwt["aud"]));
    }

    [Fact]
    public async Task The_nonce_of_the_server_is_used_once_it_is_known()
    {
        _scripted.OnToken = request => Jwt.Parse(request.Dpop!)["nonce"] == "n-1"
            ? _scripted.NewToken("DPoP")
            : ScriptedServer.Refusal(HttpStatusCode.BadRequest, "use_dpop_nonce", "n-1");
        var tokens = Connect(proofKey: _key);

        await tokens.GetAsync("read", cancellationToken: Cancellation);
        Assert.Equal(2, _scripted.TokenRequests);

        await tokens.GetAsync("write", cancellationToken: Cancellation);
        Assert.Equal(3, _scripted.TokenRequests);
    }

    [Fact]
    public async Task A_nonce_that_comes_with_a_token_is_used_next()
    {
        _scripted.OnToken = _ =>
        {
            var answer = _scripted.NewToken("DPoP");
            answer.Headers.Add("DPoP-Nonce", "n-2");
            return answer;
        };
        var tokens = Connect(proofKey: _key);

        await tokens.GetAsync("read", cancellationToken: Cancellation);
        await tokens.GetAsync("write", cancellationToken: Cancellation);

        Assert.Equal([null, "n-2"], Proofs().Select(proof => proof["nonce"]));
    }

    [Fact]
    public async Task A_server_that_always_wants_another_nonce_is_asked_twice()
    {
        var nonce = 0;
        _scripted.OnToken = _ => ScriptedServer.Refusal(HttpStatusCode.BadRequest, "use_dpop_nonce", $"n-{nonce++}");

        await Assert.ThrowsAsync<DcrException>(() => Connect(proofKey: _key).GetAsync("read", cancellationToken: Cancellation));

        Assert.Equal(2, _scripted.TokenRequests);
    }

    [Fact]
    public async Task A_server_that_wants_a_proof_gets_one_by_the_clients_own_key()
    {
        _scripted.OnToken = request => request.Dpop is null ? ScriptedServer.Refusal(HttpStatusCode.BadRequest, "invalid_dpop_proof") : _scripted.NewToken("DPoP");
        var tokens = Connect();

        var token = await tokens.GetAsync("read", cancellationToken: Cancellation);
        await tokens.GetAsync("write", cancellationToken: Cancellation);

        Assert.Same(_key, token.BoundTo);
        Assert.Equal(3, _scripted.TokenRequests);
    }

    [Theory]
    [InlineData("Bearer", true)]
    [InlineData("DPoP", false)]
    [InlineData("mac", false)]
    public async Task Rejects_a_token_of_another_type_than_was_asked_for(string type, bool bound)
    {
        _scripted.OnToken = _ => _scripted.NewToken(type);

        var fault = await Assert.ThrowsAsync<HttpRequestException>(() => Connect(proofKey: bound ? _key : null).GetAsync("read", cancellationToken: Cancellation));

        Assert.Equal(HttpRequestError.InvalidResponse, fault.HttpRequestError);
    }

    [Theory]
    [InlineData(3600, 1)]
    [InlineData(0, 4)]
    public async Task A_server_that_asks_for_patience_gets_a_little_and_no_more(int seconds, int requests)
    {
        _scripted.OnToken = _ =>
        {
            var answer = ScriptedServer.Refusal(HttpStatusCode.TooManyRequests, "temporarily_unavailable");
            answer.Headers.RetryAfter = new(TimeSpan.FromSeconds(seconds));
            return answer;
        };

        var refusal = await Assert.ThrowsAsync<DcrException>(() => Connect(RealServer.Quick).GetAsync("read", cancellationToken: Cancellation));

        Assert.Equal(TimeSpan.FromSeconds(seconds), refusal.RetryAfter);
        Assert.Equal(requests, _scripted.TokenRequests);
    }

    private AccessTokenSource Connect(DcrClientOptions? options = null, ISigningKey? proofKey = null) =>
        new DcrClient(new HttpClient(_scripted), ScriptedServer.Issuer, options ?? new DcrClientOptions { Time = _time })
            .AccessTokensFor(new ClientCredentials("worker", _key), proofKey);

    private IEnumerable<Jwt> Proofs() => _scripted.Sent.Where(request => request.Dpop is not null).Select(request => Jwt.Parse(request.Dpop!));
}
