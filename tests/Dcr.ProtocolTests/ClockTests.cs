using System.Net;
using System.Text.Json.Nodes;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using Dcr.ProtocolTests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>
/// The wall clock jumps, under a server at work, and is set right again: nothing is accepted that was used, revoked or withdrawn, no request
/// is the server's fault, no client is ended, and all goes on without a restart.
/// </summary>
public abstract class ClockTests(DcrServer server) : ServerTests(server)
{
    private const int Minute = 1;
    private const int Day = 24 * 60 * Minute;

    public static TheoryData<int> Steps => [5 * Minute, 20 * Minute, Day, 100 * Day, -5 * Minute, -20 * Minute, -Day, -100 * Day];

    private static void AssertRefused(Answer answer) =>
        Assert.True(answer.Status == HttpStatusCode.Unauthorized, $"expected 401, got {(int)answer.Status}: {answer.Text}");

    /// <summary>Lets what works in the background have its turn, some times.</summary>
    private async Task MinutesPassAsync(int minutes)
    {
        for (var i = 0; i < minutes; i++)
        {
            Server.Time.Advance(TimeSpan.FromMinutes(1));
            await Task.Delay(20, Cancellation);
        }
    }

    /// <summary>What everybody does all the time, at the time that the server has.</summary>
    private async Task WorkAsync(OnboardedClient client)
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(async i => (i % 3) switch
        {
            0 => await Server.PostTokenAsync(Server.Assertion(client.Key, client.ClientId).Sign()),
            1 => await Server.PostTokenAsync(Server.Assertion(Server.OnboardingKey, DcrServer.OnboardingClient).Sign(), "dcr"),
            _ => await Server.GetAsync(Server.Path("/oauth/jwks")),
        }));
        Assert.All(answers, answer => answer.Succeeded());
        await Server.OnboardAsync();
    }

    [Theory]
    [Requirement("P-CLOCK", "P-REPLAY", "P-ONCE", "P-LIFECYCLE")]
    [MemberData(nameof(Steps))]
    public async Task Nothing_that_was_over_comes_back_and_nobody_is_ended(int minutes)
    {
        var step = TimeSpan.FromMinutes(minutes);
        var party = await Server.OnboardingClientAsync("""{"idle_lifetime_seconds":7200}""");
        var idle = await Server.OnboardAsync(party);
        var client = await Server.OnboardAsync(party);
        var assertion = Server.Assertion(client.Key, client.ClientId).Sign();
        var token = (await Server.PostTokenAsync(assertion)).Succeeded()["access_token"];
        (await Server.RevokeAsync(token, client.Key, client.ClientId)).Succeeded();
        var initial = await Server.InitialAccessTokenAsync(party);
        (await Server.RegisterAsync(initial, Requests.Metadata(TestKey.Create()))).Succeeded(HttpStatusCode.Created);
        async Task AssertOverAsync()
        {
            AssertRefused(await Server.PostTokenAsync(assertion));
            Assert.False(await Server.IsActiveAsync(token));
            AssertRefused(await Server.RegisterAsync(initial, Requests.Metadata(TestKey.Create())));
        }

        Server.Time.StepWall(step);
        await WorkAsync(client);
        await AssertOverAsync();
        await MinutesPassAsync(3);
        await WorkAsync(client);
        await AssertOverAsync();

        Server.Time.StepWall(-step);
        await WorkAsync(client);
        await AssertOverAsync();
        await MinutesPassAsync(2);
        await AssertOverAsync();
        Assert.Equal("active", await Server.StatusAsync(idle));
        Assert.Equal("active", await Server.StatusAsync(client));
        await WorkAsync(client);
    }

    [Theory]
    [Requirement("P-CLOCK", "P-LINEAGE")]
    [InlineData(3)]
    [InlineData(300)]
    [InlineData(-300)]
    public async Task An_operation_covers_what_a_node_registered_whose_clock_is_another(int seconds)
    {
        var clock = new TestClock(Server.Time.GetUtcNow());
        clock.StepWall(TimeSpan.FromSeconds(seconds));
        var (app, http) = await Server.StartAnotherNodeAsync(clock);
        await using var _ = app;
        using var __ = http;
        var party = await Server.OnboardingClientAsync("""{"initial_access_token":{"uses":100}}""");
        var token = (await PostTokenAsync(http, new AssertionScenario(party.Key, party.ClientId, Server.Issuer, clock.GetUtcNow()).Sign())).Succeeded()["access_token"];
        var clients = new List<OnboardedClient>();
        for (var i = 0; i < 5; i++)
        {
            var key = TestKey.Create();
            clients.Add(OnboardedClient.Of((await Server.RegisterAsync(token, Requests.Metadata(key), $"key-{Guid.NewGuid():N}", http)).Succeeded(HttpStatusCode.Created), key));
        }
        var body = new JsonObject { ["origin"] = new JsonObject { ["onboarding_client"] = party.ClientId } };
        var suspended = (await Server.AdminAsync(HttpMethod.Post, "clients:suspend", body.DeepClone().AsObject())).Succeeded().Json;
        Assert.Equal((5, true), (suspended["suspended"]!.GetValue<long>(), suspended["done"]!.GetValue<bool>()));
        var revoked = (await Server.AdminAsync(HttpMethod.Post, "clients:revoke", body)).Succeeded().Json;
        Assert.Equal((5, 5, true), (revoked["matched"]!.GetValue<long>(), revoked["revoked"]!.GetValue<long>(), revoked["done"]!.GetValue<bool>()));
        foreach (var client in clients)
        {
            AssertRefused(await Server.PostTokenAsync(Server.Assertion(client.Key, client.ClientId).Sign()));
        }
    }

    [Fact]
    [Requirement("P-CLOCK", "P-LIMITS")]
    public async Task Nobody_is_sent_away_for_months_when_the_clock_was_ahead()
    {
        var party = await Server.OnboardingClientAsync("""{"max_registrations_per_hour":1}""");
        Server.Time.StepWall(TimeSpan.FromDays(100));
        await Server.OnboardAsync(party);
        Server.Time.StepWall(TimeSpan.FromDays(-100));
        // The hour of then is none of now.
        await Server.OnboardAsync(party);
        Server.Time.StepWall(TimeSpan.FromMinutes(-50));
        var full = (await Server.RegisterAsync(party, Requests.Metadata(TestKey.Create()))).Refused(HttpStatusCode.TooManyRequests, "temporarily_unavailable");
        Assert.InRange(full.Response.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        Server.Time.StepWall(TimeSpan.FromMinutes(50));
    }

    [Fact]
    [Requirement("P-CLOCK", "P-LIFECYCLE")]
    public async Task Ends_clients_under_a_clock_that_jumped_only_when_an_administrator_says_so()
    {
        var party = await Server.OnboardingClientAsync("""{"idle_lifetime_seconds":7200}""");
        var idle = await Server.OnboardAsync(party);
        Server.Time.StepWall(TimeSpan.FromDays(1));
        async Task<JsonObject> ReapAsync(JsonObject body) => (await Server.AdminAsync(HttpMethod.Post, "clients:reap", body)).Succeeded().Json;
        var withheld = await ReapAsync([]);
        Assert.Equal(0, withheld["expired"]!.GetValue<long>());
        Assert.Contains("jumped", withheld["withheld"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.True((await ReapAsync(new JsonObject { ["dry_run"] = true }))["expired"]!.GetValue<long>() >= 1);
        Assert.Equal("active", await Server.StatusAsync(idle));
        Assert.True((await ReapAsync(new JsonObject { ["all"] = true }))["expired"]!.GetValue<long>() >= 1);
        Assert.Equal("expired", await Server.StatusAsync(idle));
        Server.Time.StepWall(TimeSpan.FromDays(-1));

        // And lets them all go on again.
        var body = new JsonObject { ["origin"] = new JsonObject { ["onboarding_client"] = party.ClientId } };
        var counted = (await Server.AdminAsync(HttpMethod.Post, "clients:resume", new JsonObject { ["origin"] = body["origin"]!.DeepClone(), ["dry_run"] = true })).Succeeded().Json;
        Assert.Equal((1, 0), (counted["matched"]!.GetValue<long>(), counted["resumed"]!.GetValue<long>()));
        var resumed = (await Server.AdminAsync(HttpMethod.Post, "clients:resume", body)).Succeeded().Json;
        Assert.Equal((1, 1, true), (resumed["matched"]!.GetValue<long>(), resumed["resumed"]!.GetValue<long>(), resumed["done"]!.GetValue<bool>()));
        Assert.Equal("active", await Server.StatusAsync(idle));
        await Server.AccessTokenAsync(idle.Key, idle.ClientId);
    }

    [Theory]
    [Requirement("P-CLOCK", "P-ROTATE")]
    [InlineData(-Day)]
    [InlineData(-100 * Day)]
    public async Task A_registration_token_that_was_replaced_is_not_taken_for_as_long_as_the_clock_is_set_back(int minutes)
    {
        var client = await Server.OnboardAsync();
        async Task<Answer> ReadAsync() => await Server.GetAsync(client.Path, client.RegistrationAccessToken);
        var metadata = Requests.Metadata(client.Key);
        metadata["client_id"] = client.ClientId;
        (await Server.SendAsync(HttpMethod.Put, client.Path, $"Bearer {client.RegistrationAccessToken}", DpopScenario.Json(metadata), [])).Succeeded();
        // Whoever lost the answer is not stranded by a clock that is set a little ahead or back.
        foreach (var step in new[] { 20, -20, -20, 20 })
        {
            Server.Time.StepWall(TimeSpan.FromMinutes(step));
            Assert.True((await ReadAsync()).Status == HttpStatusCode.OK, $"after {step}");
        }
        Server.Time.Advance(TimeSpan.FromMinutes(61));
        AssertRefused(await ReadAsync());
        Server.Time.StepWall(TimeSpan.FromMinutes(minutes));
        AssertRefused(await ReadAsync());
        Server.Time.StepWall(TimeSpan.FromMinutes(-minutes));
        AssertRefused(await ReadAsync());
    }

    [Fact]
    [Requirement("P-CLOCK", "P-POSSESSION")]
    public async Task The_leave_to_change_keys_without_the_old_ones_does_not_last_for_as_long_as_the_clock_is_set_back()
    {
        var client = await Server.OnboardAsync(await Server.OnboardingClientAsync());
        async Task<bool> IsAllowedAsync() =>
            (await Server.AdminAsync(HttpMethod.Get, $"clients/{client.ClientId}")).Succeeded().Json["key_change_allowed_until"] is not null;
        (await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/allow-key-change")).Succeeded();
        Server.Time.StepWall(TimeSpan.FromMinutes(-20));
        Assert.True(await IsAllowedAsync());
        Server.Time.StepWall(TimeSpan.FromDays(-100));
        Assert.False(await IsAllowedAsync());
        Server.Time.StepWall(TimeSpan.FromDays(100) + TimeSpan.FromMinutes(20));
        Assert.True(await IsAllowedAsync());
    }

    [Fact]
    [Requirement("P-CLOCK", "P-LIFECYCLE")]
    public async Task One_look_of_the_reaper_ends_a_thousand_clients_or_a_tenth_and_the_rest_when_an_administrator_says_so()
    {
        const int AlwaysAllowed = 1000;
        const int Beyond = 5;
        var now = Server.Time.GetUtcNow();
        var over = new ClientLifecycle { BegunAt = now.AddHours(-2), Lifetime = TimeSpan.FromHours(1), ExpiresAt = now.AddHours(-1), ReviewAt = now.AddHours(-1) };
        var clients = Server.Services.GetRequiredService<IClientStore>();
        await Parallel.ForEachAsync(Enumerable.Range(0, AlwaysAllowed + Beyond), Cancellation, async (i, cancellation) =>
        {
            var client = new Client
            {
                ClientId = $"over-{i}",
                Status = ClientStatus.Active,
                CreatedAt = now.AddHours(-2),
                Version = 1,
                Metadata = new ClientMetadata { Scope = "read" },
                Lifecycle = over,
            };
            var record = new AuditRecord { Id = Guid.NewGuid().ToString("N"), At = now, Action = "test.added", Subject = client.ClientId, Changes = new Dictionary<string, AuditChange>() };
            Assert.Equal(AddClientOutcome.Added, await clients.AddAsync(client, record, Grounds.Server, cancellation));
        });
        async Task<JsonObject> ReapAsync(JsonObject body) => (await Server.AdminAsync(HttpMethod.Post, "clients:reap", body)).Succeeded().Json;
        var first = await ReapAsync([]);
        Assert.Equal((AlwaysAllowed, true), (first["expired"]!.GetValue<int>(), first["done"]!.GetValue<bool>()));
        Assert.Contains("a tenth of the live clients", first["withheld"]!.GetValue<string>(), StringComparison.Ordinal);
        var rest = await ReapAsync(new JsonObject { ["all"] = true });
        Assert.Equal((Beyond, null), (rest["expired"]!.GetValue<int>(), rest["withheld"]));
    }

    private async Task<Answer> PostTokenAsync(HttpClient node, string assertion)
    {
        using var form = new FormUrlEncodedContent(Requests.TokenForm(assertion, "dcr"));
        return await Answer.ReadAsync(await node.PostAsync(new Uri(Server.Path("/oauth/token"), UriKind.Relative), form, Cancellation));
    }
}

public sealed class ClockTestsOnSqlite(SqliteServer server) : ClockTests(server), IClassFixture<SqliteServer>;

public sealed class ClockTestsOnMongoDb(MongoDbServer server) : ClockTests(server), IClassFixture<MongoDbServer>;
