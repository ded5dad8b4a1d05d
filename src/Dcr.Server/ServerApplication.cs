using Dcr.Protocol;
using Microsoft.Extensions.Options;

namespace Dcr.Server;

/// <summary>The whole server, ready to run.</summary>
public static class ServerApplication
{
    /// <param name="args">The command line, such as <c>--urls http://localhost:5080</c>.</param>
    /// <param name="configure">Changes services before the server is built, such as the clock in tests. Null: none.</param>
    public static WebApplication Create(string[] args, Action<IServiceCollection>? configure = null)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            Args = args,
            // appsettings.json lies beside the program; data files are where the program is started.
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.ConfigureListening();
        builder.ConfigureIssuer();
        builder.Services.AddDcr().UseConfiguredStore(builder.Configuration);
        builder.Services.AddOpenApiDocument();
        configure?.Invoke(builder.Services);

        var app = builder.Build();
        // Before anything is made of the settings: so all faults are told at once, and not the first that is come upon.
        app.Services.GetService<IStartupValidator>()?.Validate();
        app.Use(app.Services.GetRequiredService<Draining>().CloseAfterAnswerAsync);
        app.UseAnswersForUnmatchedRequests();
        app.MapDcr();
        if (app.Services.GetRequiredService<IssuerUrls>().PathBase.Length > 0)
        {
            // Whoever watches the process knows its port, and need not know the issuer.
            app.MapHealth();
        }
        app.MapOpenApi("/openapi/{documentName}.json").WithMetadata(new HttpMethodMetadata([HttpMethods.Get, HttpMethods.Head]));
        return app;
    }
}
