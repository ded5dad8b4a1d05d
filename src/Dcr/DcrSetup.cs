using Dcr.AccessTokens;
using Dcr.Administration;
using Dcr.Auditing;
using Dcr.Bulk;
using Dcr.ClientAuthentication;
using Dcr.Clients;
using Dcr.Discovery;
using Dcr.Keys;
using Dcr.Onboarding;
using Dcr.Proofs;
using Dcr.Protocol;
using Dcr.Registration;
using Dcr.SigningKeys;
using Dcr.TokenStatus;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Dcr;

public static class DcrSetup
{
    /// <summary>
    /// Adds everything but a store, in the order of the folders: each uses only those before it. The settings are those under
    /// <c>Dcr</c> of the host's configuration.
    /// </summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="configure">Changes settings after the configuration has been read. Null: nothing is changed.</param>
    /// <returns>On which a store is chosen.</returns>
    public static DcrBuilder AddDcr(this IServiceCollection services, Action<DcrOptions>? configure = null)
    {
        services.TryAddSingleton(TimeProvider.System);
        services
            .AddProtocol()
            .AddAuditing()
            .AddSigningKeys()
            .AddKeys()
            .AddClients()
            .AddProofs()
            .AddClientAuthentication()
            .AddTokenStatus()
            .AddAccessTokens()
            .AddRegistration()
            .AddBulk()
            .AddOnboarding()
            .AddAdministration()
            .AddDiscovery()
            .AddSingleton<DcrPipeline>()
            .AddSingleton<IPostConfigureOptions<AuthenticationOptions>, HostSchemes>()
            .AddHostedService<StartUp>();
        if (configure is not null)
        {
            services.Configure(configure);
        }
        return new DcrBuilder(services);
    }
}
