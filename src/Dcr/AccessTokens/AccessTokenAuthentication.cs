using System.Security.Claims;
using System.Text.Encodings.Web;
using Dcr.Jose;
using Dcr.Proofs;
using Dcr.Protocol;
using Dcr.Protocol.RateLimits;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dcr.AccessTokens;

/// <summary>
/// The authentication scheme of access tokens at this server's own endpoints. The client is read from the store each
/// time: one that is suspended, revoked or gone is refused at once. A token that is bound to a key is taken only as DPoP
/// with a proof by that key (RFC 9449 section 7.1), never as Bearer.
/// </summary>
internal sealed class AccessTokenAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory loggers,
    UrlEncoder encoder,
    LiveAccessTokens tokens,
    DpopProofRules proofs,
    SecurityProfileRules profile,
    IssuerUrls urls) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string SchemeName = "AccessToken";

    /// <summary>Holds the scope that the token's audience is for, so that a policy checks both as one.</summary>
    public const string GrantedClaim = "granted";

    private OAuthError? _proofFault;
    private string? _fault;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var asDpop = BearerToken.Read(Request, BearerToken.Dpop);
        if ((asDpop ?? BearerToken.Read(Request)) is not { } text)
        {
            return AuthenticateResult.NoResult();
        }
        var (live, fault) = await tokens.FindAsync(text, Context.RequestAborted);
        if (live is null || !IsForThisServer(live.Token))
        {
            _fault = live is null ? fault : $"it is for {live.Token.Audience}";
            return AuthenticateResult.Fail("The token is not good here.");
        }
        var (token, client) = live;
        var proved = await CheckProofAsync(token, asDpop);
        if (!proved.IsSuccess)
        {
            _proofFault = proved.Error;
            return AuthenticateResult.Fail("The token is not proved.");
        }
        Context.Features.Set(new AccessTokenCaller(client, token, proved.Value.Value, tokens, ChallengeFor));
        // An initial access token goes from hand to hand: who has one must not use up what its onboarding client may do.
        var isHandedOn = token.Audience == urls.RegistrationEndpoint;
        Context.Features.Set(new ProvedCaller(isHandedOn ? $"{client.ClientId} {token.Jti}" : client.ClientId));
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
        var error = _proofFault ?? OAuthError.InvalidToken(sent
            ? "The access token is malformed, expired, revoked or not for this server."
            : "An access token is needed: Authorization: Bearer.") with
        { Detail = _fault };
        var challenge = _proofFault is not null
            ? Challenge.Dpop(urls.Issuer, profile.AlgorithmNames, error)
            : ChallengeFor(sent ? error : null);
        return new OAuthErrorResult(error with { Status = StatusCodes.Status401Unauthorized }, challenge).ExecuteAsync(Context);
    }

    /// <summary>Under the scheme that the token was sent with.</summary>
    private string ChallengeFor(OAuthError? error) => BearerToken.IsSentAs(Request, BearerToken.Dpop)
        ? Challenge.Dpop(urls.Issuer, profile.AlgorithmNames, error)
        : Challenge.Bearer(urls.Issuer, error);

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        // RFC 6750 section 3.1: the answer names the scope that is missing.
        var scope = Context.GetEndpoint()?.Metadata.GetMetadata<NeededToken>()?.Value ?? ScopeTokens.Registration;
        var error = OAuthError.InsufficientScope($"The access token must have been asked for with the scope {scope}.");
        var asDpop = BearerToken.IsSentAs(Request, BearerToken.Dpop);
        return new OAuthErrorResult(
            error,
            asDpop
                ? Challenge.Dpop(urls.Issuer, profile.AlgorithmNames, error, scope)
                : Challenge.Bearer(urls.Issuer, error, scope)).ExecuteAsync(Context);
    }

    private async Task<Result<Optional<PublicKey>>> CheckProofAsync(AccessToken token, string? asDpop)
    {
        if (token.BoundTo is not { } thumbprint)
        {
            return asDpop is null
                ? Result.OfOptional<PublicKey>(null)
                : OAuthError.InvalidToken("The access token is bound to no key: send it as Authorization: Bearer.");
        }
        if (asDpop is null)
        {
            return OAuthError.InvalidToken(
                "The access token is bound to a key: send it as Authorization: DPoP, with a proof by that key in the DPoP header.");
        }
        var proved = await proofs.CheckAsync(
            SentProofs.Of(Request, urls),
            asDpop,
            key => key.Thumbprint == thumbprint ? null : "The DPoP proof is made with another key than the access token is bound to.",
            record: true,
            Context.RequestAborted);
        return proved.IsSuccess ? Result.OfOptional<PublicKey>(proved.Value) : proved.Error;
    }

    private bool IsForThisServer(AccessToken token) =>
        token.Audience == urls.RegistrationEndpoint || token.Audience == urls.AdminApi || token.Audience == urls.DefaultAudience;

    private string? AudienceFor(string scope) => scope switch
    {
        ScopeTokens.Registration => urls.RegistrationEndpoint,
        ScopeTokens.Administration => urls.AdminApi,
        _ => null,
    };
}
