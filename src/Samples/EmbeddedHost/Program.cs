using Dcr;
using Microsoft.AspNetCore.DataProtection;

// A web application with pages of its own, and a Dcr server below /auth:
//   dotnet run --project src/Samples/EmbeddedHost
//   curl http://localhost:5090/.well-known/oauth-authorization-server/auth
var builder = WebApplication.CreateBuilder(args);

// The keys that encrypt what is secret in the store are the host's, as all that it protects.
builder.Services.AddDataProtection()
    .SetApplicationName("EmbeddedHost")
    .PersistKeysToFileSystem(new DirectoryInfo(builder.Configuration["KeyRing"]!));

// Its settings are those under Dcr in appsettings.json; the issuer's path decides where the routes are.
builder.Services.AddDcr().UseSqlite();

var app = builder.Build();
app.MapGet("/", () => "A page of the host.");
app.MapDcr();
app.Run();
