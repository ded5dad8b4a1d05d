using System.Buffers.Text;
using System.Security.Cryptography;
using Dcr.Jose;
using Dcr.Protocol;
using Dcr.SigningKeys;
using Dcr.TokenStatus;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Dcr.AccessTokens;

/// <summary>What an access token is to say.</summary>
internal sealed record NewAccessToken
{
    /// <summary>Becomes <c>sub</c> and <c>client_id</c>.</summary>
    public required string ClientId { get; init; }

    /// <summary>The one <c>aud</c>.</summary>
    public required string Audience { get; init; }

    /// <summary>Space-separated.</summary>
    public required string Scope { get; init; }

    /// <summary>Until <c>exp</c>.</summary>
    public required TimeSpan Lifetime { get; init; }

    /// <summary>Becomes <c>status</c> (draft-ietf-oauth-status-list-21 section 6).</summary>
    public required long StatusIndex { get; init; }

    /// <summary>The key to remember in the token: the client's, or that of <see cref="Attester"/>. Null: none.</summary>
    public PublicKey? ProvedWith { get; init; }

    /// <summary>Who vouched for the client instance. Null: nobody.</summary>
    public string? Attester { get; init; }

    /// <summary>The thumbprint of the key that the token is bound to (RFC 9449 section 6.1). Null: a bearer token.</summary>
    public string? BoundTo { get; init; }
}

/// <summary>Writes JWT access tokens (RFC 9068 section 2).</summary>
internal sealed class AccessTokenWriter(ServerKeys keys, IssuerUrls urls, TimeProvider time)
{
    /// <summary>RFC 9068 section 2.1.</summary>
    public const string Type = "at+jwt";

    private static readonly JsonWebTokenHandler s_handler = new() { SetDefaultTimesOnTokenCreation = false };

    public async ValueTask<string> WriteAsync(NewAccessToken token, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var claims = new Dictionary<string, object>
        {
            ["sub"] = token.ClientId,
            ["client_id"] = token.ClientId,
            ["scope"] = token.Scope,
            ["jti"] = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)),
        };
        Add(claims, AccessToken.ThumbprintClaim, token.ProvedWith?.Thumbprint);
        Add(claims, AccessToken.KidClaim, token.ProvedWith?.Kid);
        Add(claims, AccessToken.AttesterClaim, token.Attester);
        claims["status"] = new Dictionary<string, object>
        {
            ["status_list"] = new Dictionary<string, object>
            {
                ["idx"] = StatusReference.PlaceOf(token.StatusIndex),
                ["uri"] = StatusReference.Uri(urls, token.StatusIndex),
            },
        };
        if (token.BoundTo is { } thumbprint)
        {
            claims["cnf"] = new Dictionary<string, object> { ["jkt"] = thumbprint };
        }
        var key = await keys.CurrentAsync(cancellationToken);
        return s_handler.CreateToken(new SecurityTokenDescriptor
        {
            TokenType = Type,
            Issuer = urls.Issuer,
            Audience = token.Audience,
            IssuedAt = now.UtcDateTime,
            Expires = (now + token.Lifetime).UtcDateTime,
            Claims = claims,
            SigningCredentials = key.Credentials,
        });
    }

    private static void Add(Dictionary<string, object> claims, string name, string? value)
    {
        if (value is not null)
        {
            claims[name] = value;
        }
    }
}
