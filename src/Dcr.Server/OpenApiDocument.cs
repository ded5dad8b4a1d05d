using Microsoft.OpenApi;

namespace Dcr.Server;

/// <summary>The OpenAPI document: the same on every server, so it names no host.</summary>
internal static class OpenApiDocument
{
    public static void AddOpenApiDocument(this IServiceCollection services) => services.AddOpenApi("v1", options =>
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "Dcr",
                Version = "v1",
                Description = "OAuth 2.0 Dynamic Client Registration: prove a key, get an initial access token, register, manage, revoke.",
            };
            document.Servers = [];
            return Task.CompletedTask;
        }));
}
