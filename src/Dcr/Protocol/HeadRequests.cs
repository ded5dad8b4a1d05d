using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Dcr.Protocol;

/// <summary>HEAD wherever GET is (RFC 9110 section 9.3.2): it is routed as GET, and the web server leaves the content out.</summary>
internal static class HeadRequests
{
    private static readonly object s_isHead = new();

    public static void UseRoutingWithHead(this WebApplication app)
    {
        app.Use((context, next) =>
        {
            if (HttpMethods.IsHead(context.Request.Method))
            {
                context.Items[s_isHead] = true;
                context.Request.Method = HttpMethods.Get;
            }
            return next(context);
        });
        app.UseRouting();
        app.Use((context, next) =>
        {
            // From here on it is what was sent: a DPoP proof names HEAD.
            if (context.Items.ContainsKey(s_isHead))
            {
                context.Request.Method = HttpMethods.Head;
            }
            return next(context);
        });
    }

    /// <summary>Names HEAD beside GET in the Allow header of a 405.</summary>
    public static void AllowHead(HttpResponse response)
    {
        var allowed = response.Headers.Allow.ToString();
        if (allowed.Split(", ").Contains(HttpMethods.Get))
        {
            response.Headers.Allow = $"{allowed}, {HttpMethods.Head}";
        }
    }
}
