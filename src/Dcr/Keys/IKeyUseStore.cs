namespace Dcr.Keys;

/// <summary>When each key of each client was last used. Written in batches, some time after the fact.</summary>
public interface IKeyUseStore
{
    /// <summary>A use that is older than the one stored changes nothing.</summary>
    Task RecordAsync(IReadOnlyCollection<KeyUse> uses, CancellationToken cancellationToken);

    /// <summary>By thumbprint. A client has a few keys at most. Served by an index.</summary>
    Task<IReadOnlyDictionary<string, DateTimeOffset>> FindAsync(string clientId, CancellationToken cancellationToken);
}

/// <param name="Thumbprint">RFC 7638, SHA-256, base64url.</param>
public sealed record KeyUse(string ClientId, string Thumbprint, DateTimeOffset UsedAt);
