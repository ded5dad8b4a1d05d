namespace Dcr.Client;

/// <summary>
/// The JWT by which a client proves itself (RFC 7523 section 2.2, <c>private_key_jwt</c>). <see cref="DcrClient"/> makes
/// them by itself; make one here to send it by other means.
/// </summary>
public static class ClientAssertion
{
    /// <summary>The value of <c>client_assertion_type</c>.</summary>
    public const string Type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    /// <summary>How long an assertion can be used.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(60);

    /// <summary>Makes an assertion. It can be used once: make a new one for each request.</summary>
    /// <param name="client">Who is to be proved: becomes <c>iss</c> and <c>sub</c>.</param>
    /// <param name="issuer">
    /// The issuer identifier of the server, exactly as in its metadata: the one <c>aud</c>. Never the URL of an endpoint,
    /// which another server could have named to trick the client out of an assertion.
    /// </param>
    /// <param name="time">The clock. Null: the system's.</param>
    /// <param name="cancellationToken">Stops the wait for the key.</param>
    /// <example>
    /// <code>
    /// var assertion = await ClientAssertion.CreateAsync(new ClientCredentials("partner", key), "https://as.example");
    /// </code>
    /// </example>
    public static ValueTask<string> CreateAsync(
        ClientCredentials client, string issuer, TimeProvider? time = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentException.ThrowIfNullOrEmpty(issuer);
        var now = (time ?? TimeProvider.System).GetUtcNow();
        return CompactJws.SignAsync(
            client.Key,
            header => CompactJws.WriteHeader(header, client.Key, "client-authentication+jwt"),
            claims =>
            {
                claims.WriteString("iss", client.ClientId);
                claims.WriteString("sub", client.ClientId);
                claims.WriteString("aud", issuer);
                claims.WriteNumber("iat", now.ToUnixTimeSeconds());
                claims.WriteNumber("exp", (now + Lifetime).ToUnixTimeSeconds());
                claims.WriteString("jti", CompactJws.NewJti());
            },
            cancellationToken);
    }
}
