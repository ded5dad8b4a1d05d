using Dcr.Protocol;
using Microsoft.AspNetCore.Http;

namespace Dcr.ClientAuthentication;

/// <summary>Writes the refusal of an endpoint that clients authenticate at, with the challenge a 401 needs.</summary>
internal static class ClientAuthenticationRefusal
{
    public static OAuthErrorResult ToResult(OAuthError error, IssuerUrls urls, HttpRequest request)
    {
        if (error.Status != StatusCodes.Status401Unauthorized)
        {
            return new OAuthErrorResult(error);
        }
        var triedBasic = request.Headers.Authorization.ToString().StartsWith("Basic", StringComparison.OrdinalIgnoreCase);
        return new OAuthErrorResult(error, Challenge.ClientAuthentication(urls.Issuer, triedBasic, error));
    }
}
