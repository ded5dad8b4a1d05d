using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Dcr.Client;

// Whatever is wrong is a CryptographicException that says what to do, and never repeats the input.
public sealed partial class ClientKey
{
    /// <summary>
    /// Reads the first private key of a PEM text: <c>PRIVATE KEY</c> and <c>ENCRYPTED PRIVATE KEY</c> (PKCS#8),
    /// <c>EC PRIVATE KEY</c> (SEC1) or <c>RSA PRIVATE KEY</c> (PKCS#1). Certificates and parameters around it are passed over.
    /// </summary>
    /// <param name="pem">The text of the file.</param>
    /// <param name="password">For <c>ENCRYPTED PRIVATE KEY</c>.</param>
    /// <param name="algorithm">For an RSA key; null: PS256. An EC key's curve decides.</param>
    /// <param name="kid">The name it is registered under. Null: its RFC 7638 thumbprint.</param>
    /// <exception cref="CryptographicException">No usable key, a wrong password, or a weak key; the message says which.</exception>
    public static ClientKey FromPem(string pem, string? password = null, SigningAlgorithm? algorithm = null, string? kid = null)
    {
        ArgumentNullException.ThrowIfNull(pem);
        if (pem.Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal))
        {
            throw new CryptographicException(
                "The PEM is encrypted in OpenSSL's old form, which is weak. Convert it: openssl pkcs8 -topk8 -v2 aes-256-cbc -in old.pem "
                    + "-out new.pem");
        }
        var rest = pem.AsSpan();
        while (PemEncoding.TryFind(rest, out var fields))
        {
            var label = rest[fields.Label];
            var isKey = label is "PRIVATE KEY" or "ENCRYPTED PRIVATE KEY" or "EC PRIVATE KEY" or "RSA PRIVATE KEY";
            if (!isKey)
            {
                rest = rest[fields.Location.End..];
                continue;
            }
            var der = new byte[fields.DecodedDataLength];
            _ = Convert.TryFromBase64Chars(rest[fields.Base64Data], der, out _);
            try
            {
                return label switch
                {
                    "EC PRIVATE KEY" => FromSec1(der, kid),
                    "RSA PRIVATE KEY" => FromPkcs1(der, algorithm ?? SigningAlgorithm.PS256, kid),
                    "PRIVATE KEY" => FromPkcs8(der, password: null, algorithm, kid),
                    _ =>
                        FromPkcs8(
                            der,
                            password ?? throw new CryptographicException("The PEM is encrypted; its password is needed."),
                            algorithm,
                            kid),
                };
            }
            finally
            {
                CryptographicOperations.ZeroMemory(der);
            }
        }
        throw new CryptographicException(
            "The text has no PEM block with a private key (PRIVATE KEY, ENCRYPTED PRIVATE KEY, EC PRIVATE KEY or RSA PRIVATE KEY).");
    }

    /// <summary>Reads PKCS#8 in DER, plain or encrypted.</summary>
    /// <param name="der">The bytes of the file.</param>
    /// <param name="password">Null: the key is not encrypted.</param>
    /// <param name="algorithm">For an RSA key; null: PS256. An EC key's curve decides.</param>
    /// <param name="kid">The name it is registered under. Null: its RFC 7638 thumbprint.</param>
    /// <exception cref="CryptographicException">No usable key, a wrong password, or a weak key; the message says which.</exception>
    public static ClientKey FromPkcs8(
        ReadOnlySpan<byte> der, string? password = null, SigningAlgorithm? algorithm = null, string? kid = null)
    {
        // The kind of key is inside, in the encrypted form behind the password: both kinds are tried.
        var ecdsa = ECDsa.Create();
        if (TryImport(ecdsa, der, password))
        {
            return Own(ecdsa, algorithm, kid);
        }
        ecdsa.Dispose();
        var rsa = RSA.Create();
        if (TryImport(rsa, der, password))
        {
            return Own(rsa, algorithm, kid);
        }
        rsa.Dispose();
        throw new CryptographicException(password is null
            ? "The bytes are no PKCS#8 private key of EC or RSA (an encrypted one needs its password)."
            : "The PKCS#8 private key cannot be decrypted: the password is wrong, or it is no key of EC or RSA.");
    }

    /// <summary>Reads the private key of a PKCS#12 file (<c>.p12</c>, <c>.pfx</c>). Its certificate is not used.</summary>
    /// <inheritdoc cref="FromPkcs8" path="/exception"/>
    /// <param name="pfx">The bytes of the file.</param>
    /// <param name="password">Null: the file has none.</param>
    /// <param name="algorithm">For an RSA key; null: PS256. An EC key's curve decides.</param>
    /// <param name="kid">The name it is registered under. Null: its RFC 7638 thumbprint.</param>
    public static ClientKey FromPkcs12(ReadOnlySpan<byte> pfx, string? password, SigningAlgorithm? algorithm = null, string? kid = null)
    {
        var flags = OperatingSystem.IsLinux() || OperatingSystem.IsWindows() || OperatingSystem.IsAndroid()
            ? X509KeyStorageFlags.EphemeralKeySet | X509KeyStorageFlags.Exportable
            : X509KeyStorageFlags.Exportable;
        X509Certificate2 certificate;
        try
        {
            certificate = X509CertificateLoader.LoadPkcs12(pfx, password, flags);
        }
        catch (CryptographicException)
        {
            throw new CryptographicException(
                "The PKCS#12 file cannot be read: the password is wrong, it is damaged, or it has no certificate (make one with a "
                    + "certificate, or use PKCS#8).");
        }
        using (certificate)
        {
            return Own(
                (AsymmetricAlgorithm?)certificate.GetECDsaPrivateKey() ?? certificate.GetRSAPrivateKey()
                    ?? throw new CryptographicException("The PKCS#12 file has no private key of EC or RSA."),
                algorithm,
                kid);
        }
    }

    /// <summary>Reads an RSA private key in the DER of PKCS#1.</summary>
    /// <inheritdoc cref="FromPkcs8" path="/exception"/>
    /// <param name="der">The bytes of the file.</param>
    /// <param name="algorithm">How it signs: one of the PS and RS algorithms.</param>
    /// <param name="kid">The name it is registered under. Null: its RFC 7638 thumbprint.</param>
    public static ClientKey FromPkcs1(ReadOnlySpan<byte> der, SigningAlgorithm algorithm = SigningAlgorithm.PS256, string? kid = null)
    {
        var rsa = RSA.Create();
        try
        {
            rsa.ImportRSAPrivateKey(der, out _);
        }
        catch (CryptographicException)
        {
            rsa.Dispose();
            throw new CryptographicException("The bytes are no RSA private key of PKCS#1.");
        }
        return Own(rsa, algorithm, kid);
    }

    /// <summary>Reads an EC private key in the DER of SEC1.</summary>
    /// <inheritdoc cref="FromPkcs8" path="/exception"/>
    /// <param name="der">The bytes of the file.</param>
    /// <param name="kid">The name it is registered under. Null: its RFC 7638 thumbprint.</param>
    public static ClientKey FromSec1(ReadOnlySpan<byte> der, string? kid = null)
    {
        var ecdsa = ECDsa.Create();
        try
        {
            ecdsa.ImportECPrivateKey(der, out _);
        }
        catch (Exception exception) when (exception is CryptographicException or PlatformNotSupportedException)
        {
            ecdsa.Dispose();
            throw new CryptographicException("The bytes are no EC private key of SEC1 on a named curve that this platform knows.");
        }
        return Own(ecdsa, algorithm: null, kid);
    }

    /// <summary>Reads a private JWK (RFC 7517). Its <c>alg</c> and <c>kid</c> are kept unless others are given.</summary>
    /// <inheritdoc cref="FromPkcs8" path="/exception"/>
    /// <param name="json">The JWK as JSON text.</param>
    /// <param name="algorithm">Null: the JWK's <c>alg</c>, else for an RSA key PS256.</param>
    /// <param name="kid">Null: the JWK's <c>kid</c>, else its RFC 7638 thumbprint.</param>
    public static ClientKey FromJwk(string json, SigningAlgorithm? algorithm = null, string? kid = null)
    {
        ArgumentNullException.ThrowIfNull(json);
        var jwk = PrivateJwk.Read(json);
        return Own(jwk.Key, algorithm ?? jwk.Algorithm, kid ?? jwk.Kid);
    }

    private static bool TryImport(AsymmetricAlgorithm key, ReadOnlySpan<byte> der, string? password)
    {
        try
        {
            if (password is null)
            {
                key.ImportPkcs8PrivateKey(der, out _);
            }
            else
            {
                key.ImportEncryptedPkcs8PrivateKey(password, der, out _);
            }
            return true;
        }
        catch (Exception exception) when (exception is CryptographicException or PlatformNotSupportedException)
        {
            return false;
        }
    }

    private static ClientKey Own(AsymmetricAlgorithm key, SigningAlgorithm? algorithm, string? kid)
    {
        try
        {
            if (key is RSA rsa)
            {
                return new ClientKey(rsa, algorithm ?? SigningAlgorithm.PS256, kid);
            }
            var owned = new ClientKey((ECDsa)key, kid);
            return algorithm is null || algorithm == owned.Algorithm
                ? owned
                : throw new CryptographicException(
                    $"{algorithm} does not go with a key on {owned.PublicJwk.Crv}, which signs by {owned.Algorithm}.");
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }
}
