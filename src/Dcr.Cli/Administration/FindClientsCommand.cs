using System.CommandLine;
using System.Net;
using System.Text.Json.Nodes;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary><c>dcr admin clients find</c>: for an administrator who holds something from a log, and not what it is.</summary>
internal static class FindClientsCommand
{
    private const int Limit = 50;

    private static readonly Argument<string> s_text = new("text")
    {
        Description = "A client_id, or a member of an origin: onboarding client, kid, thumbprint, jti of an initial access token, issuer "
            + "of a software statement or software_id",
    };

    public static Command Create() => new LeafCommand(
        "find",
        "Find clients by whatever a log says of them; ends with 5 when there are none",
        new Example("dcr admin clients find warehouse-7", "the client of this id"),
        new Example("dcr admin clients find partner-directory", "this client, and those that it has registered"),
        new Example("dcr admin clients find 2f1c9a77", "nobody: what was deleted is in the audit trail only", ExitCode.Unhealthy))
        .With(s_text)
        .DoesAsAdministrator(RunAsync);

    private static async Task RunAsync(CommandRun run, AdminApi api, CancellationToken cancellationToken)
    {
        var text = run.Get(s_text);
        var found = new JsonArray();
        var more = new JsonArray();
        if (await FindByIdAsync(api, text, cancellationToken) is { } client)
        {
            Add(found, client, "client_id");
        }
        foreach (var member in OriginOptions.Members)
        {
            var page = await Listing.PageAsync(
                api, "clients", new Dictionary<string, string> { [member] = text }, Limit, cursor: null, cancellationToken);
            foreach (var item in page["items"]?.AsArray() ?? [])
            {
                Add(found, item!.DeepClone().AsObject(), member);
            }
            if (page["next"] is not null)
            {
                more.Add(member);
            }
        }
        if (found.Count == 0)
        {
            throw new CommandFailure(
                ExitCode.Unhealthy,
                $"No client is {text}, and none comes from it.",
                $"One that was deleted is in the audit trail: dcr admin audit --subject {ShellWord.Of(text)}");
        }
        // A client is found by kid and thumbprint at once where they are the same.
        run.Terminal.ShowList(
            new JsonObject { ["items"] = found, ["more"] = more },
            "client_id",
            "status",
            "matched_as",
            "?metadata.client_name",
            "?created_at",
            "?origin.onboarding_client",
            "?origin.kid");
        foreach (var member in more)
        {
            run.Terminal.Note(
                $"There are more by {member}: dcr admin clients list {OriginOptions.NameOf((string)member!)} {ShellWord.Of(text)} --all");
        }
    }

    private static async Task<JsonObject?> FindByIdAsync(AdminApi api, string text, CancellationToken cancellationToken)
    {
        try
        {
            return await api.GetAsync($"clients/{AdminApi.Part(text)}", cancellationToken);
        }
        catch (DcrException refusal) when (refusal.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    private static void Add(JsonArray found, JsonObject client, string matchedAs)
    {
        if (found.FirstOrDefault(other => (string?)other!["client_id"] == (string?)client["client_id"]) is { } known)
        {
            known["matched_as"]!.AsArray().Add(matchedAs);
            return;
        }
        client.Insert(0, "matched_as", new JsonArray(matchedAs));
        found.Add(client);
    }
}
