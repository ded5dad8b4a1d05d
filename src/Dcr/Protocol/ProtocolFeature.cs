using System.Text.Json.Serialization;
using Dcr.Protocol.RateLimits;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dcr.Protocol;

/// <summary>What every feature stands on: settings, the pipeline of use cases, errors, limits.</summary>
internal static class ProtocolFeature
{
    public static IServiceCollection AddProtocol(this IServiceCollection services)
    {
        services.AddSettings<DcrOptions>(DcrOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<DcrOptions>, DcrOptionsValidator>();
        services.AddSingleton<IValidateOptions<DcrOptions>, UnknownSettings>();
        services.AddSingleton<ConfiguredProfile>();
        services.AddSingleton<IssuerUrls>();
        services.AddSingleton<SecurityProfileRules>();
        services.AddSingleton<ClockWatch>();
        services.AddSingleton<Readiness>();
        services.AddSingleton<StoreOutage>();
        services.AddUseCases();
        CrossOrigin.Add(services);
        services.AddRateLimits();
        services.AddSingleton<UnexpectedFault>();
        services.AddHealthChecks().AddCheck<StoreHealth>("store", tags: [StoreHealth.Tag]);
        return services;
    }
}

[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(OAuthErrorBody))]
internal sealed partial class ProtocolJson : JsonSerializerContext;
