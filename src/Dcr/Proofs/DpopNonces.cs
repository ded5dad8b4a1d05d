using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using Dcr.Jose;
using Dcr.Protocol;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Dcr.Proofs;

/// <summary>
/// The nonces of this server (RFC 9449 section 8): the time, encrypted, so that every node knows those of the others and nothing is stored.
/// Where they are required, every answer to a request with a proof brings a fresh one.
/// </summary>
internal sealed class DpopNonces(IOptions<DpopOptions> options, IDataProtectionProvider protection, TimeProvider time)
{
    public const string Header = "DPoP-Nonce";

    private const int MaxLength = 512;

    private readonly IDataProtector _protector = protection.CreateProtector("Dcr.DpopNonces.v1");

    public bool AreRequired => options.Value.RequireNonce;

    /// <summary>Null when a proof with this nonce may pass.</summary>
    public OAuthError? Fault(string? nonce)
    {
        if (!AreRequired)
        {
            return null;
        }
        return nonce is not null
            && MadeAt(nonce) is { } at
            && at <= time.GetUtcNow() + JwtTimes.ClockSkew
            && time.GetUtcNow() - at < options.Value.NonceLifetime
            ? null
            : OAuthError.UseDpopNonce($"The DPoP proof must hold the nonce of the {Header} header of this answer.");
    }

    /// <summary>On every answer to a request with a proof, whatever becomes of it.</summary>
    public void Offer(HttpContext context)
    {
        if (AreRequired && context.Request.Headers.ContainsKey(SentProofs.Header))
        {
            context.Response.OnStarting(() =>
            {
                context.Response.Headers[Header] = Create();
                return Task.CompletedTask;
            });
        }
    }

    private string Create()
    {
        Span<byte> at = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(at, time.GetUtcNow().ToUnixTimeMilliseconds());
        return Base64Url.EncodeToString(_protector.Protect(at.ToArray()));
    }

    private DateTimeOffset? MadeAt(string nonce)
    {
        if (nonce.Length > MaxLength || !Base64Url.IsValid(nonce))
        {
            return null;
        }
        try
        {
            return DateTimeOffset.FromUnixTimeMilliseconds(
                BinaryPrimitives.ReadInt64BigEndian(_protector.Unprotect(Base64Url.DecodeFromChars(nonce))));
        }
        catch (CryptographicException)
        {
            // Not of this server.
            return null;
        }
    }
}
