using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http;
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

/// <summary>Whose scripts may call a route from a browser.</summary>
internal enum CrossOriginCallers
{
    /// <summary>What anybody may read, any script may read.</summary>
    Anybody,

    /// <summary>What needs a proof or a token is for the scripts of <see cref="CrossOriginOptions.Origins"/>.</summary>
    ChosenOrigins,
}

/// <summary>
/// Cross-origin requests (the CORS protocol of the Fetch standard), by ASP.NET Core's own rules, applied by the route itself: the host's
/// policies and middleware have no part in it. Never with cookies: nothing here takes any.
/// </summary>
internal sealed class CrossOrigin(ICorsService cors, IOptions<CrossOriginOptions> options)
{
    private static readonly TimeSpan s_preflightAge = TimeSpan.FromHours(1);

    private readonly CorsPolicy _anybody = new CorsPolicyBuilder()
        .AllowAnyOrigin()
        .WithMethods("GET", "HEAD")
        .AllowAnyHeader()
        .WithExposedHeaders("ETag")
        .SetPreflightMaxAge(s_preflightAge)
        .Build();

    private readonly CorsPolicy _chosenOrigins = new CorsPolicyBuilder()
        .WithOrigins([.. options.Value.Origins])
        .AllowAnyMethod()
        .AllowAnyHeader()
        .WithExposedHeaders("WWW-Authenticate", "DPoP-Nonce", "ETag", "Retry-After")
        .SetPreflightMaxAge(s_preflightAge)
        .Build();

    public static IServiceCollection Add(IServiceCollection services)
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
        return services.AddSingleton<CrossOrigin>();
    }

    /// <summary>Adds what a browser must be told.</summary>
    /// <returns>True: the request only asks whether another one may be sent, and is answered.</returns>
    public bool Answer(HttpContext context, CrossOriginCallers callers)
    {
        if (!context.Request.Headers.ContainsKey(CorsConstants.Origin))
        {
            return false;
        }
        var result = cors.EvaluatePolicy(context, callers == CrossOriginCallers.Anybody ? _anybody : _chosenOrigins);
        if (!result.IsPreflightRequest)
        {
            // When the answer begins: one that takes the place of another, after a fault, is for the script too.
            context.Response.OnStarting(() =>
            {
                cors.ApplyResult(result, context.Response);
                return Task.CompletedTask;
            });
            return false;
        }
        cors.ApplyResult(result, context.Response);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return true;
    }
}

internal static class CrossOriginRoutes
{
    public static TBuilder ReadByAnybody<TBuilder>(this TBuilder route)
        where TBuilder : IEndpointConventionBuilder => route.WithMetadata(new CrossOriginRule(CrossOriginCallers.Anybody));

    public static TBuilder CalledByChosenOrigins<TBuilder>(this TBuilder route)
        where TBuilder : IEndpointConventionBuilder => route.WithMetadata(new CrossOriginRule(CrossOriginCallers.ChosenOrigins));
}

/// <summary>Without it no script of another origin calls a route.</summary>
internal sealed record CrossOriginRule(CrossOriginCallers Callers);

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
