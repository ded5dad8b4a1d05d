using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Dcr.AccessTokens;
using Dcr.Clients;
using Dcr.Keys;
using Dcr.Protocol;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Dcr.Registration;

/// <summary>RFC 7591 and RFC 7592: clients register, read, update and delete themselves.</summary>
internal static class RegistrationFeature
{
    public static IServiceCollection AddRegistration(this IServiceCollection services)
    {
        services.AddSingleton<MetadataApproval>();
        services.AddSingleton<SoftwareStatements>();
        services.AddSingleton<KeyPossession>();
        services.AddSingleton<KeyProofRules>();
        services.AddSingleton<RegistrationAccessTokens>();
        services.AddSingleton<RegisteringClients>();
        services.AddSingleton<RegistrationPreparation>();
        services.AddSingleton<RepeatedRegistrations>();
        services.AddAuthentication()
            .AddScheme<AuthenticationSchemeOptions, RegistrationAccessTokenAuthentication>(
                RegistrationAccessTokenAuthentication.SchemeName, null);
        return services;
    }

    public static void MapRegistration(this IEndpointRouteBuilder oauth)
    {
        var register = oauth.MapGroup("/register").CalledByChosenOrigins();

        register.MapPost("", RegisterClientRoute.HandleAsync).Needs(NeededAccessTokens.Initial)
            .Is("Registration", "Register a client").TakesQuery(("validate_only", "true: only say what would be registered"))
            .TakesHeader("Idempotency-Key", "A repeated request with the same key and body within 24 hours gets the first answer")
            .TakesHeader("DPoP", "A proof by a key that is registered (RFC 9449)").TakesJson<ClientMetadata>()
            .Gives<ClientInformation>(201).Refuses(400, 401, 403, 413, 415, 422, 429);

        register.MapGet("/{client_id}", ReadClientRoute.HandleAsync).Needs(RegistrationAccessTokenAuthentication.Needed)
            .Is("Registration", "Read the client").Gives<ClientInformation>().Refuses(401, 403);

        register.MapPut("/{client_id}", UpdateClientRoute.HandleAsync).Needs(RegistrationAccessTokenAuthentication.Needed)
            .Is("Registration", "Replace the client's metadata").TakesIfMatch()
            .TakesHeader("DPoP", "To change keys under a policy that asks for it: a proof by a key the client had (RFC 9449)")
            .TakesHeader("New-Key-Proof", "With it, where the policy requires proofs: one by each key that is new, made as for DPoP")
            .TakesJson<ClientMetadata>().Gives<ClientInformation>().Refuses(400, 401, 403, 409, 412, 413, 415);

        register.MapDelete("/{client_id}", DeleteClientRoute.HandleAsync).Needs(RegistrationAccessTokenAuthentication.Needed)
            .Is("Registration", "Delete the client").TakesIfMatch().GivesNothing().Refuses(401, 403, 409, 412);

        register.MapGet("/{client_id}/keys", ManageClientKeysRoute.ListAsync).Needs(RegistrationAccessTokenAuthentication.Needed)
            .Is("Registration", "Show the hosted key set the client uses").Gives<AdminKeySet>().Refuses(401, 403, 404);

        register.MapPost("/{client_id}/keys", ManageClientKeysRoute.AddAsync).Needs(RegistrationAccessTokenAuthentication.Needed)
            .Is("Registration", "Add a key to it, proved by an active one").TakesJson<NewClientKey>().Gives<AdminHostedKey>(201)
            .Refuses(400, 401, 403, 404, 409, 413, 415);

        register.MapPost(
            "/{client_id}/keys/{kid}/activate", ManageClientKeysRoute.ActivateAsync).Needs(RegistrationAccessTokenAuthentication.Needed)
            .Is("Registration", "Let a key be used").TakesJson<ClientKeyChange>().Gives<AdminHostedKey>()
            .Refuses(400, 401, 403, 404, 409, 413, 415);

        register.MapPost(
            "/{client_id}/keys/{kid}/retire", ManageClientKeysRoute.RetireAsync).Needs(RegistrationAccessTokenAuthentication.Needed)
            .Is("Registration", "Give a key an end").TakesJson<ClientKeyChange>().Gives<AdminHostedKey>()
            .Refuses(400, 401, 403, 404, 409, 413, 415);

        register.MapPost(
            "/{client_id}/keys/{kid}/withdraw", ManageClientKeysRoute.WithdrawAsync).Needs(RegistrationAccessTokenAuthentication.Needed)
            .Is("Registration", "End a key at once").TakesJson<ClientKeyChange>().Gives<AdminHostedKey>()
            .Refuses(400, 401, 403, 404, 409, 413, 415);
    }
}

[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(ClientInformation))]
[JsonSerializable(typeof(NewClientKey))]
[JsonSerializable(typeof(ClientKeyChange))]
[JsonSerializable(typeof(AdminKeySet))]
[JsonSerializable(typeof(AdminHostedKey))]
[JsonSerializable(typeof(JsonNode))]
[JsonSerializable(typeof(JsonObject))]
internal sealed partial class RegistrationJson : JsonSerializerContext;
