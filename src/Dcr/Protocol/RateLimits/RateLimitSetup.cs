using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dcr.Protocol.RateLimits;

internal static class RateLimitSetup
{
    public static void AddRateLimits(this IServiceCollection services)
    {
        services.AddSettings<RateLimitOptions>(RateLimitOptions.Section).ValidateOnStart();
        services.AddSingleton<IPostConfigureOptions<RateLimitOptions>, TrustedProxiesInOneSetting>();
        services.AddSingleton<IValidateOptions<RateLimitOptions>, RateLimitOptionsValidator>();
        services.AddSingleton<CallerAddresses>();
        services.AddSingleton<RequestLimits>();
        services.AddSingleton<Refusals>();
    }
}
