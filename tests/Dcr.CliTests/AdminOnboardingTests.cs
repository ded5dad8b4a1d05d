using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Dcr.Cli;
using Dcr.Client;
using Dcr.CliTests.Support;
using Xunit;

namespace Dcr.CliTests;

/// <summary><c>dcr admin onboarding</c>: who may register clients, from a few options or from a file.</summary>
public sealed class AdminOnboardingTests(CliServer server)
{
    private readonly string _id = $"directory-{Guid.NewGuid():N}";

    [Fact]
    [Requirement("P-CLI-ADMIN")]
    public async Task Lets_somebody_register_clients_by_options()
    {
        using var tool = await new DcrTool().KnowAsync(server, "admin");
        await tool.SucceedAsync("keys", "new", "directory.pem");
        var added = await tool.SucceedAsync(
            "admin", "onboarding", "add", _id, "--key", "directory.pem", "--name", "A directory", "--scope", "read write", "--default-scope", "read", "--uses", "2", "--max-live-clients", "7", "--client-lifetime", "365d", "--idle-lifetime", "36h");
        Assert.Contains("A directory", added.Out, StringComparison.Ordinal);
        Assert.Contains($"--client-id {_id}", added.Error, StringComparison.Ordinal);

        var shown = await tool.JsonAsync("admin", "onboarding", "show", _id);
        var policy = shown["registration_policy"]!;
        Assert.Equal(2, (int)policy["initial_access_token"]!["uses"]!);
        Assert.Equal(["read", "write"], policy["scope"]!["allowed"]!.AsArray().Select(token => (string)token!));
        Assert.Equal(["read"], policy["scope"]!["default"]!.AsArray().Select(token => (string)token!));
        Assert.Equal(7, (int)policy["max_live_clients"]!);
        Assert.Equal(365 * 86_400, (int)policy["client_lifetime_seconds"]!);
        Assert.Equal(36 * 3_600, (int)policy["idle_lifetime_seconds"]!);
        Assert.DoesNotContain("\"d\"", (await server.GetAsync($"onboarding-clients/{_id}"))["jwks"]!.ToJsonString(), StringComparison.Ordinal);

        await tool.SucceedAsync("profile", "set", "directory", "--server", server.Issuer, "--client-id", _id, "--key", "directory.pem");
        Assert.Equal("read", (string?)(await tool.JsonAsync("register", "--via", "directory"))["scope"]);
        Assert.Contains(_id, (await tool.SucceedAsync("admin", "onboarding", "list", "--all")).Out, StringComparison.Ordinal);
        var again = await tool.RunAsync("admin", "onboarding", "add", _id, "--key", "directory.pem", "--scope", "read");
        Assert.Equal(ExitCode.Refused, again.ExitCode);
        Assert.Contains("already", again.Error, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-CLI-ADMIN")]
    public async Task Makes_an_entry_for_a_file_without_a_server_and_takes_it_from_there()
    {
        using var tool = new DcrTool();
        var spki = tool.PathOf("public.pem");
        using (var key = ECDsa.Create(ECCurve.NamedCurves.nistP256))
        {
            await File.WriteAllTextAsync(spki, key.ExportSubjectPublicKeyInfoPem(), TestContext.Current.CancellationToken);
        }
        var entry = (await tool.SucceedAsync("admin", "onboarding", "add", _id, "--key", spki, "--scope", "read", "--dry-run")).Out;
        var json = JsonNode.Parse(entry)!;
        Assert.Equal("ES256", (string?)json["jwks"]!["keys"]![0]!["alg"]);
        Assert.Equal(1, (int)json["registration_policy"]!["initial_access_token"]!["uses"]!);

        await tool.KnowAsync(server, "admin");
        var added = await tool.RunWithInputAsync(entry, "admin", "onboarding", "add", "-", "--json");
        Assert.Equal(ExitCode.Success, added.ExitCode);
        Assert.Equal(_id, (string?)added.Json["client_id"]);

        var byUri = (await tool.SucceedAsync("admin", "onboarding", "add", _id, "--jwks-uri", "https://directory.example/jwks.json", "--scope", "read", "--dry-run")).Json;
        Assert.Equal("https://directory.example/jwks.json", (string?)byUri["jwks_uri"]);
        Assert.False(byUri.ContainsKey("jwks"));
    }

    [Fact]
    [Requirement("P-CLI-ADMIN")]
    public async Task Rejects_an_entry_with_every_fault_on_a_line_of_its_own()
    {
        using var tool = await new DcrTool().KnowAsync(server, "admin");
        var entry = new JsonObject
        {
            ["client_id"] = _id,
            ["scope"] = "read",
            ["token_endpoint_auth_method"] = "private_key_jwt",
            ["jwks"] = JsonNode.Parse(ClientKey.Generate().PublicJwkSet.ToJson()),
            ["registration_policy"] = new JsonObject { ["max_live_clients"] = -1, ["colour"] = "red" },
        }.ToJsonString();
        var people = await tool.RunWithInputAsync(entry, "admin", "onboarding", "add", "-");
        Assert.Equal(ExitCode.Refused, people.ExitCode);
        var lines = people.Error.Split('\n');
        Assert.Contains(lines, line => line.StartsWith("error: ", StringComparison.Ordinal) && line.Contains("registration_policy.max_live_clients: ", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.TrimStart().StartsWith("registration_policy.colour: ", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.TrimStart().StartsWith("scope: ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("no-such-file")]
    [InlineData("somebody", "--key", "no-such-file", "--scope", "read")]
    [InlineData("somebody", "--key", "private.json", "--scope", "read")]
    [InlineData("somebody", "--key", "seed.json")]
    [InlineData("somebody", "--jwks-uri", "https://somebody.example/jwks.json", "--scope", "read", "--idle-lifetime", "3 weeks")]
    [InlineData("seed.json")]
    [Requirement("P-CLI-ADMIN")]
    public async Task Rejects_what_no_entry_can_be_made_of(params string[] arguments)
    {
        using var tool = await new DcrTool().KnowAsync(server, "admin");
        await File.WriteAllTextAsync(tool.PathOf("seed.json"), """{"clients": [{}, {}]}""", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(tool.PathOf("private.json"), """{"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": "c2VjcmV0"}]}""", TestContext.Current.CancellationToken);
        var answer = await tool.RunAsync(["admin", "onboarding", "add", .. arguments]);
        Assert.True(answer.ExitCode == ExitCode.Usage, answer.ToString());
        Assert.DoesNotContain("c2VjcmV0", answer.Out + answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-CLI-ADMIN")]
    public async Task Replaces_an_entry_as_it_was_seen_and_deletes_it()
    {
        var onboarding = await server.OnboardAsync();
        await server.RegisterAsync(onboarding);
        using var tool = await new DcrTool().KnowAsync(server, "admin");
        var seen = await tool.JsonAsync("admin", "onboarding", "show", onboarding.ClientId);
        seen["registration_policy"]!["max_live_clients"] = 5;

        var replaced = await tool.RunWithInputAsync(seen.ToJsonString(), "admin", "onboarding", "replace", onboarding.ClientId, "-", "--suspend-withdrawn", "--json");
        Assert.True(replaced.ExitCode == ExitCode.Success, replaced.ToString());
        Assert.Equal(5, (int)replaced.Json["registration_policy"]!["max_live_clients"]!);
        Assert.True((bool)replaced.Json["suspension"]!["done"]!);
        // The same once more: it has another version now.
        var stale = await tool.RunWithInputAsync(seen.ToJsonString(), "admin", "onboarding", "replace", onboarding.ClientId, "-");
        Assert.Equal(ExitCode.Refused, stale.ExitCode);
        Assert.Contains("412", stale.Error, StringComparison.Ordinal);
        seen.Remove("version");
        seen.Remove("client_id");
        Assert.Equal(ExitCode.Success, (await tool.RunWithInputAsync(seen.ToJsonString(), "admin", "onboarding", "replace", onboarding.ClientId, "-")).ExitCode);

        var unasked = await tool.RunAsync("admin", "onboarding", "delete", onboarding.ClientId);
        Assert.Equal(ExitCode.Usage, unasked.ExitCode);
        Assert.Contains("1 of them live", unasked.Error, StringComparison.Ordinal);
        await server.GetAsync($"onboarding-clients/{onboarding.ClientId}");
        Assert.True((bool)(await tool.JsonAsync("admin", "onboarding", "delete", onboarding.ClientId, "--yes"))["deleted"]!);
        Assert.Equal(ExitCode.Refused, (await tool.RunAsync("admin", "onboarding", "show", onboarding.ClientId)).ExitCode);
    }
}
