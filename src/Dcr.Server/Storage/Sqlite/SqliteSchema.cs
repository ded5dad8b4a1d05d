namespace Dcr.Server.Storage.Sqlite;

/// <summary>The tables, as steps that each bring a database from one <c>user_version</c> to the next.</summary>
internal static class SqliteSchema
{
    /// <summary>Times are milliseconds since 1970. What is queried has a column; the rest is JSON.</summary>
    public static readonly IReadOnlyList<string> Main =
    [
        """
        CREATE TABLE clients (
            client_id TEXT NOT NULL PRIMARY KEY,
            status INTEGER NOT NULL,
            version INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            audience_seen INTEGER NOT NULL DEFAULT 0,
            audience_rule INTEGER,
            metadata TEXT NOT NULL,
            registration_access TEXT,
            origin TEXT,
            policy TEXT,
            quarantined_keys TEXT NOT NULL DEFAULT ''
        ) STRICT;
        CREATE INDEX clients_by_age ON clients (created_at, client_id);
        CREATE INDEX clients_by_status ON clients (status, created_at, client_id);
        CREATE INDEX clients_by_audience_seen ON clients (audience_seen, created_at, client_id);

        CREATE TABLE initial_access_token_uses (
            jti TEXT NOT NULL PRIMARY KEY,
            uses INTEGER NOT NULL,
            expires_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX initial_access_token_uses_by_expiry ON initial_access_token_uses (expires_at);

        CREATE TABLE audit (
            id TEXT NOT NULL PRIMARY KEY,
            at INTEGER NOT NULL,
            actor TEXT,
            actor_kid TEXT,
            action TEXT NOT NULL,
            subject TEXT NOT NULL,
            changes TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX audit_by_subject ON audit (subject, id);

        CREATE TABLE key_sets (
            id TEXT NOT NULL PRIMARY KEY,
            version INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            keys TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE key_uses (
            client_id TEXT NOT NULL,
            thumbprint TEXT NOT NULL,
            last_used_at INTEGER NOT NULL,
            PRIMARY KEY (client_id, thumbprint)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE signing_keys (
            generation INTEGER NOT NULL PRIMARY KEY,
            kid TEXT NOT NULL,
            alg TEXT NOT NULL,
            protected_private_key BLOB NOT NULL,
            created_at INTEGER NOT NULL,
            activates_at INTEGER NOT NULL,
            revokes_up_to INTEGER NOT NULL
        ) STRICT;
        """,
    ];

    public static readonly IReadOnlyList<string> Replay =
    [
        """
        CREATE TABLE used_assertions (
            hash BLOB NOT NULL PRIMARY KEY,
            expires_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX used_assertions_by_expiry ON used_assertions (expires_at);
        """,
    ];

    /// <summary>One transaction: of several processes that start at once, one migrates and the others find it done.</summary>
    public static Task MigrateAsync(SqliteDatabase database, IReadOnlyList<string> steps, CancellationToken cancellationToken) =>
        database.WriteAsync(
            session =>
            {
                var version = session.Read(row => row.GetInt32(0), "PRAGMA user_version").Single();
                if (version > steps.Count)
                {
                    throw new InvalidOperationException($"{database.Path} was written by a newer version of this server (schema {version}, this one knows {steps.Count}).");
                }
                foreach (var step in steps.Skip(version))
                {
                    session.Run(step);
                }
                if (version < steps.Count)
                {
                    session.Run($"PRAGMA user_version = {steps.Count}");
                }
                return true;
            },
            cancellationToken);
}
