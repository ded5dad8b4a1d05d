using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dcr.Jose;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Dcr.ResourceServer;

/// <summary>DPoP proofs that come with an access token (RFC 9449 section 4.3).</summary>
internal sealed class DpopProofs(IOptions<DcrResourceServerOptions> options, UsedProofs used, TimeProvider time)
{
    public static readonly IReadOnlyList<string> Algorithms =
    [
        "ES256",
        "ES384",
        "ES512",
        "PS256",
        "PS384",
        "PS512",
        "RS256",
        "RS384",
        "RS512",
    ];

    private const int MaxLength = 8192;
    private const int MaxJti = 256;

    private static readonly JsonWebTokenHandler s_handler = new() { MapInboundClaims = false };

    /// <summary>Null when the request is made by whoever holds the key that the token is bound to.</summary>
    public async Task<string?> FaultAsync(HttpRequest request, string accessToken, string boundTo)
    {
        if (request.Headers["DPoP"] is not [{ Length: > 0 and <= MaxLength } text] || !s_handler.CanReadToken(text))
        {
            return "There must be one DPoP header, a JWT.";
        }
        if (ReadKey(text) is not var (key, thumbprint))
        {
            return "The proof has no public key in its header.";
        }
        if (thumbprint != boundTo)
        {
            return "The proof is made with another key than the token is bound to.";
        }
        var verified = await s_handler.ValidateTokenAsync(text, new TokenValidationParameters
        {
            ValidTypes = ["dpop+jwt"],
            ValidAlgorithms = Algorithms,
            IssuerSigningKey = key,
            ValidateIssuer = false,
            ValidateAudience = false,
            ValidateLifetime = false,
            RequireExpirationTime = false,
        });
        return verified is { IsValid: true, SecurityToken: JsonWebToken proof }
            ? ClaimsFault(proof, request, accessToken, boundTo)
            : "The proof is not signed by the key in its header.";
    }

    private string? ClaimsFault(JsonWebToken proof, HttpRequest request, string accessToken, string boundTo)
    {
        if (Text(proof, "htm") != request.Method || !IsSameUrl(Text(proof, "htu"), request))
        {
            return "The proof is made for another request: see htm and htu.";
        }
        if (Text(proof, "ath") != Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(accessToken))))
        {
            return "The proof is made for another token: see ath.";
        }
        if (IssuedAt(proof) is not { } issuedAt || !ProofTimes.IsFresh(issuedAt, time.GetUtcNow()))
        {
            return "The proof is not of now: see iat.";
        }
        return proof.Id is { Length: > 0 and <= MaxJti } jti && used.TryUse($"{boundTo} {jti}", issuedAt)
            ? null
            : "The proof has been used before, or has no jti.";
    }

    private bool IsSameUrl(string? htu, HttpRequest request)
    {
        var origin = options.Value.PublicOrigin ?? $"{request.Scheme}://{request.Host.ToUriComponent()}";
        return Uri.TryCreate(htu, UriKind.Absolute, out var sent)
            && Uri.TryCreate(origin + request.PathBase.ToUriComponent() + request.Path.ToUriComponent(), UriKind.Absolute, out var own)
            && Normalised(sent) == Normalised(own);
    }

    private static string Normalised(Uri uri) =>
        uri.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);

    private static string? Text(JsonWebToken proof, string claim) => proof.TryGetPayloadValue<string>(claim, out var value) ? value : null;

    // Read apart: IdentityModel takes whole seconds only.
    private static DateTimeOffset? IssuedAt(JsonWebToken proof)
    {
        using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(proof.EncodedPayload));
        return claims.RootElement.TryGetProperty("iat", out var iat) ? ProofTimes.Read(iat) : null;
    }

    /// <summary>Null where there is none, or a private one: whoever sends that has given its key away.</summary>
    private static (JsonWebKey Key, string Thumbprint)? ReadKey(string text)
    {
        try
        {
            var header = new JsonWebToken(text);
            if (!header.TryGetHeaderValue<JsonElement>("jwk", out var jwk) || jwk.ValueKind != JsonValueKind.Object)
            {
                return null;
            }
            var key = new JsonWebKey(jwk.GetRawText());
            return PrivateJwkMembers.All.Any(member => jwk.TryGetProperty(member, out _))
                || key.Kty == JsonWebAlgorithmsKeyTypes.Octet
                || key.KeySize < 256
                ? null
                : (key, Base64Url.EncodeToString(key.ComputeJwkThumbprint()));
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or JsonException or NotSupportedException)
        {
            // Not a JWT, or not a JWK, after all.
            return null;
        }
    }
}
