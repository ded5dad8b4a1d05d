using Dcr.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dcr.TokenStatus;

/// <summary>Whose tokens are dead, in one list that anybody may read.</summary>
internal static class TokenStatusFeature
{
    public static IServiceCollection AddTokenStatus(this IServiceCollection services)
    {
        services.AddSettings<TokenStatusOptions>(TokenStatusOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<TokenStatusOptions>, TokenStatusOptionsValidator>();
        services.AddSingleton<StatusListTokens>();
        return services;
    }

    public static void MapTokenStatus(this IEndpointRouteBuilder oauth)
    {
        oauth.MapGet("/status/{list}", PublishStatusListRoute.HandleAsync).ReadByAnybody()
            .Is("Tokens", "Which clients' tokens are dead: a Status List Token").Gives<string>().Refuses(404);
    }
}
