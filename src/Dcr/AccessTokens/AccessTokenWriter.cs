using System.Buffers.Text;
using System.Security.Cryptography;
using Dcr.Keys;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Dcr.AccessTokens;

/// <summary>Writes JWT access tokens (RFC 9068 section 2).</summary>
internal sealed class AccessTokenWriter(SigningKeys keys, IssuerUrls urls, TimeProvider time)
{
    /// <summary>RFC 9068 section 2.1.</summary>
    public const string Type = "at+jwt";

    private static readonly JsonWebTokenHandler s_handler = new() { SetDefaultTimesOnTokenCreation = false };

    /// <param name="clientId">Becomes <c>sub</c> and <c>client_id</c>.</param>
    /// <param name="audience">The one <c>aud</c>.</param>
    /// <param name="scope">Space-separated.</param>
    /// <param name="lifetime">Until <c>exp</c>.</param>
    /// <param name="provedWith">The client's key to remember in the token. Null: none.</param>
    /// <param name="cancellationToken">Stops the wait for the signing keys.</param>
    public async ValueTask<string> WriteAsync(
        string clientId, string audience, string scope, TimeSpan lifetime, ClientKey? provedWith, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var claims = new Dictionary<string, object>
        {
            ["sub"] = clientId,
            ["client_id"] = clientId,
            ["scope"] = scope,
            ["jti"] = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)),
        };
        if (provedWith is not null)
        {
            claims[AccessToken.ThumbprintClaim] = provedWith.Thumbprint;
            if (provedWith.Kid is { } kid)
            {
                claims[AccessToken.KidClaim] = kid;
            }
        }
        var key = await keys.CurrentAsync(cancellationToken);
        return s_handler.CreateToken(new SecurityTokenDescriptor
        {
            TokenType = Type,
            Issuer = urls.Issuer,
            Audience = audience,
            IssuedAt = now.UtcDateTime,
            Expires = (now + lifetime).UtcDateTime,
            Claims = claims,
            SigningCredentials = key.Credentials,
        });
    }
}
