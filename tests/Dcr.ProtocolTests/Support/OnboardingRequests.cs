using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Dcr.ProtocolTests.Support;

/// <summary>Requests of and about onboarding clients that a test makes for itself, each under a policy of its own.</summary>
public static class OnboardingRequests
{
    /// <summary>An entry as the seed file and the admin API take it; without a scope in the policy, read and write may be registered.</summary>
    public static JsonObject OnboardingEntry(TestKey key, JsonObject? policy = null, string? clientId = null)
    {
        policy = policy is null ? [] : policy.DeepClone().AsObject();
        policy.TryAdd("scope", new JsonObject { ["allowed"] = new JsonArray("read", "write"), ["default"] = new JsonArray("read") });
        return DcrServer.SeedClient(clientId ?? $"party-{Guid.NewGuid():N}", "dcr", key, policy);
    }

    public static async Task<OnboardingParty> OnboardingClientAsync(this DcrServer server, JsonObject? policy = null)
    {
        var key = TestKey.Create(kid: $"party-{Guid.NewGuid():N}");
        var entry = OnboardingEntry(key, policy);
        (await server.AdminAsync(HttpMethod.Post, "onboarding-clients", entry)).Succeeded(HttpStatusCode.Created);
        return new OnboardingParty(entry["client_id"]!.GetValue<string>(), key, entry);
    }

    public static Task<OnboardingParty> OnboardingClientAsync(this DcrServer server, string policy) =>
        server.OnboardingClientAsync(JsonNode.Parse(policy)!.AsObject());

    public static Task<string> InitialAccessTokenAsync(this DcrServer server, OnboardingParty party) => server.AccessTokenAsync(party.Key, party.ClientId, "dcr");

    /// <summary>With a new initial access token.</summary>
    public static async Task<Answer> RegisterAsync(this DcrServer server, OnboardingParty party, JsonObject metadata) =>
        await server.RegisterAsync(await server.InitialAccessTokenAsync(party), metadata);

    public static async Task<OnboardedClient> OnboardAsync(this DcrServer server, OnboardingParty party, Action<JsonObject>? change = null)
    {
        var key = TestKey.Create();
        var metadata = Requests.Metadata(key);
        change?.Invoke(metadata);
        return OnboardedClient.Of((await server.RegisterAsync(party, metadata)).Succeeded(HttpStatusCode.Created), key);
    }

    /// <summary>Puts another policy in the place of the one that the onboarding client has.</summary>
    public static async Task<Answer> ReplacePolicyAsync(this DcrServer server, OnboardingParty party, JsonObject policy, string query = "") =>
        await server.AdminAsync(HttpMethod.Put, $"onboarding-clients/{party.ClientId}{query}", OnboardingEntry(party.Key, policy, party.ClientId));

    /// <summary>With an administrator's token of its own.</summary>
    public static async Task<Answer> AdminAsync(this DcrServer server, HttpMethod method, string path, JsonObject? body = null) =>
        await server.AdminAsync(method, path, await server.AdminTokenAsync(), body);

    public static async Task<string> StatusAsync(this DcrServer server, OnboardedClient client) =>
        (await server.AdminAsync(HttpMethod.Get, $"clients/{client.ClientId}")).Succeeded()["status"];

    /// <summary>A registration that is sent with further headers.</summary>
    public static async Task<Answer> RegisterAsync(this DcrServer server, string initialAccessToken, JsonObject metadata, string idempotencyKey, HttpClient? node = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri((node ?? server.Http).BaseAddress!, server.Path("/oauth/register")))
        {
            Content = new StringContent(metadata.ToJsonString(), Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = new("Bearer", initialAccessToken);
        request.Headers.TryAddWithoutValidation("Idempotency-Key", idempotencyKey);
        return await Answer.ReadAsync(await (node ?? server.Http).SendAsync(request, TestContext.Current.CancellationToken), server.Log);
    }
}

/// <summary>An onboarding client that a test has made.</summary>
/// <param name="ClientId">Its client_id.</param>
/// <param name="Key">It gets initial access tokens with.</param>
/// <param name="Entry">As the admin API was given it.</param>
public sealed record OnboardingParty(string ClientId, TestKey Key, JsonObject Entry);
