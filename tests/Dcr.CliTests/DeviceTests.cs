using System.Text.Json.Nodes;
using Dcr.Cli;
using Dcr.CliTests.Support;
using Xunit;

namespace Dcr.CliTests;

/// <summary><c>dcr device attest</c>: the mobile flow from a terminal, backend and phone played by one person.</summary>
public sealed class DeviceTests(CliServer server) : IDisposable
{
    private readonly DcrTool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    [Requirement("P-CLI")]
    public async Task Registers_a_device_whose_key_is_vouched_for_and_no_other()
    {
        var app = await OnboardAsync();
        string[] attest = ["device", "attest", "phone.pem", "--attester", "https://app.example", "--key", "backend.pem", "--app", app];
        await _tool.SucceedAsync([.. attest, "--out", "attestation.jwt"]);

        await _tool.SucceedAsync("register", "-p", "phone", "--server", server.Issuer, "--attestation", "attestation.jwt", "--key", "phone.pem", "--scope", "read");
        Assert.Equal("read", (string?)(await _tool.JsonAsync("token", "-p", "phone"))["scope"]);

        await _tool.SucceedAsync("keys", "new", "other.pem");
        var thief = await _tool.RunAsync("register", "-p", "thief", "--server", server.Issuer, "--attestation", "attestation.jwt", "--key", "other.pem");
        Assert.Equal(ExitCode.Refused, thief.ExitCode);
    }

    [Fact]
    [Requirement("P-CLI-SECRET")]
    public async Task Shows_what_an_attestation_says_and_not_the_attestation()
    {
        await _tool.SucceedAsync("keys", "new", "backend.pem");
        var shown = await _tool.SucceedAsync("device", "attest", "phone.pem", "--attester", "https://app.example", "--key", "backend.pem", "--app", "orders-app", "--lifetime", "1h");
        Assert.DoesNotContain("eyJ", shown.Out + shown.Error, StringComparison.Ordinal);
        Assert.Contains("orders-app", shown.Out, StringComparison.Ordinal);
        var none = await _tool.RunWithInputAsync("no attestation", "register", "--server", server.Issuer, "--attestation", "-");
        Assert.Equal(ExitCode.Usage, none.ExitCode);
    }

    private async Task<string> OnboardAsync()
    {
        using var backend = await _tool.NewKeyAsync("backend.pem");
        var id = $"app-{Guid.NewGuid():N}";
        await server.PostAsync("onboarding-clients", new JsonObject
        {
            ["client_id"] = id,
            ["token_endpoint_auth_method"] = "attest_jwt_client_auth",
            ["grant_types"] = new JsonArray("client_credentials"),
            ["scope"] = "dcr",
            ["registration_policy"] = new JsonObject
            {
                ["initial_access_token"] = new JsonObject { ["uses"] = 1, ["bound_to_key"] = true },
                ["scope"] = new JsonObject { ["allowed"] = new JsonArray("read"), ["default"] = new JsonArray("read") },
                ["attestation"] = new JsonObject
                {
                    ["mode"] = "required",
                    ["attesters"] = new JsonArray(new JsonObject { ["issuer"] = "https://app.example", ["jwks"] = JsonNode.Parse(backend.PublicJwkSet.ToJson()) }),
                },
            },
        });
        return id;
    }
}
