namespace Dcr.Storage.Sqlite;

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

        // Lineage, limits, lifetimes. What a client came from is read out of its origin, also of clients that are there already.
        """
        ALTER TABLE clients ADD COLUMN last_used_at INTEGER;
        ALTER TABLE clients ADD COLUMN signing_algs TEXT;
        ALTER TABLE clients ADD COLUMN key_change_allowed_until INTEGER;
        ALTER TABLE clients ADD COLUMN lifecycle TEXT;
        ALTER TABLE clients ADD COLUMN review_at INTEGER;
        ALTER TABLE clients ADD COLUMN onboarding_client TEXT AS (json_extract(origin, '$.onboarding_client'));
        ALTER TABLE clients ADD COLUMN origin_kid TEXT AS (json_extract(origin, '$.kid'));
        ALTER TABLE clients ADD COLUMN origin_thumbprint TEXT AS (json_extract(origin, '$.thumbprint'));
        ALTER TABLE clients ADD COLUMN initial_token_jti TEXT AS (json_extract(origin, '$.initial_token_jti'));
        ALTER TABLE clients ADD COLUMN software_statement_issuer TEXT AS (json_extract(origin, '$.software_statement.issuer'));
        ALTER TABLE clients ADD COLUMN software_id TEXT AS (json_extract(origin, '$.software_statement.software_id'));
        CREATE INDEX clients_by_onboarding_client ON clients (onboarding_client, created_at, client_id) WHERE onboarding_client IS NOT NULL;
        CREATE INDEX clients_by_origin_kid ON clients (origin_kid, created_at, client_id) WHERE origin_kid IS NOT NULL;
        CREATE INDEX clients_by_origin_thumbprint ON clients (origin_thumbprint, created_at, client_id) WHERE origin_thumbprint IS NOT NULL;
        CREATE INDEX clients_by_initial_token ON clients (initial_token_jti, created_at, client_id) WHERE initial_token_jti IS NOT NULL;
        CREATE INDEX clients_by_statement_issuer ON clients (software_statement_issuer, created_at, client_id)
            WHERE software_statement_issuer IS NOT NULL;
        CREATE INDEX clients_by_software ON clients (software_id, created_at, client_id) WHERE software_id IS NOT NULL;
        CREATE INDEX clients_by_review ON clients (review_at, client_id) WHERE review_at IS NOT NULL AND status IN (0, 3);
        CREATE INDEX clients_that_onboard ON clients (created_at, client_id) WHERE policy IS NOT NULL;

        CREATE TABLE registration_counts (
            onboarding_client TEXT NOT NULL PRIMARY KEY,
            live INTEGER NOT NULL,
            hour_began_at INTEGER NOT NULL,
            in_hour INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        INSERT INTO registration_counts
            SELECT onboarding_client, sum(status IN (0, 1)), 0, 0 FROM clients WHERE onboarding_client IS NOT NULL
            GROUP BY onboarding_client;

        CREATE TABLE registration_answers (
            key TEXT NOT NULL PRIMARY KEY,
            body_hash TEXT NOT NULL,
            protected_answer TEXT NOT NULL,
            proved_by TEXT,
            expires_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX registration_answers_by_expiry ON registration_answers (expires_at);

        CREATE TABLE client_operations (
            id TEXT NOT NULL PRIMARY KEY,
            origin TEXT NOT NULL,
            unless_resting_on TEXT,
            becomes INTEGER NOT NULL,
            actor TEXT NOT NULL,
            actor_kid TEXT,
            started_at INTEGER NOT NULL,
            dry_run INTEGER NOT NULL,
            matched INTEGER NOT NULL,
            changed INTEGER NOT NULL,
            done INTEGER NOT NULL,
            after_created_at INTEGER,
            after_client_id TEXT
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX client_operations_unfinished ON client_operations (id) WHERE done = 0;

        CREATE TABLE leases (
            name TEXT NOT NULL PRIMARY KEY,
            holder TEXT NOT NULL,
            until INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """,
        // The status of tokens.
        """
        ALTER TABLE clients ADD COLUMN status_index INTEGER;

        CREATE TABLE status_lists (
            list INTEGER NOT NULL PRIMARY KEY,
            version INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE status_pages (
            list INTEGER NOT NULL,
            page INTEGER NOT NULL,
            bits BLOB NOT NULL,
            PRIMARY KEY (list, page)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE status_indexes (next INTEGER NOT NULL) STRICT;
        INSERT INTO status_indexes (next) VALUES (0);

        CREATE TABLE revoked_tokens (
            jti TEXT NOT NULL PRIMARY KEY,
            expires_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX revoked_tokens_by_expiry ON revoked_tokens (expires_at);
        """,
        // What effects rest on, and whom an answer is given to again.
        """
        ALTER TABLE clients ADD COLUMN incarnation TEXT;
        ALTER TABLE registration_answers ADD COLUMN client_id TEXT;
        ALTER TABLE registration_answers ADD COLUMN initial_token_jti TEXT;
        """,
        // Keys that are refused on the whole server.
        """
        CREATE TABLE quarantined_keys (
            thumbprint TEXT NOT NULL PRIMARY KEY,
            reason TEXT NOT NULL,
            quarantined_at INTEGER NOT NULL,
            quarantined_by TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        """,
        // Who administers, and what a seed file has made.
        """
        ALTER TABLE clients ADD COLUMN administers INTEGER
            AS (instr(' ' || ifnull(json_extract(metadata, '$.scope'), '') || ' ', ' dcr.admin ') > 0);
        CREATE INDEX clients_that_administer ON clients (client_id) WHERE administers = 1;

        CREATE TABLE seeded_clients (
            client_id TEXT NOT NULL PRIMARY KEY,
            entry TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        """,
        SqliteIdentity.Table,
        // Times that no jump of the wall clock can move: when to forget, whose lease it is, how far an operation has come.
        """
        CREATE TABLE store_clock (now INTEGER NOT NULL) STRICT;

        DROP TABLE leases;
        CREATE TABLE leases (
            name TEXT NOT NULL PRIMARY KEY,
            holder TEXT NOT NULL,
            renewals INTEGER NOT NULL,
            life INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        ALTER TABLE client_operations ADD COLUMN passes INTEGER NOT NULL DEFAULT 0;
        CREATE TABLE operation_clients (
            operation TEXT NOT NULL,
            client_id TEXT NOT NULL,
            PRIMARY KEY (operation, client_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX clients_not_active ON clients (onboarding_client, status) WHERE onboarding_client IS NOT NULL AND status IN (1, 3);
        """,
        // RFC 10070. A client that an administrator had let use the token endpoint as audience may do so for 90 days more; one that
        // used it without is listed as needing an exception.
        """
        ALTER TABLE clients ADD COLUMN assertion_exception TEXT;
        ALTER TABLE clients ADD COLUMN exception_needed_at INTEGER;
        UPDATE clients SET exception_needed_at = ifnull(last_used_at, created_at) WHERE audience_seen = 1;
        UPDATE clients SET assertion_exception = json_object(
                'audience', 'own_endpoints', 'until', strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '+90 days'))
            WHERE audience_rule = 0;
        INSERT INTO audit (id, at, actor, actor_kid, action, subject, changes)
            SELECT printf('%012x', unixepoch() * 1000) || lower(hex(randomblob(10))), unixepoch() * 1000, NULL, NULL,
                'client.assertion_exception_set', client_id,
                json_object('assertion_exception', json_object('after', assertion_exception))
            FROM clients WHERE assertion_exception IS NOT NULL;
        DROP INDEX clients_by_audience_seen;
        ALTER TABLE clients DROP COLUMN audience_seen;
        ALTER TABLE clients DROP COLUMN audience_rule;
        CREATE INDEX clients_excepted ON clients (created_at, client_id)
            WHERE assertion_exception IS NOT NULL OR exception_needed_at IS NOT NULL;
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
        SqliteIdentity.Table,
        """
        CREATE TABLE store_clock (now INTEGER NOT NULL) STRICT;
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
                    throw new InvalidOperationException(
                        $"{database.Path} was written by a newer version of this server (schema {version}, this one knows {steps.Count}).");
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
