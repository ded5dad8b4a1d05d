using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Microsoft.Extensions.Options;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>The seed file: applied idempotently, refused as a whole when anything in it is wrong.</summary>
public abstract class SeedFileTests(DcrServer server) : ServerTests(server)
{
    private async Task<string> VersionAsync(string clientId) =>
        (await Server.AdminAsync(HttpMethod.Get, $"clients/{clientId}", await Server.AdminTokenAsync())).Succeeded().Json["version"]!.ToString();

    private async Task RestartAsync()
    {
        await Server.StopAsync();
        await Server.StartAsync();
    }

    [Fact]
    [Requirement("P-SEED")]
    public async Task Changes_nothing_when_it_is_applied_again_and_keeps_the_status()
    {
        await Server.AdminAsync(HttpMethod.Post, "clients/fleet/suspend", await Server.AdminTokenAsync());
        var version = await VersionAsync("fleet");
        await RestartAsync();
        Assert.Equal(version, await VersionAsync("fleet"));
        (await Server.PostTokenAsync(Server.Assertion(Server.OnboardingKey, "fleet").Sign(), "dcr")).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        await Server.AdminAsync(HttpMethod.Post, "clients/fleet/resume", await Server.AdminTokenAsync());
    }

    [Fact]
    [Requirement("P-SEED")]
    public async Task Replaces_an_entry_that_differs_and_says_so_in_the_audit_trail()
    {
        var seed = JsonNode.Parse(await File.ReadAllTextAsync(Server.SeedPath, Cancellation))!;
        seed["clients"]![0]!["client_name"] = "Renamed directory";
        seed["clients"]![0]!["registration_policy"]!["scope"]!["allowed"]!.AsArray().Add("extra");
        await File.WriteAllTextAsync(Server.SeedPath, seed.ToJsonString(), Cancellation);
        Server.Time.Advance(TimeSpan.FromSeconds(1));
        await RestartAsync();

        var admin = await Server.AdminTokenAsync();
        var shown = (await Server.AdminAsync(HttpMethod.Get, $"clients/{DcrServer.OnboardingClient}", admin)).Succeeded();
        Assert.Equal("Renamed directory", shown.Json["metadata"]!["client_name"]!.GetValue<string>());
        await Server.OnboardAsync(change: m => m["scope"] = "extra");
        var audit = (await Server.AdminAsync(HttpMethod.Get, $"audit?subject={DcrServer.OnboardingClient}", admin)).Succeeded();
        Assert.Equal("client.seeded", audit.Json["items"]![0]!["action"]!.GetValue<string>());
        Assert.Contains("extra", audit.Json["items"]![0]!["changes"]!["registration_policy"]!["after"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    private async Task ChangeSeedAsync(Action<JsonArray> change)
    {
        var seed = JsonNode.Parse(await File.ReadAllTextAsync(Server.SeedPath, Cancellation))!;
        change(seed["clients"]!.AsArray());
        await File.WriteAllTextAsync(Server.SeedPath, seed.ToJsonString(new() { WriteIndented = true }), Cancellation);
        Server.Time.Advance(TimeSpan.FromSeconds(1));
        await RestartAsync();
    }

    private async Task<Answer> ShownAsync(string clientId) => await Server.AdminAsync(HttpMethod.Get, $"clients/{clientId}", await Server.AdminTokenAsync());

    [Fact]
    [Requirement("P-SEED")]
    public async Task Compares_an_entry_whole_the_kid_of_a_key_and_the_end_of_a_long_list_too()
    {
        var key = TestKey.Create(kid: "before");
        var scopes = string.Join(' ', Enumerable.Range(0, 100).Select(i => $"scope-number-{i}"));
        await ChangeSeedAsync(clients => clients.Add((JsonNode)DcrServer.SeedClient("whole", scopes, key)));

        await ChangeSeedAsync(clients => clients[^1]!["jwks"] = TestKey.Jwks(key.As(kid: "after")));
        Assert.Equal("after", (await ShownAsync("whole")).Succeeded().Json["metadata"]!["jwks"]!["keys"]![0]!["kid"]!.GetValue<string>());
        Assert.Contains("kid before", await LastChangesAsync("whole"), StringComparison.Ordinal);

        await ChangeSeedAsync(clients => clients[^1]!["scope"] = scopes + " one-more");
        Assert.EndsWith(" one-more", (await ShownAsync("whole")).Succeeded().Json["metadata"]!["scope"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Contains("one-more", await LastChangesAsync("whole"), StringComparison.Ordinal);
    }

    private async Task<string> LastChangesAsync(string clientId) =>
        (await Server.AdminAsync(HttpMethod.Get, $"audit?subject={clientId}", await Server.AdminTokenAsync())).Succeeded().Json["items"]![0]!["changes"]!.ToJsonString();

    [Fact]
    [Requirement("P-SEED")]
    public async Task Does_not_bring_back_a_client_that_was_deleted_until_its_entry_changes()
    {
        var policy = new JsonObject { ["scope"] = new JsonObject { ["allowed"] = new JsonArray("read") } };
        await ChangeSeedAsync(clients => clients.Add((JsonNode)DcrServer.SeedClient("let-go", "dcr", TestKey.Create(), policy)));
        (await Server.AdminAsync(HttpMethod.Delete, "onboarding-clients/let-go", await Server.AdminTokenAsync())).Succeeded(HttpStatusCode.NoContent);

        await RestartAsync();
        (await ShownAsync("let-go")).Refused(HttpStatusCode.NotFound, "not_found");
        // Another order of members, and another layout, is no change.
        await ChangeSeedAsync(clients => clients[^1] = new JsonObject(clients[^1]!.AsObject().Reverse().Select(member => KeyValuePair.Create(member.Key, member.Value?.DeepClone()))));
        (await ShownAsync("let-go")).Refused(HttpStatusCode.NotFound, "not_found");

        await ChangeSeedAsync(clients => clients[^1]!["client_name"] = "Wanted again");
        (await ShownAsync("let-go")).Succeeded();
    }
}

public sealed class SeedFileTestsOnSqlite(SqliteServer server) : SeedFileTests(server), IClassFixture<SqliteServer>;

public sealed class SeedFileTestsOnMongoDb(MongoDbServer server) : SeedFileTests(server), IClassFixture<MongoDbServer>;

/// <summary>A seed file or a setting that is at fault: the server does not start, and names every fault at once.</summary>
public sealed class FaultyConfigurationTests
{
    [Theory]
    [Requirement("P-SEED", "P-OPTIONS")]
    [InlineData("""{"clients":[{"client_id":"a","token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://k.example/j","scope":"dcr","registration_policy":{"signing_algs":[],"grant_types":{"allowed":[]}}}]}""", "registration_policy.signing_algs", "registration_policy.grant_types.allowed")]
    [InlineData("""{"clients":[{"client_id":"a b","token_endpoint_auth_method":"none","jwks":{"keys":[]}}]}""", "client_id", "token_endpoint_auth_method", "jwks")]
    [InlineData("""{"clients":[{"client_id":"a","token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://k.example/j","scope":"dcr","registration_policy":{"proof_of_possession":"sometimes","max_live_clients":"many","made_up":1,"idle_lifetime_seconds":-1,"scope":{"allowed":["a b"]}}}]}""", "proof_of_possession", "max_live_clients", "made_up", "idle_lifetime_seconds", "scope")]
    [InlineData("""{"clients":[{"client_id":"a","token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://k.example/j","scope":"dcr","registration_policy":{"made_up":1,"max_live_clients":-1,"signing_algs":["HS256"],"jwks_uri_hosts":["https://x"],"idle_lifetime_seconds":5,"software_statement":{"mode":"required"},"attestation":{"mode":"required","attesters":[{"issuer":"x"}]},"defaults":{"client_uri":"x"}}}]}""", "made_up", "max_live_clients", "signing_algs", "jwks_uri_hosts", "idle_lifetime_seconds", "software_statement.issuers", "attestation.attesters", "defaults.client_uri")]
    [InlineData("""{"clients":[{"client_id":"a","token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://k.example/j","scope":"dcr"}]}""", "registration_policy")]
    [InlineData("""{"clients":[{"client_id":"a","token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://k.example/j","scope":"dcr","registration_policy":{"initial_access_token":{"uses":0,"lifetime_seconds":0},"scope":{"allowed":["a"],"default":["b"]}}}]}""", "uses", "lifetime_seconds", "default")]
    [InlineData("""{"clients":[{"client_id":"a","token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://k.example/j","scope":"dcr","registration_policy":{"scope":{"allow":["a"]}}}]}""", "registration_policy")]
    [InlineData("""{"clients":[{"client_id":"a","token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://k.example/j","scope":"dcr","registration_policy":{"initial_access_token":{"uses":2},"scope":{"default":["b"]}}}]}""", "default")]
    [InlineData("""{"clients":[{"client_id":"a","token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://k.example/j"},{"client_id":"a","token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://k.example/j"}]}""", "2 times")]
    [InlineData("""{"clients":[{"client_id":"a","token_endpoint_auth_method":"attest_jwt_client_auth","scope":"dcr","registration_policy":{"attestation":{"mode":"optional","attesters":[{"issuer":"x","jwks_uri":"https://k.example/j"}]}}}]}""", "attestation.mode is required")]
    [InlineData("""{"clients":[null]}""", "clients[0]", "null")]
    [InlineData("""{"clients":[{"client_id":"a","client_nam":"A","token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://k.example/j","status":"suspended","x":null},null]}""", "clients[0] (a): client_nam:", "clients[0] (a): status:", "clients[0] (a): x:", "clients[1]")]
    [InlineData("""{"client":[],"clients":[]}""", "client")]
    [InlineData("""{"clients":null}""", "clients")]
    [InlineData("""{"clients":[{"client_id":".","token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://k.example/j"}]}""", "client_id")]
    [InlineData("not json", "seed.json")]
    public async Task Refuses_a_seed_file_and_names_every_fault(string seed, params string[] names)
    {
        await using var server = new FaultyServer(seed);
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(async () => await server.InitializeAsync());
        Assert.All(names, name => Assert.Contains(name, fault.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Says_nothing_of_keys_when_the_policy_that_decides_on_them_is_at_fault()
    {
        await using var server = new FaultyServer(
            """{"clients":[{"client_id":"a","token_endpoint_auth_method":"attest_jwt_client_auth","scope":"dcr","registration_policy":{"max_live_clients":-1,"attestation":{"mode":"required","attesters":[{"issuer":"x","jwks_uri":"https://k.example/j"}]}}}]}""");
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(async () => await server.InitializeAsync());
        Assert.Contains("max_live_clients", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("private_key_jwt", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("R8414-2-01", "P-OPTIONS")]
    public async Task Refuses_settings_and_names_every_fault()
    {
        await using var server = new FaultyServer("""{"clients":[]}""");
        server.Settings["Dcr:Issuer"] = "http://as.example?x";
        server.Settings["Dcr:AccessTokenLifetime"] = "00:00:01";
        server.Settings["Dcr:SecurityProfile"] = "7";
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(async () => await server.InitializeAsync());
        Assert.All(new[] { "Dcr:Issuer", "Dcr:AccessTokenLifetime", "Dcr:SecurityProfile" }, name => Assert.Contains(name, fault.Message, StringComparison.Ordinal));
    }

    [Fact]
    [Requirement("P-OPTIONS")]
    public async Task Refuses_settings_that_there_are_not_and_repeats_no_value()
    {
        await using var server = new FaultyServer("""{"clients":[]}""");
        server.Settings["Dcr:SecurityProfil"] = "Fapi2";
        server.Settings["Dcr:Jwks:AllowHttps"] = "true";
        server.Settings["Dcr:Storage:Mongo:ConnectionString"] = "mongodb://user:password@db";
        // Settings are read without regard to case, as everywhere in .NET.
        server.Settings["dcr:accesstokenlifetime"] = "00:05:00";
        server.Settings["Dcr:Storage:MongoDb:Database"] = "unused";

        var fault = await Assert.ThrowsAsync<OptionsValidationException>(async () => await server.InitializeAsync());

        Assert.Contains("Dcr:SecurityProfil: unknown setting; Dcr has AccessTokenLifetime,", fault.Message, StringComparison.Ordinal);
        Assert.Contains("Dcr:Jwks:AllowHttps: unknown setting; Dcr:Jwks has AllowHttp,", fault.Message, StringComparison.Ordinal);
        Assert.Contains("Dcr:Storage:Mongo:ConnectionString: unknown setting.", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("password", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Database", fault.Message, StringComparison.Ordinal);
    }

    private sealed class FaultyServer(string seed) : SqliteServer
    {
        protected override string SeedText() => seed;
    }
}
