using Dcr.Proofs;
using Dcr.Protocol;
using Dcr.Protocol.RateLimits;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Dcr;

/// <summary>
/// What every request to a route of this server passes before its handler: limits, safe headers, an answer to every exception, the rules
/// for scripts of other origins, the readiness gate, the token, the rate limit. It belongs to the routes and not to the host, which may
/// have others beside them.
/// </summary>
internal sealed class DcrPipeline(
    DpopNonces nonces, CrossOrigin crossOrigin, Readiness readiness, Refusals refusals, UnexpectedFault faults)
{
    /// <summary>Leads each endpoint of the group through the pipeline.</summary>
    public void Wrap(IEndpointConventionBuilder group) => group.Finally(endpoint =>
    {
        AddMethods(endpoint.Metadata);
        if (endpoint.RequestDelegate is { } handler)
        {
            var rule = endpoint.Metadata.OfType<CrossOriginRule>().LastOrDefault();
            var token = endpoint.Metadata.OfType<NeededToken>().LastOrDefault();
            endpoint.RequestDelegate = context => InvokeAsync(context, rule, token, handler);
        }
    });

    private async Task InvokeAsync(HttpContext context, CrossOriginRule? rule, NeededToken? token, RequestDelegate handler)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = RequestBody.MaxBytes;
        }
        SafeHeaders.Set(context.Response.Headers);
        nonces.Offer(context);
        try
        {
            if (rule is not null && crossOrigin.Answer(context, rule.Callers))
            {
                return;
            }
            if (!readiness.IsReady)
            {
                await new OAuthErrorResult(OAuthError.TemporarilyUnavailable()).ExecuteAsync(context);
            }
            else if (token is null || await token.IsSentAsync(context))
            {
                await (refusals.Count(context) is { } tooMany ? new OAuthErrorResult(tooMany).ExecuteAsync(context) : handler(context));
            }
        }
        catch (Exception exception)
        {
            await faults.AnswerAsync(context, exception);
        }
    }

    // HEAD wherever GET is (RFC 9110 section 9.3.2): the web server leaves the content out. A preflight is routed by the method it asks
    // for.
    private static void AddMethods(IList<object> metadata)
    {
        if (metadata.OfType<HttpMethodMetadata>().LastOrDefault() is { } known)
        {
            var methods = known.HttpMethods.Contains(HttpMethods.Get) ? known.HttpMethods.Append(HttpMethods.Head) : known.HttpMethods;
            metadata.Add(new HttpMethodMetadata(methods, acceptCorsPreflight: metadata.OfType<CrossOriginRule>().Any()));
        }
    }
}
