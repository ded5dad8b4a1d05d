using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Dcr.Jose;
using Dcr.Keys;
using Dcr.Protocol;

namespace Dcr.Proofs;

/// <summary>
/// DPoP proofs (RFC 9449 section 4.3): that whoever sends this request holds the private key of a public key. Checked in
/// the order of the section; the single use is recorded last, so that a refused proof uses nothing up.
/// </summary>
internal sealed class DpopProofRules(
    IUsedJtiStore replays, IQuarantinedKeyStore quarantine, DpopNonces nonces, SecurityProfileRules profile, TimeProvider time)
{
    public const string Type = "dpop+jwt";

    private const int MaxJti = 256;

    /// <param name="sent">The header, and the request it came with.</param>
    /// <param name="accessToken">The access token that the proof must name by <c>ath</c>. Null: the proof need not name one.</param>
    /// <param name="keyFault">What is wrong with the key that is proved; asked before the proof is used up. Null: any key will do.</param>
    /// <param name="record">False: for a request that changes nothing, and so uses no proof up.</param>
    /// <param name="cancellationToken">Stops the wait for the store.</param>
    /// <returns>The key that is possessed, or what is wrong.</returns>
    public async Task<Result<PublicKey>> CheckAsync(
        SentProofs sent, string? accessToken, Func<PublicKey, string?>? keyFault, bool record, CancellationToken cancellationToken)
    {
        // Items 1 and 2: one header, one well-formed JWT.
        if (sent.Proofs is not [var text])
        {
            return OAuthError.InvalidDpopProof(sent.IsEmpty ? "The DPoP header is missing." : "There must be one DPoP header.");
        }
        if (SignedJwt.Parse(text, out var fault) is not { } proof)
        {
            return OAuthError.InvalidDpopProof($"The DPoP proof is malformed: {fault}.");
        }
        // Items 4 to 7: the type, the algorithm, the signature by the public key in the header.
        if (!proof.IsOfType(Type) || !profile.Allows(proof.Alg))
        {
            return OAuthError.InvalidDpopProof($"The DPoP proof must have typ {Type} and an alg among {profile.AlgorithmNames}.");
        }
        var read = ReadKey(proof);
        if (!read.IsSuccess)
        {
            return read.Error;
        }
        var key = read.Value;
        if (!key.Verify(proof.Alg, proof.SigningInput.Span, proof.Signature.Span))
        {
            return OAuthError.InvalidDpopProof("The DPoP proof is not signed by the key in its header.");
        }
        // Items 8 and 9: made for this request.
        if (proof.Claim("htm") != sent.Method || !IsSameUrl(proof.Claim("htu"), sent.Url))
        {
            return OAuthError.InvalidDpopProof($"The DPoP proof must have htm {sent.Method} and htu {sent.Url}.");
        }
        // Item 10: with a nonce of this server, where it asks for one.
        if (nonces.Fault(proof.Claim("nonce")) is { } nonceFault)
        {
            return nonceFault;
        }
        // Item 11: made now.
        if (JwtTimes.FreshnessFault(proof, time.GetUtcNow(), ProofTimes.LongestLife) is { } timesFault)
        {
            return OAuthError.InvalidDpopProof($"The DPoP proof: {timesFault}");
        }
        // Item 12: for the access token it comes with.
        if (accessToken is not null && proof.Claim("ath") != Hash(accessToken))
        {
            return OAuthError.InvalidDpopProof("The DPoP proof must have the SHA-256 of the access token as ath.");
        }
        if (keyFault?.Invoke(key) is { } wrongKey)
        {
            return OAuthError.InvalidDpopProof(wrongKey);
        }
        if (proof.Jti is not { Length: > 0 and <= MaxJti } jti)
        {
            return OAuthError.InvalidDpopProof($"The DPoP proof must have a jti of at most {MaxJti} characters.");
        }
        if (await quarantine.HoldsAsync(key.Thumbprint, cancellationToken))
        {
            return OAuthError.InvalidDpopProof("The key of the DPoP proof is in quarantine on this server.");
        }
        if (!record || sent.IsUsed)
        {
            return key;
        }
        // Apart from assertions: neither may use up the other's jti.
        var used = await replays.RecordAsync($"dpop {key.Thumbprint}", jti, ProofTimes.EndOf(proof.IssuedAt.At), cancellationToken);
        sent.IsUsed = used == RecordJtiOutcome.Recorded;
        return sent.IsUsed ? key : OAuthError.InvalidDpopProof("The jti of the DPoP proof has been used before.");
    }

    private static Result<PublicKey> ReadKey(SignedJwt proof) =>
        SignedJwt.Member(proof.HeaderJson, "jwk") is not { } jwk
            ? OAuthError.InvalidDpopProof("The DPoP proof has no jwk in its header.")
            : PublicKeyReader.Read(jwk) switch
            {
                ReadKey.Usable usable => usable.Key,
                ReadKey.Secret secret => OAuthError.InvalidDpopProof($"The jwk of the DPoP proof: {secret.Fault}."),
                ReadKey.Unfit unfit => OAuthError.InvalidDpopProof($"The jwk of the DPoP proof: {unfit.Fault}."),
                _ => OAuthError.InvalidDpopProof("The jwk of the DPoP proof is no signing key of a kind known here."),
            };

    /// <summary>Without query and fragment, after normalisation (RFC 3986 sections 6.2.2 and 6.2.3).</summary>
    private static bool IsSameUrl(string? sent, string url) =>
        sent is not null
            && UriText.Fault(sent) is null
            && Uri.TryCreate(sent, UriKind.Absolute, out var uri)
            && Normalised(uri) == Normalised(new Uri(url));

    private static string Normalised(Uri uri) =>
        uri.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);

    private static string Hash(string accessToken) => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(accessToken)));
}
