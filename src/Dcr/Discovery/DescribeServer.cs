using System.Text.Json;
using System.Text.Json.Serialization;
using Dcr.Protocol;
using Dcr.SigningKeys;
using MediatR;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace Dcr.Discovery;

/// <summary>GET /.well-known/oauth-authorization-server: authorization server metadata (RFC 8414 section 3).</summary>
internal static class DescribeServerRoute
{
    public static async Task<JsonHttpResult<ServerMetadata>> HandleAsync(
        IMediator mediator, HttpResponse response, CancellationToken cancellationToken)
    {
        response.Headers.CacheControl = "public, max-age=300";
        response.Headers.Pragma = default;
        return TypedResults.Json(await mediator.Send(new DescribeServer(), cancellationToken), DiscoveryJson.Default.ServerMetadata);
    }
}

internal sealed record DescribeServer : IRequest<ServerMetadata>;

/// <summary>RFC 8414 section 2: what works here, and nothing else.</summary>
public sealed record ServerMetadata
{
    [JsonPropertyName("issuer")]
    public required string Issuer { get; init; }

    [JsonPropertyName("token_endpoint")]
    public required string TokenEndpoint { get; init; }

    [JsonPropertyName("registration_endpoint")]
    public required string RegistrationEndpoint { get; init; }

    [JsonPropertyName("jwks_uri")]
    public required string JwksUri { get; init; }

    [JsonPropertyName("introspection_endpoint")]
    public required string IntrospectionEndpoint { get; init; }

    [JsonPropertyName("introspection_endpoint_auth_methods_supported")]
    public required IReadOnlyList<string> IntrospectionEndpointAuthMethodsSupported { get; init; }

    [JsonPropertyName("introspection_endpoint_auth_signing_alg_values_supported")]
    public required IReadOnlyList<string> IntrospectionEndpointAuthSigningAlgValuesSupported { get; init; }

    [JsonPropertyName("introspection_signing_alg_values_supported")]
    public required IReadOnlyList<string> IntrospectionSigningAlgValuesSupported { get; init; }

    [JsonPropertyName("revocation_endpoint")]
    public required string RevocationEndpoint { get; init; }

    [JsonPropertyName("revocation_endpoint_auth_methods_supported")]
    public required IReadOnlyList<string> RevocationEndpointAuthMethodsSupported { get; init; }

    [JsonPropertyName("revocation_endpoint_auth_signing_alg_values_supported")]
    public required IReadOnlyList<string> RevocationEndpointAuthSigningAlgValuesSupported { get; init; }

    /// <summary>The scopes of this server itself; those of APIs are for each registration policy to name.</summary>
    [JsonPropertyName("scopes_supported")]
    public required IReadOnlyList<string> ScopesSupported { get; init; }

    /// <summary>
    /// Empty unless the operator names an authorization endpoint beside this server. The member is required all the same.
    /// </summary>
    [JsonPropertyName("response_types_supported")]
    public required IReadOnlyList<string> ResponseTypesSupported { get; init; }

    [JsonPropertyName("grant_types_supported")]
    public required IReadOnlyList<string> GrantTypesSupported { get; init; }

    [JsonPropertyName("token_endpoint_auth_methods_supported")]
    public required IReadOnlyList<string> TokenEndpointAuthMethodsSupported { get; init; }

    [JsonPropertyName("token_endpoint_auth_signing_alg_values_supported")]
    public required IReadOnlyList<string> TokenEndpointAuthSigningAlgValuesSupported { get; init; }

    /// <summary>RFC 9449 section 5.1.</summary>
    [JsonPropertyName("dpop_signing_alg_values_supported")]
    public required IReadOnlyList<string> DpopSigningAlgValuesSupported { get; init; }

    /// <summary>draft-ietf-oauth-attestation-based-client-auth-11 section 8: what attesters may sign with.</summary>
    [JsonPropertyName("client_attestation_signing_alg_values_supported")]
    public required IReadOnlyList<string> ClientAttestationSigningAlgValuesSupported { get; init; }

    /// <summary>And what the attested instances may.</summary>
    [JsonPropertyName("client_attestation_pop_signing_alg_values_supported")]
    public required IReadOnlyList<string> ClientAttestationPopSigningAlgValuesSupported { get; init; }

    /// <summary>
    /// OpenID Connect Discovery 1.0 section 3 requires this and the next; clients stop without them, though no ID token is issued here.
    /// </summary>
    [JsonPropertyName("subject_types_supported")]
    public required IReadOnlyList<string> SubjectTypesSupported { get; init; }

    [JsonPropertyName("id_token_signing_alg_values_supported")]
    public required IReadOnlyList<string> IdTokenSigningAlgValuesSupported { get; init; }

    /// <summary>What the operator adds for a server beside this one.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Others { get; set; }
}

internal sealed class DescribeServerHandler(
    IssuerUrls urls, SecurityProfileRules profile, AddedMetadata added, IOptions<SigningKeyOptions> signing)
    : IRequestHandler<DescribeServer, ServerMetadata>
{
    public Task<ServerMetadata> Handle(DescribeServer request, CancellationToken cancellationToken) =>
        Task.FromResult(added.To(new ServerMetadata
        {
            Issuer = urls.Issuer,
            TokenEndpoint = urls.TokenEndpoint,
            RegistrationEndpoint = urls.RegistrationEndpoint,
            JwksUri = urls.JwksUri,
            IntrospectionEndpoint = urls.IntrospectionEndpoint,
            IntrospectionEndpointAuthMethodsSupported = ["private_key_jwt"],
            IntrospectionEndpointAuthSigningAlgValuesSupported = profile.Algorithms,
            IntrospectionSigningAlgValuesSupported = [signing.Value.Algorithm],
            RevocationEndpoint = urls.RevocationEndpoint,
            RevocationEndpointAuthMethodsSupported = ["private_key_jwt"],
            RevocationEndpointAuthSigningAlgValuesSupported = profile.Algorithms,
            ScopesSupported = [ScopeTokens.Registration, ScopeTokens.Administration, ScopeTokens.Introspection],
            ResponseTypesSupported = [],
            GrantTypesSupported = [GrantTypes.ClientCredentials],
            TokenEndpointAuthMethodsSupported = ["private_key_jwt", "attest_jwt_client_auth", "attest_jwt_client_auth_dpop"],
            TokenEndpointAuthSigningAlgValuesSupported = profile.Algorithms,
            DpopSigningAlgValuesSupported = profile.Algorithms,
            ClientAttestationSigningAlgValuesSupported = profile.Algorithms,
            ClientAttestationPopSigningAlgValuesSupported = profile.Algorithms,
            SubjectTypesSupported = ["public"],
            IdTokenSigningAlgValuesSupported = ["RS256"],
        }));
}
