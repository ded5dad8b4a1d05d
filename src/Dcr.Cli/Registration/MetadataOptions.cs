using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>The options that say what is registered: a JSON file, and options for the members that are used most.</summary>
internal static class MetadataOptions
{
    public static readonly Option<string?> File = new("--metadata")
    {
        Description = "A JSON file of client metadata (RFC 7591 section 2)",
        HelpName = "file",
    };

    private static readonly Option<string?> s_name = new("--name") { Description = "client_name, for people", HelpName = "text" };

    private static readonly Option<string?> s_scope = new("--scope")
    {
        Description = "What the client may ask for later, space-separated",
        HelpName = "scope",
    };

    private static readonly Option<string?> s_jwksUri = new("--jwks-uri")
    {
        Description = "An https URL that serves the public keys, in place of registering them",
        HelpName = "url",
    };

    private static readonly Option<string?> s_softwareStatement = new("--software-statement")
    {
        Description = "A file with a software statement, signed by somebody the server trusts",
        HelpName = "file",
    };

    public static T WithMetadata<T>(this T command)
        where T : Command => command.With(File, s_name, s_scope, s_jwksUri, s_softwareStatement);

    /// <summary>
    /// What the options say of a client, over what is <paramref name="before"/> (RFC 7396: a member that is null is taken away).
    /// </summary>
    public static async Task<ClientMetadata> ReadAsync(CommandRun run, ClientMetadata before, CancellationToken cancellationToken)
    {
        var json = JsonSerializer.SerializeToNode(before)!.AsObject();
        if (run.Get(File) is { } path)
        {
            Merge(json, await ReadObjectAsync(run, path, cancellationToken));
        }
        Set(json, "client_name", run.Get(s_name));
        Set(json, "scope", run.Get(s_scope));
        Set(json, "jwks_uri", run.Get(s_jwksUri));
        if (run.Get(s_jwksUri) is not null)
        {
            // One or the other (RFC 7591 section 2).
            json.Remove("jwks");
        }
        if (run.Get(s_softwareStatement) is { } statement)
        {
            json["software_statement"] = (await System.IO.File.ReadAllTextAsync(run.PathOf(statement), cancellationToken)).Trim();
        }
        return Read(json, run.Get(File));
    }

    private static ClientMetadata Read(JsonObject json, string? path)
    {
        try
        {
            return json.Deserialize<ClientMetadata>()!;
        }
        catch (JsonException exception)
        {
            throw CommandFailure.Usage(
                $"{path}: the member {exception.Path?.TrimStart('$', '.')} is not of its kind (RFC 7591 section 2).");
        }
    }

    /// <summary>A file that must hold one JSON object.</summary>
    public static async Task<JsonObject> ReadObjectAsync(CommandRun run, string path, CancellationToken cancellationToken)
    {
        var text = path == "-"
            ? await run.Input.ReadToEndAsync(cancellationToken)
            : await System.IO.File.ReadAllTextAsync(run.PathOf(path), cancellationToken);
        try
        {
            return JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false }) as JsonObject
                ?? throw CommandFailure.Usage($"{path} is no JSON object.");
        }
        catch (JsonException exception)
        {
            throw CommandFailure.Usage($"{path} is no JSON: {exception.Message}");
        }
    }

    private static void Merge(JsonObject into, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            if (value is null)
            {
                into.Remove(name);
            }
            else
            {
                into[name] = value.DeepClone();
            }
        }
    }

    private static void Set(JsonObject json, string name, string? value)
    {
        if (value is not null)
        {
            json[name] = value;
        }
    }
}
