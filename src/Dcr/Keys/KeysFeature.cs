using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Dcr.Jose;
using Dcr.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dcr.Keys;

/// <summary>Clients' keys: inline, downloaded from <c>jwks_uri</c>, or hosted here.</summary>
internal static class KeysFeature
{
    public static IServiceCollection AddKeys(this IServiceCollection services)
    {
        services.AddSettings<JwksOptions>(JwksOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<JwksOptions>, JwksOptionsValidator>();
        services.AddSingleton<JwksMetrics>();
        services.AddSingleton<JwksFetcher>();
        services.AddSingleton<JwksCache>();
        services.AddSingleton<DownloadBudget>();
        services.AddSingleton<HostedKeySets>();
        services.AddSingleton<KeySelector>();
        services.AddSingleton<KeySetEditor>();
        services.AddSingleton<KeySetDescription>();
        services.AddSingleton<KeyUses>();
        services.AddHostedService(provider => provider.GetRequiredService<KeyUses>());
        return services;
    }

    public static void MapKeys(this IEndpointRouteBuilder server)
    {
        server.MapGet("/keys/{key_set_id}/jwks.json", PublishHostedKeySetRoute.HandleAsync).ReadByAnybody()
            .Is("Discovery", "The keys of a hosted key set").Gives<JwkSet>().Refuses(404);
    }
}

/// <summary>What the stores keep of hosted key sets, and what is told of them.</summary>
[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(JwkSet))]
[JsonSerializable(typeof(IReadOnlyList<HostedKey>))]
[JsonSerializable(typeof(JsonObject))]
public sealed partial class KeysJson : JsonSerializerContext;
