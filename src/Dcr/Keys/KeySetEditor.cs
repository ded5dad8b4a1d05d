using System.Text.Json;
using System.Text.Json.Nodes;
using Dcr.Auditing;
using Dcr.Jose;
using Dcr.Protocol;

namespace Dcr.Keys;

/// <summary>
/// The stages of a hosted key: pending, active, retiring, withdrawn. Who may ask is decided before; whatever version the
/// set is at, the change is applied to it, or again if somebody else was faster.
/// </summary>
internal sealed class KeySetEditor(IKeySetStore store, IQuarantinedKeyStore quarantine, AuditRecords records, TimeProvider time)
{
    private const int MaxAttempts = 20;
    private const int MaxPublished = 50;
    private const int MaxEver = 1000;
    private static readonly TimeSpan s_longestRetirement = TimeSpan.FromDays(366);

    public static readonly OAuthError NoSuchSet = OAuthError.NotFound("There is no key set with this id.");

    /// <summary>A new key: published, not yet to be used. Always under a <c>kid</c> that the set has never had.</summary>
    public Task<Result<HostedKeySet>> AddAsync(string id, JsonElement jwk, Act act, CancellationToken cancellationToken)
    {
        var read = PublicKeyReader.Read(jwk) switch
        {
            ReadKey.Usable { Key.DeepFault: { } weak } => OAuthError.InvalidClientMetadata($"The key cannot be added: {weak}."),
            ReadKey.Usable usable => Result.Of(usable.Key),
            ReadKey.Secret secret => OAuthError.InvalidClientMetadata($"The key cannot be added: {secret.Fault}."),
            ReadKey.Unfit unfit => OAuthError.InvalidClientMetadata($"The key cannot be added: {unfit.Fault}."),
            ReadKey.NotForSigning other => OAuthError.InvalidClientMetadata($"The key cannot be added: {other.Why}."),
            var other => throw new InvalidOperationException($"What became of a key is of an unknown kind: {other}"),
        };
        if (!read.IsSuccess)
        {
            return Task.FromResult<Result<HostedKeySet>>(read.Error);
        }
        var key = read.Value;
        var kid = key.Kid ?? key.Thumbprint;
        // It becomes a part of the URL that changes the key, where these would mean something else. Any other text can be escaped there.
        if (kid is "" or "." or ".." || kid.Contains('/', StringComparison.Ordinal))
        {
            return Task.FromResult<Result<HostedKeySet>>(OAuthError.InvalidClientMetadata(
                "kid: must not be empty, contain a slash, or be . or .. in a hosted key set, since it is part of a URL. Leave it out, and "
                    + "the thumbprint takes its place."));
        }
        return ChangeAsync(id, AuditActions.KeySetKeyAdded, act, kid, (set, now) =>
        {
            if (set.Keys.Any(other => other.Kid == kid || (other.Thumbprint == key.Thumbprint && other.IsPublished(now))))
            {
                return OAuthError.Conflict("The set has, or had, a key with this kid, or has this very key: every new key gets a new kid.");
            }
            if (set.Keys.Count(other => other.IsPublished(now)) >= MaxPublished || set.Keys.Count >= MaxEver)
            {
                return OAuthError.Conflict(
                    $"The set is full: {MaxPublished} keys at a time, {MaxEver} in all. Withdraw some, or make a new set.");
            }
            return set with
            {
                Keys =
                [
                    .. set.Keys,
                    new HostedKey
                    {
                        Kid = kid,
                        Thumbprint = key.Thumbprint,
                        Jwk = Named(key, kid),
                        Stage = HostedKeyState.Pending,
                        Since = now,
                    },
                ],
            };
        }, cancellationToken);
    }

    /// <param name="id">The set.</param>
    /// <param name="kid">The key.</param>
    /// <param name="state">Active, retiring or withdrawn.</param>
    /// <param name="until">When a retiring key ends.</param>
    /// <param name="act">Who asks, and what that rests on.</param>
    /// <param name="cancellationToken">Stops between attempts.</param>
    public Task<Result<HostedKeySet>> MoveAsync(
        string id, string kid, HostedKeyState state, DateTimeOffset? until, Act act, CancellationToken cancellationToken) =>
        state switch
        {
            HostedKeyState.Active => ActivateAsync(id, kid, act, cancellationToken),
            HostedKeyState.Retiring => RetireAsync(id, kid, until!.Value, act, cancellationToken),
            HostedKeyState.Withdrawn => WithdrawAsync(id, kid, act, cancellationToken),
            _ => throw new ArgumentOutOfRangeException(nameof(state), state, "No state a key is moved to."),
        };

    private Task<Result<HostedKeySet>> ActivateAsync(string id, string kid, Act act, CancellationToken cancellationToken) =>
        MoveAsync(
            id,
            kid,
            AuditActions.KeySetKeyActivated,
            act,
            (_, key, now) => key with { Stage = HostedKeyState.Active, Until = null, Since = now },
            cancellationToken);

    private Task<Result<HostedKeySet>> RetireAsync(
        string id, string kid, DateTimeOffset until, Act act, CancellationToken cancellationToken) =>
        MoveAsync(id, kid, AuditActions.KeySetKeyRetired, act, (set, key, now) =>
        {
            if (until <= now || until > now + s_longestRetirement)
            {
                return OAuthError.InvalidRequest("until must be in the future, and at most a year ahead.");
            }
            return set.Keys.Any(other => other.Kid != kid && other.StateAt(now) == HostedKeyState.Active)
                ? key with { Stage = HostedKeyState.Retiring, Until = until, Since = now }
                : OAuthError.Conflict(
                    "No other key of the set is active: the client would be locked out. Activate one first, or withdraw this one.");
        }, cancellationToken);

    /// <summary>At once, also the last one: a stolen key must go whatever follows.</summary>
    private Task<Result<HostedKeySet>> WithdrawAsync(string id, string kid, Act act, CancellationToken cancellationToken) =>
        MoveAsync(
            id,
            kid,
            AuditActions.KeySetKeyWithdrawn,
            act,
            (_, key, now) => key with { Stage = HostedKeyState.Withdrawn, Until = null, Jwk = null, Since = now },
            cancellationToken);

    private Task<Result<HostedKeySet>> MoveAsync(
        string id,
        string kid,
        string action,
        Act act,
        Func<HostedKeySet, HostedKey, DateTimeOffset, Result<HostedKey>> move,
        CancellationToken cancellationToken) =>
        ChangeAsync(id, action, act, kid, (set, now) =>
        {
            if (set.Keys.FirstOrDefault(key => key.Kid == kid) is not { } key)
            {
                return OAuthError.NotFound("The set has no key with this kid.");
            }
            if (!key.IsPublished(now))
            {
                return OAuthError.Conflict("The key is withdrawn, which is permanent. Add a new one.");
            }
            var moved = move(set, key, now);
            return moved.IsSuccess
                ? set with { Keys = [.. set.Keys.Select(other => other.Kid == kid ? moved.Value : other)] }
                : moved.Error;
        }, cancellationToken);

    private async Task<Result<HostedKeySet>> ChangeAsync(
        string id,
        string action,
        Act act,
        string kid,
        Func<HostedKeySet, DateTimeOffset, Result<HostedKeySet>> decide,
        CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (await store.FindAsync(id, cancellationToken) is not { } set)
            {
                return NoSuchSet;
            }
            var decided = decide(set, time.GetUtcNow());
            if (!decided.IsSuccess)
            {
                return decided.Error;
            }
            var changed = decided.Value.Keys.First(key => key.Kid == kid);
            if (changed.Stage is HostedKeyState.Pending or HostedKeyState.Active
                && await quarantine.HoldsAsync(changed.Thumbprint, cancellationToken))
            {
                return OAuthError.InvalidClientMetadata($"The key {changed.Thumbprint} is in quarantine on this server.");
            }
            var replacement = decided.Value with { Version = set.Version + 1 };
            var record = records.Create(action, id, act.Actor) with
            {
                Changes = new Dictionary<string, AuditChange> { [kid] = new(Describe(set, kid), Describe(replacement, kid)) },
            };
            switch (await store.ReplaceAsync(replacement, record, act.Grounds, cancellationToken))
            {
                case ReplaceOutcome.Done:
                    return replacement;
                case ReplaceOutcome.GroundsChanged:
                    return OAuthError.GroundsChanged;
                default:
                    break;
            }
        }
        return OAuthError.Conflict("The key set is being changed by others without pause. Try again.");
    }

    private static string? Describe(HostedKeySet set, string kid) =>
        set.Keys.FirstOrDefault(key => key.Kid == kid) is { } key
            ? $"{WireEnum.NameOf(key.Stage)} {key.Thumbprint}{(key.Until is { } until ? $" until {until:O}" : "")}"
            : null;

    // A key that came without kid is published under its thumbprint.
    private static JsonElement Named(PublicKey key, string kid)
    {
        var jwk = JsonObject.Create(key.ToJwk())!;
        jwk["kid"] = kid;
        return JsonSerializer.SerializeToElement(jwk, KeysJson.Default.JsonObject);
    }
}
