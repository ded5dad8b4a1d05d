using Dcr.Clients;
using Dcr.Protocol;

namespace Dcr.Registration;

/// <summary>
/// The onboarding client that a client rests on for as long as it lives: the very one that registered it, while it is active.
/// </summary>
internal sealed class RegisteringClients(IClientStore clients, TimeProvider time)
{
    /// <summary>What a client is told whose onboarding client was ended, or made again under the same name.</summary>
    public static readonly OAuthError Gone = OAuthError.AccessDenied(
        "The onboarding client that registered this client is not active any more, or is another one under the same name; this client can "
            + "be read and deleted, not changed.");

    /// <returns>Null: it is gone, stopped, or another one of the same name.</returns>
    public async Task<Client?> FindAsync(Client registered, CancellationToken cancellationToken) =>
        registered.Origin is { } origin
        && await clients.FindAsync(origin.OnboardingClient, cancellationToken) is { } onboarding
        && onboarding.Incarnation == origin.OnboardingClientIncarnation
        && onboarding.IsActiveAt(time.GetUtcNow())
            ? onboarding
            : null;

    /// <summary>That it stays as it is, policy included, until the effect is made.</summary>
    public static ClientGround GroundOf(Client onboarding) => new()
    {
        ClientId = onboarding.ClientId,
        Incarnation = onboarding.Incarnation,
        Version = onboarding.Version,
    };
}
