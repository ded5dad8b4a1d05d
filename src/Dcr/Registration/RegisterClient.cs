using System.Security.Cryptography;
using Dcr.AccessTokens;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Keys;
using Dcr.Protocol;
using FluentValidation;
using MediatR;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dcr.Registration;

/// <summary>POST /oauth/register: client registration (RFC 7591 section 3) with an initial access token.</summary>
internal static class RegisterClientRoute
{
    public static async Task<IResult> HandleAsync(
        AccessTokenCaller caller, HttpRequest request, IMediator mediator, IssuerUrls urls, CancellationToken cancellationToken)
    {
        var metadata = await JsonBody.ReadAsync(request, DcrJson.Default.ClientMetadata, cancellationToken);
        if (!metadata.IsSuccess)
        {
            return new OAuthErrorResult(metadata.Error);
        }
        var registered = await mediator.Send(new RegisterClient(metadata.Value, caller.Client, caller.Token), cancellationToken);
        if (!registered.IsSuccess)
        {
            return registered.Error.Status == StatusCodes.Status401Unauthorized
                ? new OAuthErrorResult(registered.Error, Challenge.Bearer(urls.Issuer, registered.Error))
                : new OAuthErrorResult(registered.Error);
        }
        return ClientInformationResult.Created(registered.Value, request.HttpContext.Response);
    }
}

/// <param name="Metadata">As sent.</param>
/// <param name="OnboardingClient">Whose policy applies.</param>
/// <param name="InitialAccessToken">One use of it makes one client.</param>
public sealed record RegisterClient(ClientMetadata Metadata, Client OnboardingClient, AccessToken InitialAccessToken) : IRequest<Result<RegisteredClient>>;

/// <summary>A client as it now is, and the registration access token to show: only its hash is kept.</summary>
public sealed record RegisteredClient(Client Client, ClientInformation Information);

internal sealed class RegisterClientValidator : AbstractValidator<RegisterClient>
{
    public RegisterClientValidator(IOptions<JwksOptions> jwks, IssuerUrls urls) =>
        RuleFor(request => request.Metadata).SetValidator(new ClientMetadataValidator(jwks.Value, urls));
}

internal sealed partial class RegisterClientHandler(
    ApproveMetadata approve,
    IClientStore clients,
    AuditRecords records,
    IssuerUrls urls,
    TimeProvider time,
    ILogger<RegisterClientHandler> logger) : IRequestHandler<RegisterClient, Result<RegisteredClient>>
{
    public async Task<Result<RegisteredClient>> Handle(RegisterClient request, CancellationToken cancellationToken)
    {
        var onboarding = request.OnboardingClient;
        var policy = onboarding.RegistrationPolicy ?? new RegistrationPolicy();
        var approved = await approve.ExecuteAsync(request.Metadata, policy, cancellationToken);
        if (!approved.IsSuccess)
        {
            return approved.Error;
        }

        var token = request.InitialAccessToken;
        var registrationToken = OpaqueSecret.Create();
        var client = MakeClient(approved.Value.Metadata, onboarding, token, registrationToken);
        var record = records.Create(AuditActions.ClientRegistered, client.ClientId, new AuditActor(onboarding.ClientId, token.Kid)) with
        {
            Changes = MetadataChanges.Between(null, client.Metadata),
        };
        var uses = (policy.InitialAccessToken ?? InitialAccessTokenPolicy.Default).Uses;
        var use = new InitialAccessTokenUse(token.Jti, uses, token.ExpiresAt);
        if (await clients.RegisterAsync(client, use, record, cancellationToken) == RegisterClientOutcome.TokenUsedUp)
        {
            return OAuthError.InvalidToken($"The initial access token has been used: it makes {uses} client(s). Ask for a new one.");
        }
        LogRegistered(client.ClientId, onboarding.ClientId);
        return new RegisteredClient(client, ClientInformation.Of(client, urls.RegistrationClientUri(client.ClientId), registrationToken));
    }

    private Client MakeClient(ClientMetadata metadata, Client onboarding, AccessToken token, string registrationToken) => new()
    {
        // 128 random bits: never in use by another client, not even a deleted one (RFC 7591 section 3.2.1).
        ClientId = RandomNumberGenerator.GetHexString(32, lowercase: true),
        Status = ClientStatus.Active,
        Metadata = metadata,
        CreatedAt = time.GetUtcNow(),
        Version = 1,
        Origin = new ClientOrigin
        {
            OnboardingClient = onboarding.ClientId,
            Kid = token.Kid,
            Thumbprint = token.Thumbprint ?? throw new InvalidOperationException("An initial access token without the thumbprint of the key it was asked for with."),
            InitialTokenJti = token.Jti,
        },
        RegistrationAccess = new RegistrationAccess { TokenHash = OpaqueSecret.Hash(registrationToken) },
    };

    [LoggerMessage(Level = LogLevel.Information, Message = "Client {ClientId} registered by {OnboardingClient}")]
    private partial void LogRegistered(string clientId, string onboardingClient);
}
