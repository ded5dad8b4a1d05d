using System.Buffers.Text;
using System.Text.Json;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Jose;
using Microsoft.IdentityModel.Tokens;

namespace Dcr.Registration;

/// <summary>What a registration or an update changed, for the audit trail: keys by thumbprint, other members as they stand.</summary>
internal static class MetadataChanges
{
    private const int MaxValue = 512;
    private const string Jwks = "jwks";

    // What a key says about itself beside what its thumbprint covers.
    private static readonly string[] s_about = ["kid", "alg", "use", "key_ops"];

    /// <param name="before">Null: the client is new.</param>
    /// <param name="after">Null: the client is gone.</param>
    public static IReadOnlyDictionary<string, AuditChange> Between(ClientMetadata? before, ClientMetadata? after)
    {
        var old = Members(before);
        var now = Members(after);
        // The whole is compared, and as much of it shown as somebody reads.
        return old.Keys.Union(now.Keys)
            .Where(name => old.GetValueOrDefault(name) != now.GetValueOrDefault(name))
            .ToDictionary(
                name => name,
                name =>
                    name == Jwks
                        ? ChangeOfKeys(before?.Jwks, after?.Jwks)
                        : Change(old.GetValueOrDefault(name), now.GetValueOrDefault(name)));
    }

    private static Dictionary<string, string> Members(ClientMetadata? metadata) => metadata is null
        ? []
        : JsonSerializer.SerializeToElement(metadata, ClientsJson.Default.ClientMetadata)
            .EnumerateObject()
            .ToDictionary(
                member => member.Name,
                member => member.Value.ValueKind == JsonValueKind.String ? member.Value.GetString()! : member.Value.GetRawText());

    /// <summary>Keys by thumbprint; by <c>kid</c> as well where only that has changed, or another member of a key.</summary>
    private static AuditChange ChangeOfKeys(JwkSet? before, JwkSet? after)
    {
        var (old, now) = (Thumbprints(before), Thumbprints(after));
        return old != now ? new AuditChange(old, now) : Change(before is null ? null : Names(before), after is null ? null : Names(after));
    }

    private static string? Thumbprints(JwkSet? jwks) => jwks is null ? null : string.Join(' ', jwks.Keys.Select(Thumbprint));

    private static string Names(JwkSet jwks) => string.Join(' ', jwks.Keys.Select(key => $"{Thumbprint(key)} ({About(key)})"));

    private static string About(JsonElement key) => string.Join(
        ", ", key.EnumerateObject().Where(member => s_about.Contains(member.Name)).Select(member => $"{member.Name} {member.Value}"));

    /// <summary>Both from shortly before they differ, where they begin alike for long.</summary>
    private static AuditChange Change(string? before, string? after)
    {
        if (before is null || after is null)
        {
            return new AuditChange(Shorten(before, 0), Shorten(after, 0));
        }
        var alike = before.AsSpan().CommonPrefixLength(after);
        var from = alike < MaxValue / 2 ? 0 : alike - MaxValue / 4;
        return new AuditChange(Shorten(before, from), Shorten(after, from));
    }

    private static string Thumbprint(JsonElement key) => Base64Url.EncodeToString(new JsonWebKey(key.GetRawText()).ComputeJwkThumbprint());

    private static string? Shorten(string? text, int from)
    {
        if (text is null)
        {
            return null;
        }
        var end = Math.Min(text.Length, from + MaxValue);
        return $"{(from > 0 ? "..." : "")}{text[from..end]}{(end < text.Length ? "..." : "")}";
    }
}
