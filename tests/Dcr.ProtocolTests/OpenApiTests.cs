using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

public sealed class OpenApiTests(SqliteServer server) : ServerTests(server), IClassFixture<SqliteServer>
{
    /// <summary>Set to 1 to write the document that the server gives, after a deliberate change.</summary>
    private const string Update = "DCR_UPDATE_OPENAPI";

    [Fact]
    [Requirement("P-OPENAPI")]
    public async Task The_committed_document_is_what_the_server_gives()
    {
        var served = JsonNode.Parse((await Server.GetAsync("/openapi/v1.json")).Succeeded().Text)!;
        var path = Path.Combine(Repository.Root, "specs", "openapi.json");
        if (Environment.GetEnvironmentVariable(Update) == "1")
        {
            await File.WriteAllTextAsync(path, served.ToJsonString(new() { WriteIndented = true }) + "\n", Cancellation);
        }
        var committed = JsonNode.Parse(await File.ReadAllTextAsync(path, Cancellation))!;
        Assert.True(JsonNode.DeepEquals(committed, served), $"specs/openapi.json has drifted; look at the change, then run the tests with {Update}=1.");
        Assert.StartsWith("3.1", served["openapi"]!.GetValue<string>(), StringComparison.Ordinal);
    }
}
