using System.CommandLine;

namespace Dcr.Cli;

/// <summary>The <c>dcr</c> command: every command on one screen.</summary>
internal static class DcrCommand
{
    // Options are shared by commands, and belong to one tree of them.
    private static readonly Lazy<RootCommand> s_root = new(Create);

    public static RootCommand Root => s_root.Value;

    private static RootCommand Create()
    {
        var root = new RootCommand(
            "Registers OAuth clients by themselves (RFC 7591, RFC 7592), with keys in place of secrets, and looks after them.")
        {
            new CommandGroup("keys", "Make, read and show key pairs")
            {
                NewKeyCommand.Create(),
                ImportKeyCommand.Create(),
                ShowKeyCommand.Create(),
                ExportJwksCommand.Create(),
            },
            new CommandGroup("profile", "Remember a server, a client and its key under a name")
            {
                SetProfileCommand.Create(),
                ListProfilesCommand.Create(),
                ShowProfileCommand.Create(),
                RemoveProfileCommand.Create(),
            },
            AssertCommand.Create(),
            DoctorCommand.Create(),
            TokenCommand.Create(),
            RegisterCommand.Create(),
            new CommandGroup("client", "Read, change and delete the client of a profile (RFC 7592)")
            {
                ShowClientCommand.Create(),
                UpdateClientCommand.Create(),
                DeleteClientCommand.Create(),
                ClientKeysCommand.Create(),
            },
            new CommandGroup("device", "Try the flow of a mobile app without a phone")
            {
                AttestDeviceCommand.Create(),
            },
            AdminCommands.Create(),
            InitCommand.Create(),
            QuickstartCommand.Create(),
            BenchCommand.Create(),
            CompletionCommand.Create(),
        };
        return CommandLineRules.Apply(root);
    }

    /// <summary>Runs one command line.</summary>
    /// <returns>The <see cref="ExitCode"/>.</returns>
    public static Task<int> RunAsync(
        IReadOnlyList<string> arguments, Surroundings surroundings, CancellationToken cancellationToken = default) =>
        CommandLineRules.InvokeAsync(Root.Parse(arguments), arguments, surroundings, cancellationToken);
}
