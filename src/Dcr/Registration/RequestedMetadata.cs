using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dcr.Clients;
using Dcr.Protocol;

namespace Dcr.Registration;

/// <summary>
/// Client metadata as it arrives. Members that are not understood are ignored, whatever they hold (RFC 7591 section 2); an empty text is
/// as good as absent, so that an update with one removes the member (RFC 7592 section 2.2).
/// </summary>
internal static class RequestedMetadata
{
    private static readonly HashSet<string> s_members = [.. Members(member => !member.IsExtensionData)];
    private static readonly HashSet<string> s_texts = [.. Members(member => member.PropertyType == typeof(string))];

    public static bool IsMember(string name) => s_members.Contains(name) || HumanReadableMembers.IsTagged(name);

    /// <summary>
    /// The claims of a software statement. Nobody can mend a number that was signed for a text, such as a version 1.1: it is taken as it
    /// is written.
    /// </summary>
    public static Result<ClientMetadata> OfStatement(ReadOnlyMemory<byte> claims)
    {
        using var document = JsonDocument.Parse(claims, new JsonDocumentOptions { MaxDepth = claims.Length + 1 });
        var written = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(written))
        {
            writer.WriteStartObject();
            foreach (var member in document.RootElement.EnumerateObject().Where(member => IsMember(member.Name)))
            {
                if (member.Value.ValueKind == JsonValueKind.Number && IsText(member.Name))
                {
                    writer.WriteString(member.Name, member.Value.GetRawText());
                }
                else
                {
                    member.WriteTo(writer);
                }
            }
            writer.WriteEndObject();
        }
        return JsonBody.Parse(written.WrittenMemory, ClientsJson.Default.ClientMetadata, IsMember);
    }

    public static T WithoutEmpty<T>(this T metadata)
        where T : ClientMetadata => (T)(metadata with
        {
            TokenEndpointAuthMethod = NotEmpty(metadata.TokenEndpointAuthMethod),
            TokenEndpointAuthSigningAlg = NotEmpty(metadata.TokenEndpointAuthSigningAlg),
            ClientName = NotEmpty(metadata.ClientName),
            ClientUri = NotEmpty(metadata.ClientUri),
            LogoUri = NotEmpty(metadata.LogoUri),
            TosUri = NotEmpty(metadata.TosUri),
            PolicyUri = NotEmpty(metadata.PolicyUri),
            JwksUri = NotEmpty(metadata.JwksUri),
            SoftwareId = NotEmpty(metadata.SoftwareId),
            SoftwareVersion = NotEmpty(metadata.SoftwareVersion),
            SoftwareStatement = NotEmpty(metadata.SoftwareStatement),
            Others = metadata.Others?.Where(
                member => !HumanReadableMembers.IsTagged(member.Key) || !IsEmpty(member.Value)).ToDictionary(StringComparer.Ordinal),
        });

    private static IEnumerable<string> Members(Func<JsonPropertyInfo, bool> which) =>
        ClientsJson.Default.ClientMetadata.Properties.Where(which).Select(member => member.Name);

    private static bool IsText(string name) => s_texts.Contains(name) || HumanReadableMembers.IsTagged(name);

    private static string? NotEmpty(string? text) => text is { Length: > 0 } ? text : null;

    private static bool IsEmpty(JsonElement value) => value.ValueKind == JsonValueKind.String && value.ValueEquals("");
}
