using System.Security.Claims;
using Dcr.ResourceServer;

// An API to copy. Whose tokens it takes, and which, is in appsettings.json.
var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
if (builder.Configuration["urls"] is null)
{
    builder.WebHost.UseUrls("http://localhost:5090");
}

builder.Services.AddDcrResourceServer(
    builder.Configuration["Issuer"]!,
    builder.Configuration["Audience"]!,
    options => options.StatusRefresh = builder.Configuration.GetValue("StatusRefresh", options.StatusRefresh));
builder.Services.AddAuthorizationBuilder()
    .AddPolicy("read", policy => policy.RequireScope("read"))
    .AddPolicy("write", policy => policy.RequireScope("write"));

var app = builder.Build();
app.MapGet("/", () => "An API that takes tokens of a Dcr server. Try /hello with one that has the scope read.");
app.MapGet("/hello", (ClaimsPrincipal caller) => new Greeting($"Hello, {caller.Identity!.Name}.")).RequireAuthorization("read");
app.MapPost("/hello", (ClaimsPrincipal caller) => new Greeting($"{caller.Identity!.Name} may write.")).RequireAuthorization("write");
await app.RunAsync();

internal sealed record Greeting(string Message);
