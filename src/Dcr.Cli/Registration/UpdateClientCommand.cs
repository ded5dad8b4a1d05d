using System.CommandLine;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary><c>dcr client update</c>: changes some members and keeps the rest (RFC 7592 section 2.2 replaces all).</summary>
internal static class UpdateClientCommand
{
    public static Command Create() => new LeafCommand(
        "update",
        "Change what is registered; what no option names stays",
        new Example("dcr client update --scope \"read write\"", "may ask for more from now on"),
        new Example(
            "echo '{\"contacts\": [\"ops@partner.example\"], \"client_uri\": null}' | dcr client update --metadata -",
            "set one member and take another away (RFC 7396)"))
        .WithMetadata()
        .WithRegistration()
        .Does(RunAsync);

    private static async Task RunAsync(CommandRun run, CancellationToken cancellationToken)
    {
        using var connection = await Connection.OpenAsync(run, cancellationToken);
        var registration = await RegisteredClient.OpenAsync(connection, cancellationToken);
        var before = await registration.ReadAsync(cancellationToken);
        var after = await MetadataOptions.ReadAsync(run, before.Metadata, cancellationToken);
        // A policy may ask for a proof by a key from before, when keys change.
        var changesKeys = after.JwksUri != before.Metadata.JwksUri || after.Jwks?.ToJson() != before.Metadata.Jwks?.ToJson();
        ISigningKey? proofKey = changesKeys && connection.Profile.KeyFile is not null ? await connection.KeyAsync(cancellationToken) : null;
        run.Terminal.Show(ClientFacts.Of(await registration.UpdateAsync(after, before.ETag, proofKey, newKeys: null, cancellationToken)));
    }
}
