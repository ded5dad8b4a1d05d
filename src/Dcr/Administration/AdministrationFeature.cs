using System.Text.Json;
using System.Text.Json.Serialization;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Keys;
using Dcr.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Dcr.Administration;

/// <summary>What administrators see and do: one client, its keys, hosted key sets, the server itself.</summary>
internal static class AdministrationFeature
{
    public static IServiceCollection AddAdministration(this IServiceCollection services)
    {
        services.AddSingleton<KeyDescription>();
        return services;
    }

    public static void MapAdministration(this IEndpointRouteBuilder admin)
    {
        admin.MapClients();
        admin.MapKeysOfClients();
        admin.MapKeySets();
        admin.MapServer();
    }

    private static void MapClients(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/clients", ListClientsRoute.HandleAsync)
            .Is("Administration", "List clients, newest first").TakesPage()
            .TakesQuery(
                ("status", "active, suspended, revoked or expired"),
                ("assertion_exception", "true: only those that have an exception for their assertions, or have needed one of late"),
                ("onboarding_client", "Who registered it"),
                ("kid", "The kid of the key its initial access token was asked for with"),
                ("thumbprint", "The thumbprint of that key"),
                ("initial_token_jti", "The jti of that token"),
                ("software_statement_issuer", "The iss of its software statement"),
                ("software_id", "The software_id of its software statement"))
            .Gives<Page<AdminClient>>().Refuses(400, 401, 403);
        admin.MapGet("/clients/{client_id}", ShowClientRoute.HandleAsync)
            .Is("Administration", "Show a client").Gives<AdminClient>().Refuses(401, 403, 404);
        admin.MapPost("/clients/{client_id}/suspend", ChangeClientStatusRoute.SuspendAsync)
            .Is("Administration", "Stop a client for now").Gives<AdminClient>().Refuses(401, 403, 404, 409);
        admin.MapPost("/clients/{client_id}/resume", ChangeClientStatusRoute.ResumeAsync)
            .Is("Administration", "Let a suspended client go on").Gives<AdminClient>().Refuses(401, 403, 404, 409);
        admin.MapPost("/clients/{client_id}/revoke", ChangeClientStatusRoute.RevokeAsync)
            .Is("Administration", "End a client permanently").Gives<AdminClient>().Refuses(401, 403, 404, 409);
        admin.MapPost("/clients/{client_id}/sign-out", SignClientOutRoute.HandleAsync)
            .Is("Administration", "End all tokens a client has, and not the client").Gives<AdminClient>().Refuses(401, 403, 404, 409);
        admin.MapPost("/clients/{client_id}/registration-access-token", RenewRegistrationAccessTokenRoute.HandleAsync)
            .Is("Administration", "Give a client a new registration access token, shown once").Gives<NewRegistrationAccessToken>()
            .Refuses(401, 403, 404, 409);
        admin.MapPost("/clients/{client_id}/allow-key-change", AllowKeyChangeRoute.HandleAsync)
            .Is("Administration", "Let a client change its keys once without proving one it had").Gives<AdminClient>()
            .Refuses(401, 403, 404, 409);
        admin.MapPut("/clients/{client_id}/assertion-exception", SetAssertionExceptionRoute.HandleAsync)
            .Is("Administration", "Let a client that cannot follow RFC 10070 yet send other assertions, until a certain time")
            .TakesJson<AssertionExceptionRule>().Gives<AdminClient>().Refuses(400, 401, 403, 404, 409, 413, 415);
        admin.MapDelete("/clients/{client_id}/assertion-exception", RemoveAssertionExceptionRoute.HandleAsync)
            .Is("Administration", "End a client's exception before its time").GivesNothing().Refuses(401, 403, 404, 409);
    }

    private static void MapKeysOfClients(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/clients/{client_id}/keys", ListClientKeysRoute.HandleAsync)
            .Is("Administration", "List a client's keys: state, last use, and how fresh they are").Gives<Page<AdminKey>>()
            .Refuses(401, 403, 404);
        admin.MapPost("/clients/{client_id}/keys/{thumbprint}/quarantine", QuarantineKeyRoute.QuarantineAsync)
            .Is("Administration", "Block one key of a client at once")
            .TakesQuery(("end_tokens", "false: access tokens for APIs that the client has live on")).Gives<AdminKey>()
            .Refuses(400, 401, 403, 404, 409);
        admin.MapPost("/clients/{client_id}/keys/{thumbprint}/release", QuarantineKeyRoute.ReleaseAsync)
            .Is("Administration", "Let a blocked key be used again").Gives<AdminKey>().Refuses(400, 401, 403, 404, 409);
        admin.MapGet("/quarantined-keys", ManageQuarantinedKeysRoute.ListAsync)
            .Is("Administration", "List the keys that are blocked on the whole server").TakesPage().Gives<Page<AdminQuarantinedKey>>()
            .Refuses(400, 401, 403);
        admin.MapGet("/quarantined-keys/{thumbprint}", ManageQuarantinedKeysRoute.ShowAsync)
            .Is("Administration", "Show a key that is blocked on the whole server").Gives<AdminQuarantinedKey>().Refuses(401, 403, 404);
        admin.MapPut("/quarantined-keys/{thumbprint}", ManageQuarantinedKeysRoute.AddAsync)
            .Is("Administration", "Block a key on the whole server, whoever has it or registers it").TakesJson<QuarantineReason>()
            .Gives<AdminQuarantinedKey>().Refuses(400, 401, 403, 413, 415);
        admin.MapDelete("/quarantined-keys/{thumbprint}", ManageQuarantinedKeysRoute.RemoveAsync)
            .Is("Administration", "Let a key be used again on the whole server").GivesNothing().Refuses(401, 403, 404);
    }

    private static void MapKeySets(this IEndpointRouteBuilder admin)
    {
        admin.MapPost("/key-sets", ManageKeySetsRoute.CreateAsync)
            .Is("Administration", "Make a hosted key set").Gives<AdminKeySet>(201).Refuses(401, 403);
        admin.MapGet("/key-sets", ManageKeySetsRoute.ListAsync)
            .Is("Administration", "List the hosted key sets").TakesPage().Gives<Page<AdminKeySet>>().Refuses(400, 401, 403);
        admin.MapGet("/key-sets/{key_set_id}", ManageKeySetsRoute.ShowAsync)
            .Is("Administration", "Show a hosted key set").Gives<AdminKeySet>().Refuses(401, 403, 404);
        admin.MapDelete("/key-sets/{key_set_id}", ManageKeySetsRoute.DeleteAsync)
            .Is("Administration", "Delete a hosted key set").GivesNothing().Refuses(401, 403, 404, 409);
        admin.MapPost("/key-sets/{key_set_id}/keys", ChangeKeySetKeyRoute.AddAsync)
            .Is("Administration", "Add a key: published, not yet to be used").TakesJson<JsonElement>().Gives<AdminHostedKey>(201)
            .Refuses(400, 401, 403, 404, 409, 413, 415);
        admin.MapPost("/key-sets/{key_set_id}/keys/{kid}/activate", ChangeKeySetKeyRoute.ActivateAsync)
            .Is("Administration", "Let a key be used").Gives<AdminHostedKey>().Refuses(401, 403, 404, 409);
        admin.MapPost("/key-sets/{key_set_id}/keys/{kid}/retire", ChangeKeySetKeyRoute.RetireAsync)
            .Is("Administration", "Give a key an end").TakesJson<KeyRetirement>().Gives<AdminHostedKey>()
            .Refuses(400, 401, 403, 404, 409, 413, 415);
        admin.MapPost("/key-sets/{key_set_id}/keys/{kid}/withdraw", ChangeKeySetKeyRoute.WithdrawAsync)
            .Is("Administration", "End a key at once").Gives<AdminHostedKey>().Refuses(401, 403, 404, 409);
    }

    private static void MapServer(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/signing-keys", RotateSigningKeysRoute.ListAsync)
            .Is("Administration", "List the server's own keys").Gives<Page<AdminSigningKey>>().Refuses(401, 403);
        admin.MapPost("/signing-keys/rotate", RotateSigningKeysRoute.HandleAsync)
            .Is("Administration", "Make the server's next key before its time").TakesJson<SigningKeyRotation>().Gives<AdminSigningKey>()
            .Refuses(400, 401, 403, 413, 415);
        admin.MapPost("/diagnose", DiagnoseAssertionRoute.HandleAsync)
            .Is("Administration", "Say which rule a client assertion fails and why, without using it up").TakesJson<AssertionToDiagnose>()
            .Gives<AssertionDiagnosis>().Refuses(400, 401, 403, 413, 415);
        admin.MapGet("/audit", ListAuditRoute.HandleAsync)
            .Is("Administration", "List the audit trail, newest first").TakesPage()
            .TakesQuery(("subject", "The client id or kid that was acted on")).Gives<Page<AuditRecord>>().Refuses(400, 401, 403);
    }
}

[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(AdminClient))]
[JsonSerializable(typeof(Page<AdminClient>), TypeInfoPropertyName = "PageAdminClient")]
[JsonSerializable(typeof(AssertionExceptionRule))]
[JsonSerializable(typeof(NewRegistrationAccessToken))]
[JsonSerializable(typeof(AdminKey))]
[JsonSerializable(typeof(Page<AdminKey>), TypeInfoPropertyName = "PageAdminKey")]
[JsonSerializable(typeof(QuarantineReason))]
[JsonSerializable(typeof(AdminQuarantinedKey))]
[JsonSerializable(typeof(Page<AdminQuarantinedKey>), TypeInfoPropertyName = "PageAdminQuarantinedKey")]
[JsonSerializable(typeof(AdminKeySet))]
[JsonSerializable(typeof(Page<AdminKeySet>), TypeInfoPropertyName = "PageAdminKeySet")]
[JsonSerializable(typeof(AdminHostedKey))]
[JsonSerializable(typeof(KeyRetirement))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(AdminSigningKey))]
[JsonSerializable(typeof(Page<AdminSigningKey>), TypeInfoPropertyName = "PageAdminSigningKey")]
[JsonSerializable(typeof(SigningKeyRotation))]
[JsonSerializable(typeof(AssertionToDiagnose))]
[JsonSerializable(typeof(AssertionDiagnosis))]
[JsonSerializable(typeof(AuditRecord))]
[JsonSerializable(typeof(Page<AuditRecord>), TypeInfoPropertyName = "PageAuditRecord")]
internal sealed partial class AdministrationJson : JsonSerializerContext;
