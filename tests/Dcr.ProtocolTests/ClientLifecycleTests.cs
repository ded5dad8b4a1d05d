using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>Lifetimes: how clients expire, by time or by not being used, are resumed, and are removed.</summary>
public abstract class ClientLifecycleTests(DcrServer server) : ServerTests(server)
{
    private const string HalfAnHour = """{"client_lifetime_seconds":1800}""";
    private const string IdleTwoHours = """{"idle_lifetime_seconds":7200}""";

    private DateTimeOffset Now => Server.Time.GetUtcNow();

    private void Advance(double hours) => Server.Time.Advance(TimeSpan.FromHours(hours));

    private async Task<Answer> ShowAsync(OnboardedClient client) => await Server.AdminAsync(HttpMethod.Get, $"clients/{client.ClientId}");

    private async Task<Answer> ResumeAsync(OnboardedClient client) => await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/resume");

    private async Task<JsonObject> ReapAsync(bool dryRun = false)
    {
        var reaped = (await Server.AdminAsync(HttpMethod.Post, "clients:reap", new JsonObject { ["dry_run"] = dryRun })).Succeeded().Json;
        Assert.True(reaped["done"]!.GetValue<bool>());
        return reaped;
    }

    private async Task<List<string>> ActionsAsync(string subject) =>
        [.. (await Server.AdminAsync(HttpMethod.Get, $"audit?subject={subject}&limit=200")).Succeeded().Json["items"]!.AsArray().Select(record => record!["action"]!.GetValue<string>())];

    private async Task<DateTimeOffset?> LastUsedAsync(OnboardedClient client) => (await ShowAsync(client)).Succeeded().Json["last_used_at"]?.GetValue<DateTimeOffset>();

    [Fact]
    [Requirement("P-LIFECYCLE")]
    public async Task Tells_a_client_when_it_expires()
    {
        var client = await Server.OnboardAsync(await Server.OnboardingClientAsync(HalfAnHour));
        var expires = Now.ToUnixTimeSeconds() + 1800;
        Assert.Equal(expires, client.Information["client_id_expires_at"]!.GetValue<long>());
        Assert.Equal(expires, (await Server.GetAsync(client.Path, client.RegistrationAccessToken)).Succeeded().Json["client_id_expires_at"]!.GetValue<long>());
        Assert.Equal(expires, (await ShowAsync(client)).Succeeded().Json["expires_at"]!.GetValue<DateTimeOffset>().ToUnixTimeSeconds());

        var endless = await Server.OnboardAsync(await Server.OnboardingClientAsync());
        Assert.Null(endless.Information["client_id_expires_at"]);
        Assert.Null((await ShowAsync(endless)).Succeeded().Json["expires_at"]);
    }

    [Fact]
    [Requirement("P-LIFECYCLE", "P-LIMITS")]
    public async Task Ends_a_client_and_its_tokens_when_its_lifetime_is_over()
    {
        var client = await Server.OnboardAsync(await Server.OnboardingClientAsync(HalfAnHour));
        Server.Time.Advance(TimeSpan.FromMinutes(25));
        var issued = (await Server.PostTokenAsync(Server.Assertion(client.Key, client.ClientId).Sign())).Succeeded();
        Assert.InRange(issued.Json["expires_in"]!.GetValue<int>(), 1, 300);

        Server.Time.Advance(TimeSpan.FromMinutes(5) + TimeSpan.FromSeconds(1));
        (await Server.PostTokenAsync(Server.Assertion(client.Key, client.ClientId).Sign())).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        (await Server.GetAsync(client.Path, client.RegistrationAccessToken)).Refused(HttpStatusCode.Forbidden, "access_denied", "expired");
        Assert.Equal("expired", await Server.StatusAsync(client));
        await ReapAsync();
        Assert.Equal("expired", await Server.StatusAsync(client));
        // The reaper that works in the background may have come before the refusal was recorded.
        Assert.Single(await ActionsAsync(client.ClientId), "client.expired");
        (await Server.GetAsync(client.Path, client.RegistrationAccessToken)).Refused(HttpStatusCode.Forbidden, "access_denied", "expired");
    }

    [Fact]
    [Requirement("P-LIFECYCLE")]
    public async Task Does_not_lengthen_a_life_by_an_update()
    {
        var client = await Server.OnboardAsync(await Server.OnboardingClientAsync(HalfAnHour));
        Server.Time.Advance(TimeSpan.FromMinutes(20));
        var update = Requests.Metadata(client.Key);
        update["client_id"] = client.ClientId;
        var updated = (await Server.SendAsync(HttpMethod.Put, client.Path, client.RegistrationAccessToken, update)).Succeeded();
        Assert.Equal(client.Information["client_id_expires_at"]!.GetValue<long>(), updated.Json["client_id_expires_at"]!.GetValue<long>());
    }

    [Fact]
    [Requirement("P-LIFECYCLE")]
    public async Task Leaves_a_client_the_life_it_was_registered_with_when_the_policy_changes()
    {
        var party = await Server.OnboardingClientAsync();
        var client = await Server.OnboardAsync(party);
        (await Server.ReplacePolicyAsync(party, JsonNode.Parse(HalfAnHour)!.AsObject())).Succeeded();
        Advance(1);
        Assert.Equal("active", await Server.StatusAsync(client));
    }

    [Fact]
    [Requirement("P-LIFECYCLE")]
    public async Task Shows_the_last_use_accurate_to_an_hour_without_a_write_for_each()
    {
        var client = await Server.OnboardAsync(await Server.OnboardingClientAsync(IdleTwoHours));
        Assert.Null(await LastUsedAsync(client));
        await Server.AccessTokenAsync(client.Key, client.ClientId);
        var first = await LastUsedAsync(client);
        Assert.Equal(Now.ToUnixTimeMilliseconds(), first!.Value.ToUnixTimeMilliseconds());

        Server.Time.Advance(TimeSpan.FromMinutes(59));
        await Server.AccessTokenAsync(client.Key, client.ClientId);
        Assert.Equal(first, await LastUsedAsync(client));

        Server.Time.Advance(TimeSpan.FromMinutes(2));
        await Server.AccessTokenAsync(client.Key, client.ClientId);
        Assert.Equal(Now.ToUnixTimeMilliseconds(), (await LastUsedAsync(client))!.Value.ToUnixTimeMilliseconds());
        Assert.Equal(1, (await ShowAsync(client)).Succeeded().Json["version"]!.GetValue<long>());
    }

    [Fact]
    [Requirement("P-LIFECYCLE")]
    public async Task Expires_a_client_that_is_not_used_and_none_that_is()
    {
        var party = await Server.OnboardingClientAsync(IdleTwoHours);
        var idle = await Server.OnboardAsync(party);
        var used = await Server.OnboardAsync(party);
        await Server.AccessTokenAsync(idle.Key, idle.ClientId);
        for (var i = 0; i < 8; i++)
        {
            Advance(0.5);
            await Server.AccessTokenAsync(used.Key, used.ClientId);
            await ReapAsync();
        }
        Assert.Equal("expired", await Server.StatusAsync(idle));
        Assert.Equal("active", await Server.StatusAsync(used));
        (await Server.PostTokenAsync(Server.Assertion(idle.Key, idle.ClientId).Sign())).Refused(HttpStatusCode.Unauthorized, "invalid_client");
    }

    [Fact]
    [Requirement("P-LIFECYCLE")]
    public async Task Never_expires_a_client_with_a_live_token_for_not_being_used()
    {
        // The shortest idle lifetime there may be, and the longest life of a token; a use within the hour is not written down.
        var client = await Server.OnboardAsync(await Server.OnboardingClientAsync("""{"idle_lifetime_seconds":3600}"""));
        await Server.AccessTokenAsync(client.Key, client.ClientId);
        Server.Time.Advance(TimeSpan.FromMinutes(59));
        await Server.AccessTokenAsync(client.Key, client.ClientId);
        Server.Time.Advance(TimeSpan.FromMinutes(59));
        await ReapAsync();
        Assert.Equal("active", await Server.StatusAsync(client));
        Server.Time.Advance(TimeSpan.FromMinutes(3));
        await ReapAsync();
        Assert.Equal("expired", await Server.StatusAsync(client));
    }

    [Fact]
    [Requirement("P-LIFECYCLE", "P-DRYRUN")]
    public async Task Counts_without_a_change_in_a_dry_run()
    {
        // Begun just after the server's own reaper has looked, so that the client's time is over before it looks again.
        var sinceLook = TimeSpan.FromTicks((Now - Server.Time.Start).Ticks % TimeSpan.TicksPerMinute);
        Server.Time.Advance(TimeSpan.FromSeconds(61) - sinceLook);
        var client = await Server.OnboardAsync(await Server.OnboardingClientAsync("""{"client_lifetime_seconds":60}"""));
        await ReapAsync();
        Server.Time.Advance(TimeSpan.FromSeconds(59));
        await Task.Delay(TimeSpan.FromSeconds(1), Cancellation);
        Assert.Equal(0, (await ReapAsync(dryRun: true))["expired"]!.GetValue<long>());
        Server.Time.Advance(TimeSpan.FromSeconds(2));
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(1, (await ReapAsync(dryRun: true))["expired"]!.GetValue<long>());
        }
        Assert.Equal(["client.registered"], await ActionsAsync(client.ClientId));
        Assert.Equal(1, (await ReapAsync())["expired"]!.GetValue<long>());
        Assert.Equal(["client.expired", "client.registered"], await ActionsAsync(client.ClientId));
        Assert.Equal(0, (await ReapAsync(dryRun: true))["expired"]!.GetValue<long>());
    }

    [Fact]
    [Requirement("P-LIFECYCLE", "P-AUDIT")]
    public async Task Keeps_an_expired_client_for_30_days_and_then_removes_it_with_a_record()
    {
        var client = await Server.OnboardAsync(await Server.OnboardingClientAsync(HalfAnHour));
        Advance(1);
        await ReapAsync();
        Server.Time.Advance(TimeSpan.FromDays(29));
        await ReapAsync();
        Assert.Equal("expired", await Server.StatusAsync(client));
        var removal = (await ShowAsync(client)).Succeeded().Json["expires_at"]!.GetValue<DateTimeOffset>();
        Assert.InRange(removal - Now, TimeSpan.FromHours(22), TimeSpan.FromHours(25));

        Server.Time.Advance(TimeSpan.FromDays(1.1));
        await ReapAsync();
        (await ShowAsync(client)).Refused(HttpStatusCode.NotFound, "not_found");
        (await Server.GetAsync(client.Path, client.RegistrationAccessToken)).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        Assert.Equal(["client.removed", "client.expired", "client.registered"], (await ActionsAsync(client.ClientId)).Where(action => action != "client.authentication_refused"));
    }

    [Theory]
    [Requirement("P-LIFECYCLE")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Gives_a_client_that_is_resumed_a_new_life_whether_or_not_the_reaper_has_come(bool reaped)
    {
        var client = await Server.OnboardAsync(await Server.OnboardingClientAsync(HalfAnHour));
        Server.Time.Advance(TimeSpan.FromSeconds(1801));
        if (reaped)
        {
            await ReapAsync();
        }
        Assert.Equal("active", (await ResumeAsync(client)).Succeeded()["status"]);
        await Server.AccessTokenAsync(client.Key, client.ClientId);
        Assert.Equal(Now.ToUnixTimeSeconds() + 1800, (await Server.GetAsync(client.Path, client.RegistrationAccessToken)).Succeeded().Json["client_id_expires_at"]!.GetValue<long>());
        Server.Time.Advance(TimeSpan.FromSeconds(1801));
        Assert.Equal("expired", await Server.StatusAsync(client));
    }

    [Fact]
    [Requirement("P-LIFECYCLE")]
    public async Task Gives_a_suspended_client_whose_time_is_over_a_new_life_when_it_is_resumed()
    {
        var client = await Server.OnboardAsync(await Server.OnboardingClientAsync(HalfAnHour));
        (await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/suspend")).Succeeded();
        Advance(1);
        await ReapAsync();
        Assert.Equal("suspended", await Server.StatusAsync(client));
        Assert.Equal("active", (await ResumeAsync(client)).Succeeded()["status"]);
        await Server.AccessTokenAsync(client.Key, client.ClientId);
    }

    [Fact]
    [Requirement("P-LIFECYCLE", "P-LIMITS")]
    public async Task Gives_the_room_of_an_expired_client_to_another_and_resumes_none_too_many()
    {
        var party = await Server.OnboardingClientAsync("""{"client_lifetime_seconds":1800,"max_live_clients":1}""");
        var first = await Server.OnboardAsync(party);
        Advance(1);
        await ReapAsync();
        var second = await Server.OnboardAsync(party);
        (await ResumeAsync(first)).Refused(HttpStatusCode.Conflict, "conflict", "registration_policy.max_live_clients");
        (await Server.AdminAsync(HttpMethod.Post, $"clients/{second.ClientId}/revoke")).Succeeded();
        (await ResumeAsync(first)).Succeeded();
        (await Server.RegisterAsync(party, Requests.Metadata(TestKey.Create()))).Refused(HttpStatusCode.Forbidden, "access_denied");
    }

    [Fact]
    [Requirement("P-LIFECYCLE", "P-LIMITS")]
    public async Task Resumes_one_of_eight_at_once_when_there_is_room_for_one()
    {
        var party = await Server.OnboardingClientAsync("""{"client_lifetime_seconds":1800,"max_live_clients":8}""");
        var clients = new List<OnboardedClient>();
        for (var i = 0; i < 8; i++)
        {
            clients.Add(await Server.OnboardAsync(party));
        }
        Advance(1);
        await ReapAsync();
        (await Server.ReplacePolicyAsync(party, JsonNode.Parse("""{"max_live_clients":1}""")!.AsObject())).Succeeded();
        var admin = await Server.AdminTokenAsync();
        var answers = await Task.WhenAll(clients.Select(client => Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/resume", admin)));
        Assert.Single(answers, answer => answer.Status == HttpStatusCode.OK);
        Assert.All(answers.Where(answer => answer.Status != HttpStatusCode.OK), answer => answer.Refused(HttpStatusCode.Conflict, "conflict", "max_live_clients"));
        Assert.Equal(1, (await Server.AdminAsync(HttpMethod.Get, $"onboarding-clients/{party.ClientId}")).Succeeded().Json["live_clients"]!.GetValue<long>());
    }

    [Fact]
    [Requirement("P-LIFECYCLE")]
    public async Task Expires_clients_by_itself()
    {
        var client = await Server.OnboardAsync(await Server.OnboardingClientAsync(HalfAnHour));
        Advance(0.6);
        for (var i = 0; i < 100 && (await ActionsAsync(client.ClientId))[0] != "client.expired"; i++)
        {
            Server.Time.Advance(TimeSpan.FromMinutes(1));
            await Task.Delay(20, Cancellation);
        }
        Assert.Equal("client.expired", (await ActionsAsync(client.ClientId))[0]);
    }

    [Fact]
    [Requirement("P-ADMIN")]
    public async Task Reaps_for_administrators_only()
    {
        (await Server.AdminAsync(HttpMethod.Post, "clients:reap", await Server.InitialAccessTokenAsync(), [])).Refused(HttpStatusCode.Forbidden, "insufficient_scope");
        (await Server.AdminAsync(HttpMethod.Post, "clients:reap", new JsonObject { ["dryrun"] = true })).Refused(HttpStatusCode.BadRequest, "invalid_request", "dryrun");
    }
}

public sealed class ClientLifecycleTestsOnSqlite(SqliteServer server) : ClientLifecycleTests(server), IClassFixture<SqliteServer>;

public sealed class ClientLifecycleTestsOnMongoDb(MongoDbServer server) : ClientLifecycleTests(server), IClassFixture<MongoDbServer>;
