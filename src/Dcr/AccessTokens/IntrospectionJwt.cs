using System.Text.Json;
using Dcr.Protocol;
using Dcr.SigningKeys;
using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Microsoft.Net.Http.Headers;

namespace Dcr.AccessTokens;

/// <summary>An introspection answer as a JWT that the server signs for the one who asked (RFC 9701 section 5).</summary>
internal sealed class IntrospectionJwt(ServerKeys keys, IssuerUrls urls, TimeProvider time)
{
    public const string MediaType = "application/token-introspection+jwt";

    private const string Type = "token-introspection+jwt";

    private static readonly JsonWebTokenHandler s_handler = new() { SetDefaultTimesOnTokenCreation = false };

    /// <summary>The caller prefers it to JSON, or takes nothing else.</summary>
    public static bool IsWanted(HttpRequest request)
    {
        var accepted = request.GetTypedHeaders().Accept;
        var jwt = Quality(accepted, MediaType);
        return jwt > 0 && jwt >= Quality(accepted, "application/json");
    }

    public async Task<string> WriteAsync(Introspection introspection, string caller, CancellationToken cancellationToken)
    {
        var key = await keys.CurrentAsync(cancellationToken);
        return s_handler.CreateToken(new SecurityTokenDescriptor
        {
            TokenType = Type,
            Issuer = urls.Issuer,
            Audience = caller,
            IssuedAt = time.GetUtcNow().UtcDateTime,
            Claims = new Dictionary<string, object>
            {
                ["token_introspection"] = JsonSerializer.SerializeToElement(introspection, AccessTokensJson.Default.Introspection),
            },
            SigningCredentials = key.Credentials,
        });
    }

    private static double Quality(IList<MediaTypeHeaderValue> accepted, string mediaType) =>
        accepted.Where(type => type.MediaType.Equals(mediaType, StringComparison.OrdinalIgnoreCase))
            .Select(type => type.Quality ?? 1)
            .DefaultIfEmpty(0)
            .Max();
}
