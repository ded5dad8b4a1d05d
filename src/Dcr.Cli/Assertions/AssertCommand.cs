using System.CommandLine;
using System.Text.Json.Nodes;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary><c>dcr assert</c>: a client assertion (RFC 7523), made without asking the server anything.</summary>
internal static class AssertCommand
{
    public static Command Create() => new LeafCommand(
        "assert",
        "Sign a client assertion: the JWT that proves a client, good for 60 s and once",
        new Example("dcr assert", "show what the default profile's client would say of itself"),
        new Example("dcr assert --out assertion.jwt", "write it to a file, for dcr doctor"),
        new Example("dcr assert -p directory --show-secret", "the JWT on standard output, for curl -d client_assertion=..."))
        .WithCredentials()
        .With(CommonOptions.Out, CommonOptions.ShowSecret)
        .Does(RunAsync);

    private static async Task RunAsync(CommandRun run, CancellationToken cancellationToken)
    {
        using var connection = await Connection.OpenAsync(run, cancellationToken);
        var issuer = connection.Server;
        var assertion = await ClientAssertion.CreateAsync(
            await connection.CredentialsAsync(cancellationToken), issuer, run.Time, cancellationToken);
        var facts = new JsonObject { ["header"] = UnverifiedJwt.Part(assertion, 0), ["claims"] = UnverifiedJwt.Part(assertion, 1) };
        if (run.Get(CommonOptions.Out) is { } path)
        {
            await PrivateFile.WriteAsync(run.PathOf(path), path, assertion + "\n", replace: true, cancellationToken);
            facts["file"] = path;
        }
        if (run.Get(CommonOptions.ShowSecret))
        {
            run.Terminal.ShowSecret("client_assertion", assertion, facts);
        }
        else
        {
            run.Terminal.Show(facts);
        }
    }
}
