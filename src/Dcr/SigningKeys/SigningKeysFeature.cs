using System.Text.Json.Serialization;
using Dcr.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dcr.SigningKeys;

/// <summary>The server's own keys: made, rotated, published.</summary>
internal static class SigningKeysFeature
{
    public static IServiceCollection AddSigningKeys(this IServiceCollection services)
    {
        services.AddSettings<SigningKeyOptions>(SigningKeyOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<SigningKeyOptions>, SigningKeyOptionsValidator>();
        services.AddSingleton<ServerKeys>();
        return services;
    }

    public static void MapSigningKeys(this IEndpointRouteBuilder oauth)
    {
        oauth.MapGet("/jwks", PublishSigningKeysRoute.HandleAsync).ReadByAnybody()
            .Is("Discovery", "The server's public keys").Gives<PublicSigningKeySet>().Refuses();
    }
}

[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(PublicSigningKeySet))]
internal sealed partial class SigningKeysJson : JsonSerializerContext;
