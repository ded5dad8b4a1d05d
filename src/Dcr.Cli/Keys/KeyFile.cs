using System.Security.Cryptography;
using System.Text;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>Private keys in files: read in every usual form, written as PEM that only the user can read.</summary>
internal static class KeyFile
{
    private const int MaxBytes = 64 * 1024;

    /// <summary>Reads a private key, whatever form it has.</summary>
    /// <param name="path">The file.</param>
    /// <param name="run">Where the password comes from.</param>
    /// <param name="alg">For an RSA key. Null: that of the JWK, else PS256.</param>
    /// <param name="kid">Null: that of the JWK, else the thumbprint.</param>
    public static async Task<ClientKey> ReadAsync(
        string path, CommandRun run, SigningAlgorithm? alg, string? kid, CancellationToken cancellationToken)
    {
        var file = run.PathOf(path);
        if (!File.Exists(file))
        {
            throw CommandFailure.Usage($"There is no key file {path}.", $"Make one: dcr keys new {ShellWord.Last(path)}");
        }
        if (new FileInfo(file).Length > MaxBytes)
        {
            throw CommandFailure.Usage($"{path} is no key file: it is larger than {MaxBytes} bytes.");
        }
        if (PrivateFile.IsOpenToOthers(file))
        {
            run.Terminal.Warn($"{path} can be read by others on this machine. Close it: chmod 600 {ShellWord.Last(path)}");
        }
        var bytes = await File.ReadAllBytesAsync(file, cancellationToken);
        try
        {
            return Read(bytes, path, new KeyPassword(run, path), alg, kid);
        }
        catch (CryptographicException exception)
        {
            throw CommandFailure.Usage($"{path}: {exception.Message}");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    /// <summary>Writes PKCS#8 as PEM, encrypted if there is a password.</summary>
    public static Task WriteAsync(
        string path, CommandRun run, ClientKey key, string? password, bool replace, CancellationToken cancellationToken) =>
        PrivateFile.WriteAsync(run.PathOf(path), path, PemOf(key, password), replace, cancellationToken);

    /// <summary>PKCS#8, encrypted if there is a password.</summary>
    public static string PemOf(ClientKey key, string? password) =>
        (password is null ? key.ExportPrivatePemUnencrypted() : key.ExportPrivatePem(password)) + "\n";

    private static ClientKey Read(byte[] bytes, string path, KeyPassword password, SigningAlgorithm? alg, string? kid)
    {
        var text = Encoding.UTF8.GetString(bytes);
        if (text.TrimStart().StartsWith('{'))
        {
            return ClientKey.FromJwk(text, alg, kid);
        }
        if (text.Contains("-----BEGIN ", StringComparison.Ordinal))
        {
            return ClientKey.FromPem(
                text, text.Contains("ENCRYPTED PRIVATE KEY", StringComparison.Ordinal) ? password.Get() : null, alg, kid);
        }
        // DER says only inside what it is: the forms without a password first.
        return TryRead(() => ClientKey.FromPkcs8(bytes, password: null, alg, kid))
            ?? TryRead(() => ClientKey.FromSec1(bytes, kid))
            ?? TryRead(() => ClientKey.FromPkcs1(bytes, alg ?? SigningAlgorithm.PS256, kid))
            ?? TryRead(() => ClientKey.FromPkcs12(bytes, password: null, alg, kid))
            ?? TryRead(() => ClientKey.FromPkcs8(bytes, password.Get(), alg, kid))
            ?? TryRead(() => ClientKey.FromPkcs12(bytes, password.Get(), alg, kid))
            ?? throw CommandFailure.Usage(
                $"{path} is no private key that can be read: PEM, PKCS#8, PKCS#12, PKCS#1, SEC1 and JWK are known; or its password is "
                    + "wrong.");
    }

    private static ClientKey? TryRead(Func<ClientKey> read)
    {
        try
        {
            return read();
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
