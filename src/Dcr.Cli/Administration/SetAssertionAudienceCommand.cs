using System.CommandLine;
using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary><c>dcr admin clients audience</c>.</summary>
internal static class SetAssertionAudienceCommand
{
    // The server's rule is the one that a client has when it has none of its own.
    private const string OfServer = "server";

    private static readonly Argument<string> s_id = new("id") { Description = "The client_id" };

    private static readonly Argument<string> s_rule = new Argument<string>("rule") { Description = "strict: the issuer only; dual: the token endpoint too; server: as the server does with all" }
        .AcceptOnlyFromAmong("dual", "strict", OfServer);

    public static Command Create() => new LeafCommand(
        "audience",
        "Set what the assertions of a client must be addressed to",
        new Example("dcr admin clients audience warehouse-8 strict", "the issuer, and nothing else"),
        new Example("dcr admin clients audience warehouse-8 dual", "a client that cannot yet: also the token endpoint"),
        new Example("dcr admin clients audience warehouse-8 server", "no rule of its own any more"))
        .With(s_id, s_rule)
        .DoesAsAdministrator(async (run, api, cancellationToken) =>
        {
            var rule = run.Get(s_rule);
            var body = new JsonObject { ["rule"] = rule == OfServer ? null : rule };
            run.Terminal.Show(await api.PutAsync($"clients/{AdminApi.Part(run.Get(s_id))}/assertion-audience", body, ifMatch: null, cancellationToken));
        });
}
