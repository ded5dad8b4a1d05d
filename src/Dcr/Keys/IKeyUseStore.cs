namespace Dcr.Keys;

/// <summary>When each key of each client was last used. Written in batches, some time after the fact.</summary>
public interface IKeyUseStore
{
    /// <summary>
    /// A use that is older than the one stored changes nothing, and neither does one of a client or key set that is gone, or was made after
    /// the use: it belongs to another that had the same id. Each use by itself is atomic. Of a deletion and this at once, nothing is left.
    /// </summary>
    Task RecordAsync(IReadOnlyCollection<KeyUse> uses, CancellationToken cancellationToken);

    /// <summary>By thumbprint. A client has a few keys at most; when it is deleted, they go with it. Served by an index.</summary>
    Task<IReadOnlyDictionary<string, DateTimeOffset>> FindAsync(string clientId, CancellationToken cancellationToken);
}

/// <param name="ClientId">The client, or a hosted key set as <see cref="KeySetPrefix"/> and its id.</param>
/// <param name="Thumbprint">RFC 7638, SHA-256, base64url.</param>
/// <param name="UsedAt">By the clock of the node that saw it.</param>
public sealed record KeyUse(string ClientId, string Thumbprint, DateTimeOffset UsedAt)
{
    public const string KeySetPrefix = "key-set:";

    /// <summary>The id of the hosted key set whose key it is. Null: it is that of a client.</summary>
    public string? KeySetId => ClientId.StartsWith(KeySetPrefix, StringComparison.Ordinal) ? ClientId[KeySetPrefix.Length..] : null;
}
