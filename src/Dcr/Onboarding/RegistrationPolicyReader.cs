using System.Text.Json;
using System.Text.Json.Nodes;
using Dcr.Clients;
using Dcr.Keys;
using Dcr.Protocol;
using Microsoft.Extensions.Options;

namespace Dcr.Onboarding;

/// <summary>Reads a registration policy as an operator wrote it, and names everything that is wrong with it at once.</summary>
internal sealed class RegistrationPolicyReader(IOptions<JwksOptions> jwks, IssuerUrls urls, SecurityProfileRules profile)
{
    /// <summary>Null where there is none, or where faults were added.</summary>
    public RegistrationPolicy? Read(JsonElement? sent, List<string> faults)
    {
        if (sent is not { } element || element.ValueKind == JsonValueKind.Null)
        {
            return null;
        }
        if (element.ValueKind != JsonValueKind.Object)
        {
            faults.Add("registration_policy: must be a JSON object.");
            return null;
        }
        var before = faults.Count;
        // Member by member: the reader stops at the first value of a wrong type, an operator wants to know of all. What can be
        // understood is judged by itself.
        var understood = new JsonObject();
        foreach (var member in element.EnumerateObject())
        {
            if (TypeFault(member) is { } fault)
            {
                faults.Add(fault);
            }
            else
            {
                understood[member.Name] = JsonNode.Parse(member.Value.GetRawText());
            }
        }
        var policy = understood.Deserialize(ClientsJson.Default.RegistrationPolicy)!;
        faults.AddRange(RegistrationPolicyRules.Faults(policy, jwks.Value, urls, profile));
        return faults.Count == before ? policy with { Unknown = null } : null;
    }

    private static string? TypeFault(JsonProperty member)
    {
        if (HasNullInList(member.Value))
        {
            return $"registration_policy.{member.Name}: a list must not hold null.";
        }
        try
        {
            new JsonObject
            {
                [member.Name] = JsonNode.Parse(member.Value.GetRawText()),
            }.Deserialize(ClientsJson.Default.RegistrationPolicy);
            return null;
        }
        catch (JsonException exception)
        {
            var path = exception.Path is { Length: > 2 } found ? found[2..] : member.Name;
            return $"registration_policy.{path}: cannot be understood: a wrong JSON type, a missing or unknown member, "
                + "or none of its values.";
        }
    }

    private static bool HasNullInList(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.EnumerateArray().Any(item => item.ValueKind == JsonValueKind.Null || HasNullInList(item)),
        JsonValueKind.Object => value.EnumerateObject().Any(member => HasNullInList(member.Value)),
        _ => false,
    };
}
