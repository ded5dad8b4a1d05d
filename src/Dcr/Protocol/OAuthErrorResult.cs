using System.Globalization;
using System.Text.Json.Serialization;
using Dcr.Protocol.RateLimits;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Dcr.Protocol;

/// <summary>The one place where a refusal becomes an HTTP answer: RFC 6749 section 5.2, RFC 7591 section 3.2.2.</summary>
/// <param name="refusal">What is refused and why.</param>
/// <param name="challenge">The WWW-Authenticate header. Null: that of the error, or of a token, for a 401 must have one (RFC 9110 section
/// 15.5.2).</param>
internal sealed class OAuthErrorResult(OAuthError refusal, string? challenge = null) : IResult
{
    private const int MaxDescription = 4000;

    // RFC 9110 section 10.2.3. Whatever it was computed from, a clock that jumps included: nobody is sent away for longer than this.
    private static readonly TimeSpan s_longestWait = TimeSpan.FromHours(1);

    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        var error = httpContext.RequestServices.GetRequiredService<Refusals>().Judge(refusal, httpContext);
        response.StatusCode = error.Status;
        if (error.Status != StatusCodes.Status429TooManyRequests
            && (challenge ?? error.Challenge ?? DefaultChallenge(error, httpContext)) is { } authenticate)
        {
            response.Headers.WWWAuthenticate = authenticate;
        }
        if (error.RetryAfter is { } retryAfter)
        {
            response.Headers.RetryAfter = Math.Ceiling(
                Math.Clamp(retryAfter.TotalSeconds, 1, s_longestWait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }
        var body = new OAuthErrorBody(error.Code, Printable(error.Description));
        // Without a cancellation token it ends quietly when the caller has gone: a refusal that nobody reads is no fault.
        return response.WriteAsJsonAsync(body, ProtocolJson.Default.OAuthErrorBody, contentType: null);
    }

    // Whatever refuses a token, at whatever moment: in the scheme that the token was sent by.
    private static string? DefaultChallenge(OAuthError error, HttpContext context)
    {
        if (error.Status != StatusCodes.Status401Unauthorized)
        {
            return null;
        }
        var realm = context.RequestServices.GetRequiredService<IssuerUrls>().Issuer;
        return BearerToken.IsSentAs(context.Request, BearerToken.Dpop)
            ? Challenge.Dpop(realm, context.RequestServices.GetRequiredService<SecurityProfileRules>().AlgorithmNames, error)
            : Challenge.Bearer(realm, error);
    }

    /// <summary>
    /// RFC 6749 section 5.2: printable ASCII without the double quote and the backslash. Descriptions may name what
    /// the caller sent, such as a <c>kid</c>.
    /// </summary>
    internal static string Printable(string text) => string.Create(Math.Min(text.Length, MaxDescription), text, static (target, source) =>
    {
        for (var i = 0; i < target.Length; i++)
        {
            target[i] = source[i] switch
            {
                '"' => '\'',
                '\\' => '/',
                >= ' ' and <= '~' => source[i],
                _ => '?',
            };
        }
    });
}

public sealed record OAuthErrorBody(
    [property: JsonPropertyName("error")] string Error,
    [property: JsonPropertyName("error_description")] string ErrorDescription);
