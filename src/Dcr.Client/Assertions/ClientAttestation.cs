using System.Buffers.Text;

namespace Dcr.Client;

/// <summary>
/// The JWT by which somebody whom the server trusts, usually an app's backend, vouches for the key of one device
/// (draft-ietf-oauth-attestation-based-client-auth-11). The backend makes it, the device registers with it. Of no use
/// without the device's key.
/// </summary>
/// <example>The backend, once it is sure of the device; and the device:
/// <code>
/// var attestation = await ClientAttestation.CreateAsync("https://app.example", backendKey, "orders-app", deviceJwk);
/// return attestation.Value;
///
/// var initial = await dcr.GetInitialAccessTokenAsync(new ClientAttestation(value), deviceKey);
/// </code>
/// </example>
public sealed record ClientAttestation
{
    /// <summary>The HTTP header that it is sent in.</summary>
    public const string Header = "OAuth-Client-Attestation";

    /// <summary>How long an attestation can be used, unless something else is asked for: as long as it takes to register.</summary>
    public static readonly TimeSpan DefaultLifetime = TimeSpan.FromMinutes(5);

    /// <summary>An attestation that a backend handed over.</summary>
    /// <param name="value">The JWT, as it was handed over.</param>
    /// <exception cref="ArgumentException">The text is no signed JWT.</exception>
    public ClientAttestation(string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(value);
        // Without the text: an exception ends in a log.
        if (value.Split('.') is not { Length: 3 } parts || !parts.All(IsBase64Url))
        {
            throw new ArgumentException(
                "The text is no signed JWT: it must be three base64url parts with dots between, and nothing else.", nameof(value));
        }
        Value = value;
    }

    /// <summary>The JWT, to be handed over as it is.</summary>
    public string Value { get; }

    /// <summary>Vouches for the key of a device.</summary>
    /// <param name="attester">Who does: becomes <c>iss</c>, the <c>issuer</c> that the registration policy names.</param>
    /// <param name="attesterKey">One of the attester's keys in the policy, under the same <c>kid</c>.</param>
    /// <param name="clientId">The onboarding client, the same for every copy of the app: becomes <c>sub</c>.</param>
    /// <param name="deviceKey">The public half of the key that was made on the device: becomes <c>cnf</c>.</param>
    /// <param name="lifetime">Null: <see cref="DefaultLifetime"/>.</param>
    /// <param name="time">The clock. Null: the system's.</param>
    /// <param name="cancellationToken">Stops the wait for the key.</param>
    public static async ValueTask<ClientAttestation> CreateAsync(
        string attester,
        ISigningKey attesterKey,
        string clientId,
        PublicJwk deviceKey,
        TimeSpan? lifetime = null,
        TimeProvider? time = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(attester);
        ArgumentNullException.ThrowIfNull(attesterKey);
        ArgumentException.ThrowIfNullOrEmpty(clientId);
        ArgumentNullException.ThrowIfNull(deviceKey);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(lifetime ?? DefaultLifetime, TimeSpan.Zero, nameof(lifetime));
        var now = (time ?? TimeProvider.System).GetUtcNow();
        return new ClientAttestation(await CompactJws.SignAsync(
            attesterKey,
            header => CompactJws.WriteHeader(header, attesterKey, "oauth-client-attestation+jwt"),
            claims =>
            {
                claims.WriteString("iss", attester);
                claims.WriteString("sub", clientId);
                claims.WriteNumber("iat", now.ToUnixTimeSeconds());
                claims.WriteNumber("exp", (now + (lifetime ?? DefaultLifetime)).ToUnixTimeSeconds());
                claims.WriteStartObject("cnf");
                CompactJws.WriteJwk(claims, deviceKey);
                claims.WriteEndObject();
            },
            cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Nothing of the JWT.</summary>
    public override string ToString() => "Client attestation";

    // Base64Url.IsValid tolerates padding and white space; a header does not.
    private static bool IsBase64Url(string part) => part.Length > 0 && !part.AsSpan().ContainsAny("= \t\r\n") && Base64Url.IsValid(part);
}
