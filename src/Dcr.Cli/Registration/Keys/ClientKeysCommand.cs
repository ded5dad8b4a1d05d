using System.CommandLine;
using System.Text.Json.Nodes;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>
/// <c>dcr client keys</c>: the keys of the client of a profile, one by one; <see cref="RenewKeyCommand"/> does all of it.
/// </summary>
internal static class ClientKeysCommand
{
    private static readonly Argument<string> s_file = new("file") { Description = "The new private key; its public half is published" };

    private static readonly Option<string?> s_nextKid = new("--next-kid")
    {
        Description = "The kid of the new key (default: the JWK's, else its thumbprint)",
        HelpName = "kid",
    };

    private static readonly Argument<string> s_kid = new("kid") { Description = "Of the key, as dcr client keys list shows it" };

    private const string DefaultEnd = "1h";

    private static readonly Option<string?> s_until = new("--until")
    {
        Description = EndTime.Description + " (default: in an hour)",
        HelpName = "time",
    };

    public static Command Create() => new CommandGroup("keys", "Show and change the keys of the client")
    {
        new LeafCommand("list", "List the client's keys", new Example("dcr client keys list", "of the client in the default profile"))
            .WithRegistration()
            .Does(ListAsync),
        new LeafCommand(
            "add", "Publish a new key beside the others", new Example("dcr client keys add next.pem", "the key that is used goes on"))
            .With(s_file, s_nextKid)
            .WithRegistration()
            .Does(AddAsync),
        new LeafCommand(
            "activate",
            "Let an added key be used (hosted sets; others are active at once)",
            new Example("dcr client keys activate next", "by its kid"))
            .With(s_kid)
            .WithRegistration()
            .Does(
                (run, cancellationToken) =>
                    ChangeAsync(run, (keys, by) => keys.ActivateAsync(run.Get(s_kid), by, cancellationToken), cancellationToken)),
        new LeafCommand(
            "retire",
            "Give a key an end (hosted sets)",
            new Example("dcr client keys retire old --until 7d", "in a week; without --until in an hour"))
            .With(s_kid, s_until)
            .WithRegistration()
            .Does((run, cancellationToken) =>
            {
                var end = EndTime.Of(run.Get(s_until) ?? DefaultEnd, run.Time.GetUtcNow());
                return ChangeAsync(run, (keys, by) => keys.RetireAsync(run.Get(s_kid), end, by, cancellationToken), cancellationToken);
            }),
        new LeafCommand(
            "withdraw", "End a key at once", new Example("dcr client keys withdraw old", "nothing that is signed with it works any more"))
            .With(s_kid)
            .WithRegistration()
            .Does(
                (run, cancellationToken) =>
                    ChangeAsync(run, (keys, by) => keys.WithdrawAsync(run.Get(s_kid), by, cancellationToken), cancellationToken)),
        RenewKeyCommand.Create(),
    };

    public static async Task ShowAsync(CommandRun run, RegisteredKeys keys, CancellationToken cancellationToken) => run.Terminal.ShowList(
        new JsonObject
        {
            ["items"] = await keys.ListAsync(cancellationToken),
        }, "kid", "state", "?alg", "?until", "?last_used_at", "?safe_to_retire");

    private static async Task ListAsync(CommandRun run, CancellationToken cancellationToken)
    {
        using var connection = await Connection.OpenAsync(run, cancellationToken);
        await ShowAsync(run, await RegisteredKeys.OpenAsync(connection, cancellationToken), cancellationToken);
    }

    private static async Task AddAsync(CommandRun run, CancellationToken cancellationToken)
    {
        using var added = await KeyFile.ReadAsync(run.Get(s_file), run, alg: null, run.Get(s_nextKid), cancellationToken);
        await ChangeAsync(run, (keys, by) => keys.AddAsync(added, by, cancellationToken), cancellationToken);
    }

    private static async Task ChangeAsync(
        CommandRun run, Func<RegisteredKeys, ISigningKey, Task> change, CancellationToken cancellationToken)
    {
        using var connection = await Connection.OpenAsync(run, cancellationToken);
        var keys = await RegisteredKeys.OpenAsync(connection, cancellationToken);
        await change(keys, await connection.KeyAsync(cancellationToken));
        await ShowAsync(run, keys, cancellationToken);
    }
}
