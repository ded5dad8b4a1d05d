using System.Security.Cryptography;

namespace Dcr.Client;

/// <summary>
/// A client's key pair: made here, read from any usual file, or held by the platform behind an <see cref="ECDsa"/> or
/// <see cref="RSA"/> handle (a smart card, a TPM, a device keystore). Signs; shows its public half only, unless the
/// private one is asked for by name.
/// </summary>
/// <example>
/// <code>
/// using var key = ClientKey.Generate();
/// await File.WriteAllTextAsync("key.pem", key.ExportPrivatePem(password));
/// Console.WriteLine(key.PublicJwkSet.ToJson()); // safe to publish
///
/// using var again = ClientKey.FromPem(await File.ReadAllTextAsync("key.pem"), password);
/// </code>
/// </example>
public sealed partial class ClientKey : ISigningKey, IDisposable
{
    private const int GeneratedRsaBits = 3072;

    // OWASP's figure for PBKDF2 with SHA-256.
    private static readonly PbeParameters s_encryption = new(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 600_000);

    private readonly ECDsa? _ecdsa;
    private readonly RSA? _rsa;

    // The platform does not promise that a handle may be used by several threads.
    private readonly Lock _signing = new();

    private ClientKey(ECDsa key, string? kid)
    {
        _ecdsa = key;
        PublicJwk = PublicJwk.FromECDsa(key, kid);
        Algorithm = KeyRules.CurveOf(key.ExportParameters(false).Curve).Algorithm;
    }

    private ClientKey(RSA key, SigningAlgorithm algorithm, string? kid)
    {
        _rsa = key;
        PublicJwk = PublicJwk.FromRsa(key, algorithm, kid);
        Algorithm = algorithm;
    }

    /// <summary>How the key signs.</summary>
    public SigningAlgorithm Algorithm { get; }

    /// <summary>The public half.</summary>
    public PublicJwk PublicJwk { get; }

    /// <summary>The public half as a JWK Set of one: what to register as <see cref="ClientMetadata.Jwks"/>.</summary>
    public PublicJwkSet PublicJwkSet => new(PublicJwk);

    /// <summary>Makes a key pair from the platform's random numbers.</summary>
    /// <param name="algorithm">ES256, unless a server or an API wants something else. RSA keys get 3072 bits.</param>
    public static ClientKey Generate(SigningAlgorithm algorithm = SigningAlgorithm.ES256) => algorithm switch
    {
        SigningAlgorithm.ES256 => new(ECDsa.Create(ECCurve.NamedCurves.nistP256), kid: null),
        SigningAlgorithm.ES384 => new(ECDsa.Create(ECCurve.NamedCurves.nistP384), kid: null),
        SigningAlgorithm.ES512 => new(ECDsa.Create(ECCurve.NamedCurves.nistP521), kid: null),
        _ => new(RSA.Create(GeneratedRsaBits), algorithm, kid: null),
    };

    /// <summary>Uses a key that something else holds, such as a device keystore. The private half is never read.</summary>
    /// <param name="key">On P-256, P-384 or P-521. Belongs to the new object, and is disposed with it.</param>
    /// <param name="kid">The name it is registered under. Null: its RFC 7638 thumbprint.</param>
    /// <exception cref="CryptographicException">The key is on another curve.</exception>
    public static ClientKey FromECDsa(ECDsa key, string? kid = null)
    {
        ArgumentNullException.ThrowIfNull(key);
        return new ClientKey(key, kid);
    }

    /// <summary>Uses a key that something else holds, such as a smart card. The private half is never read.</summary>
    /// <param name="key">2048 to 8192 bits. Belongs to the new object, and is disposed with it.</param>
    /// <param name="algorithm">PS256, unless the holder of the key can only do the older RS256.</param>
    /// <param name="kid">The name it is registered under. Null: its RFC 7638 thumbprint.</param>
    /// <exception cref="CryptographicException">The key is too weak.</exception>
    public static ClientKey FromRsa(RSA key, SigningAlgorithm algorithm = SigningAlgorithm.PS256, string? kid = null)
    {
        ArgumentNullException.ThrowIfNull(key);
        return new ClientKey(key, algorithm, kid);
    }

    /// <inheritdoc/>
    public ValueTask<byte[]> SignAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var hash = KeyRules.HashOf(Algorithm);
        lock (_signing)
        {
            return ValueTask.FromResult(
                _ecdsa?.SignData(data.Span, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)
                ?? _rsa!.SignData(data.Span, hash, KeyRules.PaddingOf(Algorithm)));
        }
    }

    /// <summary>The private key as an encrypted PEM file (PKCS#8; AES-256 with a key from the password by PBKDF2). A secret.</summary>
    /// <exception cref="CryptographicException">The platform does not let the key out.</exception>
    public string ExportPrivatePem(string password)
    {
        ArgumentException.ThrowIfNullOrEmpty(password);
        return ((AsymmetricAlgorithm?)_ecdsa ?? _rsa!).ExportEncryptedPkcs8PrivateKeyPem(password, s_encryption);
    }

    /// <summary>
    /// The private key as a PEM file (PKCS#8) that anybody can use who can read it: for a vault that encrypts by itself, or a
    /// file that only its owner can read.
    /// </summary>
    /// <exception cref="CryptographicException">The platform does not let the key out.</exception>
    public string ExportPrivatePemUnencrypted() => ((AsymmetricAlgorithm?)_ecdsa ?? _rsa!).ExportPkcs8PrivateKeyPem();

    /// <summary>The algorithm and the name; nothing secret.</summary>
    public override string ToString() => $"{Algorithm} key {PublicJwk.Kid}";

    /// <summary>Lets go of the handle.</summary>
    public void Dispose()
    {
        _ecdsa?.Dispose();
        _rsa?.Dispose();
    }
}
