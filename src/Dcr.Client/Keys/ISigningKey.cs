namespace Dcr.Client;

/// <summary>
/// A private key that can sign and never shows itself. <see cref="ClientKey"/> is one for keys in memory, in files and for
/// every <see cref="System.Security.Cryptography.ECDsa"/> or <see cref="System.Security.Cryptography.RSA"/> handle of the
/// platform; implement this for a key that is elsewhere, such as at a cloud key service.
/// </summary>
/// <example>
/// <code>
/// sealed class VaultKey(VaultClient vault, ECDsa publicKey) : ISigningKey
/// {
///     public SigningAlgorithm Algorithm => SigningAlgorithm.ES256;
///     public PublicJwk PublicJwk { get; } = PublicJwk.FromECDsa(publicKey);
///     public async ValueTask&lt;byte[]> SignAsync(ReadOnlyMemory&lt;byte> data, CancellationToken cancellationToken) =>
///         await vault.SignSha256Async("my-key", data, cancellationToken); // r and s, 32 bytes each
/// }
/// </code>
/// </example>
public interface ISigningKey
{
    /// <summary>How <see cref="SignAsync"/> signs.</summary>
    SigningAlgorithm Algorithm { get; }

    /// <summary>The public half; its <see cref="PublicJwk.Kid"/> names the key to the server.</summary>
    PublicJwk PublicJwk { get; }

    /// <summary>Signs. May be called from several threads at once.</summary>
    /// <param name="data">What to sign; to be hashed as <see cref="Algorithm"/> says.</param>
    /// <param name="cancellationToken">Stops the wait for a key that is elsewhere.</param>
    /// <returns>
    /// The signature as RFC 7518 wants it: for ECDSA the numbers r and s side by side at full length (IEEE P1363), not the
    /// ASN.1 form that many key services give.
    /// </returns>
    ValueTask<byte[]> SignAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default);
}
