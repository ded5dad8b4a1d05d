using Dcr.Protocol;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Dcr.Server;

/// <summary>The OpenAPI document: the same on every server, so it names no host.</summary>
internal static class OpenApiDocument
{
    private const string Bearer = "bearer";

    public static void AddOpenApiDocument(this IServiceCollection services)
    {
        // Schemas are made from how each type is written.
        services.ConfigureHttpJsonOptions(json =>
        {
            foreach (var resolver in DcrJson.Resolvers.Reverse())
            {
                json.SerializerOptions.TypeInfoResolverChain.Insert(0, resolver);
            }
        });
        services.AddOpenApi("v1", Describe);
    }

    private static void Describe(OpenApiOptions options)
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "Dcr",
                Version = "v1",
                Description = "OAuth 2.0 Dynamic Client Registration: prove a key, get an initial access token, register, manage, revoke.",
            };
            document.Servers = [];
            foreach (var path in document.Paths.Values)
            {
                // It is where GET is, and says the same without the content.
                path.Operations?.Remove(HttpMethod.Head);
            }
            foreach (var schema in document.Components?.Schemas?.Values ?? [])
            {
                JoinLines(schema);
            }
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
            {
                [Bearer] = new OpenApiSecurityScheme
                {
                    Type = SecuritySchemeType.Http,
                    Scheme = "bearer",
                    Description = "RFC 6750. Which token, each operation says.",
                },
            };
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            AddParameters(operation, context);
            AddSecurity(operation, context);
            // Routes are reached with a body of any type, to say which one they want.
            operation.RequestBody?.Content?.Remove("*/*");
            return Task.CompletedTask;
        });
    }

    // A description is one line, however the comment in the source is broken.
    private static void JoinLines(IOpenApiSchema schema)
    {
        schema.Description = schema.Description is { } text
            ? string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            : null;
        foreach (var member in schema.Properties?.Values ?? [])
        {
            JoinLines(member);
        }
    }

    // The routes read the path through authentication, and query and headers by themselves: the explorer sees neither.
    private static void AddParameters(OpenApiOperation operation, OpenApiOperationTransformerContext context)
    {
        operation.Parameters ??= [];
        if (context.Description.RelativePath?.Contains("{client_id}", StringComparison.Ordinal) == true
            && !operation.Parameters.Any(parameter => parameter.In == ParameterLocation.Path))
        {
            operation.Parameters.Add(Text("client_id", ParameterLocation.Path, "The client", required: true));
        }
        foreach (var parameter in context.Description.ActionDescriptor.EndpointMetadata.OfType<RequestParameter>())
        {
            operation.Parameters.Add(
                Text(
                    parameter.Name,
                    parameter.InHeader ? ParameterLocation.Header : ParameterLocation.Query,
                    parameter.Description,
                    required: false));
        }
    }

    private static void AddSecurity(OpenApiOperation operation, OpenApiOperationTransformerContext context)
    {
        if (context.Description.ActionDescriptor.EndpointMetadata.OfType<NeededToken>().LastOrDefault() is { } token)
        {
            operation.Description = $"Bearer token: {token.Description}.";
            operation.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Bearer, context.Document)] = [] }];
        }
    }

    private static OpenApiParameter Text(string name, ParameterLocation location, string description, bool required) => new()
    {
        Name = name,
        In = location,
        Description = description,
        Required = required,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    };
}
