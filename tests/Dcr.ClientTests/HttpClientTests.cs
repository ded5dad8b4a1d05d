using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using Dcr.Client;
using Dcr.ClientTests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Dcr.ClientTests;

/// <summary>HttpClients of APIs that carry access tokens.</summary>
public sealed class HttpClientTests(RealServer server) : IClassFixture<RealServer>
{
    private static readonly Uri s_orders = new("https://orders.example/orders?page=2");

    private readonly ScriptedServer _server = new();
    private readonly Api _api = new();
    private readonly RemoteKey _key = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_carries_a_bearer_token()
    {
        using var http = Connect(bound: false);

        Assert.Equal("ok", await http.GetStringAsync(s_orders, Cancellation));
        Assert.Equal("ok", await http.GetStringAsync(s_orders, Cancellation));

        Assert.All(_api.Sent, request => Assert.Equal(("Bearer token-1", null), (request.Authorization, request.Dpop)));
        Assert.Equal("read", Assert.Single(_server.Forms)["scope"]);
    }

    [Fact]
    public async Task A_request_of_an_HttpClient_without_a_factory_carries_one_too()
    {
        _server.OnToken = _ => _server.NewToken("Bearer");
        var tokens = new DcrClient(new HttpClient(_server), ScriptedServer.Issuer).AccessTokensFor(new ClientCredentials("worker", _key));
        using var http = new HttpClient(new AccessTokenHandler(tokens, "read") { InnerHandler = _api });

        Assert.Equal("ok", await http.GetStringAsync(s_orders, Cancellation));

        Assert.Equal("Bearer token-1", Assert.Single(_api.Sent).Authorization);
        Assert.Equal("read", Assert.Single(_server.Forms)["scope"]);
    }

    [Fact]
    public async Task A_request_carries_a_bound_token_with_a_fresh_proof()
    {
        using var http = Connect(bound: true);

        await http.GetStringAsync(s_orders, Cancellation);
        await http.GetStringAsync(s_orders, Cancellation);

        Assert.All(_api.Sent, request => Assert.Equal("DPoP token-1", request.Authorization));
        var proofs = _api.Sent.Select(request => Jwt.Parse(request.Dpop!)).ToList();
        Assert.Equal(2, proofs.Select(proof => proof["jti"]).Distinct().Count());
        Assert.All(proofs, proof => Assert.Equal(("GET", "https://orders.example/orders"), (proof["htm"], proof["htu"])));
        Assert.All(proofs, proof => Assert.NotNull(proof["ath"]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_token_that_the_API_refuses_is_renewed_once_and_the_body_sent_again(bool bound)
    {
        _api.On = request => request.Authorization!.EndsWith("token-1", StringComparison.Ordinal) ? Unauthorized(bound ? "DPoP" : "Bearer", "invalid_token") : null;
        using var http = Connect(bound);

        using var response = await http.PostAsJsonAsync(s_orders, new[] { 1, 2, 3 }, Cancellation);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(["[1,2,3]", "[1,2,3]"], _api.Bodies);
        Assert.Equal(2, _server.TokenRequests);
    }

    [Fact]
    public async Task An_API_that_refuses_every_token_is_asked_twice()
    {
        _api.On = _ => Unauthorized("Bearer", "invalid_token");
        using var http = Connect(bound: false);

        using var response = await http.GetAsync(s_orders, Cancellation);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal(2, _api.Sent.Count);
    }

    [Fact]
    public async Task Any_other_refusal_is_the_callers()
    {
        _api.On = _ => Unauthorized("Bearer", "insufficient_scope");
        using var http = Connect(bound: false);

        using var response = await http.GetAsync(s_orders, Cancellation);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Single(_api.Sent);
    }

    [Fact]
    public async Task Many_requests_that_are_refused_at_once_renew_once()
    {
        _api.On = request => request.Authorization!.EndsWith("token-1", StringComparison.Ordinal) ? Unauthorized("Bearer", "invalid_token") : null;
        using var http = Connect(bound: false);
        _server.Latency = TimeSpan.FromMilliseconds(20);

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => http.GetStringAsync(s_orders, Cancellation)));

        Assert.Equal(2, _server.TokenRequests);
    }

    [Fact]
    public async Task The_nonce_of_the_API_is_used_once_it_is_known()
    {
        _api.On = request =>
        {
            if (Jwt.Parse(request.Dpop!)["nonce"] == "api-1")
            {
                return null;
            }
            var challenge = Unauthorized("DPoP", "use_dpop_nonce");
            challenge.Headers.Add("DPoP-Nonce", "api-1");
            return challenge;
        };
        using var http = Connect(bound: true);

        await http.GetStringAsync(s_orders, Cancellation);
        Assert.Equal(2, _api.Sent.Count);
        await http.GetStringAsync(s_orders, Cancellation);
        Assert.Equal(3, _api.Sent.Count);
        Assert.Equal(1, _server.TokenRequests);
        // The nonce of the API is for the API.
        Assert.Null(Jwt.Parse(_server.Sent.Last().Dpop!)["nonce"]);
    }

    [Fact]
    public async Task A_large_stream_is_sent_once()
    {
        _api.On = _ => Unauthorized("Bearer", "invalid_token");
        using var http = Connect(bound: false);

        using var response = await http.PostAsync(s_orders, new ByteArrayContent(new byte[2 * 1024 * 1024]), Cancellation);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Single(_api.Sent);
    }

    [Fact]
    public async Task A_body_of_unknown_length_is_sent_while_it_is_made_and_again_if_it_was_small()
    {
        var refusals = 1;
        _api.Reads = true;
        _api.On = _ => refusals-- > 0 ? Unauthorized("Bearer", "invalid_token") : null;
        using var http = Connect(bound: false);
        using var content = new MadeContent(pieces: 2, pieceLength: 100);
        // Nothing more is made before the first piece has arrived.
        _api.OnFirstPiece = content.GoOn;

        using var response = await http.PostAsync(s_orders, content, Cancellation);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal([200, 200], _api.Lengths);
        Assert.Equal(1, content.TimesMade);
    }

    [Fact]
    public async Task A_body_of_unknown_length_that_turns_out_large_is_sent_once_and_not_kept()
    {
        _api.Reads = true;
        _api.On = _ => Unauthorized("Bearer", "invalid_token");
        using var http = Connect(bound: false);
        using var content = new MadeContent(pieces: 65, pieceLength: 16 * 1024);
        _api.OnFirstPiece = content.GoOn;

        using var response = await http.PostAsync(s_orders, content, Cancellation);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal([65 * 16 * 1024], _api.Lengths);
    }

    [Fact]
    public async Task No_token_is_sent_without_encryption()
    {
        using var http = Connect(bound: false);

        await Assert.ThrowsAsync<InvalidOperationException>(() => http.GetStringAsync(new Uri("http://orders.example/"), Cancellation));

        Assert.Empty(_api.Sent);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_administrators_API_of_the_real_server_takes_what_is_sent(bool bound)
    {
        var services = new ServiceCollection();
        services.AddDcrClient(server.Issuer);
        services.AddHttpClient("admin", http => http.BaseAddress = new Uri(server.Issuer))
            .AddAccessTokens(provider => provider.GetRequiredService<DcrClient>().AccessTokensFor(server.Administrator, bound ? _key : null), scope: "dcr.admin");
        using var http = services.BuildServiceProvider().GetRequiredService<IHttpClientFactory>().CreateClient("admin");

        Assert.Contains("worker", await http.GetStringAsync(new Uri("/admin/v1/clients?limit=50", UriKind.Relative), Cancellation), StringComparison.Ordinal);
        Assert.Contains("worker", await http.GetStringAsync(new Uri("/admin/v1/clients?limit=50", UriKind.Relative), Cancellation), StringComparison.Ordinal);
    }

    private HttpClient Connect(bool bound)
    {
        _server.OnToken = _ => _server.NewToken(bound ? "DPoP" : "Bearer");
        var services = new ServiceCollection();
        services.AddDcrClient(ScriptedServer.Issuer).ConfigurePrimaryHttpMessageHandler(() => _server);
        services.AddSingleton(provider => provider.GetRequiredService<DcrClient>().AccessTokensFor(new ClientCredentials("worker", _key), bound ? _key : null));
        services.AddHttpClient("orders")
            .AddAccessTokens(provider => provider.GetRequiredService<AccessTokenSource>(), scope: "read")
            .ConfigurePrimaryHttpMessageHandler(() => _api);
        return services.BuildServiceProvider().GetRequiredService<IHttpClientFactory>().CreateClient("orders");
    }

    private static HttpResponseMessage Unauthorized(string scheme, string error) =>
        new(HttpStatusCode.Unauthorized) { Headers = { WwwAuthenticate = { new(scheme, $"realm=\"orders\", error=\"{error}\", error_description=\"No.\"") } } };

    private sealed class Api : HttpMessageHandler
    {
        public ConcurrentQueue<SentRequest> Sent { get; } = new();

        public ConcurrentQueue<string> Bodies { get; } = new();

        /// <summary>Reads bodies as a network does, piece by piece.</summary>
        public bool Reads { get; set; }

        public Action? OnFirstPiece { get; set; }

        public ConcurrentQueue<int> Lengths { get; } = new();

        /// <summary>Null: ok.</summary>
        public Func<SentRequest, HttpResponseMessage?> On { get; set; } = _ => null;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var sent = SentRequest.Of(request);
            Sent.Enqueue(sent);
            if (Reads)
            {
                var counted = new CountingStream(OnFirstPiece);
                await request.Content!.CopyToAsync(counted, cancellationToken);
                Lengths.Enqueue(counted.Count);
            }
            else if (request.Content is not null)
            {
                Bodies.Enqueue(await request.Content.ReadAsStringAsync(cancellationToken));
            }
            return On(sent) ?? new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent("ok") };
        }
    }

    /// <summary>A body that is made while it is sent, once.</summary>
    private sealed class MadeContent(int pieces, int pieceLength) : HttpContent
    {
        private readonly TaskCompletionSource _goOn = new();

        public int TimesMade { get; private set; }

        public void GoOn() => _goOn.TrySetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            TimesMade++;
            for (var i = 0; i < pieces; i++)
            {
                await stream.WriteAsync(new byte[pieceLength]);
                await _goOn.Task.WaitAsync(TimeSpan.FromSeconds(30));
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    private sealed class CountingStream(Action? onFirst) : MemoryStream
    {
        public int Count { get; private set; }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Count += buffer.Length;
            onFirst?.Invoke();
            return ValueTask.CompletedTask;
        }
    }
}
