using System.CommandLine;
using System.Text.Json.Nodes;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary><c>dcr keys jwks</c>: what to serve at a <c>jwks_uri</c>.</summary>
internal static class ExportJwksCommand
{
    private static readonly Argument<string[]> s_files = new("files")
    {
        Description = "One or more private keys; while keys change, the old and the new",
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<string?> s_out = new("--out", "-o")
    {
        Description = "Write it to this file; it may be published",
        HelpName = "file",
    };

    public static Command Create() => new LeafCommand(
        "jwks",
        "Write the public halves of keys as a JWK Set (RFC 7517)",
        new Example("dcr keys jwks partner.pem", "to standard output"),
        new Example("dcr keys jwks partner.pem partner-rsa.pem --out jwks.json", "two keys side by side, to be served at a jwks_uri"))
        .With(s_files, s_out, CommonOptions.Alg, CommonOptions.KeyPasswordFile)
        .Does(RunAsync);

    private static async Task RunAsync(CommandRun run, CancellationToken cancellationToken)
    {
        var keys = new List<PublicJwk>();
        foreach (var file in run.Get(s_files))
        {
            using var key = await KeyFile.ReadAsync(file, run, run.Get(CommonOptions.Alg), kid: null, cancellationToken);
            keys.Add(key.PublicJwk);
        }
        var jwks = JsonNode.Parse(new PublicJwkSet(keys).ToJson())!;
        if (run.Get(s_out) is { } path)
        {
            await File.WriteAllTextAsync(run.PathOf(path), jwks.ToJsonString() + "\n", cancellationToken);
            run.Terminal.Show(
                new JsonObject { ["file"] = path, ["kids"] = new JsonArray([.. keys.Select(key => JsonValue.Create(key.Kid))]) });
        }
        else
        {
            // JSON whether it is asked for or not: there is no other form of it.
            run.Terminal.WriteJson(jwks);
        }
    }
}
