using System.CommandLine;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary><c>dcr keys new</c>.</summary>
internal static class NewKeyCommand
{
    private static readonly Argument<string> s_file = new("file")
    {
        Description = "Where the private key is written, as PEM, readable by you only",
    };

    private static readonly Option<SigningAlgorithm> s_alg = new("--alg")
    {
        Description = "How it will sign; RSA keys get 3072 bits",
        DefaultValueFactory = _ => SigningAlgorithm.ES256,
        HelpName = "alg",
    };

    public static readonly Option<bool> Encrypt = new("--encrypt")
    {
        Description = "Encrypt the file with a password: asked for, or from DCR_KEY_PASSWORD or --key-password-file",
    };

    public static Command Create() => new LeafCommand(
        "new",
        "Make a key pair",
        new Example("dcr keys new partner.pem", "P-256, for ES256: small and fast"),
        new Example("dcr keys new partner-rsa.pem --alg PS256", "RSA with 3072 bits"),
        new Example("DCR_KEY_PASSWORD=secret dcr keys new safe.pem --encrypt", "a file that needs a password"))
        .With(s_file, s_alg, Encrypt, CommonOptions.KeyPasswordFile, CommonOptions.Force)
        .Does(RunAsync);

    private static async Task RunAsync(CommandRun run, CancellationToken cancellationToken)
    {
        var file = run.Get(s_file);
        var password = run.Get(Encrypt) ? new KeyPassword(run, file).GetNew() : null;
        using var key = ClientKey.Generate(run.Get(s_alg));
        await KeyFile.WriteAsync(file, run, key, password, run.Get(CommonOptions.Force), cancellationToken);
        run.Terminal.Show(KeyFacts.Of(file, key));
        run.Terminal.Note($"Publish its public half only: dcr keys jwks {ShellWord.Last(file)}");
    }
}
