using System.CommandLine;

namespace Dcr.Cli;

/// <summary>Where clients come from: the options that stand for the members of <c>origin</c>.</summary>
internal static class OriginOptions
{
    private static readonly IReadOnlyDictionary<string, Option<string?>> s_options = new Dictionary<string, Option<string?>>
    {
        ["onboarding_client"] = new("--onboarding-client") { Description = "Who registered them", HelpName = "id" },
        ["kid"] = new("--kid") { Description = "The kid of the key that asked for their initial access tokens", HelpName = "kid" },
        ["thumbprint"] = new("--thumbprint") { Description = "The thumbprint of that key", HelpName = "thumbprint" },
        ["initial_token_jti"] = new("--initial-token-jti") { Description = "The jti of their initial access token", HelpName = "jti" },
        ["software_statement_issuer"] = new("--software-statement-issuer")
        {
            Description = "The iss of their software statement",
            HelpName = "issuer",
        },
        ["software_id"] = new("--software-id") { Description = "The software_id of their software statement", HelpName = "id" },
    };

    /// <summary>The members of an origin, in the server's words.</summary>
    public static IEnumerable<string> Members => s_options.Keys;

    public static LeafCommand WithOrigin(this LeafCommand command) => command.With([.. s_options.Values]);

    /// <summary>What was given, by the server's names.</summary>
    public static Dictionary<string, string> Read(CommandRun run)
    {
        var origin = new Dictionary<string, string>();
        foreach (var (member, option) in s_options)
        {
            if (run.Get(option) is { } value)
            {
                // An empty variable of a script would mean clients of every origin.
                origin[member] = value.Length > 0 ? value : throw CommandFailure.Usage($"{option.Name} is empty.");
            }
        }
        return origin;
    }

    /// <summary>The option that stands for a member.</summary>
    public static string NameOf(string member) => s_options[member].Name;
}
