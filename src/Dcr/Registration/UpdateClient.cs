using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Keys;
using Dcr.Proofs;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Dcr.Registration;

/// <summary>
/// PUT /oauth/register/{client_id}: client update request (RFC 7592 section 2.2). Replaces as a whole and rotates the token.
/// </summary>
internal static class UpdateClientRoute
{
    public static async Task<IResult> HandleAsync(
        ManagingClient caller, HttpRequest request, IMediator mediator, IssuerUrls urls, CancellationToken cancellationToken)
    {
        var metadata = await JsonBody.ReadAsync(
            request, ClientsJson.Default.ClientMetadata, UpdateClientValidator.IsRead, cancellationToken);
        if (!metadata.IsSuccess)
        {
            return new OAuthErrorResult(metadata.Error);
        }
        var updated = await mediator.Send(
            new UpdateClient(
                caller,
                metadata.Value,
                SentProofs.Of(request, urls),
                SentProofs.OfNewKeys(request, urls),
                EntityTag.Condition(request.Headers)),
            cancellationToken);
        return updated.IsSuccess
            ? ClientInformationResult.Ok(updated.Value, request.HttpContext.Response)
            : new OAuthErrorResult(updated.Error);
    }
}

/// <param name="Caller">The client.</param>
/// <param name="Metadata">As sent: the whole of what is to be registered.</param>
/// <param name="Proofs">The DPoP header as sent.</param>
/// <param name="NewKeyProofs">Those by keys that the client had not before.</param>
/// <param name="Condition">Which versions it may be at.</param>
internal sealed record UpdateClient(
    ManagingClient Caller, ClientMetadata Metadata, SentProofs Proofs, IReadOnlyList<SentProofs> NewKeyProofs, Func<long, bool> Condition)
    : IRequest<Result<RegisteredClient>>, IActsFor
{
    ICaller IActsFor.Caller => Caller;
}

internal sealed partial class UpdateClientHandler(
    MetadataApproval approve,
    KeyPossession possession,
    KeySelector keys,
    RegisteringClients registering,
    IClientStore clients,
    AuditRecords records,
    IssuerUrls urls,
    TimeProvider time,
    ILogger<UpdateClientHandler> logger) : IRequestHandler<UpdateClient, Result<RegisteredClient>>
{
    private const string ChangedKeys = "keys";

    private static readonly OAuthError s_replaced = OAuthError.InvalidToken(
        "The registration access token has been replaced by an update that changed the client's keys, so it changes no keys again. Use "
            + "the new one; "
        + "if that answer was lost, send a DPoP proof by a key that is registered now, or ask an administrator for a new token.");

    public async Task<Result<RegisteredClient>> Handle(UpdateClient request, CancellationToken cancellationToken)
    {
        var client = request.Caller.Client;
        if (!request.Condition(client.Version))
        {
            return OAuthError.PreconditionFailed("If-Match does not name the client's current version. Read it again.");
        }
        // The policy that applies now (RFC 7592 section 2.2: an update passes what a registration would).
        if (await registering.FindAsync(client, cancellationToken) is not { RegistrationPolicy: { } policy } onboarding)
        {
            return RegisteringClients.Gone;
        }
        var approved = await approve.ExecuteAsync(request.Metadata, policy, client.Metadata, client.AsMovingCaller(), cancellationToken);
        if (!approved.IsSuccess)
        {
            return approved.Error;
        }
        if (await possession.CheckUpdateAsync(client, policy, approved.Value, request, cancellationToken) is { } unproved)
        {
            return unproved;
        }

        var changes = await ChangesAsync(client, approved.Value, cancellationToken);
        var renewal = await RenewAsync(request, changes.ContainsKey(ChangedKeys), cancellationToken);
        if (!renewal.IsSuccess)
        {
            return renewal.Error;
        }
        var (token, access) = renewal.Value;
        var replacement = client with
        {
            Metadata = approved.Value.Metadata,
            // A client does not leave what it came from: without a statement, the one it rested on still counts.
            Origin = client.Origin! with { SoftwareStatement = approved.Value.Statement ?? client.Origin!.SoftwareStatement },
            SigningAlgs = policy.SigningAlgs is { Count: > 0 } algs ? algs : null,
            // Good for one change of keys.
            KeyChangeAllowedUntil = changes.ContainsKey(ChangedKeys) ? null : client.KeyChangeAllowedUntil,
            Version = client.Version + 1,
            RegistrationAccess = access,
        };
        var grounds = new Grounds { Clients = [request.Caller.Ground, RegisteringClients.GroundOf(onboarding)] };
        var record = records.Create(AuditActions.ClientUpdated, client.ClientId, new AuditActor(client.ClientId, Kid: null)) with
        {
            Changes = changes,
        };
        switch (await clients.ReplaceAsync(replacement, record, grounds, cancellationToken))
        {
            case ReplaceOutcome.Done:
                LogUpdated(client.ClientId);
                return new RegisteredClient(
                    replacement.Version, ClientInformation.Of(replacement, urls.RegistrationClientUri(client.ClientId), token));
            case ReplaceOutcome.GroundsChanged:
                return OAuthError.GroundsChanged;
            default:
                return await request.Caller.JudgeAsync(cancellationToken)
                    ?? OAuthError.Conflict("The client was changed meanwhile; nothing was updated. Read it and try again.");
        }
    }

    /// <summary>
    /// A new registration access token. The one it replaces stays good for an hour, in case the answer is lost; but after an update that
    /// changed the keys whoever holds only that one changes no keys again and does not push aside the token that was given out: for that
    /// it proves a key that is registered now, which who made that update can.
    /// </summary>
    private async Task<Result<RenewedAccess>> RenewAsync(UpdateClient request, bool changesKeys, CancellationToken cancellationToken)
    {
        var caller = request.Caller;
        var isReplacedWithKeys = caller.IsReplacedWithKeys(time.GetUtcNow());
        if (isReplacedWithKeys && caller.ProvedWith is null)
        {
            if (request.Proofs.IsEmpty)
            {
                return changesKeys
                    ? caller.Refuse(s_replaced)
                    : new RenewedAccess(caller.PresentedToken, caller.Client.RegistrationAccess!);
            }
            if (await possession.CheckHeldAsync(caller.Client, request.Proofs, cancellationToken) is { } unproved)
            {
                return unproved;
            }
        }
        var token = OpaqueSecret.Create();
        return new RenewedAccess(token, new RegistrationAccess
        {
            TokenHash = OpaqueSecret.Hash(token),
            PreviousTokenHash = OpaqueSecret.Hash(caller.PresentedToken),
            PreviousValidUntil = time.GetUtcNow() + RegistrationAccess.PreviousLife,
            PreviousChangedKeys = changesKeys || isReplacedWithKeys,
        });
    }

    /// <summary>Keys by thumbprint, wherever they come from: a URL says nothing about what was at it.</summary>
    private async Task<IReadOnlyDictionary<string, AuditChange>> ChangesAsync(
        Client client, ApprovedMetadata approved, CancellationToken cancellationToken)
    {
        var changes = MetadataChanges.Between(client.Metadata, approved.Metadata);
        return changes.ContainsKey("jwks") || changes.ContainsKey("jwks_uri")
            ? new Dictionary<string, AuditChange>(changes)
            {
                [ChangedKeys] = new(await keys.DescribeAsync(client.AsKeyOwner(), cancellationToken), KeySelector.Describe(approved.Keys)),
            }
            : changes;
    }

    [LoggerMessage(EventId = 1903, Level = LogLevel.Information, Message = "Client {ClientId} updated itself")]
    private partial void LogUpdated(Printed clientId);
}

/// <param name="Token">To show: only its hash is kept.</param>
/// <param name="Access">What is kept.</param>
internal sealed record RenewedAccess(string Token, RegistrationAccess Access);
