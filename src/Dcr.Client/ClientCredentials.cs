namespace Dcr.Client;

/// <summary>Who a client is, and the key it proves that with: in place of an id and a secret.</summary>
public sealed record ClientCredentials
{
    /// <summary>The client and its key.</summary>
    /// <param name="clientId">As the server gave it.</param>
    /// <param name="key">One of the keys that are registered for the client, under the same <c>kid</c>.</param>
    public ClientCredentials(string clientId, ISigningKey key)
    {
        ArgumentException.ThrowIfNullOrEmpty(clientId);
        ArgumentNullException.ThrowIfNull(key);
        ClientId = clientId;
        Key = key;
    }

    /// <summary>As the server gave it.</summary>
    public string ClientId { get; }

    /// <summary>Signs the client's assertions.</summary>
    public ISigningKey Key { get; }

    /// <summary>The client and the name of the key; nothing secret.</summary>
    public override string ToString() => $"{ClientId} (key {Key.PublicJwk.Kid})";
}
