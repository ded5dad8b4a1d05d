using System.CommandLine;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>Options that several commands have, with one meaning.</summary>
internal static class CommonOptions
{
    public static readonly Option<bool> Json = new("--json") { Description = "JSON on standard output, for programs", Recursive = true };

    public static readonly Option<bool> Verbose = new("--verbose", "-v")
    {
        Description = "Show each request and answer on standard error, without secrets",
        Recursive = true,
    };

    public static readonly Option<string?> Profile = new("--profile", "-p")
    {
        Description = "The profile to use (default: default; for dcr admin: admin)",
        HelpName = "name",
        CompletionSources =
        {
            _ => ProfileStore.Of(Surroundings.OfProcess()).List().Select(name => new System.CommandLine.Completions.CompletionItem(name)),
        },
    };

    public static readonly Option<string?> Server = new("--server")
    {
        Description = "The issuer of the server, such as https://as.example (default: the profile's)",
        HelpName = "url",
    };

    public static readonly Option<string?> ConnectTo = new("--connect-to")
    {
        Description = "Where to connect in place of the server's own address, such as http://127.0.0.1:5080 on its node",
        HelpName = "url",
    };

    public static readonly Option<string?> ClientId = new("--client-id")
    {
        Description = "The client (default: the profile's)",
        HelpName = "id",
    };

    public static readonly Option<string?> Key = new("--key")
    {
        Description = "The file of its private key: PEM, PKCS#8, PKCS#12, PKCS#1, SEC1 or JWK (default: the profile's)",
        HelpName = "file",
    };

    public static readonly Option<string?> Kid = new("--kid")
    {
        Description = "The kid that the key is registered under (default: the JWK's, else its thumbprint)",
        HelpName = "kid",
    };

    public static readonly Option<SigningAlgorithm?> Alg = new("--alg")
    {
        Description = "How an RSA key signs (default: PS256)",
        HelpName = "alg",
    };

    public static readonly Option<string?> KeyPasswordFile = new("--key-password-file")
    {
        Description = "A file with the key's password on its first line; - for standard input",
        HelpName = "file",
    };

    public static readonly Option<bool> Dpop = new("--dpop")
    {
        Description = "Bind the token to the client's key, or prove that it is (RFC 9449): for clients with dpop_bound_access_tokens",
    };

    public static readonly Option<bool> ShowSecret = new("--show-secret")
    {
        Description = "Write the secret itself to standard output, and the rest to standard error",
    };

    public static readonly Option<string?> Out = new("--out", "-o")
    {
        Description = "Write it to this file, readable by you only",
        HelpName = "file",
    };

    public static readonly Option<bool> Force = new("--force") { Description = "Replace a file that is there" };

    public static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Do not ask" };

    /// <summary>For commands that talk to a server as a client.</summary>
    public static T WithCredentials<T>(this T command)
        where T : Command => command.With(Profile, Server, ConnectTo, ClientId, Key, Kid, Alg, KeyPasswordFile);

    /// <summary>For commands by which the client of a profile manages itself.</summary>
    public static T WithRegistration<T>(this T command)
        where T : Command => command.With(Profile, Server, ConnectTo, Key, Kid, Alg, KeyPasswordFile, Dpop);

    public static T With<T>(this T command, params IReadOnlyList<Symbol> symbols)
        where T : Command
    {
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument)
            {
                command.Add(argument);
            }
            else
            {
                command.Add((Option)symbol);
            }
        }
        return command;
    }
}
