using System.Security.Claims;
using System.Text.Encodings.Web;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dcr.AccessTokens;

/// <summary>Who called with an access token: its client, as the store has it now, and the token.</summary>
internal sealed record AccessTokenCaller(Client Client, AccessToken Token)
{
    public AuditActor Actor => new(Client.ClientId, Token.Kid);

    /// <summary>Binds an endpoint's parameter to what <see cref="AccessTokenAuthentication"/> found.</summary>
    public static ValueTask<AccessTokenCaller> BindAsync(HttpContext context) =>
        ValueTask.FromResult(context.Features.GetRequiredFeature<AccessTokenCaller>());
}

/// <summary>
/// The authentication scheme of access tokens at this server's own endpoints. The client is read from the store each
/// time: one that is suspended, revoked or gone is refused at once.
/// </summary>
internal sealed partial class AccessTokenAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory loggers,
    UrlEncoder encoder,
    AccessTokenReader reader,
    IClientStore clients,
    IssuerUrls urls) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string SchemeName = "AccessToken";

    /// <summary>Holds the scope that the token's audience is for, so that a policy checks both as one.</summary>
    public const string GrantedClaim = "granted";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (BearerToken.Read(Request) is not { } text)
        {
            return AuthenticateResult.NoResult();
        }
        var (token, fault) = await reader.ReadAsync(text, Context.RequestAborted);
        if (token is null)
        {
            LogRefused(Logger, fault);
            return AuthenticateResult.Fail(fault);
        }
        if (await clients.FindAsync(token.ClientId, Context.RequestAborted) is not { IsActive: true } client)
        {
            LogInactive(Logger, token.ClientId);
            return AuthenticateResult.Fail("The client is not active.");
        }
        if (token.Thumbprint is { } thumbprint && client.QuarantinedKeys.Contains(thumbprint))
        {
            LogQuarantined(Logger, token.ClientId, thumbprint);
            return AuthenticateResult.Fail("The token was asked for with a key that is quarantined.");
        }
        Context.Features.Set(new AccessTokenCaller(client, token));
        var identity = new ClaimsIdentity(Scheme.Name);
        foreach (var scope in token.Scopes.Where(scope => token.Audience == AudienceFor(scope)))
        {
            identity.AddClaim(new Claim(GrantedClaim, scope));
        }
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme.Name));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var sent = Request.Headers.Authorization.Count > 0;
        var error = OAuthError.InvalidToken(sent
            ? "The access token is malformed, expired, revoked or not for this server."
            : "An access token is needed: Authorization: Bearer.");
        return new OAuthErrorResult(error, Challenge.Bearer(urls.Issuer, sent ? error : null)).ExecuteAsync(Context);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        // RFC 6750 section 3.1: the answer names the scope that is missing.
        var policy = Context.GetEndpoint()?.Metadata.GetMetadata<IAuthorizeData>()?.Policy;
        var scope = policy == Policies.Administrator ? ScopeTokens.Administration : ScopeTokens.Registration;
        var error = OAuthError.InsufficientScope($"The access token must have been asked for with the scope {scope}.");
        return new OAuthErrorResult(error, Challenge.Bearer(urls.Issuer, error, scope)).ExecuteAsync(Context);
    }

    private string? AudienceFor(string scope) => scope switch
    {
        ScopeTokens.Registration => urls.RegistrationEndpoint,
        ScopeTokens.Administration => urls.AdminApi,
        _ => null,
    };

    [LoggerMessage(Level = LogLevel.Information, Message = "Access token of {ClientId} refused: key {Thumbprint} is quarantined")]
    private static partial void LogQuarantined(ILogger logger, string clientId, string thumbprint);

    [LoggerMessage(Level = LogLevel.Information, Message = "Access token refused: {Fault}")]
    private static partial void LogRefused(ILogger logger, string fault);

    [LoggerMessage(Level = LogLevel.Information, Message = "Access token refused: client {ClientId} is not active")]
    private static partial void LogInactive(ILogger logger, string clientId);
}
