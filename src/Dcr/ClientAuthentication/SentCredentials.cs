using Microsoft.AspNetCore.Http;

namespace Dcr.ClientAuthentication;

/// <summary>What a request authenticates its client with, as sent.</summary>
internal sealed record SentCredentials
{
    public string? ClientAssertionType { get; init; }

    public string? ClientAssertion { get; init; }

    public string? ClientId { get; init; }

    /// <summary>The <c>OAuth-Client-Attestation</c> header, one for each field. Empty: the client is not attested.</summary>
    public IReadOnlyList<string> Attestations { get; init; } = [];

    /// <summary>The <c>OAuth-Client-Attestation-PoP</c> header.</summary>
    public IReadOnlyList<string> AttestationProofs { get; init; } = [];

    /// <summary>A <c>client_secret</c> was sent.</summary>
    public bool HasSecret { get; init; }

    /// <summary>An Authorization header was sent.</summary>
    public bool HasAuthorizationHeader { get; init; }

    internal static SentCredentials Of(IReadOnlyDictionary<string, string> form, IHeaderDictionary headers) => new()
    {
        ClientAssertionType = form.GetValueOrDefault("client_assertion_type"),
        ClientAssertion = form.GetValueOrDefault("client_assertion"),
        ClientId = form.GetValueOrDefault("client_id"),
        Attestations = [.. headers[ClientAttestationRules.Header].OfType<string>()],
        AttestationProofs = [.. headers[ClientAttestationRules.ProofHeader].OfType<string>()],
        HasSecret = form.ContainsKey("client_secret"),
        HasAuthorizationHeader = headers.Authorization.Count > 0,
    };
}
