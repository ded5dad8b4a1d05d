using System.CommandLine;
using System.Globalization;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>
/// <c>dcr client keys renew</c>: a new key in place of the old one without a gap. Stopped anywhere it leaves a client that
/// works, with the key that the profile names.
/// </summary>
internal static class RenewKeyCommand
{
    private static readonly Argument<string?> s_file = new("file")
    {
        Description = "The new private key, made if it is not there (default: a file of today's date beside the profile)",
        Arity = ArgumentArity.ZeroOrOne,
        DefaultValueFactory = _ => null,
    };

    public static Command Create() => new LeafCommand(
        "renew",
        "Put a new key in the place of the old one, without a gap",
        new Example("dcr client keys renew", "with a key that is made for it"),
        new Example("dcr client keys renew next.pem", "with a key of your own"))
        .With(s_file)
        .WithRegistration()
        .Does(RunAsync);

    private static async Task RunAsync(CommandRun run, CancellationToken cancellationToken)
    {
        using var connection = await Connection.OpenAsync(run, cancellationToken);
        var keys = await RegisteredKeys.OpenAsync(connection, cancellationToken);
        var old = await connection.KeyAsync(cancellationToken);
        var file = run.PathOf(
            run.Get(s_file)
                ?? run.Profiles.KeyFileOf(
                    $"{connection.ProfileName}-{run.Time.GetUtcNow().ToString("yyyyMMddHHmmss", CultureInfo.InvariantCulture)}"));
        using var key = await ReadOrMakeAsync(run, file, cancellationToken);
        if (key.PublicJwk.Kid == old.PublicJwk.Kid)
        {
            throw CommandFailure.Usage($"{file} is the key that the profile has already.", "Name another file, or leave it out.");
        }

        // Both side by side.
        await keys.AddAsync(key, old, cancellationToken);
        await keys.ActivateAsync(key.PublicJwk.Kid!, old, cancellationToken);
        // The new one works: it signs from here on.
        var clientId = (await connection.FindClientIdAsync(cancellationToken))!;
        await connection.Dcr.AccessTokensFor(new ClientCredentials(clientId, key)).GetAsync(cancellationToken: cancellationToken);
        var profile = await run.Profiles.FindAsync(connection.ProfileName, cancellationToken) ?? new Profile();
        await run.Profiles.SaveAsync(connection.ProfileName, profile with { KeyFile = file, Kid = null, Alg = null }, cancellationToken);
        run.Terminal.Note($"The new key {key.PublicJwk.Kid} works, and the profile {connection.ProfileName} signs with it: {file}");
        // The old one goes.
        run.Terminal.Note(await keys.ReplacedAsync(old.PublicJwk.Kid!, by: key, run.Time, cancellationToken));
        await ClientKeysCommand.ShowAsync(run, keys, cancellationToken);
    }

    private static async Task<ClientKey> ReadOrMakeAsync(CommandRun run, string file, CancellationToken cancellationToken)
    {
        if (File.Exists(file))
        {
            return await KeyFile.ReadAsync(file, run, alg: null, kid: null, cancellationToken);
        }
        var made = ClientKey.Generate();
        await KeyFile.WriteAsync(file, run, made, password: null, replace: false, cancellationToken);
        return made;
    }
}
