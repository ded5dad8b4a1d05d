using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Dcr.Client;

/// <summary>
/// The JWT by which a request shows that its sender holds a key (RFC 9449 section 4). <see cref="DcrClient"/> and the
/// HttpClients of <c>AddAccessTokens</c> make them by themselves; make one here to send it by other means.
/// </summary>
public static class DpopProof
{
    /// <summary>Makes the value of the <c>DPoP</c> header of one request.</summary>
    /// <param name="key">The key that is shown, and that a token becomes or is bound to.</param>
    /// <param name="method">Of the request.</param>
    /// <param name="uri">Of the request; its query is left out.</param>
    /// <param name="accessToken">The token that the request carries. Null: none, as at the token endpoint.</param>
    /// <param name="nonce">What the server last sent as <c>DPoP-Nonce</c>. Null: nothing.</param>
    /// <param name="time">The clock. Null: the system's.</param>
    /// <param name="cancellationToken">Stops the wait for the key.</param>
    public static ValueTask<string> CreateAsync(
        ISigningKey key,
        HttpMethod method,
        Uri uri,
        string? accessToken = null,
        string? nonce = null,
        TimeProvider? time = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(method);
        ArgumentNullException.ThrowIfNull(uri);
        return CompactJws.SignAsync(
            key,
            header =>
            {
                header.WriteString("typ", "dpop+jwt");
                header.WriteString("alg", key.Algorithm.ToString());
                CompactJws.WriteJwk(header, key.PublicJwk);
            },
            claims =>
            {
                claims.WriteString("jti", CompactJws.NewJti());
                claims.WriteString("htm", method.Method);
                claims.WriteString("htu", uri.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped));
                claims.WriteNumber("iat", (time ?? TimeProvider.System).GetUtcNow().ToUnixTimeSeconds());
                if (accessToken is not null)
                {
                    claims.WriteString("ath", Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(accessToken))));
                }
                if (nonce is not null)
                {
                    claims.WriteString("nonce", nonce);
                }
            },
            cancellationToken);
    }
}
