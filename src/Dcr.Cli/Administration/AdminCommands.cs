using System.CommandLine;

namespace Dcr.Cli;

/// <summary><c>dcr admin</c>: every command of administrators on one screen.</summary>
internal static class AdminCommands
{
    public static Command Create() => new CommandGroup("admin", "Look after all clients of a server, as its administrator")
    {
        new CommandGroup("clients", "Find clients, stop them and let them go on")
        {
            ListClientsCommand.Create(),
            ShowAnyClientCommand.Create(),
            FindClientsCommand.Create(),
            ChangeClientsCommands.Suspend(),
            ChangeClientsCommands.Resume(),
            ChangeClientsCommands.Revoke(),
            ChangeClientsCommands.SignOut(),
            AllowKeyChangeCommand.Create(),
            SetAssertionAudienceCommand.Create(),
            new CommandGroup("keys", "Look at the keys of a client, and block one")
            {
                KeysOfClientCommands.List(),
                KeysOfClientCommands.Quarantine(),
                KeysOfClientCommands.Release(),
            },
        },
        new CommandGroup("quarantine", "Keys that are blocked on the whole server, whoever has them")
        {
            QuarantineCommands.List(),
            QuarantineCommands.Show(),
            QuarantineCommands.Add(),
            QuarantineCommands.Remove(),
        },
        new CommandGroup("operation", "What is done to many clients at once")
        {
            ShowOperationCommand.Create(),
        },
        new CommandGroup("onboarding", "Say who may register clients, and which")
        {
            ListOnboardingClientsCommand.Create(),
            ShowOnboardingClientCommand.Create(),
            AddOnboardingClientCommand.Create(),
            ReplaceOnboardingClientCommand.Create(),
            DeleteOnboardingClientCommand.Create(),
        },
        new CommandGroup("signing-keys", "The keys that the server signs tokens with")
        {
            SigningKeysCommands.List(),
            SigningKeysCommands.Rotate(),
        },
        new CommandGroup("key-sets", "Key sets that the server hosts for clients without a URL")
        {
            KeySetsCommands.List(),
            KeySetsCommands.Create(),
            KeySetsCommands.Show(),
            KeySetsCommands.Delete(),
            new CommandGroup("keys", "The keys of a key set: add, activate, retire, withdraw")
            {
                KeySetKeysCommands.Add(),
                KeySetKeysCommands.Activate(),
                KeySetKeysCommands.Retire(),
                KeySetKeysCommands.Withdraw(),
            },
        },
        ListAuditCommand.Create(),
        ReapClientsCommand.Create(),
    };
}
