using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dcr.Client;
using Dcr.Jose;

namespace Dcr.Cli;

/// <summary>Public keys in files: a JWK, a JWK Set, PEM; or a private key, of which only the public half is taken.</summary>
internal static class PublicKeyFile
{
    private const int MaxBytes = 64 * 1024;

    /// <summary>The keys of the file, each as a public JWK.</summary>
    public static async Task<IReadOnlyList<JsonObject>> ReadAsync(string path, CommandRun run, CancellationToken cancellationToken)
    {
        var file = run.PathOf(path);
        if (!File.Exists(file))
        {
            throw CommandFailure.Usage($"There is no key file {path}.");
        }
        if (new FileInfo(file).Length > MaxBytes)
        {
            throw CommandFailure.Usage($"{path} is no key file: it is larger than {MaxBytes} bytes.");
        }
        var text = await File.ReadAllTextAsync(file, cancellationToken);
        if (text.TrimStart().StartsWith('{') && ReadJson(path, text) is { } keys)
        {
            return keys;
        }
        if (text.Contains("PUBLIC KEY-----", StringComparison.Ordinal))
        {
            return [ToJson(ReadPem(path, text))];
        }
        using var key = await KeyFile.ReadAsync(path, run, alg: null, kid: null, cancellationToken);
        return [ToJson(key.PublicJwk)];
    }

    /// <summary>Null: it is one private key.</summary>
    private static IReadOnlyList<JsonObject>? ReadJson(string path, string text)
    {
        JsonObject json;
        try
        {
            json = JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false })!.AsObject();
        }
        catch (JsonException exception)
        {
            throw CommandFailure.Usage($"{path} is no JSON: {exception.Message}");
        }
        if (json["keys"] is not JsonArray set)
        {
            return IsPrivate(json) ? null : [json];
        }
        List<JsonObject> keys = [.. set.OfType<JsonObject>().Select(key => key.DeepClone().AsObject())];
        return keys.Count > 0 && keys.Count == set.Count && !keys.Any(IsPrivate) ? keys : throw CommandFailure.Usage(
            $"{path} is no set of public keys: it has none, or something else, or private ones.",
            "Write the public halves: dcr keys jwks KEY... --out jwks.json");
    }

    /// <summary>The member by which a JWK shows a private or shared key. Null: none.</summary>
    public static string? PrivateMember(JsonObject jwk) => PrivateJwkMembers.All.FirstOrDefault(name => jwk[name] is not null);

    private static bool IsPrivate(JsonObject key) => PrivateMember(key) is not null;

    private static PublicJwk ReadPem(string path, string text)
    {
        try
        {
            using var key = ECDsa.Create();
            key.ImportFromPem(text);
            return PublicJwk.FromECDsa(key);
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            // Of another kind, then.
        }
        try
        {
            using var key = RSA.Create();
            key.ImportFromPem(text);
            return PublicJwk.FromRsa(key);
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            throw CommandFailure.Usage($"{path} is no public key that can be used: {exception.Message}");
        }
    }

    private static JsonObject ToJson(PublicJwk key) => JsonNode.Parse(key.ToJson())!.AsObject();
}
