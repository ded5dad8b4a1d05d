using System.Buffers.Text;
using System.Text;
using System.Text.Json.Nodes;

namespace Dcr.ProtocolTests.Support;

/// <summary>A valid client assertion, of which a test changes exactly one thing.</summary>
public sealed class AssertionScenario
{
    private readonly TestKey _key;

    public AssertionScenario(TestKey key, string clientId, string audience, DateTimeOffset now)
    {
        _key = key;
        Header = new JsonObject { ["alg"] = key.Alg, ["typ"] = "client-authentication+jwt" };
        if (key.Kid is not null)
        {
            Header["kid"] = key.Kid;
        }
        Claims = new JsonObject
        {
            ["iss"] = clientId,
            ["sub"] = clientId,
            ["aud"] = audience,
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = now.AddSeconds(60).ToUnixTimeSeconds(),
            ["jti"] = Guid.NewGuid().ToString("N"),
        };
    }

    public JsonObject Header { get; }

    public JsonObject Claims { get; }

    public AssertionScenario WithHeader(string name, JsonNode? value)
    {
        Header[name] = value;
        return this;
    }

    public AssertionScenario WithClaim(string name, JsonNode? value)
    {
        Claims[name] = value;
        return this;
    }

    public AssertionScenario Without(string name)
    {
        Header.Remove(name);
        Claims.Remove(name);
        return this;
    }

    public string Sign() => Sign(_key, Encoding.UTF8.GetBytes(Header.ToJsonString()), Encoding.UTF8.GetBytes(Claims.ToJsonString()));

    /// <summary>Signs any bytes, also those that are no JSON.</summary>
    public static string Sign(TestKey key, byte[] header, byte[] claims)
    {
        var input = $"{Base64Url.EncodeToString(header)}.{Base64Url.EncodeToString(claims)}";
        return $"{input}.{Base64Url.EncodeToString(key.Sign(Encoding.ASCII.GetBytes(input)))}";
    }
}
