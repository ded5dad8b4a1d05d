using Dcr.Protocol;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Dcr.Server;

/// <summary>Where the server listens and what it is willing to read.</summary>
internal static class Listening
{
    private const string DefaultUrl = "http://localhost:5080";

    public static void ConfigureListening(this WebApplicationBuilder builder)
    {
        if (!HasAddress(builder.Configuration))
        {
            builder.WebHost.UseUrls(DefaultUrl);
        }
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = RequestBody.MaxBytes;
            kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            var services = kestrel.ApplicationServices;
            kestrel.Limits.MaxConcurrentConnections = ConnectionLimit.Of(services.GetRequiredService<IOptions<ConnectionOptions>>().Value);
            kestrel.ConfigureEndpointDefaults(listen => listen.Use(services.GetRequiredService<Draining>().Count));
        });
        builder.Services.AddSettings<ConnectionOptions>(ConnectionOptions.Section).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<ConnectionOptions>, ConnectionOptionsValidator>();
        builder.Services.AddSingleton<ListenSockets>();
        builder.Services.AddSingleton<Draining>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<Draining>());
        builder.Services.AddHealthChecks().AddCheck<Draining>("draining", tags: [StoreHealth.Tag]);
        builder.Services.AddOptions<SocketTransportOptions>()
            .Configure<ListenSockets>((transport, sockets) => transport.CreateBoundListenSocket = sockets.Bind);
    }

    /// <summary>Without <c>Dcr:Issuer</c> the issuer is where the server listens, which the options accept for loopback only.</summary>
    public static void ConfigureIssuer(this WebApplicationBuilder builder)
    {
        if (builder.Configuration["Dcr:Issuer"] is null && Urls(builder.Configuration) is { } urls)
        {
            builder.Configuration["Dcr:Issuer"] = urls.Split(';', StringSplitOptions.TrimEntries)[0].TrimEnd('/');
        }
    }

    private static bool HasAddress(ConfigurationManager configuration) =>
        Urls(configuration) is not null
        || configuration["http_ports"] is not null
        || configuration["https_ports"] is not null
        || configuration.GetSection("Kestrel:Endpoints").GetChildren().Any();

    private static string? Urls(ConfigurationManager configuration) => configuration["urls"];
}
