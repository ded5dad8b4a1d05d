using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary>
/// Rule 6 (RFC 10070): <c>aud</c> is the issuer of the server, character by character, and nothing else. URLs of the server may be good
/// for a client with an exception, which the server alone knows.
/// </summary>
internal sealed class AssertionAudience(JsonObject claims, ExaminedServer? server, ICollection<string> warnings)
{
    // Where this server has them, under its issuer.
    private static readonly string[] s_usualEndpoints = ["/oauth/token", "/oauth/introspect", "/oauth/revoke"];

    public Finding Examine()
    {
        var next = server is null ? "Put the server's issuer into aud." : $"Put the issuer into aud: {Excerpt.Of(server.Issuer)}";
        if (!claims.TryGetPropertyValue("aud", out var aud))
        {
            return Failed("aud is missing", next);
        }
        if (Values(aud) is not { } values)
        {
            return Failed("aud is neither a string nor an array of strings", next);
        }
        if (values is not [var value])
        {
            if (values.Count > 0 && server is not null && values.All(item => item == server.Issuer || IsEndpoint(item, server)))
            {
                return ByException($"aud has {values.Count} values, {Excerpt.List(values)}, all URLs of this server", server, next);
            }
            var named = values.Count == 0 ? "" : $", {Excerpt.List(values)}";
            return Failed(
                $"aud has {values.Count} values{named}; it must be one: an assertion for two servers can be used by each at the other",
                next);
        }
        if (aud is JsonArray)
        {
            warnings.Add("aud is an array of one; a server under FAPI 2.0 wants a plain string.");
        }
        return server is null
            ? Finding.Unknown(
                AssertionRule.Audience,
                $"aud is {Excerpt.Of(value)}; which server it is for is not known here",
                "Name the server: --server URL")
            : Compare(value, server, next);
    }

    private Finding Compare(string value, ExaminedServer known, string next)
    {
        var issuer = Excerpt.Of(known.Issuer);
        var shown = Excerpt.Of(value);
        if (value == known.Issuer)
        {
            return Finding.Passed(AssertionRule.Audience, $"aud is the issuer, {issuer}");
        }
        if (IsEndpoint(value, known))
        {
            return ByException($"aud is {shown}, an endpoint of this server", known, next);
        }
        return Failed(
            value.TrimEnd('/') == known.Issuer.TrimEnd('/') ? SlashFault(value, issuer)
                : string.Equals(
                    value,
                    known.Issuer,
                    StringComparison.OrdinalIgnoreCase) ? $"aud is {shown} and the issuer {issuer}: capitals differ, and they count"
                : WithoutScheme(value) == WithoutScheme(known.Issuer) ? $"aud is {shown} and the issuer {issuer}: one is https and the "
                    + "other is not"
                : value.StartsWith(
                    known.Issuer.TrimEnd('/') + "/",
                    StringComparison.Ordinal) ? $"aud is {shown}, a URL of this server; it must be the issuer, {issuer}"
                : $"aud is {shown}, and this server is {issuer}: the assertion is for another server",
            next);
    }

    private static bool IsEndpoint(string value, ExaminedServer known) =>
        value == known.TokenEndpoint || s_usualEndpoints.Any(path => value == known.Issuer.TrimEnd('/') + path);

    private Finding ByException(string what, ExaminedServer known, string next)
    {
        var issuer = Excerpt.Of(known.Issuer);
        warnings.Add(
            $"{what}. Only a client for which an administrator has set an exception, with an end, may send that (RFC 10070). Use the "
                + $"issuer: {issuer}");
        return Finding.Unknown(
            AssertionRule.Audience,
            $"{what}; it wants the issuer alone, {issuer}, and whether this client has an exception only the server can say",
            next);
    }

    private static string SlashFault(string value, string issuer) => value.EndsWith('/')
        ? $"aud has a slash at the end and the issuer has none: {issuer}"
        : $"aud has no slash at the end and the issuer has one: {issuer}";

    private static string WithoutScheme(string url) => url[(url.IndexOf("://", StringComparison.Ordinal) + 1)..];

    private static IReadOnlyList<string>? Values(JsonNode? aud) => aud switch
    {
        JsonArray array when array.All(item => TextOf(item) is not null) => [.. array.Select(item => TextOf(item)!)],
        _ when TextOf(aud) is { } text => [text],
        _ => null,
    };

    private static string? TextOf(JsonNode? node) => ExaminedAssertion.Text(new JsonObject { ["text"] = node?.DeepClone() }, "text");

    private static Finding Failed(string detail, string next) => Finding.Failed(AssertionRule.Audience, detail, next);
}
