using System.Text.Json;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Registration;

namespace Dcr.Onboarding;

/// <summary>A client as an operator wants it, in the seed file or through the admin API, checked and completed.</summary>
internal sealed record SeededClient(string ClientId, ClientMetadata Metadata, RegistrationPolicy? Policy)
{
    /// <summary>SHA-256 of the entry as it stands in the seed file, whatever its layout. Null: it is from the admin API.</summary>
    public string? EntryHash { get; init; }

    public Client ToClient(DateTimeOffset now) => new()
    {
        ClientId = ClientId,
        Incarnation = Client.NewIncarnation(),
        Status = ClientStatus.Active,
        Metadata = Metadata,
        CreatedAt = now,
        Version = 1,
        RegistrationPolicy = Policy,
    };

    /// <summary>
    /// The stored client as it should be. The status is kept: nothing an operator writes re-enables a client; nor does it end an exception.
    /// </summary>
    public Client Over(Client stored) => stored with
    {
        Metadata = Metadata,
        RegistrationPolicy = Policy,
        Version = stored.Version + 1,
    };

    /// <summary>The whole is compared, not what the audit trail shows of it.</summary>
    public bool IsAsWritten(Client stored) =>
        JsonElement.DeepEquals(Json(stored.Metadata), Json(Metadata))
        && Json(stored.RegistrationPolicy) == Json(Policy);

    /// <summary>For the audit trail.</summary>
    public static IReadOnlyDictionary<string, AuditChange> Changes(Client? before, Client? after)
    {
        var changes = new Dictionary<string, AuditChange>(MetadataChanges.Between(before?.Metadata, after?.Metadata));
        var (oldPolicy, newPolicy) = (Json(before?.RegistrationPolicy), Json(after?.RegistrationPolicy));
        if (oldPolicy != newPolicy)
        {
            changes["registration_policy"] = new AuditChange(oldPolicy, newPolicy);
        }
        return changes;
    }

    private static JsonElement Json(ClientMetadata metadata) =>
        JsonSerializer.SerializeToElement(metadata, ClientsJson.Default.ClientMetadata);

    private static string? Json(RegistrationPolicy? policy) =>
        policy is null ? null : JsonSerializer.Serialize(policy, ClientsJson.Default.RegistrationPolicy);
}
