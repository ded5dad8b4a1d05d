using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>How many clients a policy lets there be, under races too; a refusal says what is full and until when.</summary>
public abstract class RegistrationLimitsTests(DcrServer server) : ServerTests(server)
{
    private static JsonObject Metadata() => Requests.Metadata(TestKey.Create());

    private async Task<long> LiveAsync(OnboardingParty party) =>
        (await Server.AdminAsync(HttpMethod.Get, $"onboarding-clients/{party.ClientId}")).Succeeded().Json["live_clients"]!.GetValue<long>();

    private async Task<int> ListedAsync(OnboardingParty party) =>
        (await Server.AdminAsync(HttpMethod.Get, $"clients?onboarding_client={party.ClientId}&limit=200")).Succeeded().Json["items"]!.AsArray().Count;

    private Task<Answer> DeleteAsync(OnboardedClient client) => Server.SendAsync(HttpMethod.Delete, client.Path, client.RegistrationAccessToken, (JsonObject?)null);

    [Theory]
    [Requirement("P-ONCE", "P-LIMITS")]
    [InlineData(1)]
    [InlineData(7)]
    public async Task Makes_exactly_as_many_clients_as_a_token_has_uses_of_200_at_once(int uses)
    {
        var party = await Server.OnboardingClientAsync($$$"""{"initial_access_token":{"uses":{{{uses}}}}}""");
        var token = await Server.InitialAccessTokenAsync(party);
        var metadata = Metadata();
        var answers = await Requests.SendAtOnceAsync(200, _ => Server.RegisterAsync(token, metadata));

        Assert.Equal(uses, answers.Count(answer => answer.Status == HttpStatusCode.Created));
        Assert.All(answers.Where(answer => answer.Status != HttpStatusCode.Created), answer => answer.Refused(HttpStatusCode.Unauthorized, "invalid_token", "registration_policy.initial_access_token.uses"));
        Assert.Equal(uses, await ListedAsync(party));
        Assert.Equal(uses, await LiveAsync(party));
    }

    [Fact]
    [Requirement("P-LIMITS", "R7591-5-03")]
    public async Task Never_has_one_live_client_too_many_of_60_at_once()
    {
        var party = await Server.OnboardingClientAsync("""{"initial_access_token":{"uses":100},"max_live_clients":5}""");
        var token = await Server.InitialAccessTokenAsync(party);
        var metadata = Metadata();
        var answers = await Requests.SendAtOnceAsync(60, _ => Server.RegisterAsync(token, metadata));

        Assert.Equal(5, answers.Count(answer => answer.Status == HttpStatusCode.Created));
        Assert.All(answers.Where(answer => answer.Status != HttpStatusCode.Created), answer => answer.Refused(HttpStatusCode.Forbidden, "access_denied", "registration_policy.max_live_clients allows 5"));
        Assert.Equal(5, await ListedAsync(party));
        Assert.Equal(5, await LiveAsync(party));
    }

    [Fact]
    [Requirement("P-LIMITS")]
    public async Task Gives_the_room_of_an_ended_client_to_another()
    {
        var party = await Server.OnboardingClientAsync("""{"max_live_clients":1}""");
        var deleted = await Server.OnboardAsync(party);
        (await Server.RegisterAsync(party, Metadata())).Refused(HttpStatusCode.Forbidden, "access_denied");
        Assert.Equal(HttpStatusCode.NoContent, (await DeleteAsync(deleted)).Status);

        var revoked = await Server.OnboardAsync(party);
        (await Server.RegisterAsync(party, Metadata())).Refused(HttpStatusCode.Forbidden, "access_denied");
        (await Server.AdminAsync(HttpMethod.Post, $"clients/{revoked.ClientId}/revoke")).Succeeded();

        var last = await Server.OnboardAsync(party);
        (await Server.AdminAsync(HttpMethod.Post, "clients:revoke", JsonNode.Parse($$$"""{"origin":{"onboarding_client":"{{{party.ClientId}}}"}}""")!.AsObject())).Succeeded();
        Assert.Equal(0, await LiveAsync(party));
        Assert.Equal("revoked", await Server.StatusAsync(last));
        await Server.OnboardAsync(party);
    }

    [Fact]
    [Requirement("P-LIMITS")]
    public async Task Counts_a_suspended_client_as_live()
    {
        var party = await Server.OnboardingClientAsync("""{"max_live_clients":1}""");
        var client = await Server.OnboardAsync(party);
        (await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/suspend")).Succeeded();
        (await Server.RegisterAsync(party, Metadata())).Refused(HttpStatusCode.Forbidden, "access_denied");
        (await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/resume")).Succeeded();
        Assert.Equal(1, await LiveAsync(party));
    }

    [Fact]
    [Requirement("P-LIMITS")]
    public async Task Gives_room_back_once_for_each_client_of_20_that_are_ended_at_once()
    {
        var party = await Server.OnboardingClientAsync("""{"max_live_clients":20}""");
        var clients = new List<OnboardedClient>();
        for (var i = 0; i < 20; i++)
        {
            clients.Add(await Server.OnboardAsync(party));
        }
        var admin = await Server.AdminTokenAsync();
        await Task.WhenAll(clients.Select(client => DeleteAsync(client)).Concat(clients.Select(client => Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/revoke", admin))));
        Assert.Equal(0, await LiveAsync(party));
        await Server.OnboardAsync(party);
        Assert.Equal(1, await LiveAsync(party));
    }

    [Fact]
    [Requirement("P-LIMITS")]
    public async Task Keeps_both_limits_when_clients_come_and_go_at_once()
    {
        var party = await Server.OnboardingClientAsync("""{"initial_access_token":{"uses":1000},"max_live_clients":3}""");
        var token = await Server.InitialAccessTokenAsync(party);
        var most = 0L;
        await Task.WhenAll(Enumerable.Range(0, 6).Select(async _ =>
        {
            for (var i = 0; i < 5; i++)
            {
                var key = TestKey.Create();
                var answer = await Server.RegisterAsync(token, Requests.Metadata(key));
                if (answer.Status == HttpStatusCode.Created)
                {
                    InterlockedMax(ref most, await LiveAsync(party));
                    Assert.Equal(HttpStatusCode.NoContent, (await DeleteAsync(OnboardedClient.Of(answer, key))).Status);
                }
                else
                {
                    answer.Refused(HttpStatusCode.Forbidden, "access_denied");
                }
            }
        }));
        Assert.InRange(most, 1, 3);
        Assert.Equal(0, await LiveAsync(party));
    }

    [Fact]
    [Requirement("P-LIMITS", "R7591-5-03")]
    public async Task Refuses_more_registrations_in_an_hour_and_says_when_to_come_back()
    {
        var party = await Server.OnboardingClientAsync("""{"initial_access_token":{"uses":100,"lifetime_seconds":7200},"max_registrations_per_hour":3}""");
        var token = await Server.InitialAccessTokenAsync(party);
        (await Server.RegisterAsync(token, Metadata())).Succeeded(HttpStatusCode.Created);
        Server.Time.Advance(TimeSpan.FromMinutes(10));
        var answers = await Requests.SendAtOnceAsync(20, _ => Server.RegisterAsync(token, Metadata()));
        Assert.Equal(2, answers.Count(answer => answer.Status == HttpStatusCode.Created));

        var refused = (await Server.RegisterAsync(token, Metadata())).Refused(HttpStatusCode.TooManyRequests, "temporarily_unavailable", "registration_policy.max_registrations_per_hour allows 3");
        var retryAfter = refused.Response.Headers.RetryAfter!.Delta!.Value;
        Assert.InRange(retryAfter, TimeSpan.FromMinutes(49), TimeSpan.FromMinutes(50));

        Server.Time.Advance(retryAfter + TimeSpan.FromSeconds(1));
        (await Server.RegisterAsync(token, Metadata())).Succeeded(HttpStatusCode.Created);
    }

    [Fact]
    [Requirement("P-LIMITS")]
    public async Task Does_not_give_an_hour_back_when_a_client_ends()
    {
        var party = await Server.OnboardingClientAsync("""{"max_registrations_per_hour":1}""");
        await DeleteAsync(await Server.OnboardAsync(party));
        (await Server.RegisterAsync(party, Metadata())).Refused(HttpStatusCode.TooManyRequests, "temporarily_unavailable");
    }

    [Fact]
    [Requirement("P-LIMITS", "R7591-3.2.2-03")]
    public async Task Uses_no_token_up_when_there_is_no_room()
    {
        var party = await Server.OnboardingClientAsync("""{"max_live_clients":1}""");
        var client = await Server.OnboardAsync(party);
        var token = await Server.InitialAccessTokenAsync(party);
        (await Server.RegisterAsync(token, Metadata())).Refused(HttpStatusCode.Forbidden, "access_denied");
        await DeleteAsync(client);
        (await Server.RegisterAsync(token, Metadata())).Succeeded(HttpStatusCode.Created);
    }

    [Fact]
    [Requirement("P-LIMITS")]
    public async Task Limits_one_onboarding_client_without_another()
    {
        var full = await Server.OnboardingClientAsync("""{"max_live_clients":0}""");
        (await Server.RegisterAsync(full, Metadata())).Refused(HttpStatusCode.Forbidden, "access_denied", "allows 0");
        await Server.OnboardAsync(await Server.OnboardingClientAsync("""{"max_live_clients":1}"""));
    }

    [Fact]
    [Requirement("P-LIMITS")]
    public async Task Counts_with_another_node()
    {
        var (app, http) = await Server.StartAnotherNodeAsync();
        await using var node = app;
        using var other = http;
        var party = await Server.OnboardingClientAsync("""{"initial_access_token":{"uses":4},"max_live_clients":50}""");
        var token = await Server.InitialAccessTokenAsync(party);
        var answers = await Requests.SendAtOnceAsync(40, i => Server.RegisterAsync(token, Metadata(), $"key-{i}", i % 2 == 0 ? other : null));
        Assert.Equal(4, answers.Count(answer => answer.Status == HttpStatusCode.Created));
        Assert.Equal(4, await LiveAsync(party));
    }

    private static void InterlockedMax(ref long most, long value)
    {
        while (Volatile.Read(ref most) is var seen && value > seen && Interlocked.CompareExchange(ref most, value, seen) != seen)
        {
        }
    }
}

public sealed class RegistrationLimitsTestsOnSqlite(SqliteServer server) : RegistrationLimitsTests(server), IClassFixture<SqliteServer>;

public sealed class RegistrationLimitsTestsOnMongoDb(MongoDbServer server) : RegistrationLimitsTests(server), IClassFixture<MongoDbServer>;
