using Microsoft.AspNetCore.Builder;
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

    /// <summary>After authorization: limits what a client does with the tokens it has.</summary>
    public static void UseRateLimits(this IApplicationBuilder app)
    {
        var refusals = app.ApplicationServices.GetRequiredService<Refusals>();
        app.Use(
            (context, next) =>
                refusals.Count(context) is { } tooMany ? new OAuthErrorResult(tooMany).ExecuteAsync(context) : next(context));
    }
}
