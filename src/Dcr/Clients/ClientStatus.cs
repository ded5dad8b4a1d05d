using System.Text.Json.Serialization;
using Dcr.Protocol;

namespace Dcr.Clients;

/// <summary>Anything but <see cref="Active"/> stops the client on its very next request, on every node.</summary>
[JsonConverter(typeof(WireEnumConverter<ClientStatus>))]
public enum ClientStatus
{
    [JsonStringEnumMemberName("active")]
    Active,

    /// <summary>Stopped by an administrator, who may resume it.</summary>
    [JsonStringEnumMemberName("suspended")]
    Suspended,

    /// <summary>Ended by an administrator, permanently.</summary>
    [JsonStringEnumMemberName("revoked")]
    Revoked,

    /// <summary>Ended by its lifetime or by not being used. An administrator may resume it until it is removed.</summary>
    [JsonStringEnumMemberName("expired")]
    Expired,
}

public static class ClientStatuses
{
    /// <summary>Counts against the cap of live clients.</summary>
    public static bool IsLive(this ClientStatus status) => status is ClientStatus.Active or ClientStatus.Suspended;
}
