using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary>
/// <c>dcr admin clients exception list</c>, <c>set</c> and <c>remove</c>: who may send assertions that RFC 10070 forbids, and until when.
/// </summary>
internal static class AssertionExceptionCommands
{
    private static readonly Argument<string> s_id = new("id") { Description = "The client_id" };

    private static readonly Option<bool> s_ownEndpoints = new("--own-endpoints")
    {
        Description = "aud may be URLs of the server: its token, introspection and revocation endpoints, also several",
    };

    private static readonly Option<TimeSpan?> s_maxLifetime = new("--max-lifetime")
    {
        Description = "exp may be that far ahead, up to 1h",
        HelpName = "duration",
        CustomParser = Duration.Parse,
    };

    private static readonly Option<string> s_until = new("--until")
    {
        Description = EndTime.Description,
        HelpName = "time",
        Required = true,
    };

    public static Command List() => new LeafCommand(
        "list",
        "List clients that have an exception, or have needed one of late, newest first",
        new Example("dcr admin clients exception list", "until when each may go on, and when it last had to"),
        new Example("dcr admin clients exception list --all --json | jq '.items | length'", "how many there are"))
        .WithLimit()
        .DoesAsAdministrator((run, api, cancellationToken) => Listing.ShowAsync(
            run,
            api,
            "clients",
            new Dictionary<string, string> { ["assertion_exception"] = "true" },
            [
                "client_id", "status", "?metadata.client_name", "?assertion_exception.audience",
                "?assertion_exception.max_lifetime_seconds", "assertion_exception.until", "assertion_exception_needed_at",
            ],
            cancellationToken));

    public static Command Set() => new LeafCommand(
        "set",
        "Let a client that cannot do better yet send other assertions, until a certain time",
        new Example(
            "dcr admin clients exception set warehouse-8 --own-endpoints --until 90d",
            "its library writes the token endpoint into aud"),
        new Example(
            "dcr admin clients exception set warehouse-8 --own-endpoints --max-lifetime 1h --until 2030-01-31T00:00:00Z",
            "and lets its assertions last an hour"))
        .With(s_id, s_ownEndpoints, s_maxLifetime, s_until)
        .DoesAsAdministrator(async (run, api, cancellationToken) =>
        {
            var until = EndTime.Of(run.Get(s_until)!, run.Time.GetUtcNow());
            var body = new JsonObject { ["until"] = until.ToString("O", CultureInfo.InvariantCulture) };
            if (run.Get(s_ownEndpoints))
            {
                body["audience"] = "own_endpoints";
            }
            if (run.Get(s_maxLifetime) is { } lifetime)
            {
                body["max_lifetime_seconds"] = (long)lifetime.TotalSeconds;
            }
            if (body.Count == 1)
            {
                throw CommandFailure.Usage("Say what to allow: --own-endpoints, --max-lifetime, or both.");
            }
            run.Terminal.Show(await api.PutAsync(PathOf(run), body, ifMatch: null, cancellationToken));
        });

    public static Command Remove() => new LeafCommand(
        "remove",
        "End the exception of a client now",
        new Example("dcr admin clients exception remove warehouse-8", "its assertions are judged like all others"))
        .With(s_id)
        .DoesAsAdministrator(async (run, api, cancellationToken) =>
        {
            await api.DeleteAsync(PathOf(run), cancellationToken);
            run.Terminal.Show(await api.GetAsync($"clients/{AdminApi.Part(run.Get(s_id))}", cancellationToken));
        });

    private static string PathOf(CommandRun run) => $"clients/{AdminApi.Part(run.Get(s_id))}/assertion-exception";
}
