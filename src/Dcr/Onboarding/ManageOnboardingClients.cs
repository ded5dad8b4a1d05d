using System.Text.Json;
using Dcr.AccessTokens;
using Dcr.Auditing;
using Dcr.Bulk;
using Dcr.Clients;
using Dcr.Protocol;
using Dcr.Registration;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.Onboarding;

/// <summary>
/// GET, POST, PUT and DELETE /admin/v1/onboarding-clients: who may register clients, and which. A change is in force on the
/// next request; clients that are registered already keep what they have, unless a PUT says <c>?suspend_withdrawn=true</c>.
/// </summary>
internal static class ManageOnboardingClientsRoute
{
    public static async Task<IResult> ListAsync(HttpRequest request, IMediator mediator, CancellationToken cancellationToken)
    {
        var place = ClientPage.Read(request.Query);
        return place.IsSuccess
            ? TypedResults.Json(
                await mediator.Send(new ListOnboardingClients(place.Value), cancellationToken),
                OnboardingJson.Default.PageAdminOnboardingClient)
            : new OAuthErrorResult(place.Error);
    }

    public static async Task<IResult> ShowAsync(
        string client_id, HttpResponse response, IMediator mediator, CancellationToken cancellationToken) =>
        Write(await mediator.Send(new ShowOnboardingClient(client_id), cancellationToken), response);

    public static async Task<IResult> CreateAsync(
        AccessTokenCaller caller, HttpRequest request, IMediator mediator, CancellationToken cancellationToken)
    {
        var body = await JsonBody.ReadAsync(request, OnboardingJson.Default.SeedClient, cancellationToken);
        return body.IsSuccess
            ? Write(
                await mediator.Send(new CreateOnboardingClient(body.Value, caller), cancellationToken),
                request.HttpContext.Response,
                StatusCodes.Status201Created)
            : new OAuthErrorResult(body.Error);
    }

    public static async Task<IResult> ReplaceAsync(
        string client_id, AccessTokenCaller caller, HttpRequest request, IMediator mediator, CancellationToken cancellationToken)
    {
        var body = await JsonBody.ReadAsync(request, OnboardingJson.Default.SeedClient, cancellationToken);
        if (!body.IsSuccess)
        {
            return new OAuthErrorResult(body.Error);
        }
        var suspendWithdrawn = QueryFlag.Read(request.Query, "suspend_withdrawn");
        if (!suspendWithdrawn.IsSuccess)
        {
            return new OAuthErrorResult(suspendWithdrawn.Error);
        }
        var command = new ReplaceOnboardingClient(
            client_id, body.Value, EntityTag.Condition(request.Headers), suspendWithdrawn.Value, caller);
        return Write(await mediator.Send(command, cancellationToken), request.HttpContext.Response);
    }

    public static async Task<IResult> DeleteAsync(
        string client_id, AccessTokenCaller caller, HttpRequest request, IMediator mediator, CancellationToken cancellationToken)
    {
        var deleted = await mediator.Send(
            new DeleteOnboardingClient(client_id, EntityTag.Condition(request.Headers), caller), cancellationToken);
        return deleted.IsSuccess ? TypedResults.NoContent() : new OAuthErrorResult(deleted.Error);
    }

    private static IResult Write(Result<AdminOnboardingClient> client, HttpResponse response, int status = StatusCodes.Status200OK)
    {
        if (!client.IsSuccess)
        {
            return new OAuthErrorResult(client.Error);
        }
        response.Headers.ETag = EntityTag.Of(client.Value.Version);
        return TypedResults.Json(client.Value, OnboardingJson.Default.AdminOnboardingClient, statusCode: status);
    }
}

internal sealed record ListOnboardingClients(ClientPage Place) : IRequest<Page<AdminOnboardingClient>>;

internal sealed record ShowOnboardingClient(string ClientId) : IRequest<Result<AdminOnboardingClient>>;

internal sealed record CreateOnboardingClient(SeedClient Entry, AccessTokenCaller Caller)
    : IRequest<Result<AdminOnboardingClient>>, IActsFor
{
    ICaller IActsFor.Caller => Caller;
}

/// <param name="ClientId">Of the path; the entry's is the same.</param>
/// <param name="Entry">The whole of what it is to be.</param>
/// <param name="Condition">Which versions it may be at.</param>
/// <param name="SuspendWithdrawn">Also suspend the clients whose software statement the policy does not accept any more.</param>
/// <param name="Caller">The administrator.</param>
internal sealed record ReplaceOnboardingClient(
    string ClientId, SeedClient Entry, Func<long, bool> Condition, bool SuspendWithdrawn, AccessTokenCaller Caller)
    : IRequest<Result<AdminOnboardingClient>>, IActsFor
{
    ICaller IActsFor.Caller => Caller;
}

internal sealed record DeleteOnboardingClient(string ClientId, Func<long, bool> Condition, AccessTokenCaller Caller)
    : IRequest<Result<Unit>>, IActsFor
{
    ICaller IActsFor.Caller => Caller;
}

internal sealed class ManageOnboardingClientsHandler(
    SeedClientReader reader,
    IClientStore clients,
    IRegistrationStore registrations,
    ClientOperationRunner operations,
    AuditRecords records,
    TimeProvider time)
    : IRequestHandler<ListOnboardingClients, Page<AdminOnboardingClient>>,
        IRequestHandler<ShowOnboardingClient, Result<AdminOnboardingClient>>,
        IRequestHandler<CreateOnboardingClient, Result<AdminOnboardingClient>>,
        IRequestHandler<ReplaceOnboardingClient, Result<AdminOnboardingClient>>,
        IRequestHandler<DeleteOnboardingClient, Result<Unit>>
{
    private static readonly string[] s_shown = ["status", "created_at", "version", "live_clients", "suspension"];
    private static readonly OAuthError s_notFound = OAuthError.NotFound("There is no onboarding client with this client_id.");
    private static readonly OAuthError s_stale = OAuthError.PreconditionFailed(
        "If-Match does not name the onboarding client's current version. Read it again.");
    private static readonly OAuthError s_changed = OAuthError.Conflict(
        "The onboarding client was changed meanwhile; nothing was done. Read it and try again.");

    public async Task<Page<AdminOnboardingClient>> Handle(ListOnboardingClients request, CancellationToken cancellationToken)
    {
        var found = await clients.ListAsync(
            new ClientFilter { OnboardingOnly = true }, request.Place.After, request.Place.Limit + 1, cancellationToken);
        return request.Place.ToPage(found, client => AdminOnboardingClient.Of(client));
    }

    public async Task<Result<AdminOnboardingClient>> Handle(ShowOnboardingClient request, CancellationToken cancellationToken) =>
        await FindAsync(request.ClientId, cancellationToken) is { } client ? await DescribeAsync(client, cancellationToken) : s_notFound;

    public async Task<Result<AdminOnboardingClient>> Handle(CreateOnboardingClient request, CancellationToken cancellationToken)
    {
        var entry = Read(request.Entry);
        if (!entry.IsSuccess)
        {
            return entry.Error;
        }
        var client = entry.Value.ToClient(time.GetUtcNowAsStored());
        var record = Record(AuditActions.OnboardingClientCreated, null, client, request.Caller.Actor);
        return await clients.AddAsync(client, record, request.Caller.Grounds, cancellationToken) switch
        {
            AddClientOutcome.Added => AdminOnboardingClient.Of(client),
            AddClientOutcome.GroundsChanged => OAuthError.GroundsChanged,
            _ => OAuthError.Conflict("client_id: there is a client with this client_id already."),
        };
    }

    public async Task<Result<AdminOnboardingClient>> Handle(ReplaceOnboardingClient request, CancellationToken cancellationToken)
    {
        if (request.Entry.ClientId != request.ClientId)
        {
            return OAuthError.InvalidClientMetadata("client_id: must be the one of the path.");
        }
        var entry = Read(request.Entry);
        if (!entry.IsSuccess)
        {
            return entry.Error;
        }
        if (await FindAsync(request.ClientId, cancellationToken) is not { } stored)
        {
            return s_notFound;
        }
        if (!request.Condition(stored.Version))
        {
            return s_stale;
        }
        var replacement = entry.Value.Over(stored);
        var record = Record(AuditActions.OnboardingClientReplaced, stored, replacement, request.Caller.Actor);
        var replaced = await clients.ReplaceAsync(replacement, record, request.Caller.Grounds, cancellationToken);
        if (replaced != ReplaceOutcome.Done)
        {
            return replaced == ReplaceOutcome.GroundsChanged ? OAuthError.GroundsChanged : s_changed;
        }
        if (!request.SuspendWithdrawn)
        {
            return await DescribeAsync(replacement, cancellationToken);
        }
        // The policy is in force; an administrator who was ended in this very moment does not begin the rest.
        var suspension = await SuspendWithdrawnAsync(replacement, request.Caller.Act, cancellationToken);
        return suspension is null
            ? OAuthError.GroundsChanged
            : await DescribeAsync(replacement, cancellationToken) with { Suspension = AdminOperation.Of(suspension) };
    }

    public async Task<Result<Unit>> Handle(DeleteOnboardingClient request, CancellationToken cancellationToken)
    {
        if (await FindAsync(request.ClientId, cancellationToken) is not { } stored)
        {
            return s_notFound;
        }
        if (!request.Condition(stored.Version))
        {
            return s_stale;
        }
        var record = Record(AuditActions.OnboardingClientDeleted, stored, null, request.Caller.Actor);
        return await clients.DeleteAsync(stored.ClientId, stored.Version, record, request.Caller.Grounds, cancellationToken) switch
        {
            ReplaceOutcome.VersionConflict => s_changed,
            ReplaceOutcome.GroundsChanged => OAuthError.GroundsChanged,
            _ => Unit.Value,
        };
    }

    /// <summary>By what the policy accepts now, not by what was taken out of it: to say it again finishes what was begun.</summary>
    private async Task<ClientOperation?> SuspendWithdrawnAsync(Client onboarding, Act act, CancellationToken cancellationToken)
    {
        var policy = onboarding.RegistrationPolicy?.SoftwareStatement;
        IReadOnlyList<StatementOrigin> accepted = policy is null or { Mode: SoftwareStatementMode.None }
            ? []
            : [.. policy.Issuers.SelectMany(Accepted)];
        var origin = new OriginFilter { OnboardingClient = onboarding.ClientId };
        return await operations.StartAsync(ClientStatus.Suspended, origin, accepted, dryRun: false, act, cancellationToken);
    }

    private static IEnumerable<StatementOrigin> Accepted(StatementIssuer issuer) => issuer.SoftwareIds is { Count: > 0 } softwareIds
        ? softwareIds.Select(softwareId => new StatementOrigin { Issuer = issuer.Issuer, SoftwareId = softwareId })
        : [new StatementOrigin { Issuer = issuer.Issuer }];

    private Result<SeededClient> Read(SeedClient entry)
    {
        // What was read may be sent back as it is, changed where it should change.
        var others = entry.Others?.Where(member => !s_shown.Contains(member.Key)).ToDictionary(StringComparer.Ordinal);
        var read = reader.Read(entry with { Others = others }, out var found);
        List<string> faults = [.. found];
        if (!ScopeTokens.Split(entry.Scope).Contains(ScopeTokens.Registration))
        {
            faults.Add("scope: must contain dcr, or the client could not onboard anybody.");
        }
        if (!entry.EffectiveGrantTypes().Contains(GrantTypes.ClientCredentials))
        {
            faults.Add("grant_types: must contain client_credentials, or the client could get no initial access token.");
        }
        if (entry.RegistrationPolicy is null or { ValueKind: JsonValueKind.Null }
            && faults.All(fault => !fault.StartsWith("registration_policy", StringComparison.Ordinal)))
        {
            faults.Add("registration_policy: needed.");
        }
        return faults.Count == 0 ? read! : OAuthError.InvalidClientMetadata(string.Join(' ', faults));
    }

    private async Task<Client?> FindAsync(string clientId, CancellationToken cancellationToken) =>
        await clients.FindAsync(clientId, cancellationToken) is { RegistrationPolicy: not null } client ? client : null;

    private async Task<AdminOnboardingClient> DescribeAsync(Client client, CancellationToken cancellationToken) =>
        AdminOnboardingClient.Of(client) with { LiveClients = await registrations.CountLiveAsync(client.ClientId, cancellationToken) };

    private AuditRecord Record(string action, Client? before, Client? after, AuditActor actor) =>
        records.Create(action, (after ?? before)!.ClientId, actor) with { Changes = SeededClient.Changes(before, after) };
}
