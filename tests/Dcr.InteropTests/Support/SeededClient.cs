using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Dcr.InteropTests.Support;

/// <summary>A client of the seed file, whose private key the scripts get.</summary>
public sealed class SeededClient(string clientId, string scope, JsonObject? policy = null, params string[] resources)
{
    private readonly JsonObject _privateJwk = NewKey(clientId);

    public string ClientId => clientId;

    /// <summary>As the seed file writes it.</summary>
    public JsonObject Entry()
    {
        var publicJwk = _privateJwk.DeepClone().AsObject();
        publicJwk.Remove("d");
        var entry = new JsonObject
        {
            ["client_id"] = clientId,
            ["token_endpoint_auth_method"] = "private_key_jwt",
            ["grant_types"] = new JsonArray("client_credentials"),
            ["scope"] = scope,
            ["jwks"] = new JsonObject { ["keys"] = new JsonArray(publicJwk) },
        };
        if (resources.Length > 0)
        {
            entry["resources"] = new JsonArray([.. resources.Select(resource => JsonValue.Create(resource))]);
        }
        if (policy is not null)
        {
            entry["registration_policy"] = policy.DeepClone();
        }
        return entry;
    }

    /// <summary>As the scripts take it.</summary>
    public JsonObject Identity() => new() { ["client_id"] = clientId, ["key"] = _privateJwk.DeepClone() };

    private static JsonObject NewKey(string clientId)
    {
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var key = ecdsa.ExportParameters(includePrivateParameters: true);
        return new JsonObject
        {
            ["kty"] = "EC",
            ["crv"] = "P-256",
            ["kid"] = clientId + "-1",
            ["use"] = "sig",
            ["alg"] = "ES256",
            ["x"] = Base64Url.EncodeToString(key.Q.X),
            ["y"] = Base64Url.EncodeToString(key.Q.Y),
            ["d"] = Base64Url.EncodeToString(key.D),
        };
    }
}
