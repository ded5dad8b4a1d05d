using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Jose;
using Dcr.Protocol;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Dcr.AccessTokens;

/// <summary>Who called with an access token.</summary>
/// <param name="client">As the store had it when the request arrived.</param>
/// <param name="token">The token.</param>
/// <param name="provedWith">The key that the token is bound to, proved with this request. Null: a bearer token.</param>
/// <param name="tokens">Judges the token again.</param>
/// <param name="challenge">The WWW-Authenticate header of a refusal.</param>
internal sealed class AccessTokenCaller(
    Client client, AccessToken token, PublicKey? provedWith, LiveAccessTokens tokens, Func<OAuthError, string> challenge)
    : ICaller
{
    /// <summary>As the store had it when the caller was last judged.</summary>
    public Client Client { get; private set; } = client;

    public AccessToken Token { get; } = token;

    public PublicKey? ProvedWith { get; } = provedWith;

    public AuditActor Actor => new(Client.ClientId, Token.Kid);

    /// <summary>What everything rests on that is done for this caller.</summary>
    public Grounds Grounds => new() { Clients = [ClientGround], Token = TokenGround };

    public Act Act => new(Actor, Grounds);

    /// <summary>The same for what is judged by the caller's registration policy.</summary>
    public Grounds GroundsWithPolicy => new() { Clients = [ClientGround with { Version = Client.Version }], Token = TokenGround };

    private ClientGround ClientGround => new()
    {
        ClientId = Client.ClientId,
        Incarnation = Client.Incarnation,
        StatusIndex = Token.StatusIndex,
        KeyThumbprint = Token.Thumbprint,
    };

    private TokenGround TokenGround => new(Token.Jti, Token.ExpiresAt);

    public async ValueTask<OAuthError?> JudgeAsync(CancellationToken cancellationToken)
    {
        var (live, fault) = await tokens.JudgeAsync(Token, cancellationToken);
        if (live is null)
        {
            var error = OAuthError.InvalidToken(
                "The access token has expired or was revoked while the request was under way; nothing was done.", fault);
            return error with { Challenge = challenge(error) };
        }
        Client = live.Client;
        return null;
    }

    /// <summary>Binds an endpoint's parameter to what <see cref="AccessTokenAuthentication"/> found.</summary>
    public static ValueTask<AccessTokenCaller> BindAsync(HttpContext context) =>
        ValueTask.FromResult(context.Features.GetRequiredFeature<AccessTokenCaller>());
}
