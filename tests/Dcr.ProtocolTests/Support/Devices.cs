using System.Net;
using System.Text.Json.Nodes;

namespace Dcr.ProtocolTests.Support;

/// <summary>Onboarding clients for devices, the attesters they trust, and what an attested device sends.</summary>
public static class Devices
{
    public const string Attester = "https://app.example";
    public const string Attestation = "OAuth-Client-Attestation";
    public const string AttestationProof = "OAuth-Client-Attestation-PoP";

    /// <summary>An onboarding client of its own for a test, with the usual key; scope read may be registered.</summary>
    public static async Task<string> DeviceOnboardingAsync(this DcrServer server, JsonObject policy, Action<JsonObject>? change = null)
    {
        var clientId = $"onboarding-{Guid.NewGuid():N}";
        var entry = Entry(server, clientId, policy);
        change?.Invoke(entry);
        (await server.AdminAsync(HttpMethod.Post, "onboarding-clients", await server.AdminTokenAsync(), entry)).Succeeded(HttpStatusCode.Created);
        return clientId;
    }

    /// <summary>Gives it another policy.</summary>
    public static async Task ChangePolicyAsync(this DcrServer server, string clientId, JsonObject policy) =>
        (await server.AdminAsync(HttpMethod.Put, $"onboarding-clients/{clientId}", await server.AdminTokenAsync(), Entry(server, clientId, policy))).Succeeded();

    private static JsonObject Entry(DcrServer server, string clientId, JsonObject policy)
    {
        policy["scope"] ??= new JsonObject { ["allowed"] = new JsonArray("read"), ["default"] = new JsonArray("read") };
        return DcrServer.SeedClient(clientId, "dcr", server.OnboardingKey, policy);
    }

    /// <summary>A policy that trusts attesters.</summary>
    public static JsonObject Attested(string mode, params JsonNode[] attesters) =>
        new() { ["attestation"] = new JsonObject { ["mode"] = mode, ["attesters"] = new JsonArray(attesters) } };

    public static JsonObject WithJwks(TestKey key, string issuer = Attester) => new() { ["issuer"] = issuer, ["jwks"] = TestKey.Jwks(key) };

    /// <summary>A valid attestation of a device's key.</summary>
    public static JwtScenario AttestationOf(this DcrServer server, TestKey device, TestKey attester, string clientId) => new(
        attester,
        new JsonObject { ["typ"] = "oauth-client-attestation+jwt", ["alg"] = attester.Alg, ["kid"] = attester.Kid },
        new JsonObject
        {
            ["iss"] = Attester,
            ["sub"] = clientId,
            ["iat"] = server.Time.GetUtcNow().ToUnixTimeSeconds(),
            ["exp"] = server.Time.GetUtcNow().AddHours(1).ToUnixTimeSeconds(),
            ["cnf"] = new JsonObject { ["jwk"] = device.PublicJwk() },
        });

    /// <summary>A valid proof of the attested key.</summary>
    public static JwtScenario AttestationProofBy(this DcrServer server, TestKey device) => new(
        device,
        new JsonObject { ["typ"] = "oauth-client-attestation-pop+jwt", ["alg"] = device.Alg },
        new JsonObject
        {
            ["aud"] = server.Issuer,
            ["jti"] = Guid.NewGuid().ToString("N"),
            ["iat"] = server.Time.GetUtcNow().ToUnixTimeSeconds(),
        });

    public static Dictionary<string, string> AttestedForm(string? clientId = null, string? scope = "dcr")
    {
        var form = new Dictionary<string, string> { ["grant_type"] = "client_credentials" };
        if (scope is not null)
        {
            form["scope"] = scope;
        }
        if (clientId is not null)
        {
            form["client_id"] = clientId;
        }
        return form;
    }
}
