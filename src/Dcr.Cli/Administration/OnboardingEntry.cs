using System.CommandLine;
using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary>
/// An entry of the seed file from a few options, for the usual case: a party with a key, whose clients may have certain scopes.
/// </summary>
internal static class OnboardingEntry
{
    private const int TokenLifetimeSeconds = 300;

    private static readonly Option<string?> s_key = new("--key")
    {
        Description = "Its public key: a JWK, a JWK Set or PEM, or its private key, of which only the public half is sent",
        HelpName = "file",
    };

    private static readonly Option<string?> s_jwksUri = new("--jwks-uri")
    {
        Description = "An https URL that serves its public keys, in place of --key",
        HelpName = "url",
    };

    private static readonly Option<string?> s_name = new("--name") { Description = "Its client_name, for people", HelpName = "text" };

    private static readonly Option<string?> s_scope = new("--scope")
    {
        Description = "What its clients may ask for at most, space-separated",
        HelpName = "scope",
    };

    private static readonly Option<string?> s_defaultScope = new("--default-scope")
    {
        Description = "What a client gets that names no scope (default: all of --scope)",
        HelpName = "scope",
    };

    private static readonly Option<int> s_uses = new("--uses")
    {
        Description = "How many clients one initial access token makes",
        DefaultValueFactory = _ => 1,
        HelpName = "number",
    };

    private static readonly Option<long?> s_maxLiveClients = new("--max-live-clients")
    {
        Description = "How many live clients it may have (default: any number)",
        HelpName = "number",
    };

    private static readonly Option<TimeSpan?> s_clientLifetime = new("--client-lifetime")
    {
        Description = "When its clients expire, such as 365d (default: never)",
        HelpName = "time",
        CustomParser = Duration.Parse,
    };

    private static readonly Option<TimeSpan?> s_idleLifetime = new("--idle-lifetime")
    {
        Description = "When a client expires that is not used, such as 90d (default: never)",
        HelpName = "time",
        CustomParser = Duration.Parse,
    };

    public static LeafCommand WithEntry(this LeafCommand command) =>
        command.With(s_key, s_jwksUri, s_name, s_scope, s_defaultScope, s_uses, s_maxLiveClients, s_clientLifetime, s_idleLifetime);

    /// <summary>Whether the options say what to make, and no file is read.</summary>
    public static bool IsGiven(CommandRun run) => run.Get(s_key) is not null || run.Get(s_jwksUri) is not null;

    /// <summary>The entry that the options make.</summary>
    public static async Task<JsonObject> MakeAsync(CommandRun run, string clientId, CancellationToken cancellationToken)
    {
        if (run.Get(s_scope) is not { } scope)
        {
            throw CommandFailure.Usage($"What may the clients of {clientId} ask for?", "Add --scope \"read write\"");
        }
        var entry = new JsonObject
        {
            ["client_id"] = clientId,
            ["token_endpoint_auth_method"] = "private_key_jwt",
            ["grant_types"] = new JsonArray("client_credentials"),
            ["scope"] = "dcr",
        };
        Set(entry, "client_name", run.Get(s_name));
        Set(entry, "jwks_uri", run.Get(s_jwksUri));
        if (run.Get(s_key) is { } path)
        {
            entry["jwks"] = new JsonObject { ["keys"] = new JsonArray([.. await PublicKeyFile.ReadAsync(path, run, cancellationToken)]) };
        }
        entry["registration_policy"] = Policy(run, scope);
        return entry;
    }

    private static JsonObject Policy(CommandRun run, string scope)
    {
        var policy = new JsonObject
        {
            ["initial_access_token"] = new JsonObject { ["uses"] = run.Get(s_uses), ["lifetime_seconds"] = TokenLifetimeSeconds },
            ["scope"] = new JsonObject { ["allowed"] = Tokens(scope), ["default"] = Tokens(run.Get(s_defaultScope) ?? scope) },
        };
        Set(policy, "max_live_clients", run.Get(s_maxLiveClients));
        Set(policy, "client_lifetime_seconds", (long?)run.Get(s_clientLifetime)?.TotalSeconds);
        Set(policy, "idle_lifetime_seconds", (long?)run.Get(s_idleLifetime)?.TotalSeconds);
        return policy;
    }

    private static JsonArray Tokens(string scope) => [.. scope.Split(' ', StringSplitOptions.RemoveEmptyEntries)];

    private static void Set(JsonObject json, string name, JsonNode? value)
    {
        if (value is not null)
        {
            json[name] = value;
        }
    }
}
