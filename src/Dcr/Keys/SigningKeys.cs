using System.Security.Cryptography;
using Dcr.Auditing;
using Dcr.Protocol;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dcr.Keys;

/// <summary>
/// The keys the server signs its tokens with: made at the first start, followed by others in time, kept in the store with
/// the private part encrypted, the same on every node. Every request may bring the next one about; no node has a part of
/// its own in it.
/// </summary>
internal sealed partial class SigningKeys(
    ISigningKeyStore store,
    IDataProtectionProvider protection,
    IOptions<SigningKeyOptions> options,
    AuditRecords records,
    TimeProvider time,
    ILogger<SigningKeys> logger) : IDisposable
{
    // How long a node may not know of what another did: an emergency reaches all of them within this.
    private static readonly TimeSpan s_lookAgainAfter = TimeSpan.FromSeconds(5);
    private const int MaxAttempts = 10;

    private readonly IDataProtector _protector = protection.CreateProtector("Dcr.SigningKeys.v1");
    private readonly SemaphoreSlim _loading = new(1, 1);
    private volatile Loaded? _loaded;

    /// <summary>All keys as they are now.</summary>
    public async ValueTask<SigningKeyRing> RingAsync(CancellationToken cancellationToken)
    {
        if (_loaded is { } loaded && time.GetUtcNow() - loaded.At < s_lookAgainAfter)
        {
            return loaded.Ring;
        }
        await _loading.WaitAsync(cancellationToken);
        try
        {
            var now = time.GetUtcNow();
            if (_loaded is not { } known || now - known.At >= s_lookAgainAfter)
            {
                _loaded = new Loaded(await LoadAsync(now, cancellationToken), now);
            }
            return _loaded.Ring;
        }
        catch (StoreUnavailableException) when (_loaded is { } known)
        {
            // The keys do not change because the store is away; whatever else a request needs of it will say so.
            return known.Ring;
        }
        finally
        {
            _loading.Release();
        }
    }

    public async ValueTask<SigningKey> CurrentAsync(CancellationToken cancellationToken) =>
        (await RingAsync(cancellationToken)).Current(time.GetUtcNow())?.Key ?? throw new InvalidOperationException("No signing key is active.");

    /// <summary>Makes the next key before its time.</summary>
    /// <param name="emergency">True: it signs at once, and no key before it is trusted any more. False: it is announced first.</param>
    /// <param name="act">The administrator's.</param>
    public async Task<Result<RingKey>> RotateAsync(bool emergency, Act act, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var ring = await ReadAsync(cancellationToken);
            var now = time.GetUtcNow();
            var made = await TryAddAsync(ring, emergency ? now : now + SigningKeyRing.LeastAnnouncement, emergency ? ring.Newest?.Stored.Generation ?? 0 : 0, act, cancellationToken);
            _loaded = null;
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

    public void Dispose() => _loading.Dispose();

    private async Task<SigningKeyRing> LoadAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var ring = await ReadAsync(cancellationToken);
        if (NextActivation(ring, now) is { } activatesAt)
        {
            // Another node may be first: what the store has then is the truth.
            await TryAddAsync(ring, activatesAt, revokesUpTo: 0, Act.Server, cancellationToken);
            ring = await ReadAsync(cancellationToken);
        }
        foreach (var retired in ring.All.Where(key => key != ring.Newest && ring.RetiresAt(key) <= now).ToList())
        {
            await store.RemoveAsync(retired.Stored.Generation, cancellationToken);
        }
        return ring;
    }

    /// <summary>From when on a key that is due now will sign. Null: none is due.</summary>
    private DateTimeOffset? NextActivation(SigningKeyRing ring, DateTimeOffset now)
    {
        if (ring.Current(now) is not { } current)
        {
            return now;
        }
        if (ring.Newest!.Stored.ActivatesAt > now)
        {
            return null;
        }
        if (ring.Newest.Stored.Alg != options.Value.Algorithm)
        {
            return now + SigningKeyRing.LeastAnnouncement;
        }
        var due = current.Stored.ActivatesAt + options.Value.RotateEvery;
        var announced = now + options.Value.AnnounceBefore;
        return announced < due ? null : announced;
    }

    /// <returns>Nothing: another node made this generation first.</returns>
    private async Task<Result<Optional<RingKey>>> TryAddAsync(SigningKeyRing ring, DateTimeOffset activatesAt, int revokesUpTo, Act act, CancellationToken cancellationToken)
    {
        var key = SigningKey.Generate(options.Value.Algorithm);
        var stored = new StoredSigningKey(
            (ring.Newest?.Stored.Generation ?? 0) + 1, key.Kid, key.Alg, _protector.Protect(key.ExportPkcs8()), time.GetUtcNow(), activatesAt, revokesUpTo);
        var changes = new Dictionary<string, AuditChange> { ["activates_at"] = new(null, activatesAt.ToString("O")) };
        foreach (var revoked in ring.All.Where(other => other.Stored.Generation <= revokesUpTo && !ring.IsRevoked(other)))
        {
            changes[revoked.Stored.Kid] = new AuditChange("trusted", "revoked");
        }
        var record = records.Create(AuditActions.SigningKeyMade, key.Kid, act.Actor) with { Changes = changes };
        switch (await store.AddAsync(stored, record, act.Grounds, cancellationToken))
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

    private async Task<SigningKeyRing> ReadAsync(CancellationToken cancellationToken)
    {
        var known = _loaded?.Ring.All.ToDictionary(key => key.Stored.Kid, key => key.Key) ?? [];
        var stored = await store.ListAsync(cancellationToken);
        return new SigningKeyRing([.. stored.Select(key => new RingKey(key, known.GetValueOrDefault(key.Kid) ?? Unprotect(key)))]);
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
                $"The signing key {stored.Kid} cannot be decrypted with this node's Data Protection key ring. All nodes must share one ring: see Dcr:DataProtection:KeyRingPath.",
                exception);
        }
    }

    private sealed record Loaded(SigningKeyRing Ring, DateTimeOffset At);

    [LoggerMessage(Level = LogLevel.Information, Message = "Made signing key {Kid} for {Alg}, active from {ActivatesAt:O}")]
    private partial void LogMade(Printed kid, Printed alg, DateTimeOffset activatesAt);

    [LoggerMessage(Level = LogLevel.Warning, Message = "No signing key up to generation {RevokesUpTo} is trusted any more")]
    private partial void LogRevoked(int revokesUpTo);
}
