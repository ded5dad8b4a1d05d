using Dcr.Clients;
using Dcr.Jose;
using Dcr.Keys;
using Dcr.Protocol;

namespace Dcr.ClientAuthentication;

/// <summary>
/// Rules 1 to 7 of client authentication by <c>private_key_jwt</c>, in order (RFC 7523 section 3, OpenID Connect Core
/// section 9). They change nothing; rule 8, the single use, is recorded by <see cref="ClientAuthenticator"/>. A caller is told what
/// is the same for everybody, or, once it has proved a key, what is wrong; the detail says all of it.
/// </summary>
internal sealed class ClientAssertionRules(
    IClientStore clients,
    KeySelector keys,
    IssuerUrls urls,
    SecurityProfileRules profile,
    TimeProvider time)
{
    public const string AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    private const int MaxJti = 256;

    // One text for rules 3 to 5: it must not tell a stranger whether the client exists.
    public const string Unproved =
        "The client is unknown or not active, or the assertion is not signed by a key of that client. Check sub, kid, alg and the "
            + "registered keys.";

    /// <summary>The client was active when it was looked up, and is not any more.</summary>
    public static AssertionVerdict.Refused NoLongerActive(Client client) =>
        new(AssertionRule.Client, Unproved, "the client has been stopped or has expired meanwhile", client);

    /// <summary>Rule 8: the same assertion, or another with its <c>jti</c>, has been accepted before.</summary>
    public static AssertionVerdict.Refused AlreadyUsed(AssertionVerdict.Accepted used) => new(
        AssertionRule.SingleUse,
        "jti has been used before: each assertion is accepted once.",
        $"jti {Shortened.Of(used.Jti)} has been used before by this client: each assertion is accepted once",
        used.Client,
        used.Key);

    /// <summary>Rule 4, for the whole server: asked last, together with the record of the use, so that no request waits for it.</summary>
    public static AssertionVerdict.Refused InQuarantine(AssertionVerdict.Accepted proved) => new(
        AssertionRule.Key,
        Unproved,
        $"key {NameOf(proved.Key)} is in quarantine on the whole server: an administrator must release it, or the client sign with another",
        proved.Client);

    public async Task<AssertionVerdict> CheckAsync(SentCredentials credentials, CancellationToken cancellationToken)
    {
        // Rule 1: one way of authenticating, one well-formed assertion that names one client.
        if (credentials.ClientAssertion is not { } text)
        {
            return Refuse(
                AssertionRule.Shape,
                "Authenticate with client_assertion and client_assertion_type (private_key_jwt).",
                "there is no client_assertion");
        }
        if (credentials.ClientAssertionType != AssertionType)
        {
            return Refuse(AssertionRule.Shape, $"client_assertion_type must be {AssertionType}.");
        }
        if (SignedJwt.Parse(text, out var fault) is not { } assertion)
        {
            return Refuse(AssertionRule.Shape, $"client_assertion is malformed: {fault}.");
        }
        if (credentials.ClientId is { } clientId && clientId != assertion.Subject)
        {
            return Refuse(
                AssertionRule.Shape,
                "client_id is not the sub of client_assertion.",
                $"client_id is {Shortened.Of(clientId)}, sub is {Shortened.OrNone(assertion.Subject)}");
        }

        // Rule 2: the algorithm and the kind of token.
        if (!profile.Allows(assertion.Alg))
        {
            return Refuse(
                AssertionRule.Algorithm,
                $"The alg of client_assertion must be one of {profile.AlgorithmNames}.",
                $"alg is {Shortened.Of(assertion.Alg)}; this server takes {profile.AlgorithmNames}");
        }
        if (assertion.Typ is not null && !assertion.IsOfType("JWT") && !assertion.IsOfType("client-authentication+jwt"))
        {
            return Refuse(
                AssertionRule.Algorithm,
                "The typ of client_assertion, if there is one, must be JWT or client-authentication+jwt.",
                $"typ is {Shortened.Of(assertion.Typ)}; if there is one, it must be JWT or client-authentication+jwt");
        }

        // Rule 3: a client that exists and is active.
        if (assertion.Issuer is null || assertion.Subject is null || assertion.Issuer != assertion.Subject)
        {
            return Refuse(
                AssertionRule.Client,
                "iss and sub of client_assertion must both be the client_id.",
                $"iss is {Shortened.OrNone(assertion.Issuer)} and sub is {Shortened.OrNone(assertion.Subject)}; both must be the "
                    + "client_id");
        }
        if (await clients.FindAsync(assertion.Subject, cancellationToken) is not { } client)
        {
            return Refuse(AssertionRule.Client, Unproved, $"there is no client with the id {Shortened.Of(assertion.Subject)}");
        }
        if (!client.IsActiveAt(time.GetUtcNow()))
        {
            return Refuse(AssertionRule.Client, Unproved, Stopped(client.StatusAt(time.GetUtcNow())), client);
        }

        // Rule 2 again, now that the client is known.
        if (client.Metadata.TokenEndpointAuthSigningAlg is { } registered && registered != assertion.Alg)
        {
            return Refuse(
                AssertionRule.Algorithm,
                Unproved,
                $"alg is {assertion.Alg}; the client is registered with token_endpoint_auth_signing_alg {registered}",
                client);
        }
        if (client.SigningAlgs is { } algs && !algs.Contains(assertion.Alg))
        {
            return Refuse(
                AssertionRule.Algorithm,
                Unproved,
                $"alg is {assertion.Alg}; the policy the client was registered under allows {string.Join(' ', algs)}",
                client);
        }

        // Rule 4: the key; only kid chooses it, never jwk, jku, x5u or x5c of the header.
        var selected = await keys.SelectAsync(client.AsKeyOwner(), assertion.Kid, assertion.Alg, cancellationToken);
        if (selected.Key is not { } key)
        {
            return Refuse(AssertionRule.Key, Unproved, selected.Fault, client);
        }
        if (client.QuarantinedKeys.Contains(key.Thumbprint))
        {
            return Refuse(
                AssertionRule.Key,
                Unproved,
                $"key {NameOf(key)} is quarantined: an administrator must release it, or the client sign with another",
                client);
        }

        // Rule 5: the signature.
        if (!key.Verify(assertion.Alg, assertion.SigningInput.Span, assertion.Signature.Span))
        {
            return Refuse(
                AssertionRule.Signature,
                Unproved,
                $"the signature does not verify with key {NameOf(key)}: {SignatureFault(assertion)}",
                client);
        }

        // Rules 6 and 7: from here on the caller holds the client's key and may be told what is wrong.
        var now = time.GetUtcNow();
        var exception = client.AssertionExceptionAt(now);
        var (audience, audienceFault) = CheckAudience(assertion, client, exception);
        if (audienceFault is not null)
        {
            return Refuse(AssertionRule.Audience, audienceFault, $"aud is {NamesOf(assertion.Audiences)}. {audienceFault}", client, key);
        }
        if (JwtTimes.Fault(assertion, now, LongestLifeUnder(exception)) is { } timesFault)
        {
            return Refuse(AssertionRule.Times, timesFault, timesFault, client, key);
        }
        if (string.IsNullOrEmpty(assertion.Jti) || assertion.Jti.Length > MaxJti)
        {
            return Refuse(
                AssertionRule.SingleUse,
                $"jti must be present and at most {MaxJti} characters long.",
                assertion.Jti is null ? "there is no jti" : $"jti has {assertion.Jti.Length} characters; it must have 1 to {MaxJti}",
                client,
                key);
        }
        var livesLonger = assertion.Expires.At > now + profile.LongestAssertionLife + JwtTimes.ClockSkew;
        return new AssertionVerdict.Accepted(client, key, audience, livesLonger, assertion.Jti, assertion.Expires.At);
    }

    private static AssertionVerdict.Refused Refuse(
        AssertionRule rule, string description, string? detail = null, Client? client = null, PublicKey? key = null) =>
        new(rule, description, detail ?? description, client, key);

    private static string Stopped(ClientStatus status) => status switch
    {
        ClientStatus.Suspended => "the client is suspended, until an administrator resumes it",
        ClientStatus.Expired =>
            "the client is expired: its time is over, or it was not used for too long; an administrator may resume it until it is removed",
        _ => $"the client is {WireEnum.NameOf(status)}",
    };

    private static string NameOf(PublicKey key) => key.Kid is { } kid ? $"{Shortened.Of(kid)} ({key.Thumbprint})" : key.Thumbprint;

    private static string NamesOf(IReadOnlyList<string>? audiences) => audiences switch
    {
        null => "missing, or neither a string nor an array of strings",
        [var one] => Shortened.OfUrl(one),
        _ => $"an array of {audiences.Count}",
    };

    // RFC 7518 section 3.4. Most libraries write DER unless they are told otherwise.
    private static string SignatureFault(SignedJwt assertion)
    {
        int? length = assertion.Alg switch { "ES256" => 64, "ES384" => 96, "ES512" => 132, _ => null };
        return length is null || assertion.Signature.Length == length
            ? "another key made it, or what it signs was changed"
            : $"it has {assertion.Signature.Length} bytes, and one of {assertion.Alg} has {length}, which are r and s without any DER "
                + "around them";
    }

    private bool TakesOwnEndpoints(AssertionExceptionRule? exception) =>
        profile.TakesOwnEndpoints || (profile.TakesExceptions && exception?.Audience == ExceptedAudience.OwnEndpoints);

    /// <summary>How far ahead <c>exp</c> may be.</summary>
    private TimeSpan LongestLifeUnder(AssertionExceptionRule? exception) =>
        profile.TakesExceptions && exception?.MaxLifetimeSeconds is { } seconds
            ? TimeSpan.FromSeconds(seconds)
            : profile.LongestAssertionLife;

    /// <summary>
    /// RFC 10070 section 4: the issuer and nothing else, since an assertion that is addressed to an endpoint could have been tricked
    /// out of the client by another server. URLs of this server only by an exception.
    /// </summary>
    private (AcceptedAudience Audience, string? Fault) CheckAudience(SignedJwt assertion, Client client, AssertionExceptionRule? exception)
    {
        if (assertion.Audiences is [var only] && only == urls.Issuer)
        {
            return !assertion.AudienceIsArray ? (AcceptedAudience.Issuer, null)
                : !profile.WantsPlainAudience ? (AcceptedAudience.IssuerInArray, null)
                : (default, $"aud must be a plain string, {urls.Issuer}, not an array.");
        }
        if (TakesOwnEndpoints(exception) && assertion.Audiences is { Count: > 0 } audiences && audiences.All(IsOwnEndpoint))
        {
            return (AcceptedAudience.OwnEndpoints, null);
        }
        var ended = exception is null && client.AssertionException is { Audience: not null } past && profile.TakesExceptions
            ? $" The exception for this client ended at {past.Until.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}."
            : "";
        return (default, $"aud must be the issuer, {urls.Issuer}, and nothing else (RFC 10070).{ended}");
    }

    private bool IsOwnEndpoint(string audience) =>
        audience == urls.Issuer
            || audience == urls.TokenEndpoint
            || audience == urls.IntrospectionEndpoint
            || audience == urls.RevocationEndpoint;
}
