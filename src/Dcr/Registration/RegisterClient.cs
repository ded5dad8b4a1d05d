using System.Security.Cryptography;
using Dcr.AccessTokens;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.ProofOfPossession;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Dcr.Registration;

/// <summary>
/// POST /oauth/register: client registration (RFC 7591 section 3) with an initial access token. With
/// <c>?validate_only=true</c> it only says what would come of it (<see cref="ValidateRegistration"/>).
/// </summary>
internal static class RegisterClientRoute
{
    public static async Task<IResult> HandleAsync(
        AccessTokenCaller caller, HttpRequest request, IMediator mediator, IssuerUrls urls, SecurityProfileRules profile, CancellationToken cancellationToken)
    {
        var body = await JsonBody.ReadWithHashAsync(request, DcrJson.Default.ClientMetadata, RequestedMetadata.IsMember, cancellationToken);
        if (!body.IsSuccess)
        {
            return new OAuthErrorResult(body.Error);
        }
        var registration = new RegistrationRequest(body.Value.Value, caller.Client, caller.Token, SentProofs.Of(request, urls), caller.ProvedWith);
        var validateOnly = QueryFlag.Read(request.Query, "validate_only");
        if (!validateOnly.IsSuccess)
        {
            return new OAuthErrorResult(validateOnly.Error);
        }
        if (validateOnly.Value)
        {
            var valid = await mediator.Send(new ValidateRegistration(registration), cancellationToken);
            return valid.IsSuccess ? TypedResults.Json(valid.Value, DcrJson.Default.ClientMetadata) : Refuse(valid.Error, caller, urls, profile);
        }
        var key = RepeatedRegistrations.Read(request.Headers, $"{caller.Client.ClientId} {caller.Token.BoundTo}", body.Value.Sha256);
        if (!key.IsSuccess)
        {
            return new OAuthErrorResult(key.Error);
        }
        var registered = await mediator.Send(new RegisterClient(registration, key.Value.Value), cancellationToken);
        return registered.IsSuccess ? ClientInformationResult.Created(registered.Value, request.HttpContext.Response) : Refuse(registered.Error, caller, urls, profile);
    }

    private static OAuthErrorResult Refuse(OAuthError error, AccessTokenCaller caller, IssuerUrls urls, SecurityProfileRules profile) => error.Status == StatusCodes.Status401Unauthorized
        ? new(error, caller.ProvedWith is null ? Challenge.Bearer(urls.Issuer, error) : Challenge.Dpop(urls.Issuer, profile.AlgorithmNames, error))
        : new(error);
}

/// <param name="Request">What is asked for.</param>
/// <param name="Idempotency">Null: a request that is sent twice registers twice.</param>
public sealed record RegisterClient(RegistrationRequest Request, IdempotencyKey? Idempotency) : IRequest<Result<RegisteredClient>>;

/// <summary>A client as it now is, at which version, and the registration access token to show: only its hash is kept.</summary>
public sealed record RegisteredClient(long Version, ClientInformation Information);

internal sealed partial class RegisterClientHandler(
    PrepareRegistration prepare,
    RepeatedRegistrations repeated,
    DpopProofRules proofs,
    IRegistrationStore registrations,
    AuditRecords records,
    IssuerUrls urls,
    TimeProvider time,
    ILogger<RegisterClientHandler> logger) : IRequestHandler<RegisterClient, Result<RegisteredClient>>
{
    public async Task<Result<RegisteredClient>> Handle(RegisterClient command, CancellationToken cancellationToken)
    {
        var request = command.Request;
        if (command.Idempotency is { } key && await repeated.FindAsync(key, cancellationToken) is { } given)
        {
            return await RepeatAsync(given, key, request, cancellationToken);
        }
        var prepared = await prepare.ExecuteAsync(request, useProof: true, cancellationToken);
        if (!prepared.IsSuccess)
        {
            return prepared.Error;
        }

        var registrationToken = OpaqueSecret.Create();
        var client = MakeClient(prepared.Value.Approved, request, registrationToken);
        var answer = new RegisteredClient(client.Version, ClientInformation.Of(client, urls.RegistrationClientUri(client.ClientId), registrationToken));
        var outcome = await registrations.RegisterAsync(
            new NewRegistration
            {
                Client = client,
                Use = PrepareRegistration.UseOf(request),
                Limits = PrepareRegistration.LimitsOf(request.OnboardingClient),
                Answer = command.Idempotency is { } fresh ? repeated.Keep(fresh, answer, prepared.Value.ProvedWith?.Thumbprint) : null,
                Record = records.Create(AuditActions.ClientRegistered, client.ClientId, new AuditActor(request.OnboardingClient.ClientId, request.InitialAccessToken.Kid)) with
                {
                    Changes = MetadataChanges.Between(null, client.Metadata),
                },
            },
            cancellationToken);
        if (outcome is RegisterClientOutcome.AnsweredBefore before)
        {
            return repeated.Open(before.Answer, command.Idempotency!, prepared.Value.ProvedWith);
        }
        if (PrepareRegistration.Refusal(outcome, request, time.GetUtcNow()) is { } refusal)
        {
            return refusal;
        }
        LogRegistered(client.ClientId, request.OnboardingClient.ClientId);
        return answer;
    }

    /// <summary>What was proved the first time is proved again: an answer holds a registration access token.</summary>
    private async Task<Result<RegisteredClient>> RepeatAsync(RegistrationAnswer given, IdempotencyKey key, RegistrationRequest request, CancellationToken cancellationToken)
    {
        if (given.ProvedBy is null || request.ProvedWith is not null)
        {
            return repeated.Open(given, key, request.ProvedWith);
        }
        var proved = await proofs.CheckAsync(request.Proofs, accessToken: null, keyFault: null, record: true, cancellationToken);
        return proved.IsSuccess ? repeated.Open(given, key, proved.Value) : proved.Error;
    }

    private Client MakeClient(ApprovedMetadata approved, RegistrationRequest request, string registrationToken)
    {
        var now = time.GetUtcNowAsStored();
        var policy = PrepareRegistration.PolicyOf(request.OnboardingClient);
        var token = request.InitialAccessToken;
        return new Client
        {
            // 128 random bits: never in use by another client, not even a deleted one (RFC 7591 section 3.2.1).
            ClientId = RandomNumberGenerator.GetHexString(32, lowercase: true),
            Status = ClientStatus.Active,
            Metadata = approved.Metadata,
            CreatedAt = now,
            Version = 1,
            SigningAlgs = policy.SigningAlgs is { Count: > 0 } algs ? algs : null,
            Lifecycle = ClientLifecycle.From(now, Seconds(policy.ClientLifetimeSeconds), Seconds(policy.IdleLifetimeSeconds)),
            Origin = new ClientOrigin
            {
                OnboardingClient = request.OnboardingClient.ClientId,
                Kid = token.Kid,
                Thumbprint = token.Thumbprint ?? throw new InvalidOperationException("An initial access token without the thumbprint of the key it was asked for with."),
                InitialTokenJti = token.Jti,
                Attester = token.Attester,
                SoftwareStatement = approved.Statement,
            },
            RegistrationAccess = new RegistrationAccess { TokenHash = OpaqueSecret.Hash(registrationToken) },
        };
    }

    private static TimeSpan? Seconds(long? seconds) => seconds is { } value ? TimeSpan.FromSeconds(value) : null;

    [LoggerMessage(Level = LogLevel.Information, Message = "Client {ClientId} registered by {OnboardingClient}")]
    private partial void LogRegistered(Printed clientId, Printed onboardingClient);
}
