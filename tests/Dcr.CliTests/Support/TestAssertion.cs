using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Dcr.CliTests.Support;

/// <summary>A client assertion that is right until a test changes something of it: signed here, so that it can be wrong in any way.</summary>
internal sealed class TestAssertion : IDisposable
{
    public TestAssertion(string clientId, string audience, DateTimeOffset now, ECDsa? key = null)
    {
        Key = key ?? ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Header = new JsonObject { ["alg"] = "ES256", ["typ"] = "client-authentication+jwt", ["kid"] = "k1" };
        Claims = new JsonObject
        {
            ["iss"] = clientId,
            ["sub"] = clientId,
            ["aud"] = audience,
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = now.ToUnixTimeSeconds() + 60,
            ["jti"] = Guid.NewGuid().ToString(),
        };
    }

    public JsonObject Header { get; }

    public JsonObject Claims { get; }

    /// <summary>What signs.</summary>
    public ECDsa Key { get; set; }

    public DSASignatureFormat SignatureFormat { get; set; } = DSASignatureFormat.IeeeP1363FixedFieldConcatenation;

    /// <summary>The last thing that is done to it.</summary>
    public Func<string, string> Finally { get; set; } = jwt => jwt;

    public string Write() => Finally(Sign(Header.ToJsonString(), Claims.ToJsonString()));

    /// <summary>For JSON that no library would write.</summary>
    public string Sign(string header, string claims)
    {
        var input = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header))}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}";
        return $"{input}.{Base64Url.EncodeToString(Key.SignData(Encoding.ASCII.GetBytes(input), HashAlgorithmName.SHA256, SignatureFormat))}";
    }

    /// <summary>The public half of a key as a JWK.</summary>
    public static JsonObject Jwk(ECDsa key, string? kid)
    {
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        var jwk = new JsonObject { ["kty"] = "EC", ["crv"] = "P-256", ["x"] = Base64Url.EncodeToString(point.X), ["y"] = Base64Url.EncodeToString(point.Y) };
        if (kid is not null)
        {
            jwk["kid"] = kid;
        }
        return jwk;
    }

    public static JsonObject Jwks(params IEnumerable<JsonObject> keys) => new() { ["keys"] = new JsonArray([.. keys]) };

    public void Dispose() => Key.Dispose();
}
