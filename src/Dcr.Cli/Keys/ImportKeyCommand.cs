using System.CommandLine;

namespace Dcr.Cli;

/// <summary><c>dcr keys import</c>.</summary>
internal static class ImportKeyCommand
{
    private static readonly Argument<string> s_from = new("from")
    {
        Description = "PEM or DER: PKCS#8 (also encrypted), PKCS#12, PKCS#1, SEC1; or a JWK",
    };

    private static readonly Argument<string> s_to = new("to") { Description = "Where it is written, as PEM, readable by you only" };

    public static Command Create() => new LeafCommand(
        "import",
        "Read a private key in any usual form and write it as PEM",
        new Example("dcr keys import data/admin.jwk admin.pem", "a JWK"),
        new Example(
            "DCR_KEY_PASSWORD=secret dcr keys import partner.p12 partner-again.pem", "PKCS#12 with a password; the new file has none"))
        .With(s_from, s_to, CommonOptions.Alg, NewKeyCommand.Encrypt, CommonOptions.KeyPasswordFile, CommonOptions.Force)
        .Does(RunAsync);

    private static async Task RunAsync(CommandRun run, CancellationToken cancellationToken)
    {
        var to = run.Get(s_to);
        using var key = await KeyFile.ReadAsync(run.Get(s_from), run, run.Get(CommonOptions.Alg), kid: null, cancellationToken);
        var password = run.Get(NewKeyCommand.Encrypt) ? new KeyPassword(run, to).GetNew() : null;
        await KeyFile.WriteAsync(to, run, key, password, run.Get(CommonOptions.Force), cancellationToken);
        run.Terminal.Show(KeyFacts.Of(to, key));
        if (key.PublicJwk.Kid != key.PublicJwk.Thumbprint())
        {
            run.Terminal.Note($"PEM does not hold the kid. Where it matters, add --kid {ShellWord.Of(key.PublicJwk.Kid!)}");
        }
    }
}
