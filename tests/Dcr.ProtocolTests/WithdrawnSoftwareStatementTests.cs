using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>PUT /admin/v1/onboarding-clients/{id}?suspend_withdrawn=true: clients of software that is not trusted any more.</summary>
public abstract class WithdrawnSoftwareStatementTests(DcrServer server) : ServerTests(server)
{
    private readonly StatementIssuer _kept = new();
    private readonly StatementIssuer _withdrawn = new();

    private Task<OnboardingParty> PartyAsync() => Server.OnboardingClientAsync(StatementIssuer.Policy("optional", _kept.Trusted(), _withdrawn.Trusted()));

    private Task<OnboardedClient> OnboardAsync(OnboardingParty party, StatementIssuer issuer, string softwareId) =>
        Server.OnboardAsync(party, m => m["software_statement"] = issuer.Sign(issuer.Claims(softwareId)));

    private async Task<JsonNode?> ReplaceAsync(OnboardingParty party, JsonObject policy, string query = "?suspend_withdrawn=true") =>
        (await Server.ReplacePolicyAsync(party, policy, query)).Succeeded().Json["suspension"];

    [Fact]
    [Requirement("P-POLICY", "P-LINEAGE")]
    public async Task Suspends_the_clients_of_an_issuer_that_was_taken_out_and_no_other()
    {
        var party = await PartyAsync();
        var withdrawn = await OnboardAsync(party, _withdrawn, "a");
        var kept = await OnboardAsync(party, _kept, "a");
        var without = await Server.OnboardAsync(party);
        var elsewhere = await OnboardAsync(await PartyAsync(), _withdrawn, "a");

        var suspension = await ReplaceAsync(party, StatementIssuer.Policy("optional", _kept.Trusted()));

        Assert.Equal(1, suspension!["matched"]!.GetValue<long>());
        Assert.Equal(1, suspension["suspended"]!.GetValue<long>());
        Assert.True(suspension["done"]!.GetValue<bool>());
        Assert.Equal(suspension.ToJsonString(), (await Server.AdminAsync(HttpMethod.Get, $"operations/{suspension["operation"]}")).Succeeded().Json.ToJsonString());
        Assert.Equal("suspended", await Server.StatusAsync(withdrawn));
        (await Server.PostTokenAsync(Server.Assertion(withdrawn.Key, withdrawn.ClientId).Sign())).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        foreach (var other in new[] { kept, without, elsewhere })
        {
            Assert.Equal("active", await Server.StatusAsync(other));
        }
    }

    [Fact]
    [Requirement("P-POLICY")]
    public async Task Leaves_them_alone_unless_it_is_asked_for()
    {
        var party = await PartyAsync();
        var withdrawn = await OnboardAsync(party, _withdrawn, "a");
        Assert.Null(await ReplaceAsync(party, StatementIssuer.Policy("optional", _kept.Trusted()), ""));
        Assert.Null(await ReplaceAsync(party, StatementIssuer.Policy("optional", _kept.Trusted()), "?suspend_withdrawn=false"));
        Assert.Equal("active", await Server.StatusAsync(withdrawn));
        await Server.AccessTokenAsync(withdrawn.Key, withdrawn.ClientId);

        // Later is as good as at once.
        Assert.Equal(1, (await ReplaceAsync(party, StatementIssuer.Policy("optional", _kept.Trusted())))!["suspended"]!.GetValue<long>());
        Assert.Equal("suspended", await Server.StatusAsync(withdrawn));
    }

    [Fact]
    [Requirement("P-POLICY")]
    public async Task Goes_by_software_where_the_policy_does()
    {
        var party = await PartyAsync();
        var a = await OnboardAsync(party, _kept, "a");
        var b = await OnboardAsync(party, _kept, "b");
        var c = await OnboardAsync(party, _kept, "c");
        Assert.Equal(1, (await ReplaceAsync(party, StatementIssuer.Policy("required", _kept.Trusted("a", "c"))))!["suspended"]!.GetValue<long>());
        Assert.Equal(["active", "suspended", "active"], [await Server.StatusAsync(a), await Server.StatusAsync(b), await Server.StatusAsync(c)]);
    }

    [Fact]
    [Requirement("P-POLICY")]
    public async Task Suspends_all_that_rest_on_one_when_none_is_accepted_any_more()
    {
        var party = await PartyAsync();
        var withdrawn = await OnboardAsync(party, _withdrawn, "a");
        var without = await Server.OnboardAsync(party);
        Assert.Equal(1, (await ReplaceAsync(party, []))!["suspended"]!.GetValue<long>());
        Assert.Equal(["suspended", "active"], [await Server.StatusAsync(withdrawn), await Server.StatusAsync(without)]);
    }

    [Fact]
    [Requirement("P-POLICY")]
    public async Task Changes_nothing_when_the_policy_is_refused()
    {
        var party = await PartyAsync();
        var withdrawn = await OnboardAsync(party, _withdrawn, "a");
        (await Server.ReplacePolicyAsync(party, StatementIssuer.Policy("required"), "?suspend_withdrawn=true")).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata");
        (await Server.ReplacePolicyAsync(party, [], "?suspend_withdrawn=yes")).Refused(HttpStatusCode.BadRequest, "invalid_request", "suspend_withdrawn");
        (await Server.ReplacePolicyAsync(party, [], "?suspend_withdrawn")).Refused(HttpStatusCode.BadRequest, "invalid_request", "suspend_withdrawn");
        Assert.Equal("active", await Server.StatusAsync(withdrawn));
    }
}

public sealed class WithdrawnSoftwareStatementTestsOnSqlite(SqliteServer server) : WithdrawnSoftwareStatementTests(server), IClassFixture<SqliteServer>;

public sealed class WithdrawnSoftwareStatementTestsOnMongoDb(MongoDbServer server) : WithdrawnSoftwareStatementTests(server), IClassFixture<MongoDbServer>;
