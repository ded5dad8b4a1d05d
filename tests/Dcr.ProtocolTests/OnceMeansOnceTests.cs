using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>
/// What may be used once is used once at the very instant of its end too: used on one process, then sent again and again to both in its last
/// 100 ms, when one rule still lets it pass and another may have forgotten it. With DCR_TEST_FULL=1 thirty rounds, else two.
/// </summary>
public abstract class OnceMeansOnceTests
{
    private const int Copies = 300;

    // On a machine that is too busy to answer in the last 100 ms a round shows nothing.
    private const int MaxRounds = 10;

    private static readonly int s_rounds = Environment.GetEnvironmentVariable("DCR_TEST_FULL") == "1" ? 30 : 2;
    private static readonly TimeSpan s_skew = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_proofLife = TimeSpan.FromMinutes(1);

    private readonly TwoProcesses _servers;

    protected OnceMeansOnceTests(TwoProcesses servers)
    {
        Assert.SkipWhen(servers.SkipReason is not null, servers.SkipReason ?? "");
        _servers = servers;
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static double Seconds(DateTimeOffset time) => time.ToUnixTimeMilliseconds() / 1000.0;

    /// <param name="ahead">How far ahead of its end the thing is made, at least.</param>
    /// <param name="make">Makes the thing, to end then, and gives what sends a request with it to a process; a request is made at each call.</param>
    private async Task AssertOnceAsync(TimeSpan ahead, Func<DateTimeOffset, Task<(DateTimeOffset End, Func<ServerProcess, Task<Answer>> SendAsync)>> make)
    {
        // Connections that are open already: a round is about the last 100 ms.
        await Task.WhenAll(Enumerable.Range(0, Copies).Select(i => ProcessRequests.GetAsync(_servers.Nodes[i % 2], "health/live")));
        var used = 0;
        for (var round = 0; round < s_rounds || (used == 0 && round < MaxRounds); round++)
        {
            var (end, sendAsync) = await make(DateTimeOffset.UtcNow + ahead);
            // In every other round nobody has used it before.
            var first = round % 2 == 0 ? await sendAsync(_servers.Nodes[round / 2 % 2]) : null;
            var wait = end - TimeSpan.FromMilliseconds(100) - DateTimeOffset.UtcNow;
            if (wait > TimeSpan.Zero)
            {
                await Task.Delay(wait, Cancellation);
            }
            var copies = await Task.WhenAll(Enumerable.Range(0, Copies).Select(i => sendAsync(_servers.Nodes[i % 2])));
            Answer[] answers = first is null ? copies : [first, .. copies];
            // A store that cannot keep up with so many at once may say so, and has used nothing up by that.
            Assert.All(answers, answer => Assert.True((int)answer.Status is < 500 or 503, $"round {round}: {(int)answer.Status} {answer.Text}"));
            var accepted = answers.Count(answer => answer.Response.IsSuccessStatusCode);
            Assert.True(accepted <= 1, $"round {round}: accepted {accepted} times");
            used += accepted;
        }
        Assert.True(used > 0, "none was ever accepted: nothing was shown");
    }

    [Fact]
    [Requirement("OIDCC-9-01", "P-REPLAY", "P-CLOCK")]
    public Task A_client_assertion() => AssertOnceAsync(TimeSpan.FromSeconds(1), end =>
    {
        var now = DateTimeOffset.UtcNow;
        var assertion = new AssertionScenario(_servers.Server.OnboardingKey, DcrServer.OnboardingClient, TwoProcesses.Issuer, now)
            .WithClaim("iat", Seconds(now - s_proofLife)).WithClaim("exp", Seconds(end - s_skew)).Sign();
        return Task.FromResult((end, (Func<ServerProcess, Task<Answer>>)(node => ProcessRequests.TokenAsync(node, assertion, "dcr"))));
    });

    [Fact]
    [Requirement("R9449-4.3-02", "P-REPLAY", "P-CLOCK")]
    public Task A_DPoP_proof() => AssertOnceAsync(TimeSpan.FromSeconds(1), end =>
    {
        var proof = DpopScenario.Proof(TestKey.Create(), "POST", TwoProcesses.Issuer + "/oauth/token", end)
            .WithClaim("iat", Seconds(end - s_proofLife - s_skew)).Sign();
        return Task.FromResult((end, (Func<ServerProcess, Task<Answer>>)(node =>
        {
            var assertion = new AssertionScenario(_servers.Server.OnboardingKey, DcrServer.OnboardingClient, TwoProcesses.Issuer, DateTimeOffset.UtcNow).Sign();
            return PostTokenAsync(node, Requests.TokenForm(assertion, "dcr"), (DpopScenario.Header, proof));
        })));
    });

    [Fact]
    [Requirement("P-REPLAY", "P-CLOCK")]
    public async Task A_proof_of_an_attested_key()
    {
        var attester = TestKey.Create(kid: "attester-1");
        var onboardingClient = await _servers.OnboardingClientAsync(Devices.Attested("required", Devices.WithJwks(attester)));
        await AssertOnceAsync(TimeSpan.FromSeconds(1), end =>
        {
            var device = TestKey.Create(kid: null);
            var now = DateTimeOffset.UtcNow;
            var attestation = new JwtScenario(
                attester,
                new JsonObject { ["typ"] = "oauth-client-attestation+jwt", ["alg"] = attester.Alg, ["kid"] = attester.Kid },
                new JsonObject
                {
                    ["iss"] = Devices.Attester,
                    ["sub"] = onboardingClient,
                    ["iat"] = now.ToUnixTimeSeconds(),
                    ["exp"] = now.AddHours(1).ToUnixTimeSeconds(),
                    ["cnf"] = new JsonObject { ["jwk"] = device.PublicJwk() },
                }).Sign();
            var proof = new JwtScenario(
                device,
                new JsonObject { ["typ"] = "oauth-client-attestation-pop+jwt", ["alg"] = device.Alg },
                new JsonObject { ["aud"] = TwoProcesses.Issuer, ["jti"] = Guid.NewGuid().ToString("N"), ["iat"] = Seconds(end - s_proofLife - s_skew) }).Sign();
            return Task.FromResult((end, (Func<ServerProcess, Task<Answer>>)(node =>
                PostTokenAsync(node, Devices.AttestedForm(), (Devices.Attestation, attestation), (Devices.AttestationProof, proof)))));
        });
    }

    [Fact]
    [Requirement("P-HOSTED", "P-REPLAY", "P-CLOCK")]
    public async Task A_proof_of_a_key_in_a_hosted_set()
    {
        var (active, next) = (TestKey.Create(kid: "active"), TestKey.Create(kid: "next"));
        var set = (await _servers.AdminAsync(HttpMethod.Post, "key-sets")).Succeeded(HttpStatusCode.Created);
        foreach (var key in new[] { active, next })
        {
            (await _servers.AdminAsync(HttpMethod.Post, $"key-sets/{set["id"]}/keys", key.PublicJwk())).Succeeded(HttpStatusCode.Created);
        }
        (await _servers.AdminAsync(HttpMethod.Post, $"key-sets/{set["id"]}/keys/active/activate")).Succeeded();
        var metadata = Requests.Metadata(active);
        metadata.Remove("jwks");
        metadata["jwks_uri"] = set["jwks_uri"];
        var initial = (await _servers.TokenAsync(_servers.Server.OnboardingKey, DcrServer.OnboardingClient, "dcr")).Succeeded()["access_token"];
        var client = (await ProcessRequests.SendAsync(_servers.Nodes[0], HttpMethod.Post, "oauth/register", initial, metadata)).Succeeded(HttpStatusCode.Created);
        var path = $"oauth/register/{client["client_id"]}/keys/next/activate";
        await AssertOnceAsync(TimeSpan.FromSeconds(1), end =>
        {
            var proof = new JwtScenario(
                active,
                new JsonObject { ["typ"] = "key-proof+jwt", ["alg"] = active.Alg, ["kid"] = "active" },
                new JsonObject
                {
                    ["iss"] = client["client_id"],
                    ["sub"] = next.Thumbprint(),
                    ["aud"] = $"{TwoProcesses.Issuer}/{path}",
                    ["exp"] = Seconds(end - s_skew),
                    ["jti"] = Guid.NewGuid().ToString("N"),
                }).Sign();
            return Task.FromResult((end, (Func<ServerProcess, Task<Answer>>)(node =>
                ProcessRequests.SendAsync(node, HttpMethod.Post, path, client["registration_access_token"], new JsonObject { ["proof"] = proof }))));
        });
    }

    [Fact]
    [Requirement("P-ONCE", "P-CLOCK")]
    public async Task An_initial_access_token_for_one_client()
    {
        var onboardingClient = await _servers.OnboardingClientAsync(new JsonObject { ["initial_access_token"] = new JsonObject { ["uses"] = 1, ["lifetime_seconds"] = 3 } });
        await AssertOnceAsync(TimeSpan.FromSeconds(3), async _ =>
        {
            var token = (await _servers.TokenAsync(_servers.Server.OnboardingKey, onboardingClient, "dcr")).Succeeded()["access_token"];
            var end = DateTimeOffset.FromUnixTimeSeconds(TokenQueries.Claims(token)["exp"]!.GetValue<long>());
            var metadata = Requests.Metadata(TestKey.Create());
            return (end, node => ProcessRequests.SendAsync(node, HttpMethod.Post, "oauth/register", token, metadata));
        });
        var live = (await _servers.AdminAsync(HttpMethod.Get, $"onboarding-clients/{onboardingClient}")).Succeeded().Json["live_clients"]!.GetValue<long>();
        Assert.True(live <= s_rounds, string.Create(CultureInfo.InvariantCulture, $"{live} clients by {s_rounds} tokens for one each"));
    }

    private static async Task<Answer> PostTokenAsync(ServerProcess node, Dictionary<string, string> form, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("oauth/token", UriKind.Relative)) { Content = new FormUrlEncodedContent(form) };
        foreach (var (name, value) in headers)
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }
        return await Answer.ReadAsync(await node.Http.SendAsync(request, Cancellation));
    }
}

public sealed class OnceMeansOnceTestsOnSqlite(TwoProcessesOnSqlite servers) : OnceMeansOnceTests(servers), IClassFixture<TwoProcessesOnSqlite>;

public sealed class OnceMeansOnceTestsOnMongoDb(TwoProcessesOnMongoDb servers) : OnceMeansOnceTests(servers), IClassFixture<TwoProcessesOnMongoDb>;
