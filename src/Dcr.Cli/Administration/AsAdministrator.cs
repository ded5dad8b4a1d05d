using Dcr.Client;

namespace Dcr.Cli;

/// <summary>Commands of administrators: as the client of a profile, which is <c>admin</c> where the user names none.</summary>
internal static class AsAdministrator
{
    /// <summary>What the command does with the admin API; it succeeds unless it throws.</summary>
    public static LeafCommand DoesAsAdministrator(this LeafCommand command, Func<CommandRun, AdminApi, CancellationToken, Task> action) =>
        command.WithAdministrator().Does(
            (run, cancellationToken) => RunAsync(run, api => action(run, api, cancellationToken), cancellationToken));

    // No --client-id, --key and --kid: here these words are about other clients.
    public static LeafCommand WithAdministrator(this LeafCommand command) =>
        command.With(CommonOptions.Profile, CommonOptions.Server, CommonOptions.ConnectTo, CommonOptions.KeyPasswordFile);

    public static async Task RunAsync(CommandRun run, Func<AdminApi, Task> action, CancellationToken cancellationToken)
    {
        using var connection = await Connection.OpenAsync(run, cancellationToken, AdminApi.DefaultProfile);
        var clientId = await connection.FindClientIdAsync(cancellationToken);
        if (clientId is null || connection.Profile.KeyFile is null)
        {
            throw CommandFailure.Usage(
                $"Who are you? The profile {connection.ProfileName} is none of an administrator.",
                $"dcr profile set {connection.ProfileName} --server URL --client-id admin --key data/admin.jwk");
        }
        using var api = await AdminApi.OpenAsync(connection, cancellationToken);
        try
        {
            await action(api);
        }
        catch (DcrException refusal) when (refusal.Error == "invalid_scope")
        {
            throw new CommandFailure(
                ExitCode.Refused,
                $"The server refused: the client {clientId} is no administrator.",
                "Use the profile of a client with the scope dcr.admin: --profile NAME")
            { Error = refusal.Error };
        }
    }
}
