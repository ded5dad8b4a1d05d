using Dcr.Jose;
using Dcr.Keys;
using Dcr.Proofs;
using Dcr.Protocol;

namespace Dcr.Registration;

/// <summary>
/// A short JWT by which a client shows, with each change of its hosted key set, that it holds a key of the set that is
/// active: a registration access token alone, or a <c>jwks_uri</c> that names somebody else's set, changes nothing.
/// Header <c>typ</c> is <c>key-proof+jwt</c>; <c>iss</c> the client, <c>sub</c> the thumbprint of the key that is changed,
/// <c>aud</c> the URL that is called, <c>exp</c> at most five minutes ahead, <c>jti</c> fresh.
/// </summary>
internal sealed class KeyProofRules(
    HostedKeySets hosted, IUsedJtiStore replays, IQuarantinedKeyStore quarantine, SecurityProfileRules profile, TimeProvider time)
{
    public const string Type = "key-proof+jwt";

    private const int MaxJti = 256;
    private static readonly TimeSpan s_longestLife = TimeSpan.FromMinutes(5);

    /// <summary>The key that the proof is signed with, or what is wrong.</summary>
    public async Task<Result<PublicKey>> CheckAsync(
        string proof, string clientId, string keySetId, string thumbprint, string url, CancellationToken cancellationToken)
    {
        if (SignedJwt.Parse(proof, out var fault) is not { } jwt)
        {
            return OAuthError.InvalidKeyProof($"proof is malformed: {fault}.");
        }
        if (!jwt.IsOfType(Type) || !profile.Allows(jwt.Alg))
        {
            return OAuthError.InvalidKeyProof($"proof must have typ {Type} and an alg among {profile.AlgorithmNames}.");
        }
        var active = await hosted.FindActiveAsync(keySetId, cancellationToken);
        if (active.Set?.Select(jwt.Kid, jwt.Alg) is not KeySelection.Found { Key: var key }
            || !key.Verify(jwt.Alg, jwt.SigningInput.Span, jwt.Signature.Span))
        {
            return OAuthError.InvalidKeyProof("proof must be signed by an active key of the set, named by kid.");
        }
        if (jwt.Issuer != clientId || jwt.Subject != thumbprint || jwt.Audiences is not [var audience] || audience != url)
        {
            return OAuthError.InvalidKeyProof(
                $"proof must have iss {clientId}, sub {thumbprint} (the thumbprint of the key that is changed) and aud {url}.");
        }
        if (JwtTimes.Fault(jwt, time.GetUtcNow(), s_longestLife) is { } timesFault)
        {
            return OAuthError.InvalidKeyProof($"proof: {timesFault}");
        }
        if (string.IsNullOrEmpty(jwt.Jti) || jwt.Jti.Length > MaxJti)
        {
            return OAuthError.InvalidKeyProof($"proof: jti must be present and at most {MaxJti} characters long.");
        }
        if (await quarantine.HoldsAsync(key.Thumbprint, cancellationToken))
        {
            return OAuthError.InvalidKeyProof("proof: its key is in quarantine on this server.");
        }
        // Apart from the client's assertions: neither may use up the other's jti.
        var used = await replays.RecordAsync($"key-proof {clientId}", jwt.Jti, jwt.Expires.At + JwtTimes.ClockSkew, cancellationToken);
        return used == RecordJtiOutcome.Recorded ? key : OAuthError.InvalidKeyProof("proof: jti has been used before.");
    }
}
