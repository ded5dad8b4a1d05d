using System.Text;
using System.Text.Json.Nodes;

namespace Dcr.ProtocolTests.Support;

/// <summary>A valid signed JWT of any kind, of which a test changes exactly one thing.</summary>
public sealed class JwtScenario(TestKey key, JsonObject header, JsonObject claims)
{
    public JsonObject Header { get; } = header;

    public JsonObject Claims { get; } = claims;

    public JwtScenario WithHeader(string name, JsonNode? value)
    {
        Header[name] = value;
        return this;
    }

    public JwtScenario WithClaim(string name, JsonNode? value)
    {
        Claims[name] = value;
        return this;
    }

    public JwtScenario Without(string name)
    {
        Header.Remove(name);
        Claims.Remove(name);
        return this;
    }

    public string Sign() => SignWith(key);

    public string SignWith(TestKey signer) =>
        AssertionScenario.Sign(signer, Encoding.UTF8.GetBytes(Header.ToJsonString()), Encoding.UTF8.GetBytes(Claims.ToJsonString()));
}
