using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.Extensions.DependencyInjection;

namespace Dcr.Clients;

/// <summary>What a client is: its metadata, where it comes from, how it lives and ends.</summary>
internal static class ClientsFeature
{
    public static IServiceCollection AddClients(this IServiceCollection services)
    {
        services.AddSingleton<ClientEditor>();
        return services;
    }
}

/// <summary>What the stores keep of a client.</summary>
[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(ClientMetadata))]
[JsonSerializable(typeof(ClientOrigin))]
[JsonSerializable(typeof(ClientLifecycle))]
[JsonSerializable(typeof(OriginFilter))]
[JsonSerializable(typeof(RegistrationAccess))]
[JsonSerializable(typeof(RegistrationPolicy))]
[JsonSerializable(typeof(AssertionExceptionRule))]
[JsonSerializable(typeof(IReadOnlyList<StatementOrigin>))]
[JsonSerializable(typeof(JsonNode))]
[JsonSerializable(typeof(JsonObject))]
public sealed partial class ClientsJson : JsonSerializerContext;
