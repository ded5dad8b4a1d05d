using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Jose;
using Dcr.Protocol;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace Dcr.Onboarding;

/// <summary>
/// On a store where no client administers: the client <c>admin</c> with the scope <c>dcr.admin</c>, its private key in a file for the owner
/// only. The file is written before the client: a crash in between leaves a key that the next start uses.
/// </summary>
internal sealed partial class FirstAdministrator(
    IClientStore clients,
    AuditRecords records,
    TimeProvider time,
    IOptions<DcrOptions> options,
    ILogger<FirstAdministrator> logger)
{
    public const string ClientId = "admin";

    public async Task ExecuteAsync(CancellationToken cancellationToken)
    {
        var path = Path.GetFullPath(options.Value.AdminKeyFile ?? "admin.jwk");
        var made = TryWriteNewKey(path);
        var publicJwk = ReadPublicJwk(path);
        var client = new Client
        {
            ClientId = ClientId,
            Incarnation = Client.NewIncarnation(),
            Status = ClientStatus.Active,
            CreatedAt = time.GetUtcNow(),
            Version = 1,
            Metadata = new ClientMetadata
            {
                ClientName = "First administrator",
                TokenEndpointAuthMethod = "private_key_jwt",
                GrantTypes = [GrantTypes.ClientCredentials],
                ResponseTypes = [],
                Scope = ScopeTokens.Administration,
                Jwks = new JwkSet { Keys = [publicJwk] },
            },
        };
        var record = records.Create(AuditActions.ClientSeeded, ClientId, actor: null);
        if (await clients.AddAsync(client, record, Grounds.Server, cancellationToken) == AddClientOutcome.Added)
        {
            LogMade(ClientId, path);
            return;
        }
        // A node on another machine was first and holds the key; one made here in vain must not be left behind.
        var stored = await clients.FindAsync(ClientId, cancellationToken);
        if (made && stored?.Metadata.Jwks?.Keys.Any(key => Kid(key) == Kid(publicJwk)) != true)
        {
            File.Delete(path);
        }
    }

    /// <summary>False when the file was there already. The name appears with its whole content or not at all.</summary>
    private static bool TryWriteNewKey(string path)
    {
        if (File.Exists(path))
        {
            return false;
        }
        MakeFolder(Path.GetDirectoryName(path)!);
        var unfinished = $"{path}.{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
        using (var file = new FileStream(unfinished, OwnerOnly()))
        {
            JsonSerializer.Serialize(file, NewKey(), OnboardingJson.Default.JsonObject);
            file.Flush(flushToDisk: true);
        }
        try
        {
            DurableFile.Move(unfinished, path, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(unfinished) && File.Exists(path))
        {
            File.Delete(unfinished);
            return false;
        }
    }

    private static void MakeFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            // One that is there keeps its mode.
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private static JsonObject NewKey()
    {
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var parameters = ecdsa.ExportParameters(includePrivateParameters: true);
        return new JsonObject
        {
            ["kty"] = "EC",
            ["crv"] = "P-256",
            ["kid"] = Base64Url.EncodeToString(new ECDsaSecurityKey(ecdsa).ComputeJwkThumbprint()),
            ["use"] = "sig",
            ["alg"] = "ES256",
            ["x"] = Base64Url.EncodeToString(parameters.Q.X),
            ["y"] = Base64Url.EncodeToString(parameters.Q.Y),
            ["d"] = Base64Url.EncodeToString(parameters.D),
        };
    }

    private static FileStreamOptions OwnerOnly()
    {
        var file = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            file.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }
        return file;
    }

    private static JsonElement ReadPublicJwk(string path)
    {
        var jwk = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        jwk.Remove("d");
        return JsonSerializer.SerializeToElement(jwk, OnboardingJson.Default.JsonObject);
    }

    private static string? Kid(JsonElement jwk) => jwk.GetProperty("kid").GetString();

    [LoggerMessage(
        EventId = 2101, Level = LogLevel.Warning,
        Message = "No client has the scope dcr.admin: made the administrator {ClientId}; its private key is in {Path}. Keep it safe, or "
            + "move it")]
    private partial void LogMade(Printed clientId, Printed path);
}
