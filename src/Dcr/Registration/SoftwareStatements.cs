using Dcr.Clients;
using Dcr.Jose;
using Dcr.Keys;
using Dcr.Protocol;

namespace Dcr.Registration;

/// <summary>A software statement found good: what it says of the client, and whose it is.</summary>
/// <param name="Claims">Metadata, which the client's own request cannot change.</param>
/// <param name="Origin">Whose it is.</param>
/// <param name="Jti">Its <c>jti</c>. Null: it has none.</param>
/// <param name="ExpiresAt">Its <c>exp</c>. Null: it has none.</param>
internal sealed record ApprovedStatement(ClientMetadata Claims, StatementOrigin Origin, string? Jti, DateTimeOffset? ExpiresAt);

/// <summary>
/// Software statements (RFC 7591 section 2.3): JWTs by which somebody trusted asserts metadata of a piece of software.
/// What is no valid statement of a trusted issuer is invalid_software_statement; one that the policy does not accept is
/// unapproved_software_statement (section 3.2.2).
/// </summary>
internal sealed class SoftwareStatements(
    KeySelector keys, IQuarantinedKeyStore quarantine, IssuerUrls urls, SecurityProfileRules profile, TimeProvider time)
{
    private const int MaxJti = 256;

    /// <summary>Nobody has registered a type for them; this is what RFC 8725 section 3.11 would have it be called.</summary>
    private const string Type = "software-statement+jwt";

    /// <summary>
    /// Null where the request has none and the policy asks for none. A statement that this client is registered with
    /// already, <paramref name="registered"/>, is good beyond its <c>exp</c>: it was in time when it was used.
    /// </summary>
    public async Task<Result<Optional<ApprovedStatement>>> ApproveAsync(
        string? statement, SoftwareStatementPolicy? policy, string? registered, CancellationToken cancellationToken)
    {
        var mode = policy?.Mode ?? SoftwareStatementMode.None;
        if (statement is null)
        {
            return mode == SoftwareStatementMode.Required
                ? OAuthError.InvalidSoftwareStatement(
                    $"software_statement: needed; registration_policy.software_statement trusts {Issuers(policy!)}.")
                : Result.OfOptional<ApprovedStatement>(null);
        }
        // A statement that cannot be honoured must not pass as if it had been.
        if (mode == SoftwareStatementMode.None)
        {
            return OAuthError.UnapprovedSoftwareStatement("software_statement: registration_policy.software_statement accepts none.");
        }
        if (SignedJwt.ParseStatement(statement, out var fault) is not { } jwt)
        {
            return OAuthError.InvalidSoftwareStatement($"software_statement: malformed: {fault}.");
        }
        if (!profile.Allows(jwt.Alg))
        {
            return OAuthError.InvalidSoftwareStatement($"software_statement: alg must be one of {profile.AlgorithmNames}.");
        }
        if (KindFault(jwt) is { } otherKind)
        {
            return OAuthError.InvalidSoftwareStatement($"software_statement: {otherKind}");
        }
        if (jwt.Issuer is null)
        {
            return OAuthError.InvalidSoftwareStatement("software_statement: iss is missing.");
        }
        if (policy!.Issuers.FirstOrDefault(issuer => issuer.Issuer == jwt.Issuer) is not { } trusted)
        {
            return OAuthError.UnapprovedSoftwareStatement(
                $"software_statement: iss {jwt.Issuer} is not trusted; registration_policy.software_statement trusts {Issuers(policy)}.");
        }
        var found = await keys.SelectAsync(trusted.AsKeyOwner(), jwt.Kid, jwt.Alg, cancellationToken);
        if (found.Key is not { } key || !key.Verify(jwt.Alg, jwt.SigningInput.Span, jwt.Signature.Span))
        {
            return OAuthError.InvalidSoftwareStatement(
                $"software_statement: it is not signed by a key of {jwt.Issuer}.",
                found.Key is null ? found.Fault : "the signature does not verify");
        }
        if (await quarantine.HoldsAsync(key.Thumbprint, cancellationToken))
        {
            return OAuthError.UnapprovedSoftwareStatement(
                $"software_statement: it is signed by key {key.Thumbprint}, which is in quarantine on this server.");
        }
        if (statement != registered && policy.Uses is not null && jwt.Jti is not { Length: > 0 and <= MaxJti })
        {
            return OAuthError.InvalidSoftwareStatement(
                $"software_statement: jti must be present and at most {MaxJti} characters long; "
                    + "registration_policy.software_statement.uses counts by it.");
        }
        if (statement != registered && JwtTimes.Fault(jwt, time.GetUtcNow(), longestLife: null) is { } timesFault)
        {
            return OAuthError.InvalidSoftwareStatement($"software_statement: {timesFault}");
        }
        var claims = Claims(jwt);
        if (!claims.IsSuccess)
        {
            return OAuthError.InvalidSoftwareStatement($"software_statement: {claims.Error.Description}");
        }
        if (trusted.SoftwareIds is { Count: > 0 } allowed && !allowed.Contains(claims.Value.SoftwareId ?? ""))
        {
            return OAuthError.UnapprovedSoftwareStatement(
                $"software_statement: software_id {claims.Value.SoftwareId ?? "(none)"} is not accepted; "
                    + $"registration_policy.software_statement accepts {string.Join(' ', allowed)} of {jwt.Issuer}.");
        }
        return Result.OfOptional(new ApprovedStatement(
            claims.Value,
            new StatementOrigin { Issuer = jwt.Issuer, SoftwareId = claims.Value.SoftwareId },
            jwt.Jti,
            jwt.Expires.Kind == JwtTimeKind.Absent ? null : jwt.Expires.At));
    }

    /// <summary>
    /// What a statement fixed that the client is registered with: it was found good then, and holds as long as the client rests on it.
    /// Null: there is none.
    /// </summary>
    public static ClientMetadata? FixedBy(string? registered) =>
        registered is not null
            && SignedJwt.ParseStatement(registered, out _) is { } jwt
            && Claims(jwt) is { IsSuccess: true, Value: var claims }
            ? claims
            : null;

    private static Result<ClientMetadata> Claims(SignedJwt jwt)
    {
        var claims = RequestedMetadata.OfStatement(jwt.ClaimsJson);
        if (!claims.IsSuccess)
        {
            return claims.Error;
        }
        var stated = claims.Value.WithoutEmpty();
        return stated with { SoftwareStatement = null, Others = HumanReadableMembers.Keep(stated.Others) };
    }

    /// <summary>
    /// RFC 8725 section 3.11: no other kind of JWT passes for a statement, though the same key has signed it. Null: it can be one.
    /// </summary>
    private string? KindFault(SignedJwt jwt)
    {
        if (jwt.Typ is not null && !jwt.IsOfType("JWT") && !jwt.IsOfType(Type))
        {
            return $"typ, if there is one, must be JWT or {Type}.";
        }
        if (jwt.Issuer is not null && jwt.Issuer == jwt.Subject)
        {
            return "iss is also sub, which makes it a client assertion.";
        }
        return jwt.IsAddressedToOthers(urls.Issuer, urls.RegistrationEndpoint)
            ? $"aud, if there is one, must name {urls.Issuer} or {urls.RegistrationEndpoint}."
            : null;
    }

    private static string Issuers(SoftwareStatementPolicy policy) => string.Join(' ', policy.Issuers.Select(issuer => issuer.Issuer));
}
