using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Keys;
using Dcr.ProofOfPossession;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Dcr.Registration;

/// <summary>PUT /oauth/register/{client_id}: client update request (RFC 7592 section 2.2). Replaces as a whole and rotates the token.</summary>
internal static class UpdateClientRoute
{
    public static async Task<IResult> HandleAsync(ManagingClient caller, HttpRequest request, IMediator mediator, IssuerUrls urls, CancellationToken cancellationToken)
    {
        var metadata = await JsonBody.ReadAsync(request, DcrJson.Default.ClientMetadata, UpdateClientValidator.IsRead, cancellationToken);
        if (!metadata.IsSuccess)
        {
            return new OAuthErrorResult(metadata.Error);
        }
        if (!EntityTag.Matches(request.Headers, caller.Client.Version))
        {
            return new OAuthErrorResult(OAuthError.PreconditionFailed("If-Match does not name the client's current version. Read it again."));
        }
        var updated = await mediator.Send(new UpdateClient(caller, metadata.Value, SentProofs.Of(request, urls)), cancellationToken);
        return updated.IsSuccess
            ? ClientInformationResult.Ok(updated.Value, request.HttpContext.Response)
            : new OAuthErrorResult(updated.Error);
    }
}

/// <param name="Caller">The client, at the version the request is judged against.</param>
/// <param name="Metadata">As sent: the whole of what is to be registered.</param>
/// <param name="Proofs">The DPoP header as sent.</param>
internal sealed record UpdateClient(ManagingClient Caller, ClientMetadata Metadata, SentProofs Proofs) : IRequest<Result<RegisteredClient>>;

internal sealed partial class UpdateClientHandler(
    ApproveMetadata approve,
    KeyPossession possession,
    ClientKeys keys,
    IClientStore clients,
    AuditRecords records,
    IssuerUrls urls,
    TimeProvider time,
    ILogger<UpdateClientHandler> logger) : IRequestHandler<UpdateClient, Result<RegisteredClient>>
{
    private const string ChangedKeys = "keys";

    private static readonly TimeSpan s_previousTokenLife = TimeSpan.FromHours(1);

    public async Task<Result<RegisteredClient>> Handle(UpdateClient request, CancellationToken cancellationToken)
    {
        var client = request.Caller.Client;
        if (await FindPolicyAsync(client, cancellationToken) is not { } policy)
        {
            return OAuthError.AccessDenied("The policy this client was registered under is gone; it can be read and deleted, not updated.");
        }
        var approved = await approve.ExecuteAsync(request.Metadata, policy, client.Metadata, cancellationToken);
        if (!approved.IsSuccess)
        {
            return approved.Error;
        }
        if (await possession.CheckUpdateAsync(client, policy, approved.Value, request.Caller, request.Proofs, cancellationToken) is { } unproved)
        {
            return unproved;
        }

        var changes = await ChangesAsync(client, approved.Value, cancellationToken);
        var token = OpaqueSecret.Create();
        var replacement = client with
        {
            Metadata = approved.Value.Metadata,
            // A client does not leave what it came from: without a statement, the one it rested on still counts.
            Origin = client.Origin! with { SoftwareStatement = approved.Value.Statement ?? client.Origin!.SoftwareStatement },
            SigningAlgs = policy.SigningAlgs is { Count: > 0 } algs ? algs : null,
            // Good for one change of keys.
            KeyChangeAllowedUntil = changes.ContainsKey(ChangedKeys) ? null : client.KeyChangeAllowedUntil,
            Version = client.Version + 1,
            RegistrationAccess = new RegistrationAccess
            {
                TokenHash = OpaqueSecret.Hash(token),
                PreviousTokenHash = OpaqueSecret.Hash(request.Caller.PresentedToken),
                PreviousValidUntil = time.GetUtcNow() + s_previousTokenLife,
            },
        };
        var record = records.Create(AuditActions.ClientUpdated, client.ClientId, new AuditActor(client.ClientId, Kid: null)) with
        {
            Changes = changes,
        };
        switch (await clients.ReplaceAsync(replacement, record, cancellationToken))
        {
            case ReplaceOutcome.Done:
                LogUpdated(client.ClientId);
                return new RegisteredClient(replacement.Version, ClientInformation.Of(replacement, urls.RegistrationClientUri(client.ClientId), token));
            case ReplaceOutcome.VersionConflict:
                return OAuthError.Conflict("The client was changed meanwhile; nothing was updated. Read it and try again.");
            default:
                return OAuthError.InvalidToken("The client is gone.");
        }
    }

    /// <summary>Keys by thumbprint, wherever they come from: a URL says nothing about what was at it.</summary>
    private async Task<IReadOnlyDictionary<string, AuditChange>> ChangesAsync(Client client, ApprovedMetadata approved, CancellationToken cancellationToken)
    {
        var changes = MetadataChanges.Between(client.Metadata, approved.Metadata);
        return changes.ContainsKey("jwks") || changes.ContainsKey("jwks_uri")
            ? new Dictionary<string, AuditChange>(changes)
            {
                [ChangedKeys] = new(await keys.DescribeAsync(client, cancellationToken), ClientKeys.Describe(approved.Keys)),
            }
            : changes;
    }

    /// <summary>The policy that applies now (RFC 7592 section 2.2: an update passes what a registration would).</summary>
    private async Task<RegistrationPolicy?> FindPolicyAsync(Client client, CancellationToken cancellationToken) =>
        client.Origin is { } origin && await clients.FindAsync(origin.OnboardingClient, cancellationToken) is { } onboarding
            ? onboarding.RegistrationPolicy
            : null;

    [LoggerMessage(Level = LogLevel.Information, Message = "Client {ClientId} updated itself")]
    private partial void LogUpdated(Printed clientId);
}
