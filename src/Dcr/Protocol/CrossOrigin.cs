using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dcr.Protocol;

/// <summary>The settings under <c>Dcr:Cors</c>.</summary>
public sealed class CrossOriginOptions
{
    public const string Section = "Dcr:Cors";

    internal const string Setting = $"{Section}:{nameof(Origins)}";

    /// <summary>
    /// Whose scripts may call the token, registration and introspection endpoints from a browser, such as <c>https://app.example</c>.
    /// Default: none.
    /// </summary>
    public IList<string> Origins { get; } = [];
}

/// <summary>
/// Cross-origin requests (the CORS protocol of the Fetch standard), by ASP.NET Core's own middleware: what anybody may read, any script
/// may read; what needs a proof or a token is for the scripts of chosen origins. Never with cookies: nothing here takes any.
/// </summary>
internal static class CrossOrigin
{
    private const string Anybody = "anybody";
    private const string ChosenOrigins = "chosen origins";

    private static readonly TimeSpan s_preflightAge = TimeSpan.FromHours(1);

    public static IServiceCollection AddCrossOrigin(this IServiceCollection services)
    {
        services.AddSettings<CrossOriginOptions>(CrossOriginOptions.Section)
            // One text for all of them, as an environment variable has it.
            .Configure<IConfiguration>((options, configuration) =>
            {
                var text = configuration[CrossOriginOptions.Setting] ?? "";
                foreach (var origin in text.Split([' ', ',', ';'], StringSplitOptions.RemoveEmptyEntries))
                {
                    options.Origins.Add(origin);
                }
            })
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<CrossOriginOptions>, CrossOriginOptionsValidator>();
        services.AddCors();
        services.AddOptions<CorsOptions>().Configure<IOptions<CrossOriginOptions>>((cors, options) =>
        {
            cors.AddPolicy(Anybody, policy => policy
                .AllowAnyOrigin()
                .WithMethods("GET", "HEAD")
                .AllowAnyHeader()
                .WithExposedHeaders("ETag")
                .SetPreflightMaxAge(s_preflightAge));
            cors.AddPolicy(ChosenOrigins, policy => policy
                .WithOrigins([.. options.Value.Origins])
                .AllowAnyMethod()
                .AllowAnyHeader()
                .WithExposedHeaders("WWW-Authenticate", "DPoP-Nonce", "ETag", "Retry-After")
                .SetPreflightMaxAge(s_preflightAge));
        });
        return services;
    }

    public static TBuilder ReadByAnybody<TBuilder>(this TBuilder route)
        where TBuilder : IEndpointConventionBuilder => route.RequireCors(Anybody);

    public static TBuilder CalledByChosenOrigins<TBuilder>(this TBuilder route)
        where TBuilder : IEndpointConventionBuilder => route.RequireCors(ChosenOrigins);
}

internal sealed class CrossOriginOptionsValidator : IValidateOptions<CrossOriginOptions>
{
    public ValidateOptionsResult Validate(string? name, CrossOriginOptions options)
    {
        var faults = options.Origins.Where(origin => !IsOrigin(origin))
            .Select(
                origin =>
                    $"{CrossOriginOptions.Setting} has '{origin}': it must be an origin, such as https://app.example or "
                        + "http://localhost:3000.")
            .ToList();
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    // Exactly what a browser sends as Origin, which is compared as text: http is for development, on this machine.
    private static bool IsOrigin(string text) =>
        UriText.Fault(text) is null && Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback))
        && text == uri.GetLeftPart(UriPartial.Authority) && uri.UserInfo.Length == 0;
}
