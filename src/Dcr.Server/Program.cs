using Dcr;
using Dcr.Server;

var builder = WebApplication.CreateBuilder(new WebApplicationOptions
{
    Args = args,
    // appsettings.json lies beside the program; data files are where the program is started.
    ContentRootPath = AppContext.BaseDirectory,
});
builder.ConfigureListening();
builder.ConfigureIssuer();
builder.Services.AddDcr();
builder.Services.AddStorage(builder.Configuration);
builder.Services.AddOpenApiDocument();

var app = builder.Build();
app.UseDcr();
app.MapDcr();
app.MapOpenApi("/openapi/{documentName}.json");
await app.RunAsync();
