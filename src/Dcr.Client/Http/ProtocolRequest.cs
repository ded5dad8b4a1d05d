namespace Dcr.Client;

/// <summary>A request to the server that may be sent again. What must be fresh each time is made each time.</summary>
internal sealed record ProtocolRequest
{
    public required HttpMethod Method { get; init; }

    public required Uri Uri { get; init; }

    /// <summary>Null: no body.</summary>
    public Func<CancellationToken, ValueTask<HttpContent>>? MakeContent { get; init; }

    /// <summary>For the Authorization header. Null: none.</summary>
    public string? Token { get; init; }

    /// <summary>Whether <see cref="Token"/> is bound to <see cref="ProofKey"/>: sent as DPoP, else as Bearer.</summary>
    public bool IsTokenBound { get; init; }

    /// <summary>Signs a DPoP proof for each attempt. Null: none is sent.</summary>
    public ISigningKey? ProofKey { get; init; }

    /// <summary>Each proves itself, beside <see cref="ProofKey"/>: keys that the request registers anew.</summary>
    public IReadOnlyList<ISigningKey> NewKeys { get; init; } = [];

    /// <summary>Null: the client proves itself in another way.</summary>
    public ClientAttestation? Attestation { get; init; }

    public string? IdempotencyKey { get; init; }

    public string? IfMatch { get; init; }

    public async ValueTask<HttpRequestMessage> MakeMessageAsync(string? nonce, TimeProvider time, CancellationToken cancellationToken)
    {
        var message = new HttpRequestMessage(Method, Uri);
        message.Headers.Add("Accept", "application/json");
        if (Token is not null)
        {
            message.Headers.TryAddWithoutValidation("Authorization", $"{(IsTokenBound ? TokenTypes.Dpop : TokenTypes.Bearer)} {Token}");
        }
        if (ProofKey is not null)
        {
            var proof = await DpopProof.CreateAsync(
                ProofKey, Method, Uri, IsTokenBound ? Token : null, nonce, time, cancellationToken).ConfigureAwait(false);
            message.Headers.TryAddWithoutValidation("DPoP", proof);
        }
        foreach (var key in NewKeys)
        {
            var proof = await DpopProof.CreateAsync(key, Method, Uri, accessToken: null, nonce, time, cancellationToken)
                .ConfigureAwait(false);
            message.Headers.TryAddWithoutValidation("New-Key-Proof", proof);
        }
        if (Attestation is not null)
        {
            message.Headers.TryAddWithoutValidation(ClientAttestation.Header, Attestation.Value);
        }
        if (IdempotencyKey is not null)
        {
            message.Headers.TryAddWithoutValidation("Idempotency-Key", IdempotencyKey);
        }
        if (IfMatch is not null)
        {
            message.Headers.TryAddWithoutValidation("If-Match", IfMatch);
        }
        message.Content = MakeContent is null ? null : await MakeContent(cancellationToken).ConfigureAwait(false);
        return message;
    }

    /// <summary>Nothing of the headers.</summary>
    public override string ToString() => $"{Method} {Uri}";
}
