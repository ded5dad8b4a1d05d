using Dcr.Client;

namespace Dcr.Cli;

/// <summary>The client that a profile has registered.</summary>
internal static class RegisteredClient
{
    /// <summary>What the profile has of its client; that there is one.</summary>
    public static async Task<ClientRegistration> OpenAsync(Connection connection, CancellationToken cancellationToken) =>
        (await connection.RegistrationStore.LoadAsync(cancellationToken))?.ClientId is not null
            ? await connection.RegistrationAsync(cancellationToken)
            : throw CommandFailure.Usage(
                $"The profile {connection.ProfileName} has no client that was registered here.", "Register one: dcr register --help");
}
