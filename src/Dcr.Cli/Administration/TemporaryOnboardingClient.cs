using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>
/// An onboarding client for one run of a command, with a name of its own and a key that is never written down: let in,
/// and in the end gone together with every client that came in by it.
/// </summary>
internal sealed class TemporaryOnboardingClient : IDisposable
{
    private const int SuffixLength = 6;
    private static readonly TimeSpan s_lookEvery = TimeSpan.FromMilliseconds(200);

    private readonly AdminApi _admin;
    private readonly ClientKey _key = ClientKey.Generate();

    /// <param name="admin">Of an administrator.</param>
    /// <param name="name">What its <c>client_id</c> begins with.</param>
    public TemporaryOnboardingClient(AdminApi admin, string name)
    {
        _admin = admin;
        Credentials = new ClientCredentials($"{name}-{RandomNumberGenerator.GetHexString(SuffixLength, lowercase: true)}", _key);
    }

    public ClientCredentials Credentials { get; }

    public string ClientId => Credentials.ClientId;

    /// <summary>It was asked for, and not deleted yet; whether the request arrived is not known.</summary>
    public bool MayBeThere { get; private set; }

    /// <param name="clientName">For people.</param>
    /// <param name="policy">The <c>registration_policy</c>.</param>
    /// <returns>As the admin API shows it.</returns>
    public async Task<JsonObject> LetInAsync(string clientName, JsonObject policy, CancellationToken cancellationToken)
    {
        // Before the answer: it may be lost, and the client be there.
        MayBeThere = true;
        return await _admin.PostAsync(
            "onboarding-clients",
            new JsonObject
            {
                ["client_id"] = ClientId,
                ["client_name"] = clientName,
                ["token_endpoint_auth_method"] = "private_key_jwt",
                ["grant_types"] = new JsonArray("client_credentials"),
                ["scope"] = "dcr",
                ["jwks"] = JsonNode.Parse(_key.PublicJwkSet.ToJson()),
                ["registration_policy"] = policy,
            },
            cancellationToken);
    }

    /// <summary>Nobody comes in by it any more; who has stays. What is not there is not missed.</summary>
    public async Task DeleteAsync(CancellationToken cancellationToken)
    {
        if (!MayBeThere)
        {
            return;
        }
        try
        {
            await _admin.DeleteAsync($"onboarding-clients/{ClientId}", cancellationToken);
        }
        catch (DcrException refusal) when (refusal.StatusCode == System.Net.HttpStatusCode.NotFound)
        {
            // Never let in: its request was refused or did not arrive.
        }
        MayBeThere = false;
    }

    /// <summary>Revokes every client that came in by it, also after it is deleted itself.</summary>
    /// <param name="progress">From 0 to 1.</param>
    /// <returns>The operation when it is done, as the admin API shows it.</returns>
    public async Task<JsonObject> RevokeClientsAsync(IProgress<double>? progress, CancellationToken cancellationToken)
    {
        var operation = await _admin.PostAsync("clients:revoke", new JsonObject { ["origin"] = new JsonObject { ["onboarding_client"] = ClientId } }, cancellationToken);
        while (!operation["done"]!.GetValue<bool>())
        {
            progress?.Report(operation["revoked"]!.GetValue<double>() / operation["matched"]!.GetValue<double>());
            await Task.Delay(s_lookEvery, cancellationToken);
            operation = await _admin.GetAsync($"operations/{operation["operation"]!.GetValue<string>()}", cancellationToken);
        }
        return operation;
    }

    public void Dispose() => _key.Dispose();
}
