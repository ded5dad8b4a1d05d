using System.Text.Json;
using Dcr.Clients;
using Dcr.Protocol;
using Microsoft.Data.Sqlite;

namespace Dcr.Storage.Sqlite;

/// <summary>Whether what an effect rests on still holds, within the transaction that makes the effect: nothing comes in between.</summary>
internal static class SqliteGrounds
{
    public static bool Hold(SqliteSession session, Grounds grounds, DateTimeOffset now)
    {
        foreach (var ground in grounds.Clients)
        {
            if (Find(session, ground.ClientId)?.Supports(ground, now) != true
                || (ground.KeyThumbprint is { } key && SqliteQuarantinedKeyStore.Holds(session, key)))
            {
                return false;
            }
        }
        return grounds.Token is not { } token || (token.ExpiresAt > now && !IsRevoked(session, token.Jti));
    }

    public static bool IsRevoked(SqliteSession session, string jti) =>
        session.Read(row => row.GetInt64(0), "SELECT 1 FROM revoked_tokens WHERE jti = $1", jti).Count == 1;

    private static ClientStanding? Find(SqliteSession session, string clientId) => session.Read(
        Read,
        "SELECT status, version, incarnation, status_index, lifecycle, quarantined_keys, registration_access FROM clients WHERE client_id "
            + "= $1",
        clientId).SingleOrDefault();

    private static ClientStanding Read(SqliteDataReader row) => new()
    {
        Status = (ClientStatus)row.GetInt32(0),
        Version = row.GetInt64(1),
        Incarnation = row.IsDBNull(2) ? null : row.GetString(2),
        StatusIndex = row.IsDBNull(3) ? null : row.GetInt64(3),
        ExpiresAt = row.IsDBNull(4) ? null : JsonSerializer.Deserialize(row.GetString(4), ClientsJson.Default.ClientLifecycle)!.ExpiresAt,
        QuarantinedKeys = SqliteClientRow.Words(row.GetString(5)),
        RegistrationAccess = row.IsDBNull(6) ? null : JsonSerializer.Deserialize(row.GetString(6), ClientsJson.Default.RegistrationAccess),
    };
}
