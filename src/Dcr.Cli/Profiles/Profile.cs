using System.Text.Json.Serialization;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>What is remembered under a name, so that it need not be typed each time. Null members are not known.</summary>
internal sealed record Profile
{
    /// <summary>The issuer identifier of the server.</summary>
    [JsonPropertyName("server")]
    public string? Server { get; init; }

    /// <summary>Where to connect in place of the server's own address.</summary>
    [JsonPropertyName("connect_to")]
    public string? ConnectTo { get; init; }

    /// <summary>For a client that was not registered by this command; the id of one that was is in its registration.</summary>
    [JsonPropertyName("client_id")]
    public string? ClientId { get; init; }

    /// <summary>The whole path of the file with the private key.</summary>
    [JsonPropertyName("key_file")]
    public string? KeyFile { get; init; }

    /// <summary>The name the key is registered under, where it is neither the JWK's nor the thumbprint.</summary>
    [JsonPropertyName("kid")]
    public string? Kid { get; init; }

    /// <summary>How an RSA key signs, where it is not PS256.</summary>
    [JsonPropertyName("alg")]
    public SigningAlgorithm? Alg { get; init; }

    /// <summary>With what the options of a command say in its place.</summary>
    public Profile With(CommandRun run) => this with
    {
        Server = (run.Get(CommonOptions.Server) ?? Server)?.TrimEnd('/'),
        ConnectTo = run.Get(CommonOptions.ConnectTo) ?? ConnectTo,
        ClientId = run.Get(CommonOptions.ClientId) ?? ClientId,
        KeyFile = run.Get(CommonOptions.Key) is { } key ? run.PathOf(key) : KeyFile,
        Kid = run.Get(CommonOptions.Kid) ?? Kid,
        Alg = run.Get(CommonOptions.Alg) ?? Alg,
    };
}

[JsonSourceGenerationOptions(
    WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(Profile))]
internal sealed partial class ProfileJson : JsonSerializerContext;
