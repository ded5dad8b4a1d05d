using System.Text.Json.Serialization;

namespace Dcr.Client;

/// <summary>
/// The client credentials grant (RFC 6749 section 4.4), by client assertion (RFC 7523 section 2.2) or client attestation.
/// </summary>
internal sealed class TokenEndpoint(ProtocolExchange exchange, ServerDiscovery discovery)
{
    // RFC 6749 section 5.1 only recommends expires_in.
    private const int DefaultSeconds = 60;

    /// <summary>
    /// Asked twice it does no harm: each attempt has an assertion of its own, and a token that nobody got is used by nobody.
    /// </summary>
    public async Task<AccessToken> RequestAsync(
        ClientCredentials client, string? scope, string? resource, ISigningKey? proofKey, CancellationToken cancellationToken)
    {
        var metadata = await discovery.FindAsync(cancellationToken).ConfigureAwait(false);
        var request = new ProtocolRequest
        {
            Method = HttpMethod.Post,
            Uri = metadata.TokenEndpoint,
            ProofKey = proofKey,
            MakeContent = async cancel => new FormUrlEncodedContent(await FormAsync(client, scope, resource, cancel).ConfigureAwait(false)),
        };
        return await SendAsync(request, scope, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Section 5.2 of the draft: the DPoP proof shows the attested key as well. Asked twice it does no harm: an attestation is
    /// good for many requests, each with a proof of its own.
    /// </summary>
    public async Task<AccessToken> RequestAsync(
        ClientAttestation attestation, string scope, ISigningKey deviceKey, CancellationToken cancellationToken)
    {
        var metadata = await discovery.FindAsync(cancellationToken).ConfigureAwait(false);
        var request = new ProtocolRequest
        {
            Method = HttpMethod.Post,
            Uri = metadata.TokenEndpoint,
            ProofKey = deviceKey,
            Attestation = attestation,
            MakeContent = _ =>
                ValueTask.FromResult<HttpContent>(
                    new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("scope", scope)])),
        };
        return await SendAsync(request, scope, cancellationToken).ConfigureAwait(false);
    }

    private async Task<AccessToken> SendAsync(ProtocolRequest request, string? scope, CancellationToken cancellationToken)
    {
        var asked = exchange.Time.GetUtcNow();
        var answer = await exchange.SendAsync(request, cancellationToken).ConfigureAwait(false);
        answer.ThrowIfRefused();
        var response = answer.Read(DcrClientJson.Default.TokenResponse, "a token");
        var lifetime = TimeSpan.FromSeconds(Math.Clamp(response.ExpiresIn ?? DefaultSeconds, 0, int.MaxValue));
        return new AccessToken
        {
            Value = VisibleText.Check(response.AccessToken, "access_token"),
            TokenType = TypeOf(response, request.ProofKey),
            ExpiresAt = asked + lifetime,
            Lifetime = lifetime,
            Scope = response.Scope ?? scope,
            BoundTo = request.ProofKey,
        };
    }

    private async Task<List<KeyValuePair<string, string>>> FormAsync(
        ClientCredentials client, string? scope, string? resource, CancellationToken cancellationToken)
    {
        List<KeyValuePair<string, string>> form =
        [
            new("grant_type", "client_credentials"),
            new("client_assertion_type", ClientAssertion.Type),
            new(
                "client_assertion",
                await ClientAssertion.CreateAsync(client, discovery.Issuer, exchange.Time, cancellationToken).ConfigureAwait(false)),
        ];
        if (scope is not null)
        {
            form.Add(new("scope", scope));
        }
        if (resource is not null)
        {
            form.Add(new("resource", resource));
        }
        return form;
    }

    // RFC 9449 section 5: a client that asked for a bound token does not take another. RFC 6749 section 7.1: nor one of a type it does not
    // know.
    private static string TypeOf(TokenResponse response, ISigningKey? proofKey)
    {
        var expected = proofKey is null ? TokenTypes.Bearer : TokenTypes.Dpop;
        return expected.Equals(response.TokenType, StringComparison.OrdinalIgnoreCase)
            ? expected
            : throw new HttpRequestException(
                HttpRequestError.InvalidResponse, $"The server gave a token of the type {response.TokenType}, not {expected}.");
    }
}

/// <summary>RFC 6749 section 5.1.</summary>
internal sealed record TokenResponse
{
    [JsonPropertyName("access_token")]
    public required string AccessToken { get; init; }

    [JsonPropertyName("token_type")]
    public required string TokenType { get; init; }

    [JsonPropertyName("expires_in")]
    public long? ExpiresIn { get; init; }

    [JsonPropertyName("scope")]
    public string? Scope { get; init; }

    /// <summary>Nothing of the token.</summary>
    public override string ToString() => TokenType;
}
