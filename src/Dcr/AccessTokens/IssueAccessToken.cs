using System.Text.Json.Serialization;
using Dcr.ClientAuthentication;
using Dcr.Clients;
using Dcr.Protocol;
using Dcr.Registration;
using MediatR;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Dcr.AccessTokens;

/// <summary>POST /oauth/token: client credentials grant (RFC 6749 section 4.4) by client assertion (RFC 7523 section 2.2).</summary>
internal static class IssueAccessTokenRoute
{
    public static async Task<IResult> HandleAsync(HttpRequest request, IMediator mediator, IssuerUrls urls, CancellationToken cancellationToken)
    {
        var form = await FormBody.ReadAsync(request, cancellationToken);
        if (!form.IsSuccess)
        {
            return new OAuthErrorResult(form.Error);
        }
        var credentials = ClientCredentials.Of(form.Value, request.Headers);
        var issued = await mediator.Send(
            new IssueAccessToken(form.Value.GetValueOrDefault("grant_type"), form.Value.GetValueOrDefault("scope"), form.Value.GetValueOrDefault("resource"), credentials),
            cancellationToken);
        return issued.IsSuccess
            ? TypedResults.Json(issued.Value, DcrJson.Default.IssuedAccessToken)
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
public sealed record IssueAccessToken(string? GrantType, string? Scope, string? Resource, ClientCredentials Credentials) : IRequest<Result<IssuedAccessToken>>;

/// <summary>RFC 6749 section 5.1; never a refresh token (section 4.4.3).</summary>
public sealed record IssuedAccessToken
{
    [JsonPropertyName("access_token")]
    public required string AccessToken { get; init; }

    [JsonPropertyName("token_type")]
    public string TokenType { get; } = "Bearer";

    /// <summary>Seconds.</summary>
    [JsonPropertyName("expires_in")]
    public required int ExpiresIn { get; init; }

    [JsonPropertyName("scope")]
    public required string Scope { get; init; }
}

internal sealed class IssueAccessTokenHandler(
    AuthenticateClient authenticate,
    AccessTokenWriter writer,
    IssuerUrls urls,
    IOptions<DcrOptions> options) : IRequestHandler<IssueAccessToken, Result<IssuedAccessToken>>
{
    public async Task<Result<IssuedAccessToken>> Handle(IssueAccessToken request, CancellationToken cancellationToken)
    {
        var authenticated = await authenticate.ExecuteAsync(request.Credentials, cancellationToken);
        if (!authenticated.IsSuccess)
        {
            return authenticated.Error;
        }
        var (client, key) = authenticated.Value;
        if (client.Metadata.GrantTypes?.Contains(GrantTypes.ClientCredentials) != true)
        {
            return OAuthError.UnauthorizedClient($"The client is not registered for the grant type {GrantTypes.ClientCredentials}.");
        }
        var granted = GrantScope(client, request.Scope);
        if (!granted.IsSuccess)
        {
            return granted.Error;
        }
        var audience = AudienceOf(granted.Value);
        if (request.Resource is { } resource && resource != audience)
        {
            return OAuthError.InvalidTarget($"resource must be {audience} for this scope.");
        }
        var lifetime = LifetimeOf(client, granted.Value);
        var scope = ScopeTokens.Join(granted.Value);
        // Tokens for this server's own endpoints remember the key they were asked for with: it goes into lineage and audit.
        var provedWith = audience == urls.DefaultAudience ? null : key;
        return new IssuedAccessToken
        {
            AccessToken = await writer.WriteAsync(client.ClientId, audience, scope, lifetime, provedWith, cancellationToken),
            ExpiresIn = (int)lifetime.TotalSeconds,
            Scope = scope,
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
                : OAuthError.InvalidScope("No scope was asked for, and the client has none that is given without asking. Name one of its registered scopes.");
        }
        if (scopes.FirstOrDefault(scope => !registered.Contains(scope)) is { } excess)
        {
            return OAuthError.InvalidScope($"The client is not registered for the scope {excess}.");
        }
        return scopes.Count > 1 && scopes.FirstOrDefault(ScopeTokens.StandsAlone) is { } lone
            ? OAuthError.InvalidScope($"The scope {lone} must be asked for alone: its token is for one endpoint of this server.")
            : Result.Of(scopes);
    }

    private string AudienceOf(IReadOnlyList<string> scopes) => scopes switch
    {
        [ScopeTokens.Registration] => urls.RegistrationEndpoint,
        [ScopeTokens.Administration] => urls.AdminApi,
        _ => urls.DefaultAudience,
    };

    private TimeSpan LifetimeOf(Client client, IReadOnlyList<string> scopes) => scopes is [ScopeTokens.Registration]
        ? TimeSpan.FromSeconds((client.RegistrationPolicy?.InitialAccessToken ?? InitialAccessTokenPolicy.Default).LifetimeSeconds)
        : options.Value.AccessTokenLifetime;
}
