using Dcr.Auditing;
using Dcr.Protocol;

namespace Dcr.Clients;

/// <summary>What becomes of a client that is given another status.</summary>
internal static class StatusChange
{
    /// <summary>By the status that is shown: a client whose time is over has expired, whether or not the reaper has come to it.</summary>
    public static Result<Client> Decide(Client client, ClientStatus status, DateTimeOffset now) =>
        (client.StatusAt(now), status) switch
        {
            (ClientStatus.Revoked, not ClientStatus.Revoked) => OAuthError.Conflict("The client is revoked, which is permanent."),
            (ClientStatus.Expired, ClientStatus.Suspended) =>
                OAuthError.Conflict("The client has expired, so there is nothing to suspend."),
            (ClientStatus.Expired, ClientStatus.Active) => client with { Status = status, Lifecycle = client.Lifecycle.Again(now) },
            (ClientStatus.Suspended, ClientStatus.Active) => client with { Status = status, Lifecycle = client.Lifecycle.Resumed(now) },
            _ => client with { Status = status },
        };

    public static (string Member, AuditChange Change) Describe(Client before, Client after) =>
        ("status", new AuditChange(WireEnum.NameOf(before.Status), WireEnum.NameOf(after.Status)));
}
