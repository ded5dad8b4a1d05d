using System.Text.Json.Serialization;

namespace Dcr.Clients;

/// <summary>Anything but <see cref="Active"/> stops the client on its very next request, on every node.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ClientStatus>))]
public enum ClientStatus
{
    [JsonStringEnumMemberName("active")]
    Active,

    /// <summary>Stopped by an administrator, who may resume it.</summary>
    [JsonStringEnumMemberName("suspended")]
    Suspended,

    /// <summary>Ended by an administrator, for good.</summary>
    [JsonStringEnumMemberName("revoked")]
    Revoked,
}
