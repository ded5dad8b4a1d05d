using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dcr.Client;

/// <summary>The requests of RFC 7591 section 3.1 and RFC 7592 section 2, and their bodies.</summary>
/// <param name="boundTo">The key that is proved with each use of the registration access token. Null: none is.</param>
internal sealed class RegistrationRequests(ProtocolExchange exchange, ServerDiscovery discovery, ISigningKey? boundTo)
{
    public static byte[] BodyOf(ClientMetadata metadata, ISigningKey? key)
    {
        var withKey = metadata is { Jwks: null, JwksUri: null } && key is not null
            ? metadata with { Jwks = new PublicJwkSet(key.PublicJwk) }
            : metadata;
        return JsonSerializer.SerializeToUtf8Bytes(withKey, DcrClientJson.Default.ClientMetadata);
    }

    /// <summary>RFC 7592 section 2.2: with the <c>client_id</c>.</summary>
    public static byte[] BodyOf(string clientId, ClientMetadata metadata)
    {
        var body = JsonSerializer.SerializeToNode(metadata, DcrClientJson.Default.ClientMetadata)!.AsObject();
        body["client_id"] = clientId;
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            body.WriteTo(writer);
        }
        return buffer.ToArray();
    }

    /// <summary>Whether everything that was sent is what is registered now.</summary>
    public static bool IsAsSent(byte[] body, ProtocolAnswer read)
    {
        try
        {
            return read.IsSuccess
                && JsonNode.Parse(read.Body) is JsonObject registered
                && JsonNode.Parse(body)!.AsObject().All(member => JsonNode.DeepEquals(member.Value, registered[member.Key]));
        }
        catch (JsonException)
        {
            return false;
        }
    }

    public async Task<ProtocolAnswer> PostAsync(
        InitialAccessToken token, byte[] body, string idempotencyKey, ISigningKey? key, CancellationToken cancellationToken)
    {
        var endpoint = await discovery.RegistrationEndpointAsync(cancellationToken).ConfigureAwait(false);
        return await exchange.SendAsync(
            Registering(endpoint, token, body, key) with { IdempotencyKey = idempotencyKey }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Asked twice it does no harm: nothing is registered, and each attempt has a proof of its own.</summary>
    public async Task<ClientMetadata> ValidateAsync(
        InitialAccessToken token, byte[] body, ISigningKey? key, CancellationToken cancellationToken)
    {
        var endpoint = new UriBuilder(await discovery.RegistrationEndpointAsync(cancellationToken).ConfigureAwait(false));
        endpoint.Query += $"{(endpoint.Query.Length > 0 ? "&" : "")}validate_only=true";
        var answer = await exchange.SendAsync(Registering(endpoint.Uri, token, body, key), cancellationToken).ConfigureAwait(false);
        answer.ThrowIfRefused();
        return answer.Status != HttpStatusCode.Created
            ? answer.Read(DcrClientJson.Default.ClientMetadata, "client metadata")
            : throw new HttpRequestException(
                HttpRequestError.InvalidResponse,
                "The server does not know validate_only: it has registered the client.",
                inner: null,
                answer.Status);
    }

    public Task<ProtocolAnswer> GetAsync(RegistrationState state, CancellationToken cancellationToken) =>
        exchange.SendAsync(Managing(HttpMethod.Get, state), cancellationToken);

    public Task<ProtocolAnswer> PutAsync(
        RegistrationState state,
        byte[] body,
        string? ifMatch,
        ISigningKey? proofKey,
        IReadOnlyList<ISigningKey>? newKeys,
        CancellationToken cancellationToken) =>
        exchange.SendAsync(
            Managing(HttpMethod.Put, state) with
            {
                IfMatch = ifMatch,
                ProofKey = proofKey ?? boundTo,
                NewKeys = newKeys ?? [],
                MakeContent = _ => ValueTask.FromResult(Json(body)),
            },
            cancellationToken);

    public Task<ProtocolAnswer> DeleteAsync(RegistrationState state, string? ifMatch, CancellationToken cancellationToken) =>
        exchange.SendAsync(Managing(HttpMethod.Delete, state) with { IfMatch = ifMatch }, cancellationToken);

    public ProtocolRequest Managing(HttpMethod method, RegistrationState state) => new()
    {
        Method = method,
        Uri = state.RegistrationClientUri!,
        Token = state.RegistrationAccessToken,
        IsTokenBound = boundTo is not null,
        ProofKey = boundTo,
    };

    public static HttpContent Json(byte[] body) =>
        new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };

    private static ProtocolRequest Registering(Uri endpoint, InitialAccessToken token, byte[] body, ISigningKey? key) => new()
    {
        Method = HttpMethod.Post,
        Uri = endpoint,
        Token = token.Value,
        IsTokenBound = token.BoundTo is not null,
        ProofKey = token.BoundTo ?? key,
        MakeContent = _ => ValueTask.FromResult(Json(body)),
    };
}
