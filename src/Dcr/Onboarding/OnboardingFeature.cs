using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Dcr.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Dcr.Onboarding;

/// <summary>Who may bring clients in: the seed file, the first administrator, onboarding clients and their policies.</summary>
internal static class OnboardingFeature
{
    public static IServiceCollection AddOnboarding(this IServiceCollection services)
    {
        services.AddSingleton<RegistrationPolicyReader>();
        services.AddSingleton<SeedClientReader>();
        services.AddSingleton<SeedFileReader>();
        services.AddSingleton<SeedFileApplier>();
        services.AddSingleton<FirstAdministrator>();
        return services;
    }

    public static void MapOnboarding(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/onboarding-clients", ManageOnboardingClientsRoute.ListAsync)
            .Is("Administration", "List who may register clients, newest first").TakesPage().Gives<Page<AdminOnboardingClient>>()
            .Refuses(400, 401, 403);
        admin.MapPost("/onboarding-clients", ManageOnboardingClientsRoute.CreateAsync)
            .Is("Administration", "Let somebody register clients, under a policy").TakesJson<SeedClient>()
            .Gives<AdminOnboardingClient>(201).Refuses(400, 401, 403, 409, 413, 415);
        admin.MapGet("/onboarding-clients/{client_id}", ManageOnboardingClientsRoute.ShowAsync)
            .Is("Administration", "Show an onboarding client and its policy").Gives<AdminOnboardingClient>().Refuses(401, 403, 404);
        admin.MapPut("/onboarding-clients/{client_id}", ManageOnboardingClientsRoute.ReplaceAsync)
            .Is("Administration", "Replace an onboarding client and its policy").TakesIfMatch()
            .TakesQuery(("suspend_withdrawn", "true: suspend its clients whose software statement is accepted no more"))
            .TakesJson<SeedClient>().Gives<AdminOnboardingClient>().Refuses(400, 401, 403, 404, 409, 412, 413, 415);
        admin.MapDelete("/onboarding-clients/{client_id}", ManageOnboardingClientsRoute.DeleteAsync)
            .Is("Administration", "Let an onboarding client register no more; its clients stay").TakesIfMatch().GivesNothing()
            .Refuses(401, 403, 404, 409, 412);
    }
}

[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(SeedFile))]
[JsonSerializable(typeof(JsonObject))]
[JsonSerializable(typeof(SeedClient))]
[JsonSerializable(typeof(AdminOnboardingClient))]
[JsonSerializable(typeof(Page<AdminOnboardingClient>), TypeInfoPropertyName = "PageAdminOnboardingClient")]
internal sealed partial class OnboardingJson : JsonSerializerContext;
