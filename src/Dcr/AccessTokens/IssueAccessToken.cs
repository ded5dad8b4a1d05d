using System.Text.Json.Serialization;
using Dcr.ClientAuthentication;
using Dcr.Clients;
using Dcr.Proofs;
using Dcr.Protocol;
using Dcr.TokenStatus;
using MediatR;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Dcr.AccessTokens;

/// <summary>POST /oauth/token: client credentials grant (RFC 6749 section 4.4) by client assertion (RFC 7523 section 2.2).</summary>
internal static class IssueAccessTokenRoute
{
    public static async Task<IResult> HandleAsync(
        HttpRequest request, IMediator mediator, IssuerUrls urls, CancellationToken cancellationToken)
    {
        var form = await FormBody.ReadAsync(request, cancellationToken);
        if (!form.IsSuccess)
        {
            return new OAuthErrorResult(form.Error);
        }
        var command = new IssueAccessToken(
            form.Value.GetValueOrDefault("grant_type"),
            form.Value.GetValueOrDefault("scope"),
            form.Value.GetValueOrDefault("resource"),
            SentCredentials.Of(form.Value, request.Headers),
            SentProofs.Of(request, urls));
        var issued = await mediator.Send(command, cancellationToken);
        return issued.IsSuccess
            ? TypedResults.Json(issued.Value, AccessTokensJson.Default.IssuedAccessToken)
            : ClientAuthenticationRefusal.ToResult(issued.Error, urls, request);
    }
}

/// <summary>The form of a token request, for the OpenAPI document.</summary>
public sealed record AccessTokenRequest
{
    /// <summary><c>client_credentials</c></summary>
    [JsonPropertyName("grant_type")]
    public required string GrantType { get; init; }

    /// <summary><c>urn:ietf:params:oauth:client-assertion-type:jwt-bearer</c></summary>
    [JsonPropertyName("client_assertion_type")]
    public required string ClientAssertionType { get; init; }

    /// <summary>A JWT signed by the client: iss and sub its client_id, aud the issuer, exp at most 10 minutes ahead, a fresh jti.</summary>
    [JsonPropertyName("client_assertion")]
    public required string ClientAssertion { get; init; }

    /// <summary>Left out: all registered scopes but dcr and dcr.admin, which must be asked for by name and alone.</summary>
    [JsonPropertyName("scope")]
    public string? Scope { get; init; }

    [JsonPropertyName("client_id")]
    public string? ClientId { get; init; }

    [JsonPropertyName("resource")]
    public string? Resource { get; init; }
}

/// <param name="GrantType">Must be <c>client_credentials</c>.</param>
/// <param name="Scope">Null: all registered scopes but those that must be asked for by name.</param>
/// <param name="Resource">RFC 8707. Null: the default audience of the scope.</param>
/// <param name="Credentials">How the client proves itself.</param>
/// <param name="Proofs">The DPoP header as sent: the token is bound to the key of a proof (RFC 9449 section 5).</param>
internal sealed record IssueAccessToken(string? GrantType, string? Scope, string? Resource, SentCredentials Credentials, SentProofs Proofs)
    : IRequest<Result<IssuedAccessToken>>;

/// <summary>RFC 6749 section 5.1; never a refresh token (section 4.4.3).</summary>
public sealed record IssuedAccessToken
{
    [JsonPropertyName("access_token")]
    public required string AccessToken { get; init; }

    /// <summary><c>Bearer</c>, or <c>DPoP</c> for a token that is bound to a key (RFC 9449 section 5).</summary>
    [JsonPropertyName("token_type")]
    public required string TokenType { get; init; }

    /// <summary>Seconds.</summary>
    [JsonPropertyName("expires_in")]
    public required int ExpiresIn { get; init; }

    [JsonPropertyName("scope")]
    public required string Scope { get; init; }
}

internal sealed class IssueAccessTokenHandler(
    ClientAuthenticator authenticate,
    AccessTokenBinding bind,
    IStatusListStore statuses,
    AccessTokenWriter writer,
    IssuerUrls urls,
    TimeProvider time,
    IOptions<DcrOptions> options) : IRequestHandler<IssueAccessToken, Result<IssuedAccessToken>>
{
    public async Task<Result<IssuedAccessToken>> Handle(IssueAccessToken request, CancellationToken cancellationToken)
    {
        var authenticated = await authenticate.ExecuteAsync(request.Credentials, request.Proofs, cancellationToken);
        if (!authenticated.IsSuccess)
        {
            return authenticated.Error;
        }
        var (client, key, instance) = authenticated.Value;
        if (client.Metadata.GrantTypes?.Contains(GrantTypes.ClientCredentials) != true)
        {
            return OAuthError.UnauthorizedClient($"The client is not registered for the grant type {GrantTypes.ClientCredentials}.");
        }
        var granted = GrantScope(client, request.Scope);
        if (!granted.IsSuccess)
        {
            return granted.Error;
        }
        // An attestation is taken by the registration policy, for registration: no device is the onboarding client in anything else.
        if (instance is not null && granted.Value is not [ScopeTokens.Registration])
        {
            return OAuthError.InvalidScope($"An attested instance gets the scope {ScopeTokens.Registration} only.");
        }
        var audience = AudienceOf(client, granted.Value, request.Resource);
        if (!audience.IsSuccess)
        {
            return audience.Error;
        }
        var bound = await bind.ExecuteAsync(request.Proofs, client, instance, granted.Value, cancellationToken);
        if (!bound.IsSuccess)
        {
            return bound.Error;
        }
        if ((client.StatusIndex ?? await statuses.AssignAsync(client.ClientId, cancellationToken)) is not { } statusIndex)
        {
            return OAuthError.InvalidClient(ClientAssertionRules.Unproved, "the client has been stopped or has expired meanwhile");
        }
        var isForApi = !granted.Value.Any(ScopeTokens.StandsAlone);
        var token = new NewAccessToken
        {
            ClientId = client.ClientId,
            Audience = audience.Value,
            StatusIndex = statusIndex,
            Scope = ScopeTokens.Join(granted.Value),
            Lifetime = LifetimeOf(client, granted.Value),
            // Tokens for this server's own endpoints remember the key they were asked for with: it goes into lineage and audit.
            ProvedWith = isForApi ? null : key,
            Attester = isForApi ? null : instance?.Attester,
            BoundTo = bound.Value.Value?.Thumbprint,
        };
        return new IssuedAccessToken
        {
            AccessToken = await writer.WriteAsync(token, cancellationToken),
            TokenType = token.BoundTo is null ? BearerToken.Bearer : BearerToken.Dpop,
            ExpiresIn = (int)token.Lifetime.TotalSeconds,
            Scope = token.Scope,
        };
    }

    /// <summary>RFC 6749 section 3.3: within what is registered; <c>dcr</c> and <c>dcr.admin</c> only by name, and alone.</summary>
    private static Result<IReadOnlyList<string>> GrantScope(Client client, string? requested)
    {
        var registered = ScopeTokens.Split(client.Metadata.Scope);
        var scopes = ScopeTokens.Split(requested);
        if (scopes.Count == 0)
        {
            scopes = [.. registered.Where(scope => !ScopeTokens.StandsAlone(scope))];
            return scopes.Count > 0
                ? Result.Of(scopes)
                : OAuthError.InvalidScope(
                    "No scope was asked for, and the client has none that is given without asking. Name one of its registered scopes.");
        }
        if (scopes.FirstOrDefault(scope => !registered.Contains(scope)) is { } excess)
        {
            return OAuthError.InvalidScope($"The client is not registered for the scope {excess}.");
        }
        return scopes.Count > 1 && scopes.FirstOrDefault(ScopeTokens.StandsAlone) is { } lone
            ? OAuthError.InvalidScope($"The scope {lone} must be asked for alone: its token is for one endpoint of this server.")
            : Result.Of(scopes);
    }

    /// <summary>RFC 8707 section 2: one token, one API, among those the client is registered for.</summary>
    private Result<string> AudienceOf(Client client, IReadOnlyList<string> scopes, string? resource)
    {
        var audience = scopes switch
        {
            [ScopeTokens.Registration] => urls.RegistrationEndpoint,
            [ScopeTokens.Administration] => urls.AdminApi,
            _ => urls.DefaultAudience,
        };
        if (resource is null || resource == audience)
        {
            return audience;
        }
        var mayAsk = audience == urls.DefaultAudience && client.Metadata.Resources?.Contains(resource) == true;
        if (mayAsk)
        {
            return resource;
        }
        IEnumerable<string> allowed = audience == urls.DefaultAudience ? [audience, .. client.Metadata.Resources ?? []] : [audience];
        return OAuthError.InvalidTarget($"resource: with this scope the client may ask for {string.Join(' ', allowed)}.");
    }

    /// <summary>Never beyond the life of the client.</summary>
    private TimeSpan LifetimeOf(Client client, IReadOnlyList<string> scopes)
    {
        var lifetime = scopes is [ScopeTokens.Registration]
            ? TimeSpan.FromSeconds((client.RegistrationPolicy?.InitialAccessToken ?? InitialAccessTokenPolicy.Default).LifetimeSeconds)
            : options.Value.AccessTokenLifetime;
        return client.Lifecycle.ExpiresAt - time.GetUtcNow() is { } left && left < lifetime ? left : lifetime;
    }
}
