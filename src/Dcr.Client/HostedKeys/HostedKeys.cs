using System.Net;

namespace Dcr.Client;

/// <summary>
/// The keys of a client whose <c>jwks_uri</c> names a key set that the server hosts, from
/// <see cref="ClientRegistration.HostedKeys"/>: read, add, activate, retire, withdraw. Every change is proved by a key of
/// the set that is active, since the registration access token alone must not be enough to take a client over.
/// </summary>
/// <remarks>
/// Every change reads the set first, and does nothing where the key is already as it is to be. So a change that was
/// carried out and whose answer was lost is a success when it is called again, also where the key that proved it has been
/// retired or withdrawn by it. For failures and threads see <see cref="ClientRegistration"/>, with whose methods these take
/// turns.
/// </remarks>
/// <example>A new key in place of the old one, so that no request falls between them:
/// <code>
/// var keys = registration.HostedKeys;
/// await keys.AddAsync(newKey.PublicJwk, provenBy: oldKey);
/// await keys.ActivateAsync(newKey.PublicJwk.Kid!, provenBy: oldKey);
/// // from here on sign with newKey
/// await keys.RetireAsync(oldKey.PublicJwk.Kid!, DateTimeOffset.UtcNow.AddDays(1), provenBy: newKey);
/// </code>
/// </example>
public sealed class HostedKeys
{
    private readonly ClientRegistration _registration;
    private readonly HostedKeyRequests _requests;

    internal HostedKeys(ClientRegistration registration, HostedKeyRequests requests)
    {
        _registration = registration;
        _requests = requests;
    }

    /// <summary>The set as it is now.</summary>
    /// <exception cref="DcrException">Refused; <c>not_found</c>: the client's <c>jwks_uri</c> names no set of this server.</exception>
    /// <exception cref="InvalidOperationException">The store holds no registered client.</exception>
    public Task<HostedKeySet> ReadAsync(CancellationToken cancellationToken = default) =>
        _registration.RunAsync(state => _requests.GetAsync(state, cancellationToken), cancellationToken);

    /// <summary>Publishes a new key. It is not to be used before <see cref="ActivateAsync"/>.</summary>
    /// <param name="jwk">The new key, under a <c>kid</c> that the set has never had. Without one it is named by its thumbprint.</param>
    /// <param name="provenBy">A key of the set that is active.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <returns>The key, pending; or as it is, where the set has it already.</returns>
    /// <exception cref="DcrException">
    /// Refused; <c>conflict</c>: the set has or had another key with this <c>kid</c>, or this key with another, or is full.
    /// </exception>
    /// <exception cref="InvalidOperationException">The store holds no registered client.</exception>
    public Task<HostedKey> AddAsync(PublicJwk jwk, ISigningKey provenBy, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(jwk);
        ArgumentNullException.ThrowIfNull(provenBy);
        var thumbprint = jwk.Thumbprint();
        var kid = jwk.Kid ?? thumbprint;
        return ChangeAsync(
            set => Find(set, kid) is { State: not HostedKeyState.Withdrawn } key && key.Thumbprint == thumbprint ? key : null,
            _ => new HostedKeyChange { Thumbprint = thumbprint, Jwk = jwk },
            provenBy,
            cancellationToken);
    }

    /// <summary>Lets a key be used: one that was added, or one that retires and is to stay after all.</summary>
    /// <param name="kid">Of the key.</param>
    /// <param name="provenBy">A key of the set that is active.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="DcrException">Refused; <c>conflict</c>: the key is withdrawn.</exception>
    /// <exception cref="InvalidOperationException">The set has no such key, or the store holds no registered client.</exception>
    public Task<HostedKey> ActivateAsync(string kid, ISigningKey provenBy, CancellationToken cancellationToken = default) =>
        MoveAsync(kid, "activate", until: null, key => key.State == HostedKeyState.Active, provenBy, cancellationToken);

    /// <summary>Gives a key an end. Best once nothing signs with it any more: see <see cref="HostedKey.SafeToRetire"/>.</summary>
    /// <param name="kid">Of the key.</param>
    /// <param name="until">When it ends by itself, in whole seconds; at most a year ahead.</param>
    /// <param name="provenBy">A key of the set that is active.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="DcrException">Refused; <c>conflict</c>: no other key is active, or the key is withdrawn.</exception>
    /// <exception cref="InvalidOperationException">The set has no such key, or the store holds no registered client.</exception>
    public Task<HostedKey> RetireAsync(
        string kid, DateTimeOffset until, ISigningKey provenBy, CancellationToken cancellationToken = default)
    {
        // Whatever part of a second a server keeps, it gives the same time back.
        var end = DateTimeOffset.FromUnixTimeSeconds(until.ToUnixTimeSeconds());
        return MoveAsync(kid, "retire", end, key => key.State == HostedKeyState.Retiring && key.Until == end, provenBy, cancellationToken);
    }

    /// <summary>Ends a key at once and permanently, also the last one; with none active, only an administrator can go on.</summary>
    /// <param name="kid">Of the key.</param>
    /// <param name="provenBy">A key of the set that is active; also the one that is withdrawn.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="DcrException">Refused.</exception>
    /// <exception cref="InvalidOperationException">The set has no such key, or the store holds no registered client.</exception>
    public Task<HostedKey> WithdrawAsync(string kid, ISigningKey provenBy, CancellationToken cancellationToken = default) =>
        MoveAsync(kid, "withdraw", until: null, key => key.State == HostedKeyState.Withdrawn, provenBy, cancellationToken);

    private Task<HostedKey> MoveAsync(
        string kid,
        string step,
        DateTimeOffset? until,
        Func<HostedKey, bool> isDone,
        ISigningKey provenBy,
        CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(kid);
        ArgumentNullException.ThrowIfNull(provenBy);
        return ChangeAsync(
            set => Find(set, kid) is { } key && isDone(key) ? key : null,
            set => Find(set, kid) is { } key
                ? new HostedKeyChange { Thumbprint = key.Thumbprint, Path = $"/{Uri.EscapeDataString(kid)}/{step}", Until = until }
                : throw new InvalidOperationException($"The hosted key set {set.Id} has no key with the kid {kid}. Add it first."),
            provenBy,
            cancellationToken);
    }

    /// <param name="done">The key, if it is already as it is to be.</param>
    /// <param name="change">What to ask for otherwise.</param>
    /// <param name="provenBy">Signs the proof.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    private Task<HostedKey> ChangeAsync(
        Func<HostedKeySet, HostedKey?> done,
        Func<HostedKeySet, HostedKeyChange> change,
        ISigningKey provenBy,
        CancellationToken cancellationToken) =>
        _registration.RunAsync(async state =>
        {
            var before = await _requests.GetAsync(state, cancellationToken).ConfigureAwait(false);
            if (done(before) is { } already)
            {
                return already;
            }
            var answer = await _requests.PostAsync(state, change(before), provenBy, cancellationToken).ConfigureAwait(false);
            if (answer.IsSuccess)
            {
                return answer.Read(DcrClientJson.Default.HostedKey, "a hosted key");
            }
            // The attempt whose answer was lost, or another process of the client, may have done it.
            if (answer is { IsRepeated: true, IsTransient: false } or { Status: HttpStatusCode.Conflict })
            {
                var now = await _requests.GetAsync(state, cancellationToken).ConfigureAwait(false);
                return done(now) ?? throw answer.Refusal();
            }
            throw answer.Refusal();
        }, cancellationToken);

    private static HostedKey? Find(HostedKeySet set, string kid) => set.Keys.FirstOrDefault(key => key.Kid == kid);
}
