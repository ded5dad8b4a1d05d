using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary>A profile as it is shown: nothing secret.</summary>
internal static class ProfileFacts
{
    public static async Task<JsonObject> OfAsync(ProfileStore profiles, string name, Profile profile, CancellationToken cancellationToken)
    {
        var facts = new JsonObject { ["profile"] = name };
        foreach (var (member, value) in JsonSerializer.SerializeToNode(profile, ProfileJson.Default.Profile)!.AsObject().ToList())
        {
            facts[member] = value?.DeepClone();
        }
        var registration = await profiles.RegistrationOf(name).LoadAsync(cancellationToken);
        if (registration is not null)
        {
            facts["client_id"] ??= registration.ClientId;
            facts["registration_client_uri"] = registration.RegistrationClientUri?.ToString();
            facts["pending"] = registration.Pending?.ToString();
        }
        return facts;
    }
}
