using Microsoft.Extensions.DependencyInjection;

namespace Dcr.ClientAuthentication;

/// <summary>Who a client is: client assertions and attestations, rule by rule.</summary>
internal static class ClientAuthenticationFeature
{
    public static IServiceCollection AddClientAuthentication(this IServiceCollection services)
    {
        services.AddSingleton<ClientAssertionRules>();
        services.AddSingleton<ClientAttestationRules>();
        services.AddSingleton<ClientAuthenticator>();
        services.AddSingleton<RefusalAudit>();
        services.AddSingleton<ClientAuthenticationMetrics>();
        services.AddHostedService<DualAudienceWarning>();
        return services;
    }
}
