using System.Text.Json.Serialization;
using Dcr.ClientAuthentication;
using Dcr.Proofs;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.AccessTokens;

/// <summary>
/// POST /oauth/introspect: token introspection (RFC 7662) for clients with the scope <c>introspect</c>; as a signed JWT (RFC 9701)
/// where the caller's Accept asks for one.
/// </summary>
internal static class IntrospectAccessTokenRoute
{
    public static async Task<IResult> HandleAsync(
        HttpRequest request, IMediator mediator, IntrospectionJwt jwt, IssuerUrls urls, CancellationToken cancellationToken)
    {
        var form = await FormBody.ReadAsync(request, cancellationToken);
        if (!form.IsSuccess)
        {
            return new OAuthErrorResult(form.Error);
        }
        var command = new IntrospectAccessToken(
            form.Value.GetValueOrDefault("token"), SentCredentials.Of(form.Value, request.Headers), SentProofs.Of(request, urls));
        var answer = await mediator.Send(command, cancellationToken);
        if (!answer.IsSuccess)
        {
            return ClientAuthenticationRefusal.ToResult(answer.Error, urls, request);
        }
        return IntrospectionJwt.IsWanted(request)
            ? TypedResults.Text(
                await jwt.WriteAsync(answer.Value.Introspection, answer.Value.Caller, cancellationToken), IntrospectionJwt.MediaType)
            : TypedResults.Json(answer.Value.Introspection, AccessTokensJson.Default.Introspection);
    }
}

/// <summary>The form of an introspection or revocation request, for the OpenAPI document.</summary>
public sealed record TokenQuery
{
    [JsonPropertyName("token")]
    public required string Token { get; init; }

    /// <summary>Taken and not needed: there is one kind of token.</summary>
    [JsonPropertyName("token_type_hint")]
    public string? TokenTypeHint { get; init; }

    /// <summary><c>urn:ietf:params:oauth:client-assertion-type:jwt-bearer</c></summary>
    [JsonPropertyName("client_assertion_type")]
    public required string ClientAssertionType { get; init; }

    [JsonPropertyName("client_assertion")]
    public required string ClientAssertion { get; init; }
}

/// <summary>RFC 7662 section 2.2. An inactive token has nothing but <c>active</c>.</summary>
public sealed record Introspection
{
    public static readonly Introspection Inactive = new() { Active = false };

    [JsonPropertyName("active")]
    public required bool Active { get; init; }

    /// <summary>Space-separated.</summary>
    [JsonPropertyName("scope")]
    public string? Scope { get; init; }

    [JsonPropertyName("client_id")]
    public string? ClientId { get; init; }

    /// <summary>The client: there are no users here.</summary>
    [JsonPropertyName("sub")]
    public string? Subject { get; init; }

    [JsonPropertyName("aud")]
    public string? Audience { get; init; }

    [JsonPropertyName("iss")]
    public string? Issuer { get; init; }

    /// <summary>Seconds since 1970, as the other times.</summary>
    [JsonPropertyName("exp")]
    public long? Expires { get; init; }

    [JsonPropertyName("iat")]
    public long? IssuedAt { get; init; }

    [JsonPropertyName("jti")]
    public string? Jti { get; init; }

    /// <summary><c>Bearer</c> or <c>DPoP</c>.</summary>
    [JsonPropertyName("token_type")]
    public string? TokenType { get; init; }

    /// <summary>The key that the token is bound to (RFC 9449 section 6.2). Null: none.</summary>
    [JsonPropertyName("cnf")]
    public Confirmation? Confirmation { get; init; }
}

/// <param name="Thumbprint">RFC 7638, SHA-256, base64url.</param>
public sealed record Confirmation([property: JsonPropertyName("jkt")] string Thumbprint);

/// <summary>What a token is, and who asked.</summary>
internal sealed record IntrospectionAnswer(Introspection Introspection, string Caller);

internal sealed record IntrospectAccessToken(string? Token, SentCredentials Credentials, SentProofs Proofs)
    : IRequest<Result<IntrospectionAnswer>>;

internal sealed class IntrospectAccessTokenHandler(ClientAuthenticator authenticate, LiveAccessTokens tokens, IssuerUrls urls)
    : IRequestHandler<IntrospectAccessToken, Result<IntrospectionAnswer>>
{
    public async Task<Result<IntrospectionAnswer>> Handle(IntrospectAccessToken request, CancellationToken cancellationToken)
    {
        var authenticated = await authenticate.ExecuteAsync(request.Credentials, request.Proofs, cancellationToken);
        if (!authenticated.IsSuccess)
        {
            return authenticated.Error;
        }
        var caller = authenticated.Value.Client;
        if (authenticated.Value.Instance is not null || !ScopeTokens.Split(caller.Metadata.Scope).Contains(ScopeTokens.Introspection))
        {
            return OAuthError.AccessDenied($"The client is not registered for the scope {ScopeTokens.Introspection}.");
        }
        if (request.Token is not { } text)
        {
            return OAuthError.InvalidRequest("token is missing.");
        }
        var (live, _) = await tokens.FindAsync(text, cancellationToken);
        return new IntrospectionAnswer(
            live is not null && MaySee(caller, live.Token) ? Describe(live.Token) : Introspection.Inactive, caller.ClientId);
    }

    /// <summary>
    /// RFC 7662 section 4: who asks learns about tokens that are meant for it. Its <c>resources</c> say which those are; without any,
    /// those of the default audience. Tokens for this server's own endpoints are for nobody else, unless they are among its resources.
    /// </summary>
    private bool MaySee(Clients.Client caller, AccessToken token) =>
        caller.Metadata.Resources is { Count: > 0 } resources ? resources.Contains(token.Audience) : token.Audience == urls.DefaultAudience;

    private Introspection Describe(AccessToken token) => new()
    {
        Active = true,
        Scope = ScopeTokens.Join(token.Scopes),
        ClientId = token.ClientId,
        Subject = token.ClientId,
        Audience = token.Audience,
        Issuer = urls.Issuer,
        Expires = token.ExpiresAt.ToUnixTimeSeconds(),
        IssuedAt = token.IssuedAt.ToUnixTimeSeconds(),
        Jti = token.Jti,
        TokenType = token.BoundTo is null ? BearerToken.Bearer : BearerToken.Dpop,
        Confirmation = token.BoundTo is { } thumbprint ? new Confirmation(thumbprint) : null,
    };
}
