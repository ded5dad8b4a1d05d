using Dcr.Clients;

namespace Dcr.Storage.Sqlite;

/// <summary>The condition that an origin is; one column's index finds the clients, the others are compared with what it finds.</summary>
internal static class SqliteOrigin
{
    /// <param name="origin">Null: every client.</param>
    /// <param name="first">The number of its first parameter; there are six, in the order of <see cref="Values"/>.</param>
    public static string Where(OriginFilter? origin, int first)
    {
        if (origin is null)
        {
            return "";
        }
        // The one that most likely stands for the fewest clients comes first; the plus keeps SQLite from any other index.
        var conditions = Members(origin)
            .Select((member, index) => (member.Column, member.Value, Parameter: first + index))
            .Where(member => member.Value is not null)
            .Select((member, index) => $"{(index == 0 ? "" : "+")}{member.Column} = ${member.Parameter} AND ");
        return string.Concat(conditions);
    }

    public static object?[] Values(OriginFilter? origin) =>
        [.. Members(origin ?? new OriginFilter()).Select(member => (object?)member.Value)];

    private static (string Column, string? Value)[] Members(OriginFilter origin) =>
    [
        ("initial_token_jti", origin.InitialTokenJti),
        ("origin_thumbprint", origin.Thumbprint),
        ("origin_kid", origin.Kid),
        ("software_id", origin.SoftwareId),
        ("software_statement_issuer", origin.SoftwareStatementIssuer),
        ("onboarding_client", origin.OnboardingClient),
    ];
}
