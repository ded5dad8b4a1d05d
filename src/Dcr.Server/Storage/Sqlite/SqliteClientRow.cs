using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dcr.ClientAuthentication;
using Dcr.Clients;
using Microsoft.Data.Sqlite;

namespace Dcr.Server.Storage.Sqlite;

/// <summary>A client as a row of the table <c>clients</c>.</summary>
internal static class SqliteClientRow
{
    public static Client Read(SqliteDataReader row) => new()
    {
        ClientId = row.GetString(0),
        Status = (ClientStatus)row.GetInt32(1),
        Version = row.GetInt64(2),
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(3)),
        AssertionAudienceSeen = row.GetInt32(4) is var seen and > 0 ? (AssertionAudience)seen : null,
        AssertionAudienceRule = row.IsDBNull(5) ? null : (AssertionAudienceRule)row.GetInt32(5),
        Metadata = Json(row, 6, DcrJson.Default.ClientMetadata)!,
        RegistrationAccess = Json(row, 7, DcrJson.Default.RegistrationAccess),
        Origin = Json(row, 8, DcrJson.Default.ClientOrigin),
        RegistrationPolicy = Json(row, 9, DcrJson.Default.RegistrationPolicy),
        QuarantinedKeys = row.GetString(10).Split(' ', StringSplitOptions.RemoveEmptyEntries),
    };

    public static string Metadata(Client client) => JsonSerializer.Serialize(client.Metadata, DcrJson.Default.ClientMetadata);

    public static string? RegistrationAccess(Client client) => Text(client.RegistrationAccess, DcrJson.Default.RegistrationAccess);

    public static string? Origin(Client client) => Text(client.Origin, DcrJson.Default.ClientOrigin);

    public static string? Policy(Client client) => Text(client.RegistrationPolicy, DcrJson.Default.RegistrationPolicy);

    /// <summary>Thumbprints are base64url and hold no space.</summary>
    public static string QuarantinedKeys(Client client) => string.Join(' ', client.QuarantinedKeys);

    private static string? Text<T>(T? value, JsonTypeInfo<T> type)
        where T : class => value is null ? null : JsonSerializer.Serialize(value, type);

    private static T? Json<T>(SqliteDataReader row, int column, JsonTypeInfo<T> type)
        where T : class => row.IsDBNull(column) ? null : JsonSerializer.Deserialize(row.GetString(column), type);
}
