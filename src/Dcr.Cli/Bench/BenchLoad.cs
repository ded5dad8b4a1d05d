using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>The requests of <c>dcr bench</c>: sent once, with what they took; no retry hides a failure.</summary>
internal sealed class BenchLoad : IDisposable
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);

    private readonly AuthorizationServerMetadata _server;
    private readonly TimeProvider _time;
    private readonly HttpClient _http;
    private readonly ClientKey[] _keys;
    private readonly byte[][] _registrations;
    private readonly ClientCredentials?[] _clients;

    /// <param name="server">Where to.</param>
    /// <param name="clients">How many register. Their keys are made here, before any clock starts.</param>
    /// <param name="parallel">How many requests are under way at once.</param>
    /// <param name="time">The clock.</param>
    public BenchLoad(AuthorizationServerMetadata server, int clients, int parallel, TimeProvider time)
    {
        _server = server;
        _time = time;
        _http = new HttpClient(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                UseProxy = false,
                MaxConnectionsPerServer = parallel,
            })
        { Timeout = s_timeout };
        _http.DefaultRequestHeaders.UserAgent.ParseAdd("dcr-cli");
        _keys = [.. Enumerable.Range(0, clients).Select(_ => ClientKey.Generate())];
        _registrations = [.. _keys.Select(key => JsonSerializer.SerializeToUtf8Bytes(MetadataFor(key)))];
        _clients = new ClientCredentials?[clients];
    }

    /// <summary>Those that have been registered.</summary>
    public IReadOnlyList<ClientCredentials> Clients => [.. _clients.OfType<ClientCredentials>()];

    /// <summary>One registration (RFC 7591 section 3.1), of the client with this number.</summary>
    public async Task<LoadSample> RegisterAsync(int number, string initialAccessToken, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _server.RegistrationEndpoint);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", initialAccessToken);
        request.Content = new ByteArrayContent(_registrations[number])
        {
            Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
        };
        var (sample, answer) = await SendAsync(request, TimeSpan.Zero, cancellationToken);
        if (sample.Failure is null && Member(answer, "client_id") is { } clientId)
        {
            _clients[number] = new ClientCredentials(clientId, _keys[number]);
        }
        return sample;
    }

    /// <summary>One token request (RFC 6749 section 4.4), with an assertion that is signed for it.</summary>
    public async Task<LoadSample> GetTokenAsync(ClientCredentials client, CancellationToken cancellationToken)
    {
        var start = _time.GetTimestamp();
        var assertion = await ClientAssertion.CreateAsync(client, _server.Issuer, _time, cancellationToken);
        var signing = _time.GetElapsedTime(start);
        using var request = new HttpRequestMessage(HttpMethod.Post, _server.TokenEndpoint)
        {
            Content = new FormUrlEncodedContent(
            [
                new("grant_type", "client_credentials"),
                new("client_assertion_type", ClientAssertion.Type),
                new("client_assertion", assertion),
                new("scope", "read"),
            ]),
        };
        return (await SendAsync(request, signing, cancellationToken)).Sample;
    }

    public void Dispose()
    {
        _http.Dispose();
        foreach (var key in _keys)
        {
            key.Dispose();
        }
    }

    private async Task<(LoadSample Sample, byte[] Answer)> SendAsync(
        HttpRequestMessage request, TimeSpan signing, CancellationToken cancellationToken)
    {
        var start = _time.GetTimestamp();
        try
        {
            using var response = await _http.SendAsync(request, cancellationToken);
            var latency = _time.GetElapsedTime(start);
            var answer = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            return (
                new LoadSample(
                    latency,
                    signing,
                    response.IsSuccessStatusCode ? null : $"{(int)response.StatusCode} {Member(answer, "error")}".TrimEnd()),
                answer);
        }
        catch (HttpRequestException exception)
        {
            return (new LoadSample(_time.GetElapsedTime(start), signing, $"no answer: {exception.HttpRequestError}"), []);
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (new LoadSample(_time.GetElapsedTime(start), signing, $"no answer within {s_timeout.TotalSeconds} s"), []);
        }
    }

    private static JsonObject MetadataFor(ClientKey key) => new()
    {
        ["client_name"] = "Bench",
        ["token_endpoint_auth_method"] = "private_key_jwt",
        ["scope"] = "read",
        ["jwks"] = JsonNode.Parse(key.PublicJwkSet.ToJson()),
    };

    /// <summary>Null: there is no such member with text, or no JSON object.</summary>
    private static string? Member(byte[] answer, string name)
    {
        try
        {
            return JsonNode.Parse(answer) is JsonObject json && json[name] is JsonValue value && value.TryGetValue(out string? text)
                ? text
                : null;
        }
        catch (JsonException)
        {
            // Not the server itself, but something in front of it.
            return null;
        }
    }
}
