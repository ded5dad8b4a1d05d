using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>Idempotency-Key on a registration: an answer that was lost can be asked for again.</summary>
public abstract class IdempotentRegistrationTests(DcrServer server) : ServerTests(server)
{
    private readonly string _key = Guid.NewGuid().ToString();

    private static JsonObject Metadata() => Requests.Metadata(TestKey.Create());

    private async Task<int> ListedAsync(OnboardingParty party) =>
        (await Server.AdminAsync(HttpMethod.Get, $"clients?onboarding_client={party.ClientId}&limit=200")).Succeeded().Json["items"]!.AsArray().Count;

    private static void IsSame(Answer first, Answer again)
    {
        again.Succeeded(HttpStatusCode.Created);
        Assert.Equal(first.Text, again.Text);
        Assert.Equal(first.Response.Headers.ETag, again.Response.Headers.ETag);
        Assert.True(again.Response.Headers.CacheControl!.NoStore);
    }

    /// <summary>With a later initial access token, and a DPoP proof by this key.</summary>
    private async Task<Answer> RegisterProvedAsync(OnboardingParty party, JsonObject metadata, TestKey key) => await Server.SendAsync(
        HttpMethod.Post,
        Server.Path("/oauth/register"),
        $"Bearer {await Server.InitialAccessTokenAsync(party)}",
        DpopScenario.Json(metadata),
        ("Idempotency-Key", _key),
        (DpopScenario.Header, Server.RegistrationProof(key).Sign()));

    [Fact]
    [Requirement("P-IDEMPOTENT")]
    public async Task Gives_a_repeated_request_the_first_answer()
    {
        var party = await Server.OnboardingClientAsync();
        var token = await Server.InitialAccessTokenAsync(party);
        var metadata = Metadata();
        var first = (await Server.RegisterAsync(token, metadata, _key)).Succeeded(HttpStatusCode.Created);

        // The token has no use left, and the answer is not a new registration.
        IsSame(first, await Server.RegisterAsync(token, metadata, _key));
        Assert.Equal(1, await ListedAsync(party));
        (await Server.GetAsync(new Uri(first["registration_client_uri"]).AbsolutePath, first["registration_access_token"])).Succeeded();
    }

    [Fact]
    [Requirement("P-IDEMPOTENT")]
    public async Task Uses_nothing_up_for_a_repeated_request()
    {
        var party = await Server.OnboardingClientAsync("""{"max_live_clients":1,"max_registrations_per_hour":1}""");
        var metadata = Metadata();
        var token = await Server.InitialAccessTokenAsync(party);
        var first = await Server.RegisterAsync(token, metadata, _key);
        IsSame(first, await Server.RegisterAsync(token, metadata, _key));
        (await Server.RegisterAsync(await Server.InitialAccessTokenAsync(party), metadata, _key + "-2")).Refused(HttpStatusCode.Forbidden, "access_denied", "max_live_clients");
    }

    [Fact]
    [Requirement("P-IDEMPOTENT")]
    public async Task Rejects_the_key_with_another_body()
    {
        var party = await Server.OnboardingClientAsync();
        var metadata = Metadata();
        var token = await Server.InitialAccessTokenAsync(party);
        var first = await Server.RegisterAsync(token, metadata, _key);
        var other = metadata.DeepClone().AsObject();
        other["client_name"] = "Another";
        (await Server.RegisterAsync(token, other, _key)).Refused(HttpStatusCode.UnprocessableEntity, "invalid_request", "Idempotency-Key");
        IsSame(first, await Server.RegisterAsync(token, metadata, _key));
        (await Server.RegisterAsync(await Server.InitialAccessTokenAsync(party), other, _key + "-2")).Succeeded(HttpStatusCode.Created);
    }

    [Fact]
    [Requirement("P-IDEMPOTENT")]
    public async Task Does_not_mix_up_two_callers_with_one_key()
    {
        var metadata = Metadata();
        var one = (await Server.RegisterAsync(await Server.InitialAccessTokenAsync(await Server.OnboardingClientAsync()), metadata, _key)).Succeeded(HttpStatusCode.Created);
        var other = (await Server.RegisterAsync(await Server.InitialAccessTokenAsync(await Server.OnboardingClientAsync()), metadata, _key)).Succeeded(HttpStatusCode.Created);
        Assert.NotEqual(one["client_id"], other["client_id"]);
        Assert.NotEqual(one["registration_access_token"], other["registration_access_token"]);
    }

    [Fact]
    [Requirement("P-IDEMPOTENT")]
    public async Task Forgets_the_answer_after_24_hours()
    {
        var party = await Server.OnboardingClientAsync();
        var key = TestKey.Create();
        var metadata = Requests.Metadata(key);
        var first = await Server.RegisterAsync(await Server.InitialAccessTokenAsync(party), metadata, _key);
        Server.Time.Advance(TimeSpan.FromHours(23.9));
        IsSame(first, await RegisterProvedAsync(party, metadata, key));
        Server.Time.Advance(TimeSpan.FromHours(0.2));
        var later = (await RegisterProvedAsync(party, metadata, key)).Succeeded(HttpStatusCode.Created);
        Assert.NotEqual(first["client_id"], later["client_id"]);
        Assert.Equal(2, await ListedAsync(party));
    }

    [Fact]
    [Requirement("P-IDEMPOTENT")]
    public async Task Judges_a_request_anew_that_was_refused()
    {
        var party = await Server.OnboardingClientAsync("""{"max_live_clients":1}""");
        var client = await Server.OnboardAsync(party);
        var token = await Server.InitialAccessTokenAsync(party);
        var metadata = Metadata();
        (await Server.RegisterAsync(token, metadata, _key)).Refused(HttpStatusCode.Forbidden, "access_denied");
        var faulty = metadata.DeepClone().AsObject();
        faulty["scope"] = "too-much";
        (await Server.RegisterAsync(token, faulty, _key)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata");
        await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/revoke");
        (await Server.RegisterAsync(token, metadata, _key)).Succeeded(HttpStatusCode.Created);
    }

    [Fact]
    [Requirement("P-IDEMPOTENT")]
    public async Task Makes_one_client_and_one_answer_of_many_at_once_on_two_nodes()
    {
        var (app, http) = await Server.StartAnotherNodeAsync();
        await using var node = app;
        using var other = http;
        var party = await Server.OnboardingClientAsync("""{"initial_access_token":{"uses":100}}""");
        var token = await Server.InitialAccessTokenAsync(party);
        var metadata = Metadata();
        var answers = await Requests.SendAtOnceAsync(40, i => Server.RegisterAsync(token, metadata, _key, i % 2 == 0 ? other : null));
        Assert.All(answers, answer => answer.Succeeded(HttpStatusCode.Created));
        Assert.Single(answers.Select(answer => answer.Text).Distinct());
        Assert.Equal(1, await ListedAsync(party));
        // One use was counted.
        var left = await Requests.SendAtOnceAsync(100, _ => Server.RegisterAsync(token, metadata));
        Assert.Equal(99, left.Count(answer => answer.Status == HttpStatusCode.Created));
    }

    [Fact]
    [Requirement("P-IDEMPOTENT")]
    public async Task Gives_the_answer_of_another_node_and_after_a_restart()
    {
        var party = await Server.OnboardingClientAsync();
        var metadata = Metadata();
        var token = await Server.InitialAccessTokenAsync(party);
        var first = await Server.RegisterAsync(token, metadata, _key);
        var (app, http) = await Server.StartAnotherNodeAsync();
        await using (app)
        {
            using var other = http;
            IsSame(first, await Server.RegisterAsync(token, metadata, _key, other));
        }
        await Server.StopAsync();
        await Server.StartAsync();
        IsSame(first, await Server.RegisterAsync(token, metadata, _key));
    }

    [Fact]
    [Requirement("P-IDEMPOTENT")]
    public async Task Gives_the_first_answer_whatever_became_of_the_policy()
    {
        var party = await Server.OnboardingClientAsync();
        var metadata = Metadata();
        var token = await Server.InitialAccessTokenAsync(party);
        var first = await Server.RegisterAsync(token, metadata, _key);
        (await Server.ReplacePolicyAsync(party, new JsonObject { ["scope"] = new JsonObject { ["allowed"] = new JsonArray("write") } })).Succeeded();
        IsSame(first, await Server.RegisterAsync(token, metadata, _key));
    }

    [Fact]
    [Requirement("P-IDEMPOTENT")]
    public async Task Gives_the_answer_to_another_token_only_with_a_proof_by_a_registered_key()
    {
        var party = await Server.OnboardingClientAsync();
        var key = TestKey.Create();
        var metadata = Requests.Metadata(key);
        var first = (await Server.RegisterAsync(await Server.InitialAccessTokenAsync(party), metadata, _key)).Succeeded(HttpStatusCode.Created);
        (await Server.RegisterAsync(await Server.InitialAccessTokenAsync(party), metadata, _key))
            .Refused(HttpStatusCode.UnprocessableEntity, "invalid_request", "another initial access token");
        (await RegisterProvedAsync(party, metadata, TestKey.Create()))
            .Refused(HttpStatusCode.UnprocessableEntity, "invalid_request", "another initial access token");
        IsSame(first, await RegisterProvedAsync(party, metadata, key));
        Assert.Equal(1, await ListedAsync(party));
    }

    [Theory]
    [Requirement("P-IDEMPOTENT")]
    [InlineData("revoke")]
    [InlineData("suspend")]
    [InlineData("sign-out")]
    [InlineData("registration-access-token")]
    [InlineData("update")]
    [InlineData("delete")]
    public async Task Gives_no_answer_that_is_not_true_any_more(string act)
    {
        var party = await Server.OnboardingClientAsync();
        var token = await Server.InitialAccessTokenAsync(party);
        var key = TestKey.Create();
        var metadata = Requests.Metadata(key);
        var client = OnboardedClient.Of((await Server.RegisterAsync(token, metadata, _key)).Succeeded(HttpStatusCode.Created), key);
        var update = metadata.DeepClone().AsObject();
        update["client_id"] = client.ClientId;
        var done = act switch
        {
            "update" => await Server.SendAsync(HttpMethod.Put, client.Path, client.RegistrationAccessToken, update),
            "delete" => await Server.SendAsync(HttpMethod.Delete, client.Path, client.RegistrationAccessToken, (JsonObject?)null),
            _ => await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/{act}"),
        };
        Assert.True(done.Response.IsSuccessStatusCode, done.Text);
        var again = (await Server.RegisterAsync(token, metadata, _key)).Refused(HttpStatusCode.Conflict, "conflict", "changed or ended");
        Assert.DoesNotContain("registration_access_token", again.Text, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-IDEMPOTENT")]
    public async Task Takes_a_key_with_and_without_quotes_as_one()
    {
        var party = await Server.OnboardingClientAsync();
        var metadata = Metadata();
        var token = await Server.InitialAccessTokenAsync(party);
        var first = await Server.RegisterAsync(token, metadata, _key);
        IsSame(first, await Server.RegisterAsync(token, metadata, $"\"{_key}\""));
    }

    [Theory]
    [Requirement("P-IDEMPOTENT")]
    [InlineData("")]
    [InlineData("\"\"")]
    [InlineData("two words")]
    [InlineData("long")]
    public async Task Rejects_a_key_that_is_none(string key)
    {
        var token = await Server.InitialAccessTokenAsync(await Server.OnboardingClientAsync());
        (await Server.RegisterAsync(token, Metadata(), key == "long" ? new string('k', 256) : key)).Refused(HttpStatusCode.BadRequest, "invalid_request", "Idempotency-Key");
        (await Server.RegisterAsync(token, Metadata(), new string('k', 255))).Succeeded(HttpStatusCode.Created);
    }

    [Fact]
    [Requirement("P-LOG")]
    public async Task Keeps_no_registration_access_token_in_the_open()
    {
        var party = await Server.OnboardingClientAsync();
        var first = (await Server.RegisterAsync(await Server.InitialAccessTokenAsync(party), Metadata(), _key)).Succeeded(HttpStatusCode.Created);
        foreach (var file in Directory.EnumerateFiles(Server.Directory, "dcr.db*"))
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(stream, System.Text.Encoding.Latin1);
            Assert.DoesNotContain(first["registration_access_token"], await reader.ReadToEndAsync(Cancellation), StringComparison.Ordinal);
        }
        Assert.DoesNotContain(Server.Log.Lines, line => line.Contains(first["registration_access_token"], StringComparison.Ordinal));
    }
}

public sealed class IdempotentRegistrationTestsOnSqlite(SqliteServer server) : IdempotentRegistrationTests(server), IClassFixture<SqliteServer>;

public sealed class IdempotentRegistrationTestsOnMongoDb(MongoDbServer server) : IdempotentRegistrationTests(server), IClassFixture<MongoDbServer>;
