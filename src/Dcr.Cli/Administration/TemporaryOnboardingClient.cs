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

    private readonly AdminApi _admin;
    private readonly TimeProvider _time;
    private readonly ClientKey _key = ClientKey.Generate();

    /// <param name="admin">Of an administrator.</param>
    /// <param name="name">What its <c>client_id</c> begins with.</param>
    /// <param name="time">The clock.</param>
    public TemporaryOnboardingClient(AdminApi admin, string name, TimeProvider time)
    {
        (_admin, _time) = (admin, time);
        Credentials = new ClientCredentials($"{name}-{RandomNumberGenerator.GetHexString(SuffixLength, lowercase: true)}", _key);
    }

    public ClientCredentials Credentials { get; }

    public string ClientId => Credentials.ClientId;

    /// <summary>It was asked for, and not deleted yet; whether the request arrived is not known.</summary>
    public bool MayBeThere { get; private set; }

    /// <summary>Lets it in with its key, by which it proves itself.</summary>
    /// <param name="clientName">For people.</param>
    /// <param name="policy">The <c>registration_policy</c>.</param>
    /// <returns>As the admin API shows it.</returns>
    public Task<JsonObject> LetInAsync(string clientName, JsonObject policy, CancellationToken cancellationToken) => LetInAsync(
        new JsonObject
        {
            ["client_name"] = clientName,
            ["token_endpoint_auth_method"] = "private_key_jwt",
            ["jwks"] = PublicKeys(),
            ["registration_policy"] = policy,
        },
        cancellationToken);

    /// <summary>
    /// Lets it in without a key, as an app that is in everybody's hands; its key is the one of whoever vouches for devices.
    /// </summary>
    /// <param name="attester">Who that is.</param>
    /// <inheritdoc cref="LetInAsync(string, JsonObject, CancellationToken)"/>
    public Task<JsonObject> LetInAttestedAsync(string clientName, string attester, JsonObject policy, CancellationToken cancellationToken)
    {
        policy["attestation"] = new JsonObject
        {
            ["mode"] = "required",
            ["attesters"] = new JsonArray(new JsonObject { ["issuer"] = attester, ["jwks"] = PublicKeys() }),
        };
        return LetInAsync(
            new JsonObject
            {
                ["client_name"] = clientName,
                ["token_endpoint_auth_method"] = "attest_jwt_client_auth",
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
        var operation = await _admin.PostAsync(
            "clients:revoke", new JsonObject { ["origin"] = new JsonObject { ["onboarding_client"] = ClientId } }, cancellationToken);
        return await Operation.WaitAsync(_admin, operation, progress, _time, cancellationToken);
    }

    public void Dispose() => _key.Dispose();

    private async Task<JsonObject> LetInAsync(JsonObject entry, CancellationToken cancellationToken)
    {
        entry["client_id"] = ClientId;
        entry["grant_types"] = new JsonArray("client_credentials");
        entry["scope"] = "dcr";
        // Before the answer: it may be lost, and the client be there.
        MayBeThere = true;
        return await _admin.PostAsync("onboarding-clients", entry, cancellationToken);
    }

    private JsonNode? PublicKeys() => JsonNode.Parse(_key.PublicJwkSet.ToJson());
}
