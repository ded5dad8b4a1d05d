using Dcr.Client;

namespace Dcr.Cli;

/// <summary>The client that a profile has registered.</summary>
internal static class RegisteredClient
{
    public static async Task<ClientInformation> ReadAsync(Connection connection, CancellationToken cancellationToken)
    {
        if ((await connection.RegistrationStore.LoadAsync(cancellationToken))?.ClientId is null)
        {
            throw CommandFailure.Usage($"The profile {connection.ProfileName} has no client that was registered here.", "Register one: dcr register --help");
        }
        return await connection.Registration.ReadAsync(cancellationToken);
    }
}
