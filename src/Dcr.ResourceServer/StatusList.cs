using System.Buffers.Text;
using System.IO.Compression;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Dcr.ResourceServer;

/// <summary>One Status List Token, verified and unpacked (draft-ietf-oauth-status-list-21 sections 4 and 5).</summary>
internal sealed class StatusList
{
    // Sixteen times what the server's lists have.
    private const int MaxBytes = 2 * 1024 * 1024;

    private static readonly JsonWebTokenHandler s_handler = new() { MapInboundClaims = false };

    private readonly byte[] _bits;

    private StatusList(byte[] bits, DateTimeOffset expiresAt)
    {
        _bits = bits;
        ExpiresAt = expiresAt;
    }

    public DateTimeOffset ExpiresAt { get; }

    /// <summary>An index that the list does not have is no good standing either.</summary>
    public bool IsSet(long index) => index < 0 || index / 8 >= _bits.Length || (_bits[index / 8] & (1 << (int)(index % 8))) != 0;

    /// <summary>Null when it is not a list that this server signed for this URL.</summary>
    public static async Task<StatusList?> ReadAsync(
        string text, string uri, JwtBearerOptions jwt, TimeProvider time, CancellationToken cancellationToken)
    {
        var verified = await VerifyAsync(text, jwt, time, cancellationToken);
        if (verified is { IsValid: false, Exception: SecurityTokenSignatureKeyNotFoundException })
        {
            // Perhaps the server has given up its keys in an emergency, and this is signed by the one that follows.
            jwt.ConfigurationManager!.RequestRefresh();
            verified = await VerifyAsync(text, jwt, time, cancellationToken);
        }
        if (verified is not { IsValid: true, SecurityToken: JsonWebToken token }
            || token.Subject != uri
            || !token.TryGetPayloadValue<JsonElement>("status_list", out var list)
            || !list.TryGetProperty("bits", out var bits) || !bits.TryGetInt32(out var size) || size != 1
            || !list.TryGetProperty("lst", out var packed) || packed.GetString() is not { } compressed || !Base64Url.IsValid(compressed))
        {
            return null;
        }
        return Unpack(Base64Url.DecodeFromChars(compressed)) is { } unpacked
            ? new StatusList(
                unpacked, token.ValidTo == default ? DateTimeOffset.MaxValue : new DateTimeOffset(token.ValidTo, TimeSpan.Zero))
            : null;
    }

    private static async Task<TokenValidationResult> VerifyAsync(
        string text, JwtBearerOptions jwt, TimeProvider time, CancellationToken cancellationToken)
    {
        var configuration = await jwt.ConfigurationManager!.GetConfigurationAsync(cancellationToken);
        return await s_handler.ValidateTokenAsync(text, new TokenValidationParameters
        {
            ValidTypes = ["statuslist+jwt"],
            ValidAlgorithms = DpopProofs.Algorithms,
            IssuerSigningKeys = configuration.SigningKeys,
            ValidateIssuer = false,
            ValidateAudience = false,
            RequireExpirationTime = false,
            LifetimeValidator = (_, expires, _, _) => expires is null || expires > time.GetUtcNow().UtcDateTime,
        });
    }

    private static byte[]? Unpack(byte[] packed)
    {
        using var zlib = new ZLibStream(new MemoryStream(packed), CompressionMode.Decompress);
        var bytes = new byte[MaxBytes + 1];
        try
        {
            var length = zlib.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return length > MaxBytes ? null : bytes[..length];
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}
