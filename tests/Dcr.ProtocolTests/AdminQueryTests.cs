using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>Query parameters of the admin API: what a route does not describe is refused, before anything is done.</summary>
public sealed class AdminQueryTests(SqliteServer server) : ServerTests(server), IClassFixture<SqliteServer>
{
    [Fact]
    [Requirement("P-QUERY")]
    public async Task Names_a_parameter_that_no_route_knows_on_every_route()
    {
        var admin = await Server.AdminTokenAsync();
        var routes = Server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText!.StartsWith("/admin/v1", StringComparison.Ordinal)).ToList();
        Assert.True(routes.Count > 30, $"{routes.Count} routes");
        foreach (var route in routes)
        {
            var path = string.Join('/', route.RoutePattern.RawText!.Split('/').Select(segment => segment.Replace("{client_id}", "x", StringComparison.Ordinal)));
            path = System.Text.RegularExpressions.Regex.Replace(path, @"\{\w+\}", "x");
            var method = route.Metadata.GetRequiredMetadata<HttpMethodMetadata>().HttpMethods[0];
            (await Server.SendAsync(new HttpMethod(method), $"{path}?statuss=active", admin, new JsonObject())).Refused(HttpStatusCode.BadRequest, "invalid_request", "statuss");
        }
    }

    [Theory]
    [Requirement("P-QUERY")]
    [InlineData("clients:revoke?dry_run=true")]
    [InlineData("clients:suspend?dry_run=true")]
    public async Task Carries_nothing_out_when_a_flag_of_the_body_is_in_the_query(string path)
    {
        var client = await Server.OnboardAsync();
        var body = new JsonObject { ["origin"] = new JsonObject { ["onboarding_client"] = DcrServer.OnboardingClient } };
        (await Server.AdminAsync(HttpMethod.Post, path, body)).Refused(HttpStatusCode.BadRequest, "invalid_request", "dry_run");
        (await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/revoke?dry_run=true")).Refused(HttpStatusCode.BadRequest, "invalid_request", "dry_run");
        Assert.Equal("active", await Server.StatusAsync(client));
    }

    [Theory]
    [Requirement("P-QUERY")]
    [InlineData("clients?client_name=x", "client_name")]
    [InlineData("clients?Status=active", "Status")]
    [InlineData("clients?status=active&status=revoked", "status")]
    [InlineData("audit?actor%00=x", "actor")]
    [InlineData("key-sets?=x", "query parameter")]
    public async Task Names_a_parameter_that_is_misspelt_or_sent_twice(string path, string name) =>
        (await Server.AdminAsync(HttpMethod.Get, path)).Refused(HttpStatusCode.BadRequest, "invalid_request", name);

    [Fact]
    [Requirement("P-QUERY")]
    public async Task Refuses_a_misspelt_flag_of_a_replacement()
    {
        var party = await Server.OnboardingClientAsync();
        (await Server.ReplacePolicyAsync(party, [], "?suspend_withdraw=true")).Refused(HttpStatusCode.BadRequest, "invalid_request", "suspend_withdrawn");
        (await Server.ReplacePolicyAsync(party, [], "?suspend_withdrawn=false")).Succeeded();
    }
}
