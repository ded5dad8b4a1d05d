using Dcr.AccessTokens;
using Dcr.Administration;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Discovery;
using Dcr.Keys;
using Dcr.Protocol;
using Dcr.Registration;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Dcr;

public static class DcrEndpoints
{
    /// <summary>Every route of the server. An issuer with a path has them under that path.</summary>
    public static void MapDcr(this WebApplication app)
    {
        var path = app.Services.GetRequiredService<IssuerUrls>().PathBase;

        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
        app.MapHealthChecks("/health/ready");
        app.MapDiscovery(path);

        var oauth = app.MapGroup($"{path}/oauth");
        oauth.MapGet("/jwks", PublishSigningKeysRoute.HandleAsync).WithTags("Discovery").Gives<PublicSigningKeySet>().Refuses();
        oauth.MapPost("/token", IssueAccessTokenRoute.HandleAsync).WithTags("Tokens").Accepts<AccessTokenRequest>("application/x-www-form-urlencoded").Gives<IssuedAccessToken>().Refuses(400, 401, 413, 415);

        var register = oauth.MapGroup("/register").WithTags("Registration");
        register.MapPost("", RegisterClientRoute.HandleAsync).Requires(Policies.InitialAccessToken).TakesJson<ClientMetadata>().Gives<ClientInformation>(201).Refuses(400, 401, 403, 413, 415);
        register.MapGet("/{client_id}", ReadClientRoute.HandleAsync).Requires(Policies.RegistrationAccessToken).Gives<ClientInformation>().Refuses(401, 403);
        register.MapPut("/{client_id}", UpdateClientRoute.HandleAsync).Requires(Policies.RegistrationAccessToken).TakesJson<ClientMetadata>().Gives<ClientInformation>().Refuses(400, 401, 403, 409, 412, 413, 415);
        register.MapDelete("/{client_id}", DeleteClientRoute.HandleAsync).Requires(Policies.RegistrationAccessToken).Produces(204).Refuses(401, 403, 409, 412);

        var admin = app.MapGroup($"{path}/admin/v1").WithTags("Administration").Requires(Policies.Administrator);
        admin.MapGet("/clients", ListClientsRoute.HandleAsync).Gives<Page<AdminClient>>().Refuses(400, 401, 403);
        admin.MapGet("/clients/{client_id}", ShowClientRoute.HandleAsync).Gives<AdminClient>().Refuses(401, 403, 404);
        admin.MapPost("/clients/{client_id}/suspend", ChangeClientStatusRoute.SuspendAsync).Gives<AdminClient>().Refuses(401, 403, 404, 409);
        admin.MapPost("/clients/{client_id}/resume", ChangeClientStatusRoute.ResumeAsync).Gives<AdminClient>().Refuses(401, 403, 404, 409);
        admin.MapPost("/clients/{client_id}/revoke", ChangeClientStatusRoute.RevokeAsync).Gives<AdminClient>().Refuses(401, 403, 404, 409);
        admin.MapPut("/clients/{client_id}/assertion-audience", SetAssertionAudienceRuleRoute.HandleAsync).TakesJson<AssertionAudienceSetting>().Gives<AdminClient>().Refuses(400, 401, 403, 404, 409, 413, 415);
        admin.MapGet("/audit", ListAuditRoute.HandleAsync).Gives<Page<AuditRecord>>().Refuses(400, 401, 403);
    }

    /// <summary>RFC 8414 section 3: between host and path; for an issuer with a path also under it, where OpenID Connect Discovery looks.</summary>
    private static void MapDiscovery(this WebApplication app, string path)
    {
        foreach (var document in new[] { "oauth-authorization-server", "openid-configuration" })
        {
            app.MapGet($"/.well-known/{document}{path}", DescribeServerRoute.HandleAsync).WithTags("Discovery").Gives<ServerMetadata>().Refuses();
            if (path.Length > 0)
            {
                app.MapGet($"{path}/.well-known/{document}", DescribeServerRoute.HandleAsync).ExcludeFromDescription();
            }
        }
    }

    private static TBuilder Requires<TBuilder>(this TBuilder builder, string policy)
        where TBuilder : IEndpointConventionBuilder => builder.RequireAuthorization(policy);
}
