using Dcr.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dcr.Proofs;

/// <summary>Proofs of possession by DPoP (RFC 9449), and what makes each of them good once.</summary>
internal static class ProofsFeature
{
    public static IServiceCollection AddProofs(this IServiceCollection services)
    {
        services.AddSettings<DpopOptions>(DpopOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<DpopOptions>, DpopOptionsValidator>();
        services.AddSingleton<DpopNonces>();
        services.AddSingleton<DpopProofRules>();
        return services;
    }
}
