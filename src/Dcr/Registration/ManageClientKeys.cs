using System.Text.Json;
using System.Text.Json.Serialization;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Jose;
using Dcr.Keys;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.Registration;

/// <summary>
/// /oauth/register/{client_id}/keys: a client manages the hosted key set that its <c>jwks_uri</c> names, with its
/// registration access token and, for every change, a proof signed by an active key (<see cref="KeyProofRules"/>).
/// </summary>
internal static class ManageClientKeysRoute
{
    public static async Task<IResult> ListAsync(ManagingClient caller, IMediator mediator, CancellationToken cancellationToken)
    {
        var set = await mediator.Send(new ShowClientKeySet(caller), cancellationToken);
        return set.IsSuccess ? TypedResults.Json(set.Value, RegistrationJson.Default.AdminKeySet) : new OAuthErrorResult(set.Error);
    }

    public static async Task<IResult> AddAsync(
        ManagingClient caller, HttpRequest request, IMediator mediator, CancellationToken cancellationToken)
    {
        var body = await JsonBody.ReadAsync(request, RegistrationJson.Default.NewClientKey, cancellationToken);
        return body.IsSuccess
            ? Write(
                await mediator.Send(new AddClientKey(caller, body.Value.Jwk, body.Value.Proof), cancellationToken),
                StatusCodes.Status201Created)
            : new OAuthErrorResult(body.Error);
    }

    public static Task<IResult> ActivateAsync(
        string kid, ManagingClient caller, HttpRequest request, IMediator mediator, CancellationToken cancellationToken) =>
        ChangeAsync(kid, HostedKeyState.Active, caller, request, mediator, cancellationToken);

    public static Task<IResult> RetireAsync(
        string kid, ManagingClient caller, HttpRequest request, IMediator mediator, CancellationToken cancellationToken) =>
        ChangeAsync(kid, HostedKeyState.Retiring, caller, request, mediator, cancellationToken);

    public static Task<IResult> WithdrawAsync(
        string kid, ManagingClient caller, HttpRequest request, IMediator mediator, CancellationToken cancellationToken) =>
        ChangeAsync(kid, HostedKeyState.Withdrawn, caller, request, mediator, cancellationToken);

    private static async Task<IResult> ChangeAsync(
        string kid,
        HostedKeyState state,
        ManagingClient caller,
        HttpRequest request,
        IMediator mediator,
        CancellationToken cancellationToken)
    {
        var body = await JsonBody.ReadAsync(request, RegistrationJson.Default.ClientKeyChange, cancellationToken);
        return body.IsSuccess
            ? Write(await mediator.Send(new ChangeClientKey(caller, kid, state, body.Value.Until, body.Value.Proof), cancellationToken))
            : new OAuthErrorResult(body.Error with { Code = "invalid_request" });
    }

    private static IResult Write(Result<AdminHostedKey> key, int status = StatusCodes.Status200OK) =>
        key.IsSuccess
            ? TypedResults.Json(key.Value, RegistrationJson.Default.AdminHostedKey, statusCode: status)
            : new OAuthErrorResult(key.Error);
}

/// <param name="Jwk">The public key, as a JWK.</param>
/// <param name="Proof">A JWT signed by an active key of the set, its <c>sub</c> the thumbprint of the new key.</param>
public sealed record NewClientKey(
    [property: JsonPropertyName("jwk")] JsonElement Jwk, [property: JsonPropertyName("proof")] string Proof);

/// <param name="Proof">A JWT signed by an active key of the set, its <c>sub</c> the thumbprint of the key that is changed.</param>
/// <param name="Until">To retire: RFC 3339, when the key ends.</param>
public sealed record ClientKeyChange(
    [property: JsonPropertyName("proof")] string Proof,
    [property: JsonPropertyName("until")] DateTimeOffset? Until = null);

internal sealed record ShowClientKeySet(ManagingClient Caller) : IRequest<Result<AdminKeySet>>;

internal sealed record AddClientKey(ManagingClient Caller, JsonElement Jwk, string Proof) : IRequest<Result<AdminHostedKey>>, IActsFor
{
    ICaller IActsFor.Caller => Caller;
}

internal sealed record ChangeClientKey(ManagingClient Caller, string Kid, HostedKeyState State, DateTimeOffset? Until, string Proof)
    : IRequest<Result<AdminHostedKey>>, IActsFor
{
    ICaller IActsFor.Caller => Caller;
}

internal sealed class ManageClientKeysHandler(
    HostedKeySets hosted,
    IKeySetStore store,
    KeyProofRules proofs,
    RegisteringClients registering,
    KeySetEditor change,
    IssuerUrls urls,
    KeySetDescription describe)
    : IRequestHandler<ShowClientKeySet, Result<AdminKeySet>>,
        IRequestHandler<AddClientKey, Result<AdminHostedKey>>,
        IRequestHandler<ChangeClientKey, Result<AdminHostedKey>>
{
    private static readonly OAuthError s_notHosted = OAuthError.NotFound("The client's jwks_uri names no key set of this server.");

    public async Task<Result<AdminKeySet>> Handle(ShowClientKeySet request, CancellationToken cancellationToken) =>
        await FindAsync(request.Caller, cancellationToken) is { } set ? await describe.ExecuteAsync(set, cancellationToken) : s_notHosted;

    public async Task<Result<AdminHostedKey>> Handle(AddClientKey request, CancellationToken cancellationToken)
    {
        if (await FindAsync(request.Caller, cancellationToken) is not { } set)
        {
            return s_notHosted;
        }
        if (PublicKeyReader.Read(request.Jwk) is not ReadKey.Usable { Key: var key })
        {
            return OAuthError.InvalidClientMetadata(
                "jwk: must be a public EC or RSA key that is fit for signatures, without private members.");
        }
        // Before the proof, which is used up by being checked.
        if (await registering.FindAsync(request.Caller.Client, cancellationToken) is not { } onboarding)
        {
            return RegisteringClients.Gone;
        }
        var clientId = request.Caller.Client.ClientId;
        var proved = await proofs.CheckAsync(request.Proof, clientId, set.Id, key.Thumbprint, urls.ClientKeys(clientId), cancellationToken);
        if (!proved.IsSuccess)
        {
            return proved.Error;
        }
        var act = ActOf(request.Caller, onboarding, proved.Value);
        var added = await change.AddAsync(set.Id, request.Jwk, act, cancellationToken);
        return added.IsSuccess ? (await describe.ExecuteAsync(added.Value, cancellationToken)).Keys[^1] : added.Error;
    }

    public async Task<Result<AdminHostedKey>> Handle(ChangeClientKey request, CancellationToken cancellationToken)
    {
        if (await FindAsync(request.Caller, cancellationToken) is not { } set)
        {
            return s_notHosted;
        }
        if (set.Keys.FirstOrDefault(key => key.Kid == request.Kid) is not { } key)
        {
            return OAuthError.NotFound("The set has no key with this kid.");
        }
        if (request.State == HostedKeyState.Retiring && request.Until is null)
        {
            return OAuthError.InvalidRequest("until: needed to retire a key.");
        }
        if (await registering.FindAsync(request.Caller.Client, cancellationToken) is not { } onboarding)
        {
            return RegisteringClients.Gone;
        }
        var clientId = request.Caller.Client.ClientId;
        var url = $"{urls.ClientKeys(clientId)}/{Uri.EscapeDataString(key.Kid)}/{Step(request.State)}";
        var proved = await proofs.CheckAsync(request.Proof, clientId, set.Id, key.Thumbprint, url, cancellationToken);
        if (!proved.IsSuccess)
        {
            return proved.Error;
        }
        var act = ActOf(request.Caller, onboarding, proved.Value);
        var changed = await change.MoveAsync(set.Id, key.Kid, request.State, request.Until, act, cancellationToken);
        return changed.IsSuccess
            ? (await describe.ExecuteAsync(changed.Value, cancellationToken)).Keys.Single(moved => moved.Kid == key.Kid)
            : changed.Error;
    }

    /// <summary>A change of keys rests on the client, and on the onboarding client that registered it.</summary>
    private static Act ActOf(ManagingClient caller, Client onboarding, PublicKey provedWith) => new(
        new AuditActor(caller.Client.ClientId, provedWith.Kid),
        new Grounds { Clients = [caller.Ground, RegisteringClients.GroundOf(onboarding) with { Version = null }] });

    private async Task<HostedKeySet?> FindAsync(ManagingClient caller, CancellationToken cancellationToken) =>
        caller.Client.Metadata.JwksUri is { } uri && hosted.IdOf(uri) is { } id ? await store.FindAsync(id, cancellationToken) : null;

    private static string Step(HostedKeyState state) => state switch
    {
        HostedKeyState.Active => "activate",
        HostedKeyState.Retiring => "retire",
        _ => "withdraw",
    };
}
