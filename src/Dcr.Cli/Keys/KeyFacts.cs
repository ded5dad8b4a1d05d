using System.Text.Json.Nodes;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>A key as it is shown: its public half.</summary>
internal static class KeyFacts
{
    public static JsonObject Of(string file, ClientKey key) => new()
    {
        ["file"] = file,
        ["alg"] = key.Algorithm.ToString(),
        ["kid"] = key.PublicJwk.Kid,
        ["thumbprint"] = key.PublicJwk.Thumbprint(),
        ["jwk"] = JsonNode.Parse(key.PublicJwk.ToJson()),
    };
}
