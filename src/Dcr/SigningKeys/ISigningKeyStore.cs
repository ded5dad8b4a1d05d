using Dcr.Auditing;
using Dcr.Protocol;

namespace Dcr.SigningKeys;

/// <summary>The server's own signing keys, shared by all nodes. Private parts are stored protected.</summary>
public interface ISigningKeyStore
{
    /// <summary>All keys, by generation, ascending. A handful at most.</summary>
    Task<IReadOnlyList<StoredSigningKey>> ListAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Atomic: of parallel calls with one generation, one adds. The record is stored exactly when the key is. Durable when
    /// the call returns.
    /// </summary>
    Task<AddSigningKeyOutcome> AddAsync(StoredSigningKey key, AuditRecord record, Grounds grounds, CancellationToken cancellationToken);

    /// <summary>Removes a key whose tokens have all expired. Does nothing when it is gone already.</summary>
    Task RemoveAsync(int generation, CancellationToken cancellationToken);
}

public enum AddSigningKeyOutcome
{
    Added,

    /// <summary>Another node made this generation first: list again and use its key.</summary>
    AlreadyThere,

    /// <summary>What the addition rests on does not hold any more; nothing was added.</summary>
    GroundsChanged,
}

/// <param name="Generation">1 for the first key, one more for each that follows: what makes two nodes agree.</param>
/// <param name="Kid">RFC 7638 thumbprint of the public key, base64url.</param>
/// <param name="Alg">The one JWS algorithm the key signs with.</param>
/// <param name="ProtectedPrivateKey">PKCS#8, encrypted by Data Protection.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="ActivatesAt">From when on it signs; published before.</param>
/// <param name="RevokesUpTo">Every key up to this generation is not to be trusted any more. 0: none.</param>
public sealed record StoredSigningKey(
    int Generation,
    string Kid,
    string Alg,
    ReadOnlyMemory<byte> ProtectedPrivateKey,
    DateTimeOffset CreatedAt,
    DateTimeOffset ActivatesAt,
    int RevokesUpTo);
