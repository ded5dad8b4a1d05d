using System.Text.Json.Serialization;
using Dcr.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Dcr.Bulk;

/// <summary>Operations on many clients: by origin, and those whose time is over.</summary>
internal static class BulkFeature
{
    public static IServiceCollection AddBulk(this IServiceCollection services)
    {
        services.AddSingleton<ExpiredClients>();
        services.AddSingleton<ClientResumer>();
        services.AddSingleton<ClientOperationRunner>();
        services.AddHostedService(provider => provider.GetRequiredService<ClientOperationRunner>());
        services.AddHostedService<ClientReaper>();
        return services;
    }

    public static void MapBulk(this IEndpointRouteBuilder admin)
    {
        admin.MapPost("/clients:revoke", RevokeClientsRoute.RevokeAsync)
            .Is("Administration", "Revoke every client of one origin, or count them").TakesJson<ClientsOfOrigin>().Gives<AdminOperation>()
            .Refuses(400, 401, 403, 413, 415);
        admin.MapPost("/clients:suspend", RevokeClientsRoute.SuspendAsync)
            .Is("Administration", "Suspend every client of one origin, or count them").TakesJson<ClientsOfOrigin>()
            .Gives<AdminOperation>().Refuses(400, 401, 403, 413, 415);
        admin.MapPost("/clients:resume", RevokeClientsRoute.ResumeAsync)
            .Is("Administration", "Let every suspended or expired client of one origin go on, or count them").TakesJson<ClientsOfOrigin>()
            .Gives<AdminOperation>().Refuses(400, 401, 403, 413, 415);
        admin.MapGet("/operations/{operation_id}", RevokeClientsRoute.ShowAsync)
            .Is("Administration", "How far an operation on many clients has come").Gives<AdminOperation>().Refuses(401, 403, 404);
        admin.MapPost("/clients:reap", ReapClientsRoute.HandleAsync)
            .Is("Administration", "Expire and remove clients whose time is over, or count them").TakesJson<ReapRequest>()
            .Gives<ReapedClients>().Refuses(400, 401, 403, 413, 415);
    }
}

[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(ClientsOfOrigin))]
[JsonSerializable(typeof(AdminOperation))]
[JsonSerializable(typeof(ReapRequest))]
[JsonSerializable(typeof(ReapedClients))]
internal sealed partial class BulkJson : JsonSerializerContext;
