using System.CommandLine;

namespace Dcr.Cli;

/// <summary><c>dcr keys show</c>.</summary>
internal static class ShowKeyCommand
{
    private static readonly Argument<string> s_file = new("file") { Description = "The private key" };

    public static Command Create() => new LeafCommand(
        "show",
        "Show a key: its public half, unless the private one is asked for",
        new Example("dcr keys show partner.pem", "kid, thumbprint and public JWK"),
        new Example("dcr keys show partner.pem --show-secret > copy.pem", "the private key as PEM"))
        .With(s_file, CommonOptions.Alg, CommonOptions.Kid, CommonOptions.KeyPasswordFile, CommonOptions.ShowSecret)
        .Does(RunAsync);

    private static async Task RunAsync(CommandRun run, CancellationToken cancellationToken)
    {
        var file = run.Get(s_file);
        using var key = await KeyFile.ReadAsync(file, run, run.Get(CommonOptions.Alg), run.Get(CommonOptions.Kid), cancellationToken);
        if (run.Get(CommonOptions.ShowSecret))
        {
            run.Terminal.ShowSecret("private_key", key.ExportPrivatePemUnencrypted(), KeyFacts.Of(file, key));
        }
        else
        {
            run.Terminal.Show(KeyFacts.Of(file, key));
        }
    }
}
