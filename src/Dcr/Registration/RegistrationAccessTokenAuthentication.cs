using System.Security.Claims;
using System.Text.Encodings.Web;
using Dcr.Clients;
using Dcr.Jose;
using Dcr.Keys;
using Dcr.Proofs;
using Dcr.Protocol;
using Dcr.Protocol.RateLimits;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dcr.Registration;

/// <summary>
/// The authentication scheme of registration access tokens (RFC 7592 section 2). An unknown, deleted or revoked client
/// and a wrong token get the same 401; the good token of a suspended or expired client gets 403.
/// </summary>
internal sealed class RegistrationAccessTokenAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory loggers,
    UrlEncoder encoder,
    RegistrationAccessTokens tokens,
    IClientStore clients,
    KeySelector keys,
    DpopProofRules proofs,
    SecurityProfileRules profile,
    IssuerUrls urls,
    TimeProvider time) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string SchemeName = "RegistrationAccessToken";

    // Present when the client may manage itself now.
    private const string ActiveClaim = "active";

    public static readonly NeededToken Needed = new("the client's registration access token", SchemeName, ActiveClaim, "true");

    private OAuthError? _proofFault;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var asDpop = BearerToken.Read(Request, BearerToken.Dpop);
        if ((asDpop ?? BearerToken.Read(Request)) is not { } token || Request.RouteValues["client_id"] is not string clientId)
        {
            return AuthenticateResult.NoResult();
        }
        if (await tokens.FindAsync(clientId, token, Context.RequestAborted) is not { } client)
        {
            return AuthenticateResult.Fail("There is no such client to manage, or it is not a token of this client.");
        }
        var proved = await CheckProofAsync(client, asDpop);
        if (!proved.IsSuccess)
        {
            _proofFault = proved.Error;
            return AuthenticateResult.Fail("The token is not proved.");
        }
        // Only now: a request that is refused has no effect.
        client = await ForgetPreviousAsync(client, token);
        Context.Features.Set(new ManagingClient(client, token, proved.Value.Value, tokens, ChallengeFor));
        Context.Features.Set(new ProvedCaller(client.ClientId));
        var identity = new ClaimsIdentity(tokens.IsActive(client) ? [new Claim(ActiveClaim, "true")] : [], Scheme.Name);
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme.Name));
    }

    /// <summary>
    /// Where the client's tokens are bound, by its own wish or by the profile for everybody (FAPI 2.0 section 5.3.2.1 item 4), its
    /// registration access token is nothing without a proof by one of its keys, so that one that leaked changes nothing. A client that
    /// has lost its keys is let off by the administrator who allows it to change them.
    /// </summary>
    private async Task<Result<Optional<PublicKey>>> CheckProofAsync(Client client, string? asDpop)
    {
        if (asDpop is null)
        {
            var isBound = profile.BindsEveryToken || client.Metadata.DpopBoundAccessTokens == true;
            return isBound && !client.MayChangeKeysAt(time.GetUtcNow())
                ? OAuthError.InvalidToken(
                    "The client's tokens are bound to its keys (dpop_bound_access_tokens): send this one as Authorization: DPoP, with a "
                        + "proof by one of them.")
                : Result.OfOptional<PublicKey>(null);
        }
        var held = (await keys.FindAsync(client.AsKeyOwner(), Context.RequestAborted)).Set;
        var proved = await proofs.CheckAsync(
            SentProofs.Of(Request, urls),
            asDpop,
            key => held?.Keys.Any(own => own.Thumbprint == key.Thumbprint) == true && !client.QuarantinedKeys.Contains(key.Thumbprint)
                ? null
                : "The DPoP proof must be made with one of the client's keys.",
            record: true,
            Context.RequestAborted);
        return proved.IsSuccess ? Result.OfOptional<PublicKey>(proved.Value) : proved.Error;
    }

    // The client holds the new token, so the one before it has done its service.
    private async Task<Client> ForgetPreviousAsync(Client client, string token)
    {
        if (client.RegistrationAccess is not { PreviousTokenHash: not null } access || !OpaqueSecret.Matches(token, access.TokenHash))
        {
            return client;
        }
        await clients.ForgetPreviousRegistrationTokenAsync(client.ClientId, access.TokenHash, Context.RequestAborted);
        return client with { RegistrationAccess = new RegistrationAccess { TokenHash = access.TokenHash } };
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if (_proofFault is { } fault)
        {
            return new OAuthErrorResult(
                fault with { Status = StatusCodes.Status401Unauthorized },
                Challenge.Dpop(urls.Issuer, profile.AlgorithmNames, fault)).ExecuteAsync(Context);
        }
        var sent = Request.Headers.Authorization.Count > 0;
        var error = OAuthError.InvalidToken(sent
            ? "The registration access token is malformed, replaced, revoked or not for this client."
            : "The client's registration access token is needed: Authorization: Bearer.") with
        { Detail = $"client {Shortened.OrNone(Request.RouteValues["client_id"] as string)}" };
        return new OAuthErrorResult(error, ChallengeFor(sent ? error : null)).ExecuteAsync(Context);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        new OAuthErrorResult(RegistrationAccessTokens.NotActive, ChallengeFor(null)).ExecuteAsync(Context);

    private string ChallengeFor(OAuthError? error) => Challenge.Bearer(urls.Issuer, error);
}
