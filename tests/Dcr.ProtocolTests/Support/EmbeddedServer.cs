using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dcr.ProtocolTests.Support;

/// <summary>A host with routes, policies and a scheme of its own, and the server within it.</summary>
public sealed class EmbeddedServer : SqliteServer
{
    /// <summary>Where the host maps the server. Null: on itself.</summary>
    public string? Group { get; init; }

    protected override WebApplication Create(string[] arguments, Action<IServiceCollection> configure)
    {
        // What only the program takes is a typing error in another host.
        var own = arguments.Chunk(2).Where(setting => setting[0] is not ("--Dcr:DataProtection:KeyRingPath")).SelectMany(setting => setting);
        var builder = WebApplication.CreateBuilder([.. own]);
        builder.Services.AddDcr().UseSqlite(Path.Combine(Directory, "embedded.db"));
        builder.Services.AddDataProtection().UseEphemeralDataProtectionProvider();
        builder.Services.AddAuthentication().AddScheme<AuthenticationSchemeOptions, KnocksTwice>("knock", null);
        builder.Services.AddAuthorization();
        configure(builder.Services);

        var app = builder.Build();
        app.MapGet("/", () => "A page of the host.");
        app.MapGet("/members", () => "For members.").RequireAuthorization();
        app.MapPost("/upload", async (HttpRequest request) =>
        {
            await using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            return body.Length;
        });
        app.MapGet("/broken", IResult () => throw new InvalidOperationException("The host's own fault."));
        IEndpointRouteBuilder where = Group is null ? app : app.MapGroup(Group);
        where.MapDcr();
        return app;
    }

    private sealed class KnocksTwice(
        IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, System.Text.Encodings.Web.UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(
            Request.Headers["Knock"] == "twice"
                ? AuthenticateResult.Success(new AuthenticationTicket(new(new System.Security.Claims.ClaimsIdentity("knock")), Scheme.Name))
                : AuthenticateResult.NoResult());
    }
}
