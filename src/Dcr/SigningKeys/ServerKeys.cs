using System.Collections.Concurrent;
using System.Security.Cryptography;
using Dcr.Auditing;
using Dcr.Jose;
using Dcr.Protocol;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dcr.SigningKeys;

/// <summary>
/// The keys the server signs its tokens with: made at the first start, followed by others in time, kept in the store with
/// the private part encrypted, the same on every node. Every request may bring the next one about; no node has a part of
/// its own in it.
/// </summary>
internal sealed partial class ServerKeys
{
    // How long a node may not know of what another did: an emergency reaches all of them within this, whatever their clocks say.
    private static readonly TimeSpan s_lookAgainAfter = TimeSpan.FromSeconds(5);

    // Longer than any store waits before it says that it is away.
    private static readonly TimeSpan s_longestLook = TimeSpan.FromMinutes(1);

    // A key is taken out of the store once it has been seen retired for this long: a clock that is ahead for a while ends no key.
    private static readonly TimeSpan s_removedAfter = TimeSpan.FromHours(1);
    private const int MaxAttempts = 10;

    private readonly ISigningKeyStore _store;
    private readonly IDataProtector _protector;
    private readonly IOptions<SigningKeyOptions> _options;
    private readonly AuditRecords _records;
    private readonly TimeProvider _time;
    private readonly ILogger<ServerKeys> _logger;
    private readonly SharedRefresh<SigningKeyRing> _ring;
    private readonly ConcurrentDictionary<string, long> _retiredSince = new(StringComparer.Ordinal);

    public ServerKeys(
        ISigningKeyStore store,
        IDataProtectionProvider protection,
        IOptions<SigningKeyOptions> options,
        AuditRecords records,
        TimeProvider time,
        ILogger<ServerKeys> logger)
    {
        (_store, _options, _records, _time, _logger) = (store, options, records, time, logger);
        _protector = protection.CreateProtector("Dcr.SigningKeys.v1");
        _ring = new SharedRefresh<SigningKeyRing>(
            LoadAsync,
            new SharedRefreshRules<SigningKeyRing>
            {
                FreshFor = _ => s_lookAgainAfter,
                // The keys do not change because the store is away; whatever else a request needs of it will say so.
                UsableFor = _ => TimeSpan.MaxValue,
                IsOutage = fault => fault is StoreUnavailableException or TimeoutException,
                Timeout = s_longestLook,
            },
            time);
    }

    /// <summary>All keys as they are now.</summary>
    public ValueTask<SigningKeyRing> RingAsync(CancellationToken cancellationToken) => _ring.GetAsync(cancellationToken);

    public async ValueTask<SigningKey> CurrentAsync(CancellationToken cancellationToken) =>
        (await RingAsync(cancellationToken)).Current(_time.GetUtcNow())?.Key
            ?? throw new InvalidOperationException("No signing key is active.");

    /// <summary>Makes the next key before its time.</summary>
    /// <param name="emergency">True: it signs at once, and no key before it is trusted any more. False: it is announced first.</param>
    /// <param name="act">The administrator's.</param>
    public async Task<Result<RingKey>> RotateAsync(bool emergency, Act act, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var ring = await ReadAsync(_ring.Latest, cancellationToken);
            var now = _time.GetUtcNow();
            var made = await TryAddAsync(
                ring,
                emergency ? now : now + SigningKeyRing.LeastAnnouncement,
                emergency ? ring.Newest?.Stored.Generation ?? 0 : 0,
                act,
                cancellationToken);
            _ring.Invalidate();
            if (!made.IsSuccess)
            {
                return made.Error;
            }
            if (made.Value.Value is { } key)
            {
                return key;
            }
        }
        throw new StoreUnavailableException("Other nodes kept making signing keys.");
    }

    private async Task<SigningKeyRing> LoadAsync(SigningKeyRing? known, CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        var ring = await ReadAsync(known, cancellationToken);
        if (NextActivation(ring, now) is { } activatesAt)
        {
            // Another node may be first: what the store has then is the truth.
            await TryAddAsync(ring, activatesAt, revokesUpTo: 0, Act.Server, cancellationToken);
            ring = await ReadAsync(known, cancellationToken);
        }
        foreach (var key in ring.All)
        {
            if (IsToBeRemoved(ring, key, now))
            {
                await _store.RemoveAsync(key.Stored.Generation, cancellationToken);
            }
        }
        return ring;
    }

    private bool IsToBeRemoved(SigningKeyRing ring, RingKey key, DateTimeOffset now)
    {
        if (key == ring.Newest || !(ring.RetiresAt(key) <= now))
        {
            _retiredSince.TryRemove(key.Stored.Kid, out _);
            return false;
        }
        return _time.GetElapsedTime(_retiredSince.GetOrAdd(key.Stored.Kid, _ => _time.GetTimestamp())) >= s_removedAfter;
    }

    /// <summary>From when on a key that is due now will sign. Null: none is due.</summary>
    private DateTimeOffset? NextActivation(SigningKeyRing ring, DateTimeOffset now)
    {
        if (ring.Current(now) is not { } current)
        {
            return now;
        }
        if (ring.Newest != current && ring.Newest!.Stored.ActivatesAt > now)
        {
            return null;
        }
        if (ring.Newest!.Stored.Alg != _options.Value.Algorithm)
        {
            return now + SigningKeyRing.LeastAnnouncement;
        }
        var due = current.Stored.ActivatesAt + _options.Value.RotateEvery;
        var announced = now + _options.Value.AnnounceBefore;
        return announced < due ? null : announced;
    }

    /// <returns>Nothing: another node made this generation first.</returns>
    private async Task<Result<Optional<RingKey>>> TryAddAsync(
        SigningKeyRing ring, DateTimeOffset activatesAt, int revokesUpTo, Act act, CancellationToken cancellationToken)
    {
        var key = SigningKey.Generate(_options.Value.Algorithm);
        var stored = new StoredSigningKey(
            (
                ring.Newest?.Stored.Generation
                    ?? 0) + 1, key.Kid, key.Alg, _protector.Protect(key.ExportPkcs8()), _time.GetUtcNow(), activatesAt, revokesUpTo);
        var changes = new Dictionary<string, AuditChange> { ["activates_at"] = new(null, activatesAt.ToString("O")) };
        foreach (var revoked in ring.All.Where(other => other.Stored.Generation <= revokesUpTo && !ring.IsRevoked(other)))
        {
            changes[revoked.Stored.Kid] = new AuditChange("trusted", "revoked");
        }
        var record = _records.Create(AuditActions.SigningKeyMade, key.Kid, act.Actor) with { Changes = changes };
        switch (await _store.AddAsync(stored, record, act.Grounds, cancellationToken))
        {
            case AddSigningKeyOutcome.AlreadyThere:
                return Result.OfOptional<RingKey>(null);
            case AddSigningKeyOutcome.GroundsChanged:
                return OAuthError.GroundsChanged;
            default:
                LogMade(key.Kid, key.Alg, activatesAt);
                if (revokesUpTo > 0)
                {
                    LogRevoked(revokesUpTo);
                }
                return Result.OfOptional(new RingKey(stored, key));
        }
    }

    private async Task<SigningKeyRing> ReadAsync(SigningKeyRing? known, CancellationToken cancellationToken)
    {
        var keys = known?.All.ToDictionary(key => key.Stored.Kid, key => key.Key) ?? [];
        var stored = await _store.ListAsync(cancellationToken);
        return new SigningKeyRing([.. stored.Select(key => new RingKey(key, keys.GetValueOrDefault(key.Kid) ?? Unprotect(key)))]);
    }

    private SigningKey Unprotect(StoredSigningKey stored)
    {
        try
        {
            return SigningKey.Import(stored.Alg, _protector.Unprotect(stored.ProtectedPrivateKey.ToArray()));
        }
        catch (CryptographicException exception)
        {
            throw new InvalidOperationException(
                $"The signing key {stored.Kid} cannot be decrypted with this node's Data Protection key ring. All nodes must share one "
                    + "ring: see Dcr:DataProtection:KeyRingPath.",
                exception);
        }
    }

    [LoggerMessage(EventId = 1201, Level = LogLevel.Information, Message = "Made signing key {Kid} for {Alg}, active from {ActivatesAt:O}")]
    private partial void LogMade(Printed kid, Printed alg, DateTimeOffset activatesAt);

    [LoggerMessage(EventId = 1202, Level = LogLevel.Warning, Message = "No signing key up to generation {RevokesUpTo} is trusted any more")]
    private partial void LogRevoked(int revokesUpTo);
}
