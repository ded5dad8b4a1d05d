using System.Buffers.Text;
using System.Text.Json;
using Dcr.Auditing;
using Dcr.Clients;
using Microsoft.IdentityModel.Tokens;

namespace Dcr.Registration;

/// <summary>What a registration or an update changed, for the audit trail: keys by thumbprint, other members as they stand.</summary>
internal static class MetadataChanges
{
    private const int MaxValue = 512;

    /// <param name="before">Null: the client is new.</param>
    /// <param name="after">Null: the client is gone.</param>
    public static IReadOnlyDictionary<string, AuditChange> Between(ClientMetadata? before, ClientMetadata? after)
    {
        var old = Members(before);
        var now = Members(after);
        return old.Keys.Union(now.Keys)
            .Where(name => old.GetValueOrDefault(name) != now.GetValueOrDefault(name))
            .ToDictionary(name => name, name => new AuditChange(old.GetValueOrDefault(name), now.GetValueOrDefault(name)));
    }

    private static Dictionary<string, string> Members(ClientMetadata? metadata)
    {
        if (metadata is null)
        {
            return [];
        }
        var members = JsonSerializer.SerializeToElement(metadata with { Jwks = null }, DcrJson.Default.ClientMetadata)
            .EnumerateObject()
            .ToDictionary(member => member.Name, member => Shorten(member.Value.ValueKind == JsonValueKind.String ? member.Value.GetString()! : member.Value.GetRawText()));
        if (metadata.Jwks is { } jwks)
        {
            members["jwks"] = string.Join(' ', jwks.Keys.Select(Thumbprint));
        }
        return members;
    }

    private static string Thumbprint(JsonElement key) => Base64Url.EncodeToString(new JsonWebKey(key.GetRawText()).ComputeJwkThumbprint());

    private static string Shorten(string text) => text.Length <= MaxValue ? text : text[..MaxValue] + "...";
}
