using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dcr.Client;

/// <summary>A change of a hosted key set that is to be asked for.</summary>
internal sealed record HostedKeyChange
{
    /// <summary>Of the key that is changed.</summary>
    public required string Thumbprint { get; init; }

    /// <summary>Under the URL of the set, escaped. Empty: a key is added.</summary>
    public string Path { get; init; } = "";

    /// <summary>To add.</summary>
    public PublicJwk? Jwk { get; init; }

    /// <summary>To retire.</summary>
    public DateTimeOffset? Until { get; init; }
}

/// <summary>The requests to {registration_client_uri}/keys.</summary>
internal sealed class HostedKeyRequests(ProtocolExchange exchange, RegistrationRequests requests)
{
    public async Task<HostedKeySet> GetAsync(RegistrationState state, CancellationToken cancellationToken)
    {
        var request = requests.Managing(HttpMethod.Get, state) with { Uri = new Uri(UrlOf(state)) };
        var answer = await exchange.SendAsync(request, cancellationToken).ConfigureAwait(false);
        answer.ThrowIfRefused();
        return answer.Read(DcrClientJson.Default.HostedKeySet, "a hosted key set");
    }

    /// <summary>
    /// Carried out twice it does no harm: the caller sees whether the key is as it is to be. Each attempt has a proof of its own.
    /// </summary>
    public Task<ProtocolAnswer> PostAsync(
        RegistrationState state, HostedKeyChange change, ISigningKey provenBy, CancellationToken cancellationToken)
    {
        var url = UrlOf(state) + change.Path;
        return exchange.SendAsync(
            requests.Managing(HttpMethod.Post, state) with
            {
                Uri = new Uri(url),
                MakeContent = async cancel =>
                {
                    var proof = await KeyProof.CreateAsync(
                        provenBy, state.ClientId!, change.Thumbprint, url, exchange.Time, cancel).ConfigureAwait(false);
                    var body = new HostedKeyChangeBody { Jwk = change.Jwk, Until = change.Until, Proof = proof };
                    return RegistrationRequests.Json(JsonSerializer.SerializeToUtf8Bytes(body, DcrClientJson.Default.HostedKeyChangeBody));
                },
            },
            cancellationToken);
    }

    // As the server wrote it: a proof is for this text, not for another spelling of it.
    private static string UrlOf(RegistrationState state) => state.RegistrationClientUri!.OriginalString + "/keys";
}

internal sealed record HostedKeyChangeBody
{
    [JsonPropertyName("jwk")]
    public PublicJwk? Jwk { get; init; }

    [JsonPropertyName("until")]
    public DateTimeOffset? Until { get; init; }

    [JsonPropertyName("proof")]
    public required string Proof { get; init; }

    /// <summary>Nothing of the proof.</summary>
    public override string ToString() => nameof(HostedKeyChangeBody);
}
