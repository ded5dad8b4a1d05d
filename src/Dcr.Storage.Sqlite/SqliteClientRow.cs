using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dcr.Clients;
using Microsoft.Data.Sqlite;

namespace Dcr.Storage.Sqlite;

/// <summary>A client as a row of the table <c>clients</c>. What it came from has columns too, made by SQLite from <c>origin</c>.</summary>
internal static class SqliteClientRow
{
    public const string Columns =
        "client_id, status, version, created_at, exception_needed_at, last_used_at, status_index, "
        + "assertion_exception, metadata, registration_access, origin, policy, quarantined_keys, signing_algs, key_change_allowed_until, "
            + "lifecycle, review_at, incarnation";

    public static Client Read(SqliteDataReader row) => new()
    {
        ClientId = row.GetString(0),
        Status = (ClientStatus)row.GetInt32(1),
        Version = row.GetInt64(2),
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(3)),
        ExceptionNeededAt = Time(row, 4),
        LastUsedAt = Time(row, 5),
        StatusIndex = row.IsDBNull(6) ? null : row.GetInt64(6),
        AssertionException = Json(row, 7, ClientsJson.Default.AssertionExceptionRule),
        Metadata = Json(row, 8, ClientsJson.Default.ClientMetadata)!,
        RegistrationAccess = Json(row, 9, ClientsJson.Default.RegistrationAccess),
        Origin = Json(row, 10, ClientsJson.Default.ClientOrigin),
        RegistrationPolicy = Json(row, 11, ClientsJson.Default.RegistrationPolicy),
        QuarantinedKeys = Words(row.GetString(12)),
        SigningAlgs = row.IsDBNull(13) ? null : Words(row.GetString(13)),
        KeyChangeAllowedUntil = Time(row, 14),
        Lifecycle = (Json(row, 15, ClientsJson.Default.ClientLifecycle) ?? ClientLifecycle.Endless) with { ReviewAt = Time(row, 16) },
        Incarnation = row.IsDBNull(17) ? null : row.GetString(17),
    };

    /// <summary>False: its id is in use.</summary>
    public static bool Insert(SqliteSession session, Client client) => session.Change(
        $"INSERT INTO clients ({Columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) ON "
            + "CONFLICT DO NOTHING",
        [
            client.ClientId,
            (long)client.Status,
            client.Version,
            client.CreatedAt.ToUnixTimeMilliseconds(),
            client.ExceptionNeededAt?.ToUnixTimeMilliseconds(),
            client.LastUsedAt?.ToUnixTimeMilliseconds(),
            client.StatusIndex,
            .. Replaceable(client),
            client.Incarnation,
        ]) == 1;

    /// <summary>All but the id, the incarnation, the time of creation, the status index and what is recorded of authentications.</summary>
    public static void Replace(SqliteSession session, Client replacement) => session.Change(
        """
        UPDATE clients SET status = $2, version = $3, assertion_exception = $4, metadata = $5, registration_access = $6,
            origin = $7, policy = $8,
            quarantined_keys = $9, signing_algs = $10, key_change_allowed_until = $11, lifecycle = $12, review_at = $13
        WHERE client_id = $1
        """,
        [replacement.ClientId, (long)replacement.Status, replacement.Version, .. Replaceable(replacement)]);

    private static object?[] Replaceable(Client client) =>
    [
        Text(client.AssertionException, ClientsJson.Default.AssertionExceptionRule),
        JsonSerializer.Serialize(client.Metadata, ClientsJson.Default.ClientMetadata),
        Text(client.RegistrationAccess, ClientsJson.Default.RegistrationAccess),
        Text(client.Origin, ClientsJson.Default.ClientOrigin),
        Text(client.RegistrationPolicy, ClientsJson.Default.RegistrationPolicy),
        // Thumbprints and names of algorithms hold no space.
        string.Join(' ', client.QuarantinedKeys),
        client.SigningAlgs is { } algs ? string.Join(' ', algs) : null,
        client.KeyChangeAllowedUntil?.ToUnixTimeMilliseconds(),
        client.Lifecycle == ClientLifecycle.Endless ? null : Text(client.Lifecycle, ClientsJson.Default.ClientLifecycle),
        client.Lifecycle.ReviewAt?.ToUnixTimeMilliseconds(),
    ];

    public static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static DateTimeOffset? Time(SqliteDataReader row, int column) =>
        row.IsDBNull(column) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(column));

    private static string? Text<T>(T? value, JsonTypeInfo<T> type)
        where T : class => value is null ? null : JsonSerializer.Serialize(value, type);

    private static T? Json<T>(SqliteDataReader row, int column, JsonTypeInfo<T> type)
        where T : class => row.IsDBNull(column) ? null : JsonSerializer.Deserialize(row.GetString(column), type);
}
