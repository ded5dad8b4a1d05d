using System.Security.Cryptography;
using Dcr.Auditing;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging;

namespace Dcr.Keys;

/// <summary>
/// The keys the server signs its tokens with: made at the first start, kept in the store with the private part
/// encrypted, the same on every node.
/// </summary>
internal sealed partial class SigningKeys(
    ISigningKeyStore store,
    IDataProtectionProvider protection,
    IAuditStore audit,
    AuditRecords records,
    TimeProvider time,
    ILogger<SigningKeys> logger) : IDisposable
{
    private readonly IDataProtector _protector = protection.CreateProtector("Dcr.SigningKeys.v1");
    private readonly SemaphoreSlim _loading = new(1, 1);
    private IReadOnlyList<SigningKey>? _loaded;

    /// <summary>All keys to publish and to verify with; the last one signs.</summary>
    public async ValueTask<IReadOnlyList<SigningKey>> AllAsync(CancellationToken cancellationToken)
    {
        if (_loaded is { } loaded)
        {
            return loaded;
        }
        await _loading.WaitAsync(cancellationToken);
        try
        {
            return _loaded ??= await LoadAsync(cancellationToken);
        }
        finally
        {
            _loading.Release();
        }
    }

    public async ValueTask<SigningKey> CurrentAsync(CancellationToken cancellationToken) =>
        (await AllAsync(cancellationToken))[^1];

    public void Dispose() => _loading.Dispose();

    private async Task<IReadOnlyList<SigningKey>> LoadAsync(CancellationToken cancellationToken)
    {
        var stored = await store.ListAsync(cancellationToken);
        if (stored.Count == 0)
        {
            await MakeFirstAsync(cancellationToken);
            // Another node may have been first: what the store has is the truth.
            stored = await store.ListAsync(cancellationToken);
        }
        return [.. stored.Select(Unprotect)];
    }

    private async Task MakeFirstAsync(CancellationToken cancellationToken)
    {
        var key = SigningKey.Generate();
        var made = new StoredSigningKey(1, key.Kid, key.Alg, _protector.Protect(key.ExportPkcs8()), time.GetUtcNow());
        if (await store.AddAsync(made, cancellationToken) == AddSigningKeyOutcome.Added)
        {
            await audit.AddAsync(records.Create(AuditActions.SigningKeyMade, key.Kid, actor: null), cancellationToken);
            LogMade(key.Kid, key.Alg);
        }
    }

    private SigningKey Unprotect(StoredSigningKey stored)
    {
        try
        {
            return SigningKey.Import(_protector.Unprotect(stored.ProtectedPrivateKey.ToArray()));
        }
        catch (CryptographicException exception)
        {
            throw new InvalidOperationException(
                $"The signing key {stored.Kid} cannot be decrypted with this node's Data Protection key ring. All nodes must share one ring: see Dcr:DataProtection:KeyRingPath.",
                exception);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Made signing key {Kid} for {Alg}")]
    private partial void LogMade(string kid, string alg);
}
