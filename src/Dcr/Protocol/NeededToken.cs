using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;

namespace Dcr.Protocol;

/// <summary>The token that a route needs: by which scheme it is judged, and what it must be good for.</summary>
/// <param name="Description">In words, for the OpenAPI document.</param>
/// <param name="Scheme">The ASP.NET Core authentication scheme.</param>
/// <param name="Claim">What the scheme says of a token that is good here: another one is forbidden.</param>
/// <param name="Value">The claim's value.</param>
internal sealed record NeededToken(string Description, string Scheme, string Claim, string Value)
{
    /// <summary>
    /// Judged by the route itself and not by middleware of the host, which has schemes and policies of its own. The refusal is written
    /// here.
    /// </summary>
    public async Task<bool> IsSentAsync(HttpContext context)
    {
        var result = await context.AuthenticateAsync(Scheme);
        if (!result.Succeeded)
        {
            await context.ChallengeAsync(Scheme);
            return false;
        }
        if (!result.Principal.HasClaim(Claim, Value))
        {
            await context.ForbidAsync(Scheme);
            return false;
        }
        return true;
    }
}
