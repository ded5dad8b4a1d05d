using System.Text.Json;
using System.Text.Json.Serialization;
using Dcr.Jose;
using Dcr.Protocol;

namespace Dcr.Clients;

/// <summary>What an onboarding client may register. A member that is left out has the default it documents.</summary>
public sealed record RegistrationPolicy
{
    /// <summary>Null: one use, five minutes, bound to no key.</summary>
    [JsonPropertyName("initial_access_token")]
    public InitialAccessTokenPolicy? InitialAccessToken { get; init; }

    /// <summary>Null: nothing may be registered.</summary>
    [JsonPropertyName("scope")]
    public ScopePolicy? Scope { get; init; }

    /// <summary>Null: no client may ask for tokens for another audience than the default.</summary>
    [JsonPropertyName("resources")]
    public ResourcePolicy? Resources { get; init; }

    /// <summary>Null: every grant type that this server registers.</summary>
    [JsonPropertyName("grant_types")]
    public GrantTypePolicy? GrantTypes { get; init; }

    /// <summary>
    /// The JWS algorithms a client may authenticate with, and so the kinds of keys it may register: ES for EC, PS and RS
    /// for RSA. Null: every algorithm of the server. Never empty: that reads like none.
    /// </summary>
    [JsonPropertyName("signing_algs")]
    public IReadOnlyList<string>? SigningAlgs { get; init; }

    /// <summary>Where keys may come from. Null: anywhere.</summary>
    [JsonPropertyName("keys")]
    public KeySources? Keys { get; init; }

    /// <summary>How many keys a client may register inline. Null: 10.</summary>
    [JsonPropertyName("max_inline_keys")]
    public int? MaxInlineKeys { get; init; }

    /// <summary>Host names, or <c>*.</c> and a name for every host below it. Null: any host. Never empty.</summary>
    [JsonPropertyName("jwks_uri_hosts")]
    public IReadOnlyList<string>? JwksUriHosts { get; init; }

    /// <summary>As <see cref="JwksUriHosts"/>, for <c>redirect_uris</c>; where given, a redirect URI without a host is refused.</summary>
    [JsonPropertyName("redirect_uri_hosts")]
    public IReadOnlyList<string>? RedirectUriHosts { get; init; }

    /// <summary>How many clients may be active or suspended at once. Null: any number.</summary>
    [JsonPropertyName("max_live_clients")]
    public long? MaxLiveClients { get; init; }

    /// <summary>How many clients may be registered within an hour that begins with the first of them. Null: any number.</summary>
    [JsonPropertyName("max_registrations_per_hour")]
    public long? MaxRegistrationsPerHour { get; init; }

    /// <summary>Seconds from registration until the client expires. Null: it does not.</summary>
    [JsonPropertyName("client_lifetime_seconds")]
    public long? ClientLifetimeSeconds { get; init; }

    /// <summary>Seconds without use until the client expires. Null: it does not.</summary>
    [JsonPropertyName("idle_lifetime_seconds")]
    public long? IdleLifetimeSeconds { get; init; }

    /// <summary>Null: none is accepted.</summary>
    [JsonPropertyName("software_statement")]
    public SoftwareStatementPolicy? SoftwareStatement { get; init; }

    /// <summary>Whether the registrant shows, by a DPoP proof, that it holds a key it registers. Null: off.</summary>
    [JsonPropertyName("proof_of_possession")]
    public Requirement? ProofOfPossession { get; init; }

    /// <summary>
    /// Whether clients register <c>dpop_bound_access_tokens</c>: required sets it where it is left out, off refuses it. Null: optional.
    /// </summary>
    [JsonPropertyName("dpop_bound_access_tokens")]
    public Requirement? DpopBoundAccessTokens { get; init; }

    /// <summary>Null: off.</summary>
    [JsonPropertyName("attestation")]
    public AttestationPolicy? Attestation { get; init; }

    /// <summary>
    /// Entries of lists that are unsupported or forbidden are dropped where something remains, and the answer says what was registered.
    /// Null: they are refused.
    /// </summary>
    [JsonPropertyName("narrow")]
    public bool? Narrow { get; init; }

    /// <summary>Metadata that a client gets where its request and its software statement say nothing. Null: none.</summary>
    [JsonPropertyName("defaults")]
    public ClientMetadata? Defaults { get; init; }

    /// <summary>While a policy is read: unknown members, to be rejected by name.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }

    internal const int DefaultInlineKeys = 10;

    /// <summary>The registered key must be the one the initial access token is bound to.</summary>
    internal bool BindsKey => InitialAccessToken?.BoundToKey == true;
}

// Setters, not init: the source-generated reader keeps a default only where a member can be left alone.
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record InitialAccessTokenPolicy
{
    public static readonly InitialAccessTokenPolicy Default = new();

    /// <summary>The most that <see cref="LifetimeSeconds"/> may be.</summary>
    public static readonly TimeSpan LongestLifetime = TimeSpan.FromDays(1);

    /// <summary>How many clients one token makes. Default 1.</summary>
    [JsonPropertyName("uses")]
    public int Uses { get; set; } = 1;

    /// <summary>Seconds. Default 300.</summary>
    [JsonPropertyName("lifetime_seconds")]
    public int LifetimeSeconds { get; set; } = 300;

    /// <summary>The token is asked for with a DPoP proof and registers the key of that proof, and no other. Default false.</summary>
    [JsonPropertyName("bound_to_key")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool BoundToKey { get; set; }
}

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ScopePolicy
{
    /// <summary>The ceiling: every scope a registered client may have. Empty: none.</summary>
    [JsonPropertyName("allowed")]
    public IReadOnlyList<string> Allowed { get; set; } = [];

    /// <summary>What a client gets that asks for no scope. Empty: it must ask.</summary>
    [JsonPropertyName("default")]
    public IReadOnlyList<string> Default { get; set; } = [];
}

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ResourcePolicy
{
    /// <summary>The ceiling: every resource (RFC 8707) a registered client may ask tokens for. Empty: none.</summary>
    [JsonPropertyName("allowed")]
    public IReadOnlyList<string> Allowed { get; set; } = [];

    /// <summary>What a client gets that asks for none. Empty: none.</summary>
    [JsonPropertyName("default")]
    public IReadOnlyList<string> Default { get; set; } = [];
}

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record GrantTypePolicy
{
    /// <summary>The ceiling. Null: every grant type that this server registers. Never empty.</summary>
    [JsonPropertyName("allowed")]
    public IReadOnlyList<string>? Allowed { get; set; }

    /// <summary>What a client gets that asks for none. Null: <c>client_credentials</c>. Never empty.</summary>
    [JsonPropertyName("default")]
    public IReadOnlyList<string>? Default { get; set; }
}

[JsonConverter(typeof(WireEnumConverter<KeySources>))]
public enum KeySources
{
    [JsonStringEnumMemberName("any")]
    Any,

    [JsonStringEnumMemberName("jwks")]
    Jwks,

    [JsonStringEnumMemberName("jwks_uri")]
    JwksUri,
}

[JsonConverter(typeof(WireEnumConverter<Requirement>))]
public enum Requirement
{
    [JsonStringEnumMemberName("off")]
    Off,

    [JsonStringEnumMemberName("optional")]
    Optional,

    [JsonStringEnumMemberName("required")]
    Required,
}

[JsonConverter(typeof(WireEnumConverter<SoftwareStatementMode>))]
public enum SoftwareStatementMode
{
    [JsonStringEnumMemberName("none")]
    None,

    [JsonStringEnumMemberName("optional")]
    Optional,

    [JsonStringEnumMemberName("required")]
    Required,
}

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record SoftwareStatementPolicy
{
    /// <summary>Default: none.</summary>
    [JsonPropertyName("mode")]
    public SoftwareStatementMode Mode { get; set; }

    [JsonPropertyName("issuers")]
    public IReadOnlyList<StatementIssuer> Issuers { get; set; } = [];

    /// <summary>How many clients one statement makes; it must have a <c>jti</c> then, by which it is known. Null: any number.</summary>
    [JsonPropertyName("uses")]
    public int? Uses { get; set; }
}

/// <summary>Somebody whose signature is trusted, by inline keys or by a URL.</summary>
public interface ITrustedIssuer
{
    string Issuer { get; }

    JwkSet? Jwks { get; }

    string? JwksUri { get; }
}

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record StatementIssuer : ITrustedIssuer
{
    /// <summary>The <c>iss</c> of its software statements.</summary>
    [JsonPropertyName("issuer")]
    public required string Issuer { get; init; }

    [JsonPropertyName("jwks")]
    public JwkSet? Jwks { get; init; }

    [JsonPropertyName("jwks_uri")]
    public string? JwksUri { get; init; }

    /// <summary>Which software it may speak for. Null: any. Never empty.</summary>
    [JsonPropertyName("software_ids")]
    public IReadOnlyList<string>? SoftwareIds { get; init; }
}

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record AttestationPolicy
{
    /// <summary>Default: off.</summary>
    [JsonPropertyName("mode")]
    public Requirement Mode { get; set; }

    [JsonPropertyName("attesters")]
    public IReadOnlyList<Attester> Attesters { get; set; } = [];
}

/// <summary>A backend that vouches for keys made on devices.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record Attester : ITrustedIssuer
{
    /// <summary>The <c>iss</c> of its attestations.</summary>
    [JsonPropertyName("issuer")]
    public required string Issuer { get; init; }

    [JsonPropertyName("jwks")]
    public JwkSet? Jwks { get; init; }

    [JsonPropertyName("jwks_uri")]
    public string? JwksUri { get; init; }
}
