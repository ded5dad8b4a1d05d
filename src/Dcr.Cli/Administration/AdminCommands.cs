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
            new CommandGroup("exception", "For clients whose assertions cannot name the issuer alone yet (RFC 10070), or last too long")
            {
                AssertionExceptionCommands.List(),
                AssertionExceptionCommands.Set(),
                AssertionExceptionCommands.Remove(),
            },
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
        new SignpostCommand(
            "keys",
            "Where keys of all kinds are looked after",
            ("dcr admin clients keys", "the keys of a client: look at them, block one"),
            ("dcr admin quarantine", "keys that are blocked on the whole server"),
            ("dcr admin key-sets keys", "the keys of a set that the server hosts"),
            ("dcr admin signing-keys", "the server's own keys")),
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
