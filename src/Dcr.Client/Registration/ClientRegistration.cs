using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;

namespace Dcr.Client;

/// <summary>
/// One client's registration, from <see cref="DcrClient.RegistrationIn"/>: registers (RFC 7591), reads, updates and deletes
/// (RFC 7592). What happens is in the store before it is acted on, so that a lost answer or a crash makes no second client
/// and locks nobody out: call the same method again, also in a new process.
/// </summary>
/// <remarks>
/// All methods throw <see cref="DcrException"/> when the server refuses and <see cref="HttpRequestException"/> (or
/// <see cref="TaskCanceledException"/> after the time-out of the HttpClient) when it cannot be reached, after several
/// attempts. They may be called from several threads and then run one after another.
/// </remarks>
public sealed class ClientRegistration
{
    private readonly RegistrationRequests _requests;
    private readonly IRegistrationStore _store;
    private readonly AsyncGate _gate = new();

    internal ClientRegistration(RegistrationRequests requests, HostedKeyRequests keys, IRegistrationStore store)
    {
        _requests = requests;
        _store = store;
        HostedKeys = new HostedKeys(this, keys);
    }

    /// <summary>The client's keys, where its <c>jwks_uri</c> names a key set that the server hosts.</summary>
    public HostedKeys HostedKeys { get; }

    /// <summary>The id of the registered client, from the store alone. Null: not registered, so far as is known.</summary>
    public async Task<string?> FindClientIdAsync(CancellationToken cancellationToken = default) =>
        (await _store.LoadAsync(cancellationToken).ConfigureAwait(false))?.ClientId;

    /// <summary>
    /// Registers a new client. When a call has failed half-way, call again with the same metadata, within 24 hours, with
    /// the same token or another of the same onboarding client: if the first one was carried out, its client is returned.
    /// </summary>
    /// <param name="token">The right to register.</param>
    /// <param name="metadata">What to register.</param>
    /// <param name="key">
    /// The new client's key, where it is at hand: proves with DPoP that it is held, where the policy asks for it, and is
    /// registered if <paramref name="metadata"/> names neither <c>jwks</c> nor <c>jwks_uri</c>. Null: no proof.
    /// </param>
    /// <param name="cancellationToken">Stops; what was sent stays in the store as pending.</param>
    /// <exception cref="InvalidOperationException">The store holds a registered client already.</exception>
    public Task<ClientInformation> RegisterAsync(
        InitialAccessToken token, ClientMetadata metadata, ISigningKey? key = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(token);
        ArgumentNullException.ThrowIfNull(metadata);
        return _gate.RunAsync(async () =>
        {
            var before = await _store.LoadAsync(cancellationToken).ConfigureAwait(false);
            if (before?.ClientId is { } registered)
            {
                throw new InvalidOperationException(
                    $"The store holds the client {registered} already. Use a store of its own for each client, or delete that one first.");
            }
            var body = RegistrationRequests.BodyOf(metadata, key);
            var hash = Base64Url.EncodeToString(SHA256.HashData(body));
            var isRepeated = before is { IdempotencyKey: not null } && before.BodySha256 == hash;
            var state = isRepeated
                ? before!
                : new RegistrationState { Pending = PendingRequest.Registration, IdempotencyKey = CompactJws.NewJti(), BodySha256 = hash };
            await _store.SaveAsync(state, cancellationToken).ConfigureAwait(false);

            var answer = await _requests.PostAsync(token, body, state.IdempotencyKey!, key, cancellationToken).ConfigureAwait(false);
            if (!isRepeated && IsCertainRefusal(answer))
            {
                await _store.DeleteAsync(CancellationToken.None).ConfigureAwait(false);
            }
            return await KeepAsync(answer).ConfigureAwait(false);
        }, cancellationToken);
    }

    /// <summary>
    /// Reads what is registered. After an update whose answer was lost, writes the same back as well, to get a registration
    /// access token that lasts.
    /// </summary>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="InvalidOperationException">The store holds no registered client.</exception>
    public Task<ClientInformation> ReadAsync(CancellationToken cancellationToken = default) => RunAsync(async state =>
    {
        var answer = await _requests.GetAsync(state, cancellationToken).ConfigureAwait(false);
        answer.ThrowIfRefused();
        var body = answer.Read(DcrClientJson.Default.ClientInformationBody, "client information");
        if (body.RegistrationAccessToken != state.RegistrationAccessToken)
        {
            // RFC 7592 section 3: some servers replace the token when they are read.
            return await KeepAsync(answer).ConfigureAwait(false);
        }
        var information = ClientInformation.Of(answer, body);
        if (state.Pending is null)
        {
            return information;
        }
        if (answer.ETag is not null && answer.ETag == state.ETag)
        {
            // Nothing was carried out.
            await _store.SaveAsync(state with { Pending = null }, cancellationToken).ConfigureAwait(false);
            return information;
        }
        var same = RegistrationRequests.BodyOf(state.ClientId!, information.Metadata);
        return await KeepAsync(
            await _requests.PutAsync(
                state, same, answer.ETag, proofKey: null, newKeys: null, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
    }, cancellationToken);

    /// <summary>
    /// Replaces what is registered, as a whole, and with it the registration access token. Start from what
    /// <see cref="ReadAsync"/> gave.
    /// </summary>
    /// <param name="metadata">All that is to be registered; what is left out is taken away or gets its default.</param>
    /// <param name="ifMatch">The <see cref="ClientInformation.ETag"/> that the change starts from: refused with 412 if somebody else was
    /// faster. Null: whatever is there is replaced.</param>
    /// <param name="proofKey">To change keys under a policy that asks for a proof: a key that was registered before. Null: no
    /// proof.</param>
    /// <param name="newKeys">Under a policy that requires proofs: each key that was not registered before, to prove itself. Null:
    /// none.</param>
    /// <param name="cancellationToken">Stops; the update stays in the store as pending.</param>
    /// <exception cref="InvalidOperationException">The store holds no registered client.</exception>
    /// <example>New keys, in two steps, so that no request falls between them:
    /// <code>
    /// var now = await registration.ReadAsync();
    /// var both = now.Metadata with { Jwks = new(oldKey.PublicJwk, newKey.PublicJwk) };
    /// now = await registration.UpdateAsync(both, now.ETag, oldKey, [newKey]);
    /// // from here on sign with newKey, and then
    /// now = await registration.UpdateAsync(now.Metadata with { Jwks = newKey.PublicJwkSet }, now.ETag);
    /// </code>
    /// </example>
    public Task<ClientInformation> UpdateAsync(
        ClientMetadata metadata,
        string? ifMatch = null,
        ISigningKey? proofKey = null,
        IReadOnlyList<ISigningKey>? newKeys = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        return RunAsync(async before =>
        {
            var body = RegistrationRequests.BodyOf(before.ClientId!, metadata);
            await _store.SaveAsync(before with { Pending = PendingRequest.Update }, cancellationToken).ConfigureAwait(false);

            // Carried out twice it does no harm: the same is registered, and until it is used no new token ends the one that is sent.
            var answer = await _requests.PutAsync(before, body, ifMatch, proofKey, newKeys, cancellationToken).ConfigureAwait(false);
            if (IsCertainRefusal(answer))
            {
                await _store.SaveAsync(before, CancellationToken.None).ConfigureAwait(false);
            }
            else if (answer is { Status: HttpStatusCode.PreconditionFailed, IsRepeated: true })
            {
                // Changed meanwhile: by the attempt whose answer was lost, or by somebody else?
                var read = await _requests.GetAsync(before, cancellationToken).ConfigureAwait(false);
                answer = RegistrationRequests.IsAsSent(body, read)
                    ? await _requests.PutAsync(before, body, read.ETag, proofKey, newKeys, cancellationToken).ConfigureAwait(false)
                    : answer;
            }
            return await KeepAsync(answer).ConfigureAwait(false);
        }, cancellationToken);
    }

    /// <summary>Ends the client: its tokens, its keys, its registration, and what the store holds.</summary>
    /// <param name="ifMatch">The <see cref="ClientInformation.ETag"/> that is to be deleted. Null: whatever is there.</param>
    /// <param name="cancellationToken">Stops; the deletion stays in the store as pending.</param>
    /// <exception cref="InvalidOperationException">The store holds no registered client.</exception>
    public Task DeleteAsync(string? ifMatch = null, CancellationToken cancellationToken = default) => RunAsync(async before =>
    {
        await _store.SaveAsync(before with { Pending = PendingRequest.Deletion }, cancellationToken).ConfigureAwait(false);

        var answer = await _requests.DeleteAsync(before, ifMatch, cancellationToken).ConfigureAwait(false);
        // RFC 7592 section 2.3: after the deletion the token is refused.
        var isGone = answer.Status == HttpStatusCode.Unauthorized && (answer.IsRepeated || before.Pending == PendingRequest.Deletion);
        if (answer.IsSuccess || isGone)
        {
            await _store.DeleteAsync(CancellationToken.None).ConfigureAwait(false);
            return before.ClientId;
        }
        if (IsCertainRefusal(answer))
        {
            await _store.SaveAsync(before, CancellationToken.None).ConfigureAwait(false);
        }
        throw answer.Refusal();
    }, cancellationToken);

    /// <summary>Runs when nothing else does, with the registered client that the store holds.</summary>
    internal Task<T> RunAsync<T>(Func<RegistrationState, Task<T>> act, CancellationToken cancellationToken) => _gate.RunAsync(
        async () => await act(await LoadAsync(cancellationToken).ConfigureAwait(false)).ConfigureAwait(false), cancellationToken);

    /// <summary>The server did nothing: it said so, and no earlier attempt's answer was lost.</summary>
    private static bool IsCertainRefusal(ProtocolAnswer answer) => (int)answer.Status is >= 400 and < 500 && !answer.IsRepeated;

    private async Task<RegistrationState> LoadAsync(CancellationToken cancellationToken) =>
        await _store.LoadAsync(cancellationToken).ConfigureAwait(false) is
        {
            ClientId: not null,
            RegistrationClientUri: not null,
            RegistrationAccessToken: not null,
        } state
            ? state
            : throw new InvalidOperationException("The store holds no registered client. Register first.");

    private async Task<ClientInformation> KeepAsync(ProtocolAnswer answer)
    {
        answer.ThrowIfRefused();
        var body = answer.Read(DcrClientJson.Default.ClientInformationBody, "client information");
        SecureUri.Check(body.RegistrationClientUri, "registration_client_uri");
        var state = new RegistrationState
        {
            ClientId = body.ClientId,
            RegistrationClientUri = body.RegistrationClientUri,
            RegistrationAccessToken = VisibleText.Check(body.RegistrationAccessToken, "registration_access_token"),
            ETag = answer.ETag,
        };
        // Whoever waits may have given up; what the server gave is kept all the same.
        await _store.SaveAsync(state, CancellationToken.None).ConfigureAwait(false);
        return ClientInformation.Of(answer, body);
    }
}
