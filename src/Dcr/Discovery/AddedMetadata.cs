using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dcr.Protocol;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Dcr.Discovery;

/// <summary>
/// Members that the operator adds to the server's metadata by <c>Dcr:Metadata</c>, for an authorization endpoint beside this server
/// that shares its clients. <c>AuthorizationEndpoint</c> and <c>authorization_endpoint</c> name the same member.
/// </summary>
internal sealed class AddedMetadata(IConfiguration configuration)
{
    public const string Section = "Dcr:Metadata";

    /// <summary>Lists of this server's own that are longer for the server beside it.</summary>
    private static readonly string[] s_extended = ["response_types_supported", "grant_types_supported", "scopes_supported"];

    /// <summary>What is true of ID tokens, which this server issues none of, is for the server beside it to say.</summary>
    private static readonly string[] s_replaced = ["subject_types_supported", "id_token_signing_alg_values_supported"];

    private readonly JsonObject _members = Read(configuration);

    public ServerMetadata To(ServerMetadata own)
    {
        var others = _members.Where(member => !s_extended.Contains(member.Key) && !s_replaced.Contains(member.Key))
            .ToDictionary(
                member => member.Key,
                member => JsonSerializer.SerializeToElement(member.Value, DiscoveryJson.Default.JsonNode),
                StringComparer.Ordinal);
        return own with
        {
            ResponseTypesSupported = [.. own.ResponseTypesSupported.Union(List(s_extended[0]))],
            GrantTypesSupported = [.. own.GrantTypesSupported.Union(List(s_extended[1]))],
            ScopesSupported = [.. own.ScopesSupported.Union(List(s_extended[2]))],
            SubjectTypesSupported = List(s_replaced[0]) is { Count: > 0 } subjects ? subjects : own.SubjectTypesSupported,
            IdTokenSigningAlgValuesSupported = List(s_replaced[1]) is { Count: > 0 } algs ? algs : own.IdTokenSigningAlgValuesSupported,
            Others = others.Count > 0 ? others : null,
        };
    }

    public static IEnumerable<string> Faults(IConfiguration configuration)
    {
        var own = DiscoveryJson.Default.ServerMetadata.Properties.Where(member => !member.IsExtensionData).Select(member => member.Name)
            .Except(s_extended).Except(s_replaced).ToHashSet();
        foreach (var (name, value) in Read(configuration))
        {
            if (own.Contains(name))
            {
                yield return $"{Section}: {name} is this server's own to say.";
            }
            else if ((s_extended.Contains(name) || s_replaced.Contains(name)) && !IsListOfTexts(value))
            {
                yield return $"{Section}: {name} must be a list, such as {Section}:{name}:0.";
            }
            else if (name.EndsWith("_endpoint", StringComparison.Ordinal) && !IsEndpoint(value))
            {
                yield return $"{Section}: {name} must be an https URL without fragment; http is for loopback addresses only.";
            }
        }
    }

    private IReadOnlyList<string> List(string name) =>
        _members[name] is JsonArray list ? [.. list.Select(item => item!.GetValue<string>())] : [];

    private static bool IsListOfTexts(JsonNode? value) =>
        value is JsonArray list && list.All(item => item?.GetValueKind() == JsonValueKind.String);

    private static bool IsEndpoint(JsonNode? value) =>
        value?.GetValueKind() == JsonValueKind.String
            && value.GetValue<string>() is var text
            && UriText.Fault(text) is null
            && Uri.TryCreate(text, UriKind.Absolute, out var uri)
            && uri.Fragment.Length == 0
        && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback));

    private static JsonObject Read(IConfiguration configuration)
    {
        var members = new JsonObject();
        foreach (var member in configuration.GetSection(Section).GetChildren())
        {
            var name = NameOf(member.Key);
            members[name] = ValueOf(name, member);
        }
        return members;
    }

    /// <summary>
    /// Settings are all text: true and false are meant as such, a member whose name ends in _supported as a list, with commas between its
    /// entries.
    /// </summary>
    private static JsonNode? ValueOf(string name, IConfigurationSection section)
    {
        if (section.Value is { } text)
        {
            return bool.TryParse(text, out var flag) ? flag
                : name.EndsWith("_supported", StringComparison.Ordinal) ? ListOf(text)
                : text;
        }
        var children = section.GetChildren().ToList();
        // GetChildren has sorted numbers as numbers.
        return children.Count > 0 && children.All(child => child.Key.All(char.IsAsciiDigit))
            ? new JsonArray([.. children.Select(child => child.Value is { } entry ? entry : ValueOf("", child))])
            : new JsonObject(children.Select(child => KeyValuePair.Create(child.Key, ValueOf(child.Key, child))));
    }

    private static JsonArray ListOf(string text) =>
        [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(entry => (JsonNode)entry)];

    /// <summary>As metadata names it: AuthorizationEndpoint is authorization_endpoint.</summary>
    private static string NameOf(string key)
    {
        var name = new StringBuilder();
        for (var i = 0; i < key.Length; i++)
        {
            if (char.IsAsciiLetterUpper(key[i]) && i > 0 && !char.IsAsciiLetterUpper(key[i - 1]) && key[i - 1] != '_')
            {
                name.Append('_');
            }
            name.Append(char.ToLowerInvariant(key[i]));
        }
        return name.ToString();
    }
}

/// <summary>Refuses at start what cannot be added.</summary>
internal sealed class AddedMetadataValidator(IConfiguration configuration) : IValidateOptions<DcrOptions>
{
    public ValidateOptionsResult Validate(string? name, DcrOptions options)
    {
        var faults = AddedMetadata.Faults(configuration).ToList();
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
