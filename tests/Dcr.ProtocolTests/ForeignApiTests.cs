using System.Net;
using System.Security.Claims;
using Dcr.ProtocolTests.Support;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>
/// An API that has nothing of this product's: ASP.NET Core's JwtBearer as anybody sets it up, who finds the keys by
/// OpenID Connect discovery.
/// </summary>
public sealed class ForeignApiTests(SqliteServer server) : ServerTests(server), IClassFixture<SqliteServer>
{
    [Fact]
    [Requirement("P-INTEROP", "R9068-2.2-01", "R9068-5-01", "R8414-3.2-01")]
    public async Task An_API_with_JwtBearer_alone_takes_the_tokens_for_its_audience()
    {
        await using var api = await StartApiAsync(audience: Server.Issuer);
        var client = await Server.OnboardAsync();
        var token = await Server.AccessTokenAsync(client.Key, client.ClientId, "read");

        Assert.Equal((HttpStatusCode.OK, client.ClientId), await CallAsync(api, token));
        Assert.Equal(HttpStatusCode.Unauthorized, (await CallAsync(api, null)).Status);
        // The last character of an ES256 signature holds bits that count for nothing: the first is changed.
        var signature = token.LastIndexOf('.') + 1;
        var forged = token[..signature] + (token[signature] == 'A' ? 'B' : 'A') + token[(signature + 1)..];
        Assert.Equal(HttpStatusCode.Unauthorized, (await CallAsync(api, forged)).Status);
    }

    [Fact]
    [Requirement("P-INTEROP", "R9068-3-01")]
    public async Task An_API_with_JwtBearer_alone_refuses_an_initial_access_token_and_one_for_another_audience()
    {
        await using var api = await StartApiAsync(audience: Server.Issuer);
        await using var other = await StartApiAsync(audience: "https://other.example");
        Assert.Equal(HttpStatusCode.Unauthorized, (await CallAsync(api, await Server.InitialAccessTokenAsync())).Status);

        var client = await Server.OnboardAsync();
        var token = await Server.AccessTokenAsync(client.Key, client.ClientId, "read");
        Assert.Equal(HttpStatusCode.Unauthorized, (await CallAsync(other, token)).Status);
    }

    private async Task<WebApplication> StartApiAsync(string audience)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddAuthorization();
        builder.Services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme).AddJwtBearer(jwt =>
        {
            jwt.Authority = Server.Issuer;
            jwt.Audience = audience;
            // The server of the test is on this machine, without TLS.
            jwt.RequireHttpsMetadata = false;
            jwt.MapInboundClaims = false;
            jwt.TokenValidationParameters.ValidTypes = ["at+jwt"];
        });
        var api = builder.Build();
        api.Urls.Add("http://127.0.0.1:0");
        api.MapGet("/", (ClaimsPrincipal caller) => caller.FindFirstValue("client_id")).RequireAuthorization();
        await api.StartAsync(Cancellation);
        return api;
    }

    private static async Task<(HttpStatusCode Status, string Caller)> CallAsync(WebApplication api, string? token)
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = token is null ? null : new("Bearer", token);
        using var answer = await http.GetAsync(new Uri(api.Urls.Single()), Cancellation);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancellation));
    }
}
