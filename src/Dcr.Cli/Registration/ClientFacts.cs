using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>A registered client as it is shown; its registration access token is not in it.</summary>
internal static class ClientFacts
{
    private static readonly JsonSerializerOptions s_withoutNulls = new()
    {
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
    };

    public static JsonObject Of(ClientInformation client)
    {
        var facts = new JsonObject { ["client_id"] = client.ClientId };
        Add(facts, "issued_at", client.ClientIdIssuedAt);
        Add(facts, "expires_at", client.ClientIdExpiresAt);
        foreach (var (name, value) in Of(client.Metadata))
        {
            facts[name] = value?.DeepClone();
        }
        return facts;
    }

    public static JsonObject Of(ClientMetadata metadata) => JsonSerializer.SerializeToNode(metadata, s_withoutNulls)!.AsObject();

    private static void Add(JsonObject facts, string name, DateTimeOffset? time)
    {
        if (time is { } at)
        {
            facts[name] = at.ToString("O", CultureInfo.InvariantCulture);
        }
    }
}
