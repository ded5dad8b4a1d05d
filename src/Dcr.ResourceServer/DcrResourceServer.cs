using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Dcr.ResourceServer;

/// <summary>One line for an ASP.NET Core API that takes the access tokens of a Dcr server.</summary>
public static class DcrResourceServer
{
    /// <summary>
    /// Makes the tokens of a Dcr server the way to authenticate: RFC 9068 tokens for this audience, with DPoP proofs where they are bound
    /// (RFC 9449), and refused once their client is marked in the server's status list.
    /// </summary>
    /// <param name="services">Of the API.</param>
    /// <param name="issuer">The issuer identifier of the server.</param>
    /// <param name="audience">What tokens must be for.</param>
    /// <param name="configure">More of <see cref="DcrResourceServerOptions"/>. Null: the defaults.</param>
    public static IServiceCollection AddDcrResourceServer(
        this IServiceCollection services, string issuer, string audience, Action<DcrResourceServerOptions>? configure = null)
    {
        services.AddOptions<DcrResourceServerOptions>()
            .Configure(options =>
            {
                options.Issuer = issuer;
                options.Audience = audience;
                configure?.Invoke(options);
            })
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<DcrResourceServerOptions>, OptionsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<UsedProofs>();
        services.AddSingleton<DpopProofs>();
        services.AddSingleton<StatusLists>();
        services.AddSingleton<TokenRules>();
        services.AddSingleton<IConfigureOptions<JwtBearerOptions>>(provider => provider.GetRequiredService<TokenRules>());
        services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme).AddJwtBearer();
        services.AddSingleton<IPostConfigureOptions<JwtBearerOptions>>(provider => provider.GetRequiredService<TokenRules>());
        services.AddAuthorization();
        return services;
    }

    /// <summary>The token has every one of these scopes.</summary>
    public static AuthorizationPolicyBuilder RequireScope(this AuthorizationPolicyBuilder policy, params string[] scopes) => policy
        .RequireAuthenticatedUser()
        .RequireAssertion(context =>
        {
            var granted = (context.User.FindFirst("scope")?.Value ?? "").Split(' ');
            return scopes.All(scope => granted.Contains(scope, StringComparer.Ordinal));
        });

    private sealed class OptionsValidator : IValidateOptions<DcrResourceServerOptions>
    {
        public ValidateOptionsResult Validate(string? name, DcrResourceServerOptions options)
        {
            var faults = options.Faults().ToList();
            return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
        }
    }
}
