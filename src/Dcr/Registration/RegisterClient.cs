using System.Security.Cryptography;
using Dcr.AccessTokens;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Proofs;
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
        AccessTokenCaller caller,
        HttpRequest request,
        IMediator mediator,
        IssuerUrls urls,
        SecurityProfileRules profile,
        CancellationToken cancellationToken)
    {
        var body = await JsonBody.ReadWithHashAsync(
            request, ClientsJson.Default.ClientMetadata, RequestedMetadata.IsMember, cancellationToken);
        if (!body.IsSuccess)
        {
            return new OAuthErrorResult(body.Error);
        }
        var registration = new RegistrationRequest(body.Value.Value, caller, SentProofs.Of(request, urls));
        var validateOnly = QueryFlag.Read(request.Query, "validate_only");
        if (!validateOnly.IsSuccess)
        {
            return new OAuthErrorResult(validateOnly.Error);
        }
        if (validateOnly.Value)
        {
            var valid = await mediator.Send(new ValidateRegistration(registration), cancellationToken);
            return valid.IsSuccess
                ? TypedResults.Json(valid.Value, ClientsJson.Default.ClientMetadata)
                : Refuse(valid.Error, caller, urls, profile);
        }
        var key = RepeatedRegistrations.Read(request.Headers, $"{caller.Client.ClientId} {caller.Token.BoundTo}", body.Value.Sha256);
        if (!key.IsSuccess)
        {
            return new OAuthErrorResult(key.Error);
        }
        var registered = await mediator.Send(new RegisterClient(registration, key.Value.Value), cancellationToken);
        return registered.IsSuccess
            ? ClientInformationResult.Created(registered.Value, request.HttpContext.Response)
            : Refuse(registered.Error, caller, urls, profile);
    }

    private static OAuthErrorResult Refuse(OAuthError error, AccessTokenCaller caller, IssuerUrls urls, SecurityProfileRules profile) =>
        error is { Status: StatusCodes.Status401Unauthorized, Challenge: null }
        ? new(
            error,
            caller.ProvedWith is null ? Challenge.Bearer(urls.Issuer, error) : Challenge.Dpop(urls.Issuer, profile.AlgorithmNames, error))
        : new(error);
}

/// <param name="Request">What is asked for.</param>
/// <param name="Idempotency">Null: a request that is sent twice registers twice.</param>
internal sealed record RegisterClient(RegistrationRequest Request, IdempotencyKey? Idempotency)
    : IRequest<Result<RegisteredClient>>, IActsFor
{
    ICaller IActsFor.Caller => Request.Caller;
}

/// <summary>What a client that is being registered is known by.</summary>
internal sealed record NewIdentity(string ClientId, string RegistrationAccessToken);

/// <summary>A client as it now is, at which version, and the registration access token to show: only its hash is kept.</summary>
internal sealed record RegisteredClient(long Version, ClientInformation Information);

internal sealed partial class RegisterClientHandler(
    RegistrationPreparation prepare,
    RepeatedRegistrations repeated,
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
            return await repeated.RepeatAsync(given, key, request, provedWith: null, cancellationToken);
        }
        var prepared = await prepare.ExecuteAsync(request, useProof: true, mayBeRepeat: command.Idempotency is not null, cancellationToken);
        if (!prepared.IsSuccess)
        {
            return prepared.Error;
        }

        // 128 random bits: never in use by another client, not even a deleted one (RFC 7591 section 3.2.1).
        var identity = new NewIdentity(RandomNumberGenerator.GetHexString(32, lowercase: true), OpaqueSecret.Create());
        var (answer, outcome) = await RegisterAsync(command, prepared.Value, identity, cancellationToken);
        if (outcome is RegisterClientOutcome.UnderWay underWay)
        {
            var begun = repeated.GoOn(underWay.Answer, command.Idempotency!, request, prepared.Value.ProvedWith);
            if (!begun.IsSuccess)
            {
                return begun.Error;
            }
            (answer, outcome) = await RegisterAsync(command, prepared.Value, begun.Value, cancellationToken);
        }
        if (outcome is RegisterClientOutcome.AnsweredBefore before)
        {
            return await repeated.RepeatAsync(before.Answer, command.Idempotency!, request, prepared.Value.ProvedWith, cancellationToken);
        }
        if (RegistrationPreparation.Refusal(outcome, request, time.GetUtcNow()) is { } refusal)
        {
            return refusal;
        }
        LogRegistered(answer.Information.ClientId, request.OnboardingClient.ClientId);
        return answer;
    }

    private async Task<(RegisteredClient Answer, RegisterClientOutcome Outcome)> RegisterAsync(
        RegisterClient command, PreparedRegistration prepared, NewIdentity identity, CancellationToken cancellationToken)
    {
        var request = command.Request;
        var client = MakeClient(prepared.Approved, request, identity);
        var information = ClientInformation.Of(client, urls.RegistrationClientUri(client.ClientId), identity.RegistrationAccessToken);
        var answer = new RegisteredClient(client.Version, information);
        var outcome = await registrations.RegisterAsync(
            new NewRegistration
            {
                Client = client,
                Use = RegistrationPreparation.UseOf(request, prepared.Approved),
                Limits = RegistrationLimits.Of(request.OnboardingClient),
                Grounds = request.Caller.GroundsWithPolicy,
                Answer = command.Idempotency is { } key
                    ? repeated.Keep(key, answer, prepared.ProvedWith?.Thumbprint, request.InitialAccessToken)
                    : null,
                Record = records.Create(AuditActions.ClientRegistered, client.ClientId, request.Caller.Actor) with
                {
                    Changes = MetadataChanges.Between(null, client.Metadata),
                },
            },
            cancellationToken);
        return (answer, outcome);
    }

    private Client MakeClient(ApprovedMetadata approved, RegistrationRequest request, NewIdentity identity)
    {
        var now = time.GetUtcNowAsStored();
        var policy = RegistrationPreparation.PolicyOf(request.OnboardingClient);
        var token = request.InitialAccessToken;
        return new Client
        {
            ClientId = identity.ClientId,
            Incarnation = Client.NewIncarnation(),
            Status = ClientStatus.Active,
            Metadata = approved.Metadata,
            CreatedAt = now,
            Version = 1,
            SigningAlgs = policy.SigningAlgs is { Count: > 0 } algs ? algs : null,
            Lifecycle = ClientLifecycle.From(now, Seconds(policy.ClientLifetimeSeconds), Seconds(policy.IdleLifetimeSeconds)),
            Origin = new ClientOrigin
            {
                OnboardingClient = request.OnboardingClient.ClientId,
                OnboardingClientIncarnation = request.OnboardingClient.Incarnation,
                Kid = token.Kid,
                Thumbprint = token.Thumbprint
                    ?? throw new InvalidOperationException(
                        "An initial access token without the thumbprint of the key it was asked for with."),
                InitialTokenJti = token.Jti,
                Attester = token.Attester,
                SoftwareStatement = approved.Statement,
            },
            RegistrationAccess = new RegistrationAccess { TokenHash = OpaqueSecret.Hash(identity.RegistrationAccessToken) },
        };
    }

    private static TimeSpan? Seconds(long? seconds) => seconds is { } value ? TimeSpan.FromSeconds(value) : null;

    [LoggerMessage(EventId = 1902, Level = LogLevel.Information, Message = "Client {ClientId} registered by {OnboardingClient}")]
    private partial void LogRegistered(Printed clientId, Printed onboardingClient);
}
