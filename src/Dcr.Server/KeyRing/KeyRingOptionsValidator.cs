using System.Security.Cryptography;
using System.Xml;
using System.Xml.Linq;
using Microsoft.Extensions.Options;

namespace Dcr.Server.KeyRing;

/// <summary>
/// A passphrase that does not open the ring ends the start: with another one a second set of keys would be made beside the first.
/// </summary>
internal sealed class KeyRingOptionsValidator(KeyRingFolder folder) : IValidateOptions<KeyRingOptions>
{
    private const string Setting = $"{KeyRingOptions.Section}:{nameof(KeyRingOptions.PassphraseFile)}";

    public ValidateOptionsResult Validate(string? name, KeyRingOptions options) =>
        Fault(options) is { } fault ? ValidateOptionsResult.Fail(fault) : ValidateOptionsResult.Success;

    private string? Fault(KeyRingOptions options)
    {
        var ring = folder.Of(options);
        var protectedKey = ProtectedKeys(ring).FirstOrDefault();
        if (options.PassphraseFile is not { } path)
        {
            return protectedKey is null ? null : $"{Setting} is missing: the key ring in {ring} is protected by a passphrase.";
        }
        if (!File.Exists(path))
        {
            return $"{Setting} is '{path}': there is no such file (looked for {Path.GetFullPath(path)}).";
        }
        var passphrase = Passphrase.Read(path);
        if (passphrase.Length < Passphrase.LeastLength)
        {
            return $"{Setting} is '{path}': the file must hold at least {Passphrase.LeastLength} characters.";
        }
        return protectedKey is null || Opens(protectedKey, passphrase)
            ? null
            : $"{Setting} is '{path}': it does not open the key ring in {ring}.";
    }

    private static bool Opens(XElement protectedKey, string passphrase)
    {
        try
        {
            Passphrase.Open(protectedKey, passphrase);
            return true;
        }
        catch (Exception exception) when (exception is CryptographicException or FormatException)
        {
            return false;
        }
    }

    private static IEnumerable<XElement> ProtectedKeys(string ring) => !Directory.Exists(ring)
        ? []
        : Directory.EnumerateFiles(ring, "key-*.xml").SelectMany(file => Load(file)?.Descendants(Passphrase.Element) ?? []);

    // A file that cannot be read is the framework's to report: it knows what else may lie there.
    private static XElement? Load(string file)
    {
        try
        {
            return XElement.Load(file);
        }
        catch (Exception exception) when (exception is XmlException or IOException)
        {
            return null;
        }
    }
}
