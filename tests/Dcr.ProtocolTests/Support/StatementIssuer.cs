using System.Text;
using System.Text.Json.Nodes;

namespace Dcr.ProtocolTests.Support;

/// <summary>Somebody who vouches for software by software statements (RFC 7591 section 2.3).</summary>
public sealed class StatementIssuer(string alg = "ES256")
{
    public string Issuer { get; } = $"https://directory-{Guid.NewGuid():N}.example";

    public TestKey Key { get; } = TestKey.Create(alg, kid: "statements-1");

    /// <summary>As a policy names it.</summary>
    public JsonObject Trusted(params string[] softwareIds)
    {
        var trusted = new JsonObject { ["issuer"] = Issuer, ["jwks"] = TestKey.Jwks(Key) };
        if (softwareIds.Length > 0)
        {
            trusted["software_ids"] = new JsonArray([.. softwareIds.Select(id => JsonValue.Create(id))]);
        }
        return trusted;
    }

    public static JsonObject Policy(string mode, params JsonObject[] issuers) => new()
    {
        ["software_statement"] = new JsonObject { ["mode"] = mode, ["issuers"] = new JsonArray([.. issuers.Select(issuer => issuer.DeepClone())]) },
    };

    /// <summary>A valid statement about some software; a test adds to its claims or changes them.</summary>
    public JsonObject Claims(string softwareId = "the-app") => new() { ["iss"] = Issuer, ["software_id"] = softwareId };

    public string Sign(JsonObject? claims = null, TestKey? with = null, JsonObject? header = null) => AssertionScenario.Sign(
        with ?? Key,
        Encoding.UTF8.GetBytes((header ?? new JsonObject { ["alg"] = (with ?? Key).Alg, ["kid"] = Key.Kid }).ToJsonString()),
        Encoding.UTF8.GetBytes((claims ?? Claims()).ToJsonString()));
}
