using System.CommandLine;

namespace Dcr.Cli;

/// <summary><c>dcr profile set</c>: remembers what is given, and keeps what was there before.</summary>
internal static class SetProfileCommand
{
    private static readonly Argument<string> s_name = new("name") { Description = "1 to 64 letters, digits, - and _" };

    public static Command Create() => new LeafCommand(
        "set",
        "Make a profile, or change what it remembers",
        new Example(
            "dcr profile set admin --server http://localhost:5080 --client-id admin --key data/admin.jwk",
            "the administrator of a server on this machine"),
        new Example(
            "dcr profile set directory --server http://localhost:5080 --client-id partner-directory --key directory.pem",
            "somebody who may register clients"),
        new Example(
            "dcr profile set admin --server https://as.example --connect-to http://127.0.0.1:5080",
            "on the node itself, where the issuer is that of the proxy before it"))
        .With(
            s_name,
            CommonOptions.Server,
            CommonOptions.ConnectTo,
            CommonOptions.ClientId,
            CommonOptions.Key,
            CommonOptions.Kid,
            CommonOptions.Alg,
            CommonOptions.KeyPasswordFile)
        .Does(RunAsync);

    private static async Task RunAsync(CommandRun run, CancellationToken cancellationToken)
    {
        var name = run.Get(s_name);
        var profile = (await run.Profiles.FindAsync(name, cancellationToken) ?? new Profile()).With(run);
        if (profile.ConnectTo is { } address)
        {
            _ = ConnectTo.Parse(address);
        }
        if (run.Get(CommonOptions.Key) is not null)
        {
            // A file that cannot be used is better found now.
            using var _ = await KeyFile.ReadAsync(profile.KeyFile!, run, profile.Alg, profile.Kid, cancellationToken);
        }
        await run.Profiles.SaveAsync(name, profile, cancellationToken);
        run.Terminal.Show(await ProfileFacts.OfAsync(run.Profiles, name, profile, cancellationToken));
    }
}
