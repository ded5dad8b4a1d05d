using Dcr.Clients;
using Dcr.Jose;
using Dcr.Protocol;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Dcr.Registration;

/// <summary>A client that manages itself with its registration access token (RFC 7592 section 2).</summary>
/// <param name="client">As the store had it when the request arrived.</param>
/// <param name="presentedToken">The registration access token it presented.</param>
/// <param name="provedWith">The key of the client that it proved with this request. Null: it sent the token as Bearer.</param>
/// <param name="tokens">Judges the token again.</param>
/// <param name="challenge">The WWW-Authenticate header of a refusal.</param>
internal sealed class ManagingClient(
    Client client,
    string presentedToken,
    PublicKey? provedWith,
    RegistrationAccessTokens tokens,
    Func<OAuthError?, string> challenge) : ICaller
{
    private readonly string _tokenHash = OpaqueSecret.Hash(presentedToken);

    /// <summary>As the store had it when the caller was last judged.</summary>
    public Client Client { get; private set; } = client;

    public string PresentedToken { get; } = presentedToken;

    public PublicKey? ProvedWith { get; } = provedWith;

    /// <summary>
    /// The token has been replaced by an update that changed the client's keys, and is only still taken because the answer may have been
    /// lost.
    /// </summary>
    public bool IsReplacedWithKeys(DateTimeOffset now) =>
        Client.RegistrationAccess is { PreviousChangedKeys: true } access && access.IsPrevious(_tokenHash, now);

    /// <summary>What everything rests on that this client changes of itself.</summary>
    public ClientGround Ground =>
        new() { ClientId = Client.ClientId, Incarnation = Client.Incarnation, RegistrationTokenHash = _tokenHash };

    public async ValueTask<OAuthError?> JudgeAsync(CancellationToken cancellationToken)
    {
        var found = await tokens.FindAsync(Client.ClientId, PresentedToken, cancellationToken);
        if (found is null || found.Incarnation != Client.Incarnation)
        {
            return Refuse(
                OAuthError.InvalidToken(
                    "The registration access token was replaced or revoked while the request was under way; nothing was done."));
        }
        Client = found;
        return tokens.IsActive(found) ? null : RegistrationAccessTokens.NotActive with { Challenge = challenge(null) };
    }

    /// <summary>A refusal of the token that the client presented, with the challenge that a 401 must have.</summary>
    public OAuthError Refuse(OAuthError error) => error with { Challenge = challenge(error) };

    /// <summary>Binds an endpoint's parameter to what <see cref="RegistrationAccessTokenAuthentication"/> found.</summary>
    public static ValueTask<ManagingClient> BindAsync(HttpContext context) =>
        ValueTask.FromResult(context.Features.GetRequiredFeature<ManagingClient>());
}
