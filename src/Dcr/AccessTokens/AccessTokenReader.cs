using System.Text.Json;
using Dcr.Protocol;
using Dcr.SigningKeys;
using Dcr.TokenStatus;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Dcr.AccessTokens;

/// <summary>An access token of this server, found genuine and in time.</summary>
internal sealed record AccessToken
{
    /// <summary>
    /// Private claims of tokens for this server's own endpoints: the key the client proved itself with, and who vouched for its instance.
    /// </summary>
    internal const string KidClaim = "client_kid";
    internal const string ThumbprintClaim = "client_jkt";
    internal const string AttesterClaim = "attester";

    public required string ClientId { get; init; }

    public required string Audience { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    public required string Jti { get; init; }

    public required DateTimeOffset IssuedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>The <c>kid</c> of the server's key that signed it: an emergency rotation ends the trust in that.</summary>
    public required string SigningKid { get; init; }

    /// <summary>The index of its client in the status lists when it was issued.</summary>
    public required long StatusIndex { get; init; }

    public string? Kid { get; init; }

    public string? Thumbprint { get; init; }

    /// <summary>
    /// The <c>iss</c> of the client attestation that the token was asked for with; kid and thumbprint are then the attester's. Null: none.
    /// </summary>
    public string? Attester { get; init; }

    /// <summary>
    /// The <c>jkt</c> of <c>cnf</c>: the thumbprint of the key that must be proved with each use (RFC 9449 section 6.1). Null: a bearer
    /// token.
    /// </summary>
    public string? BoundTo { get; init; }
}

/// <summary>
/// Validates access tokens as RFC 9068 section 4 tells a resource server: typ, issuer, signature, expiry; but for the audience.
/// </summary>
internal sealed class AccessTokenReader(ServerKeys keys, IssuerUrls urls, TimeProvider time)
{
    private static readonly JsonWebTokenHandler s_handler = new() { MapInboundClaims = false };

    /// <summary>Null, with the reason for the log, when it is no valid access token of this server.</summary>
    public async Task<(AccessToken? Token, string Fault)> ReadAsync(string token, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var published = (await keys.RingAsync(cancellationToken)).Published(now).Select(key => key.Key).ToList();
        var validated = await s_handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidTypes = [AccessTokenWriter.Type],
            ValidAlgorithms = published.Select(key => key.Alg).Distinct(),
            ValidIssuer = urls.Issuer,
            // Whom it is for is for the one to say that it is sent to.
            ValidateAudience = false,
            IssuerSigningKeys = published.Select(key => key.VerificationKey),
            TryAllIssuerSigningKeys = false,
            LifetimeValidator = (_, expires, _, _) => expires is { } end && end > now.UtcDateTime,
        });
        if (!validated.IsValid || validated.SecurityToken is not JsonWebToken jwt)
        {
            return (null, validated.Exception?.GetType().Name ?? "not a JWT");
        }
        if (!jwt.TryGetPayloadValue<JsonElement>("status", out var status))
        {
            return (null, "it is of an earlier version of this server, which gave tokens no status");
        }
        return (new AccessToken
        {
            ClientId = jwt.GetPayloadValue<string>("client_id"),
            Audience = jwt.Audiences.Single(),
            Scopes = ScopeTokens.Split(jwt.GetPayloadValue<string>("scope")),
            Jti = jwt.Id,
            SigningKid = jwt.Kid,
            IssuedAt = new DateTimeOffset(jwt.IssuedAt, TimeSpan.Zero),
            StatusIndex = StatusIndex(status.GetProperty("status_list")),
            ExpiresAt = new DateTimeOffset(jwt.ValidTo, TimeSpan.Zero),
            Kid = jwt.TryGetPayloadValue<string>(AccessToken.KidClaim, out var kid) ? kid : null,
            Thumbprint = jwt.TryGetPayloadValue<string>(AccessToken.ThumbprintClaim, out var thumbprint) ? thumbprint : null,
            Attester = jwt.TryGetPayloadValue<string>(AccessToken.AttesterClaim, out var attester) ? attester : null,
            BoundTo = jwt.TryGetPayloadValue<JsonElement>("cnf", out var cnf) ? cnf.GetProperty("jkt").GetString() : null,
        }, "");
    }

    private long StatusIndex(JsonElement reference) =>
        StatusReference.IndexOf(urls, reference.GetProperty("uri").GetString()!, reference.GetProperty("idx").GetInt64());
}
