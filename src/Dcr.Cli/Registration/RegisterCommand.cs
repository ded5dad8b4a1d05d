using System.CommandLine;
using System.Net;
using System.Text.Json.Nodes;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>
/// <c>dcr register</c>: registers a client and keeps it as a profile. Run again after a lost answer or a crash it goes on,
/// and makes no second client.
/// </summary>
internal static class RegisterCommand
{
    private static readonly Option<string?> s_via = new("--via")
    {
        Description = "The profile of a client that may register others (scope dcr)",
        HelpName = "profile",
    };

    private static readonly Option<string?> s_initialTokenFile = new("--initial-token-file")
    {
        Description = "A file with an initial access token that somebody handed over; - for standard input",
        HelpName = "file",
    };

    private static readonly Option<string?> s_attestation = new("--attestation")
    {
        Description = "A file with an attestation of --key, as an app's backend makes it; - for standard input",
        HelpName = "file",
    };

    private static readonly Option<bool> s_validateOnly = new("--validate-only")
    {
        Description = "Only say what would be registered, or what is wrong; nothing is used up",
    };

    public static Command Create() => new LeafCommand(
        "register",
        "Register a new client (RFC 7591) and remember it as a profile",
        new Example("dcr register --via directory --scope read --validate-only", "try it out first"),
        new Example("dcr register --via directory --name \"Warehouse 7\" --scope read", "with a new key, as the profile default"),
        new Example(
            "dcr register -p partner --server http://localhost:5080 --initial-token-file initial.token --key partner.pem",
            "with a token that was handed over, and a key of your own"))
        .With(s_via, s_initialTokenFile, s_attestation, s_validateOnly)
        .WithMetadata()
        .WithRegistration()
        .Does(RunAsync);

    private static async Task RunAsync(CommandRun run, CancellationToken cancellationToken)
    {
        using var via = run.Get(s_via) is { } name ? await Connection.OpenAsync(run, name, cancellationToken) : null;
        using var connection = await Connection.OpenNewAsync(run, via?.Profile, cancellationToken);
        if (await connection.FindClientIdAsync(cancellationToken) is { } registered)
        {
            throw CommandFailure.Usage(
                $"The profile {connection.ProfileName} has the client {registered} already.",
                "Name another with --profile, or end that client first: dcr client delete");
        }
        var metadata = await MetadataOptions.ReadAsync(run, new ClientMetadata(), cancellationToken);
        using var key = run.Get(s_validateOnly)
            ? await KeyToTryAsync(run, connection, cancellationToken)
            : await KeyOrNewAsync(run, connection, cancellationToken);
        var token = via is null
            ? await HandedOverAsync(run, connection, key, cancellationToken)
            : await AskAsync(connection, await via.CredentialsAsync(cancellationToken), key, cancellationToken);

        if (run.Get(s_validateOnly))
        {
            run.Terminal.Show(
                ClientFacts.Of(
                    await WithReasonAsync(
                        run, token, via, () => connection.Dcr.ValidateRegistrationAsync(token, metadata, key, cancellationToken))));
            run.Terminal.Note("It would be registered like this. Nothing was.");
            return;
        }
        var registration = await connection.RegistrationAsync(cancellationToken);
        run.Terminal.Show(
            ClientFacts.Of(
                await WithReasonAsync(run, token, via, () => registration.RegisterAsync(token, metadata, key, cancellationToken))));
        run.Terminal.Note($"It is the profile {connection.ProfileName}. Use it: dcr token -p {connection.ProfileName}");
    }

    // The key that would be registered if there is one; else one that is like it, and is gone afterwards.
    private static async Task<ClientKey> KeyToTryAsync(CommandRun run, Connection connection, CancellationToken cancellationToken)
    {
        var file = connection.Profile.KeyFile ?? run.Profiles.KeyFileOf(connection.ProfileName);
        return connection.Profile.KeyFile is null && !File.Exists(file)
            ? ClientKey.Generate()
            : await KeyFile.ReadAsync(file, run, connection.Profile.Alg, connection.Profile.Kid, cancellationToken);
    }

    private static async Task<ClientKey> KeyOrNewAsync(CommandRun run, Connection connection, CancellationToken cancellationToken)
    {
        var profile = connection.Profile with
        {
            Server = connection.Server,
            KeyFile = connection.Profile.KeyFile ?? run.Profiles.KeyFileOf(connection.ProfileName),
        };
        // Remembered first: what is registered must not be without its key.
        await run.Profiles.SaveAsync(connection.ProfileName, profile, cancellationToken);
        if (connection.Profile.KeyFile is null && !File.Exists(profile.KeyFile))
        {
            using var made = ClientKey.Generate();
            await KeyFile.WriteAsync(profile.KeyFile, run, made, password: null, replace: false, cancellationToken);
            run.Terminal.Note($"Made a key: {profile.KeyFile}");
        }
        return await KeyFile.ReadAsync(profile.KeyFile, run, profile.Alg, profile.Kid, cancellationToken);
    }

    private static async Task<InitialAccessToken> AskAsync(
        Connection connection, ClientCredentials onboarding, ClientKey key, CancellationToken cancellationToken)
    {
        try
        {
            return await connection.Dcr.GetInitialAccessTokenAsync(onboarding, bindTo: null, cancellationToken);
        }
        catch (DcrException refusal) when (refusal.Error == "invalid_dpop_proof")
        {
            // This policy gives tokens only for a key that is proved: the one that will be registered.
            return await connection.Dcr.GetInitialAccessTokenAsync(onboarding, key, cancellationToken);
        }
    }

    /// <summary>
    /// A token that was handed over, and that the server refuses, is looked at: the server tells a stranger only that it is not good.
    /// </summary>
    private static async Task<T> WithReasonAsync<T>(CommandRun run, InitialAccessToken token, Connection? via, Func<Task<T>> requestAsync)
    {
        try
        {
            return await requestAsync();
        }
        catch (DcrException refusal) when (via is null && refusal is { StatusCode: HttpStatusCode.Unauthorized, Error: "invalid_token" })
        {
            var claims = UnverifiedJwt.Part(token.Value, 1);
            var why = claims switch
            {
                null => "it is no JWT, as initial access tokens of this server are",
                _ when claims["exp"] is JsonValue exp
                    && exp.TryGetValue<long>(out var seconds)
                    && DateTimeOffset.FromUnixTimeSeconds(seconds) <= run.Time.GetUtcNow() =>
                    $"it has expired at {TimeText.Of(DateTimeOffset.FromUnixTimeSeconds(seconds))}",
                _ => "it is used up, which most are after one registration, or it was revoked",
            };
            throw new CommandFailure(
                ExitCode.Refused,
                $"The server refuses the initial access token: {why}.",
                "Ask whoever gave it for another: dcr token -p directory --scope dcr --out initial.token")
            {
                Error = refusal.Error,
            };
        }
    }

    private static async Task<InitialAccessToken> HandedOverAsync(
        CommandRun run, Connection connection, ClientKey key, CancellationToken cancellationToken)
    {
        if (run.Get(s_attestation) is { } file)
        {
            return await connection.Dcr.GetInitialAccessTokenAsync(
                Attestation(file, await ReadAsync(run, file, cancellationToken)), key, cancellationToken);
        }
        var text = run.Get(s_initialTokenFile) is { } path
            ? await ReadAsync(run, path, cancellationToken)
            : run.Variables.InitialAccessToken;
        return text?.Trim() is { Length: > 0 } token ? new InitialAccessToken(token) : throw CommandFailure.Usage(
            "By what right? Registration needs an initial access token.",
            "Name the profile of a client that may get one (--via), or give one that was handed over (--initial-token-file, "
                + "DCR_INITIAL_ACCESS_TOKEN), or an attestation of the key (--attestation).");
    }

    private static ClientAttestation Attestation(string file, string text)
    {
        try
        {
            return new ClientAttestation(text.Trim());
        }
        catch (ArgumentException)
        {
            throw CommandFailure.Usage($"{file} has no attestation: a signed JWT.", "Make one: dcr device attest --help");
        }
    }

    private static async Task<string> ReadAsync(CommandRun run, string file, CancellationToken cancellationToken) =>
        file == "-" ? await run.Input.ReadToEndAsync(cancellationToken) : await File.ReadAllTextAsync(run.PathOf(file), cancellationToken);
}
