using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.Extensions.Options;

namespace Dcr.Server.KeyRing;

/// <summary>
/// Keys of the ring under a passphrase: AES-256-GCM, by a key derived with PBKDF2-HMAC-SHA-256 and a salt for each key of the ring.
/// </summary>
internal sealed class Passphrase(IOptions<KeyRingOptions> options)
{
    // What OWASP's Password Storage Cheat Sheet asks for with this function; a ring has one key in three months.
    private const int Iterations = 600_000;
    private const int KeyBytes = 32;
    private const int SaltBytes = 16;
    private static readonly int s_nonceBytes = AesGcm.NonceByteSizes.MaxSize;
    private static readonly int s_tagBytes = AesGcm.TagByteSizes.MaxSize;

    public const int LeastLength = 16;
    public const string Element = "passphraseProtected";

    /// <summary>The text of the file, without the line break that editors put at its end.</summary>
    public static string Read(string path) => File.ReadAllText(path).TrimEnd('\r', '\n');

    public XElement Protect(XElement plain)
    {
        var clear = Encoding.UTF8.GetBytes(plain.ToString(SaveOptions.DisableFormatting));
        var sealedKey = new byte[SaltBytes + s_nonceBytes + s_tagBytes + clear.Length];
        RandomNumberGenerator.Fill(sealedKey.AsSpan(0, SaltBytes + s_nonceBytes));
        var parts = Parts.Of(sealedKey);
        using var aes = Cipher(Read(options.Value.PassphraseFile!), parts.Salt, Iterations);
        aes.Encrypt(parts.Nonce, clear, parts.Text, parts.Tag);
        CryptographicOperations.ZeroMemory(clear);
        return new XElement(Element, new XAttribute("iterations", Iterations), Convert.ToBase64String(sealedKey));
    }

    public XElement Unprotect(XElement sealedElement) => Open(
        sealedElement,
        Read(options.Value.PassphraseFile ?? throw new CryptographicException("Dcr:DataProtection:PassphraseFile is not set.")));

    /// <exception cref="CryptographicException">It is not this passphrase.</exception>
    public static XElement Open(XElement sealedElement, string passphrase)
    {
        var sealedKey = Convert.FromBase64String(sealedElement.Value);
        var parts = Parts.Of(sealedKey);
        var clear = new byte[parts.Text.Length];
        using var aes = Cipher(passphrase, parts.Salt, (int)sealedElement.Attribute("iterations")!);
        aes.Decrypt(parts.Nonce, parts.Text, parts.Tag, clear);
        var plain = XElement.Parse(Encoding.UTF8.GetString(clear));
        CryptographicOperations.ZeroMemory(clear);
        return plain;
    }

    private static AesGcm Cipher(string passphrase, ReadOnlySpan<byte> salt, int iterations) =>
        new(Rfc2898DeriveBytes.Pbkdf2(passphrase, salt, iterations, HashAlgorithmName.SHA256, KeyBytes), s_tagBytes);

    private readonly ref struct Parts
    {
        public required Span<byte> Salt { get; init; }

        public required Span<byte> Nonce { get; init; }

        public required Span<byte> Tag { get; init; }

        public required Span<byte> Text { get; init; }

        public static Parts Of(byte[] sealedKey) => new()
        {
            Salt = sealedKey.AsSpan(0, SaltBytes),
            Nonce = sealedKey.AsSpan(SaltBytes, s_nonceBytes),
            Tag = sealedKey.AsSpan(SaltBytes + s_nonceBytes, s_tagBytes),
            Text = sealedKey.AsSpan(SaltBytes + s_nonceBytes + s_tagBytes),
        };
    }
}

internal sealed class PassphraseEncryptor(Passphrase passphrase) : IXmlEncryptor
{
    public EncryptedXmlInfo Encrypt(XElement plaintextElement) => new(passphrase.Protect(plaintextElement), typeof(PassphraseDecryptor));
}

/// <summary>
/// Made by the framework, by the name of its type, which stands beside each key that it opens: it must keep its name and place.
/// </summary>
internal sealed class PassphraseDecryptor(IServiceProvider services) : IXmlDecryptor
{
    public XElement Decrypt(XElement encryptedElement) => services.GetRequiredService<Passphrase>().Unprotect(encryptedElement);
}
