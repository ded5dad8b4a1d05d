using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Dcr.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dcr.Discovery;

/// <summary>Authorization server metadata (RFC 8414).</summary>
internal static class DiscoveryFeature
{
    public static IServiceCollection AddDiscovery(this IServiceCollection services)
    {
        services.AddSingleton(KnownSettings.Anything(AddedMetadata.Section));
        services.AddSingleton<IValidateOptions<DcrOptions>, AddedMetadataValidator>();
        services.AddSingleton<AddedMetadata>();
        return services;
    }

    /// <summary>
    /// RFC 8414 section 3: between host and path; for an issuer with a path also under it, where OpenID Connect Discovery looks.
    /// </summary>
    public static void MapDiscovery(this IEndpointRouteBuilder host, string path)
    {
        foreach (var document in new[] { "oauth-authorization-server", "openid-configuration" })
        {
            host.MapGet($"/.well-known/{document}{path}", DescribeServerRoute.HandleAsync).ReadByAnybody()
                .Is("Discovery", "Authorization server metadata (RFC 8414)").Gives<ServerMetadata>().Refuses();
            if (path.Length > 0)
            {
                host.MapGet($"{path}/.well-known/{document}", DescribeServerRoute.HandleAsync).ReadByAnybody().ExcludeFromDescription();
            }
        }
    }
}

[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(ServerMetadata))]
[JsonSerializable(typeof(JsonNode))]
[JsonSerializable(typeof(JsonObject))]
internal sealed partial class DiscoveryJson : JsonSerializerContext;
