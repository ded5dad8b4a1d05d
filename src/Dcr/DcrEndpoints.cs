using System.Text.Json;
using Dcr.AccessTokens;
using Dcr.Administration;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Discovery;
using Dcr.Keys;
using Dcr.Protocol;
using Dcr.Registration;
using Dcr.TokenStatus;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Dcr;

public static class DcrEndpoints
{
    /// <summary>Every route of the server. An issuer with a path has them under that path.</summary>
    public static void MapDcr(this WebApplication app)
    {
        var path = app.Services.GetRequiredService<IssuerUrls>().PathBase;

        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
        app.MapHealthChecks("/health/ready");
        app.MapDiscovery(path);

        var oauth = app.MapGroup($"{path}/oauth");
        oauth.MapGet("/jwks", PublishSigningKeysRoute.HandleAsync)
            .ReadByAnybody().Is("Discovery", "The server's public keys").Gives<PublicSigningKeySet>().Refuses();
        oauth.MapPost("/token", IssueAccessTokenRoute.HandleAsync)
            .CalledByChosenOrigins().Is("Tokens", "Get an access token").TakesHeader("DPoP", "A proof by the key to bind the token to (RFC 9449)")
            .TakesHeader("OAuth-Client-Attestation", "In place of client_assertion: an attester's JWT for the key of a device").TakesHeader("OAuth-Client-Attestation-PoP", "The device's proof of that key, unless DPoP is one")
            .TakesForm<AccessTokenRequest>().Gives<IssuedAccessToken>().Refuses(400, 401, 413, 415);

        oauth.MapPost("/introspect", IntrospectAccessTokenRoute.HandleAsync)
            .CalledByChosenOrigins().Is("Tokens", "Ask whether a token is live (RFC 7662)").TakesForm<TokenQuery>().Gives<Introspection>().Refuses(400, 401, 403, 413, 415);
        oauth.MapPost("/revoke", RevokeAccessTokenRoute.HandleAsync)
            .Is("Tokens", "Revoke a token (RFC 7009)").TakesForm<TokenQuery>().Produces(StatusCodes.Status200OK).Refuses(400, 401, 413, 415);
        oauth.MapGet("/status/{list}", PublishStatusListRoute.HandleAsync)
            .ReadByAnybody().Is("Tokens", "Which clients' tokens are dead: a Status List Token").Gives<string>().Refuses(404);

        app.MapGet($"{path}/keys/{{key_set_id}}/jwks.json", PublishHostedKeySetRoute.HandleAsync)
            .ReadByAnybody().Is("Discovery", "The keys of a hosted key set").Gives<JwkSet>().Refuses(404);

        var register = oauth.MapGroup("/register").CalledByChosenOrigins();
        register.MapPost("", RegisterClientRoute.HandleAsync).Needs(Policies.InitialAccessToken)
            .Is("Registration", "Register a client").TakesQuery(("validate_only", "true: only say what would be registered"))
            .TakesHeader("Idempotency-Key", "A repeated request with the same key and body within 24 hours gets the first answer").TakesHeader("DPoP", "A proof by a key that is registered (RFC 9449)")
            .TakesJson<ClientMetadata>().Gives<ClientInformation>(201).Refuses(400, 401, 403, 413, 415, 422, 429);
        register.MapGet("/{client_id}", ReadClientRoute.HandleAsync).Needs(Policies.RegistrationAccessToken)
            .Is("Registration", "Read the client").Gives<ClientInformation>().Refuses(401, 403);
        register.MapPut("/{client_id}", UpdateClientRoute.HandleAsync).Needs(Policies.RegistrationAccessToken)
            .Is("Registration", "Replace the client's metadata").TakesIfMatch().TakesHeader("DPoP", "To change keys under a policy that asks for it: a proof by a key the client had (RFC 9449)")
            .TakesHeader("New-Key-Proof", "With it, where the policy requires proofs: one by each key that is new, made as for DPoP").TakesJson<ClientMetadata>().Gives<ClientInformation>().Refuses(400, 401, 403, 409, 412, 413, 415);
        register.MapDelete("/{client_id}", DeleteClientRoute.HandleAsync).Needs(Policies.RegistrationAccessToken)
            .Is("Registration", "Delete the client").TakesIfMatch().GivesNothing().Refuses(401, 403, 409, 412);

        register.MapGet("/{client_id}/keys", ManageClientKeysRoute.ListAsync).Needs(Policies.RegistrationAccessToken)
            .Is("Registration", "Show the hosted key set the client uses").Gives<AdminKeySet>().Refuses(401, 403, 404);
        register.MapPost("/{client_id}/keys", ManageClientKeysRoute.AddAsync).Needs(Policies.RegistrationAccessToken)
            .Is("Registration", "Add a key to it, proved by an active one").TakesJson<NewClientKey>().Gives<AdminHostedKey>(201).Refuses(400, 401, 403, 404, 409, 413, 415);
        register.MapPost("/{client_id}/keys/{kid}/activate", ManageClientKeysRoute.ActivateAsync).Needs(Policies.RegistrationAccessToken)
            .Is("Registration", "Let a key be used").TakesJson<ClientKeyChange>().Gives<AdminHostedKey>().Refuses(400, 401, 403, 404, 409, 413, 415);
        register.MapPost("/{client_id}/keys/{kid}/retire", ManageClientKeysRoute.RetireAsync).Needs(Policies.RegistrationAccessToken)
            .Is("Registration", "Give a key an end").TakesJson<ClientKeyChange>().Gives<AdminHostedKey>().Refuses(400, 401, 403, 404, 409, 413, 415);
        register.MapPost("/{client_id}/keys/{kid}/withdraw", ManageClientKeysRoute.WithdrawAsync).Needs(Policies.RegistrationAccessToken)
            .Is("Registration", "End a key at once").TakesJson<ClientKeyChange>().Gives<AdminHostedKey>().Refuses(400, 401, 403, 404, 409, 413, 415);

        var admin = app.MapGroup($"{path}/admin/v1").TakesKnownQueryOnly();
        admin.MapGet("/clients", ListClientsRoute.HandleAsync).Needs(Policies.Administrator)
            .Is("Administration", "List clients, newest first").TakesPage().TakesQuery(("status", "active, suspended, revoked or expired"), ("assertion_exception", "true: only those that have an exception for their assertions, or have needed one of late"),
                ("onboarding_client", "Who registered it"), ("kid", "The kid of the key its initial access token was asked for with"), ("thumbprint", "The thumbprint of that key"),
                ("initial_token_jti", "The jti of that token"), ("software_statement_issuer", "The iss of its software statement"), ("software_id", "The software_id of its software statement")).Gives<Page<AdminClient>>().Refuses(400, 401, 403);
        admin.MapGet("/clients/{client_id}", ShowClientRoute.HandleAsync).Needs(Policies.Administrator)
            .Is("Administration", "Show a client").Gives<AdminClient>().Refuses(401, 403, 404);
        admin.MapPost("/clients/{client_id}/suspend", ChangeClientStatusRoute.SuspendAsync).Needs(Policies.Administrator)
            .Is("Administration", "Stop a client for now").Gives<AdminClient>().Refuses(401, 403, 404, 409);
        admin.MapPost("/clients/{client_id}/resume", ChangeClientStatusRoute.ResumeAsync).Needs(Policies.Administrator)
            .Is("Administration", "Let a suspended client go on").Gives<AdminClient>().Refuses(401, 403, 404, 409);
        admin.MapPost("/clients/{client_id}/revoke", ChangeClientStatusRoute.RevokeAsync).Needs(Policies.Administrator)
            .Is("Administration", "End a client for good").Gives<AdminClient>().Refuses(401, 403, 404, 409);
        admin.MapPost("/clients/{client_id}/sign-out", SignClientOutRoute.HandleAsync).Needs(Policies.Administrator)
            .Is("Administration", "End all tokens a client has, and not the client").Gives<AdminClient>().Refuses(401, 403, 404, 409);
        admin.MapPost("/clients/{client_id}/registration-access-token", RenewRegistrationAccessTokenRoute.HandleAsync).Needs(Policies.Administrator)
            .Is("Administration", "Give a client a new registration access token, shown once").Gives<NewRegistrationAccessToken>().Refuses(401, 403, 404, 409);
        admin.MapPost("/clients/{client_id}/allow-key-change", AllowKeyChangeRoute.HandleAsync).Needs(Policies.Administrator)
            .Is("Administration", "Let a client change its keys once without proving one it had").Gives<AdminClient>().Refuses(401, 403, 404, 409);
        admin.MapPost("/clients:revoke", RevokeClientsRoute.RevokeAsync).Needs(Policies.Administrator)
            .Is("Administration", "Revoke every client of one origin, or count them").TakesJson<ClientsOfOrigin>().Gives<AdminOperation>().Refuses(400, 401, 403, 413, 415);
        admin.MapPost("/clients:suspend", RevokeClientsRoute.SuspendAsync).Needs(Policies.Administrator)
            .Is("Administration", "Suspend every client of one origin, or count them").TakesJson<ClientsOfOrigin>().Gives<AdminOperation>().Refuses(400, 401, 403, 413, 415);
        admin.MapPost("/clients:resume", RevokeClientsRoute.ResumeAsync).Needs(Policies.Administrator)
            .Is("Administration", "Let every suspended or expired client of one origin go on, or count them").TakesJson<ClientsOfOrigin>().Gives<AdminOperation>().Refuses(400, 401, 403, 413, 415);
        admin.MapGet("/operations/{operation_id}", RevokeClientsRoute.ShowAsync).Needs(Policies.Administrator)
            .Is("Administration", "How far an operation on many clients has come").Gives<AdminOperation>().Refuses(401, 403, 404);
        admin.MapPost("/clients:reap", ReapClientsRoute.HandleAsync).Needs(Policies.Administrator)
            .Is("Administration", "Expire and remove clients whose time is over, or count them").TakesJson<ReapRequest>().Gives<ReapedClients>().Refuses(400, 401, 403, 413, 415);
        admin.MapGet("/clients/{client_id}/keys", ListClientKeysRoute.HandleAsync).Needs(Policies.Administrator)
            .Is("Administration", "List a client's keys: state, last use, and how fresh they are").Gives<Page<AdminKey>>().Refuses(401, 403, 404);
        admin.MapPost("/clients/{client_id}/keys/{thumbprint}/quarantine", QuarantineKeyRoute.QuarantineAsync).Needs(Policies.Administrator)
            .Is("Administration", "Block one key of a client at once").TakesQuery(("end_tokens", "false: access tokens for APIs that the client has live on")).Gives<AdminKey>().Refuses(400, 401, 403, 404, 409);
        admin.MapPost("/clients/{client_id}/keys/{thumbprint}/release", QuarantineKeyRoute.ReleaseAsync).Needs(Policies.Administrator)
            .Is("Administration", "Let a blocked key be used again").Gives<AdminKey>().Refuses(400, 401, 403, 404, 409);
        admin.MapGet("/quarantined-keys", ManageQuarantinedKeysRoute.ListAsync).Needs(Policies.Administrator)
            .Is("Administration", "List the keys that are blocked on the whole server").TakesPage().Gives<Page<AdminQuarantinedKey>>().Refuses(400, 401, 403);
        admin.MapGet("/quarantined-keys/{thumbprint}", ManageQuarantinedKeysRoute.ShowAsync).Needs(Policies.Administrator)
            .Is("Administration", "Show a key that is blocked on the whole server").Gives<AdminQuarantinedKey>().Refuses(401, 403, 404);
        admin.MapPut("/quarantined-keys/{thumbprint}", ManageQuarantinedKeysRoute.AddAsync).Needs(Policies.Administrator)
            .Is("Administration", "Block a key on the whole server, whoever has it or registers it").TakesJson<QuarantineReason>().Gives<AdminQuarantinedKey>().Refuses(400, 401, 403, 413, 415);
        admin.MapDelete("/quarantined-keys/{thumbprint}", ManageQuarantinedKeysRoute.RemoveAsync).Needs(Policies.Administrator)
            .Is("Administration", "Let a key be used again on the whole server").GivesNothing().Refuses(401, 403, 404);
        admin.MapPut("/clients/{client_id}/assertion-exception", SetAssertionExceptionRoute.HandleAsync).Needs(Policies.Administrator)
            .Is("Administration", "Let a client that cannot follow RFC 10070 yet send other assertions, until a certain time")
            .TakesJson<AssertionExceptionRule>().Gives<AdminClient>().Refuses(400, 401, 403, 404, 409, 413, 415);
        admin.MapDelete("/clients/{client_id}/assertion-exception", RemoveAssertionExceptionRoute.HandleAsync).Needs(Policies.Administrator)
            .Is("Administration", "End a client's exception before its time").GivesNothing().Refuses(401, 403, 404, 409);
        admin.MapGet("/onboarding-clients", ManageOnboardingClientsRoute.ListAsync).Needs(Policies.Administrator)
            .Is("Administration", "List who may register clients, newest first").TakesPage().Gives<Page<AdminOnboardingClient>>().Refuses(400, 401, 403);
        admin.MapPost("/onboarding-clients", ManageOnboardingClientsRoute.CreateAsync).Needs(Policies.Administrator)
            .Is("Administration", "Let somebody register clients, under a policy").TakesJson<SeedClient>().Gives<AdminOnboardingClient>(201).Refuses(400, 401, 403, 409, 413, 415);
        admin.MapGet("/onboarding-clients/{client_id}", ManageOnboardingClientsRoute.ShowAsync).Needs(Policies.Administrator)
            .Is("Administration", "Show an onboarding client and its policy").Gives<AdminOnboardingClient>().Refuses(401, 403, 404);
        admin.MapPut("/onboarding-clients/{client_id}", ManageOnboardingClientsRoute.ReplaceAsync).Needs(Policies.Administrator)
            .Is("Administration", "Replace an onboarding client and its policy").TakesIfMatch().TakesQuery(("suspend_withdrawn", "true: suspend its clients whose software statement is accepted no more"))
            .TakesJson<SeedClient>().Gives<AdminOnboardingClient>().Refuses(400, 401, 403, 404, 409, 412, 413, 415);
        admin.MapDelete("/onboarding-clients/{client_id}", ManageOnboardingClientsRoute.DeleteAsync).Needs(Policies.Administrator)
            .Is("Administration", "Let an onboarding client register no more; its clients stay").TakesIfMatch().GivesNothing().Refuses(401, 403, 404, 409, 412);
        admin.MapPost("/key-sets", ManageKeySetsRoute.CreateAsync).Needs(Policies.Administrator)
            .Is("Administration", "Make a hosted key set").Gives<AdminKeySet>(201).Refuses(401, 403);
        admin.MapGet("/key-sets", ManageKeySetsRoute.ListAsync).Needs(Policies.Administrator)
            .Is("Administration", "List the hosted key sets").TakesPage().Gives<Page<AdminKeySet>>().Refuses(400, 401, 403);
        admin.MapGet("/key-sets/{key_set_id}", ManageKeySetsRoute.ShowAsync).Needs(Policies.Administrator)
            .Is("Administration", "Show a hosted key set").Gives<AdminKeySet>().Refuses(401, 403, 404);
        admin.MapDelete("/key-sets/{key_set_id}", ManageKeySetsRoute.DeleteAsync).Needs(Policies.Administrator)
            .Is("Administration", "Delete a hosted key set").GivesNothing().Refuses(401, 403, 404, 409);
        admin.MapPost("/key-sets/{key_set_id}/keys", ChangeKeySetKeyRoute.AddAsync).Needs(Policies.Administrator)
            .Is("Administration", "Add a key: published, not yet to be used").TakesJson<JsonElement>().Gives<AdminHostedKey>(201).Refuses(400, 401, 403, 404, 409, 413, 415);
        admin.MapPost("/key-sets/{key_set_id}/keys/{kid}/activate", ChangeKeySetKeyRoute.ActivateAsync).Needs(Policies.Administrator)
            .Is("Administration", "Let a key be used").Gives<AdminHostedKey>().Refuses(401, 403, 404, 409);
        admin.MapPost("/key-sets/{key_set_id}/keys/{kid}/retire", ChangeKeySetKeyRoute.RetireAsync).Needs(Policies.Administrator)
            .Is("Administration", "Give a key an end").TakesJson<KeyRetirement>().Gives<AdminHostedKey>().Refuses(400, 401, 403, 404, 409, 413, 415);
        admin.MapPost("/key-sets/{key_set_id}/keys/{kid}/withdraw", ChangeKeySetKeyRoute.WithdrawAsync).Needs(Policies.Administrator)
            .Is("Administration", "End a key at once").Gives<AdminHostedKey>().Refuses(401, 403, 404, 409);
        admin.MapGet("/signing-keys", RotateSigningKeysRoute.ListAsync).Needs(Policies.Administrator)
            .Is("Administration", "List the server's own keys").Gives<Page<AdminSigningKey>>().Refuses(401, 403);
        admin.MapPost("/signing-keys/rotate", RotateSigningKeysRoute.HandleAsync).Needs(Policies.Administrator)
            .Is("Administration", "Make the server's next key before its time").TakesJson<SigningKeyRotation>().Gives<AdminSigningKey>().Refuses(400, 401, 403, 413, 415);
        admin.MapPost("/diagnose", DiagnoseAssertionRoute.HandleAsync).Needs(Policies.Administrator)
            .Is("Administration", "Say which rule a client assertion fails and why, without using it up").TakesJson<AssertionToDiagnose>().Gives<AssertionDiagnosis>().Refuses(400, 401, 403, 413, 415);
        admin.MapGet("/audit", ListAuditRoute.HandleAsync).Needs(Policies.Administrator)
            .Is("Administration", "List the audit trail, newest first").TakesPage().TakesQuery(("subject", "The client id or kid that was acted on")).Gives<Page<AuditRecord>>().Refuses(400, 401, 403);
    }

    /// <summary>RFC 8414 section 3: between host and path; for an issuer with a path also under it, where OpenID Connect Discovery looks.</summary>
    private static void MapDiscovery(this WebApplication app, string path)
    {
        foreach (var document in new[] { "oauth-authorization-server", "openid-configuration" })
        {
            app.MapGet($"/.well-known/{document}{path}", DescribeServerRoute.HandleAsync)
                .ReadByAnybody().Is("Discovery", "Authorization server metadata (RFC 8414)").Gives<ServerMetadata>().Refuses();
            if (path.Length > 0)
            {
                app.MapGet($"{path}/.well-known/{document}", DescribeServerRoute.HandleAsync).ReadByAnybody().ExcludeFromDescription();
            }
        }
    }
}
