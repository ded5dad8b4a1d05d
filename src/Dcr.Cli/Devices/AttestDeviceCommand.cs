using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>
/// <c>dcr device attest</c>: what an app's backend does for a phone, to try the mobile flow without either
/// (draft-ietf-oauth-attestation-based-client-auth).
/// </summary>
internal static class AttestDeviceCommand
{
    private static readonly Argument<string> s_device = new("device-key")
    {
        Description = "The device's key: its public half (JWK or PEM), or the private key; made if it is not there",
    };

    private static readonly Option<string> s_attester = new("--attester")
    {
        Description = "Who vouches: the issuer that the registration policy names",
        HelpName = "url",
        Required = true,
    };

    private static readonly Option<string> s_key = new("--key")
    {
        Description = "The attester's private key",
        HelpName = "file",
        Required = true,
    };

    private static readonly Option<string> s_app = new("--app")
    {
        Description = "The onboarding client that the app is",
        HelpName = "id",
        Required = true,
    };

    private static readonly Option<TimeSpan?> s_lifetime = new("--lifetime")
    {
        Description = "How long it can be used (default: 5m)",
        HelpName = "duration",
        CustomParser = Duration.Parse,
    };

    public static Command Create() => new LeafCommand(
        "attest",
        "Vouch for the key of a device, as an app's backend does",
        new Example(
            "dcr device attest phone.pem --attester https://app.example --key backend.pem --app orders-app --out attestation.jwt",
            "then: dcr register --attestation attestation.jwt --key phone.pem -p phone"))
        .With(
            s_device,
            s_attester,
            s_key,
            s_app,
            CommonOptions.Kid,
            CommonOptions.Alg,
            CommonOptions.KeyPasswordFile,
            s_lifetime,
            CommonOptions.Out,
            CommonOptions.ShowSecret)
        .Does(RunAsync);

    private static async Task RunAsync(CommandRun run, CancellationToken cancellationToken)
    {
        using var key = await KeyFile.ReadAsync(
            run.Get(s_key)!, run, run.Get(CommonOptions.Alg), run.Get(CommonOptions.Kid), cancellationToken);
        var device = await DeviceKeyAsync(run, cancellationToken);
        var attestation = (await ClientAttestation.CreateAsync(
            run.Get(s_attester)!, key, run.Get(s_app)!, device, run.Get(s_lifetime), run.Time, cancellationToken)).Value;
        var facts = new JsonObject { ["header"] = UnverifiedJwt.Part(attestation, 0), ["claims"] = UnverifiedJwt.Part(attestation, 1) };
        if (run.Get(CommonOptions.Out) is { } path)
        {
            await PrivateFile.WriteAsync(run.PathOf(path), path, attestation + "\n", replace: true, cancellationToken);
            facts["file"] = path;
        }
        if (run.Get(CommonOptions.ShowSecret))
        {
            run.Terminal.ShowSecret("attestation", attestation, facts);
        }
        else
        {
            run.Terminal.Show(facts);
        }
    }

    private static async Task<PublicJwk> DeviceKeyAsync(CommandRun run, CancellationToken cancellationToken)
    {
        var file = run.Get(s_device);
        if (!File.Exists(run.PathOf(file)))
        {
            using var made = ClientKey.Generate();
            await KeyFile.WriteAsync(file, run, made, password: null, replace: false, cancellationToken);
            run.Terminal.Note($"Made a key for the device: {file}");
            return made.PublicJwk;
        }
        var keys = await PublicKeyFile.ReadAsync(file, run, cancellationToken);
        return keys.Count == 1
            ? keys[0].Deserialize<PublicJwk>()!
            : throw CommandFailure.Usage($"{file} has {keys.Count} keys. A device has one.");
    }
}
