using System.CommandLine;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Spectre.Console;

namespace Dcr.Cli;

/// <summary><c>dcr init</c>: three questions, and a folder in which a server can be started.</summary>
internal static partial class InitCommand
{
    private const string DefaultIssuer = "http://localhost:5080";
    private const string DefaultOnboardingClient = "partner-directory";
    private const string DefaultScope = "read write";

    private static readonly Argument<string> s_folder = new("folder")
    {
        Description = "Where the files are written (default: here)",
        DefaultValueFactory = _ => ".",
    };

    private static readonly Option<string?> s_issuer = new("--issuer")
    {
        Description = $"The URL by which clients know the server (asked for; {DefaultIssuer})",
        HelpName = "url",
    };

    private static readonly Option<string?> s_onboardingClient = new("--onboarding-client")
    {
        Description = $"The id of who may register clients first (asked for; {DefaultOnboardingClient})",
        HelpName = "id",
    };

    private static readonly Option<string?> s_scope = new("--scope")
    {
        Description = $"What its clients may ask for, space-separated (asked for; {DefaultScope})",
        HelpName = "scope",
    };

    public static Command Create() => new LeafCommand(
        "init",
        "Make a folder ready to run a server: configuration, keys, and the first who may register clients",
        new Example("dcr init my-server --yes", "without questions: a server for this machine"),
        new Example(
            "dcr init production --issuer https://as.example --onboarding-client partner-directory --scope \"read write\"",
            "behind a proxy that has TLS"))
        .With(s_folder, s_issuer, s_onboardingClient, s_scope, CommonOptions.Yes, CommonOptions.Force)
        .Does(RunAsync);

    private static async Task RunAsync(CommandRun run, CancellationToken cancellationToken)
    {
        var folder = run.Get(s_folder);
        var files = new InitFiles(run.PathOf(folder));
        if (!run.Get(CommonOptions.Force) && files.FirstThatIsThere() is { } there)
        {
            throw CommandFailure.Usage(
                $"{there} is there already, and nothing was written.", "Choose another folder, or replace the files with --force.");
        }
        var issuer = Answer(run, s_issuer, "By which URL do clients know the server?", DefaultIssuer, IssuerFault).TrimEnd('/');
        var client = Answer(
            run, s_onboardingClient, "Who may register clients first? An id of your choice:", DefaultOnboardingClient, ClientFault);
        var scope = Answer(run, s_scope, "What may its clients ask for?", DefaultScope, ScopeFault);

        await files.WriteAsync(issuer, client, scope.Split(' ', StringSplitOptions.RemoveEmptyEntries), cancellationToken);
        run.Terminal.Show(
            new JsonObject { ["folder"] = files.Folder, ["issuer"] = issuer, ["onboarding_client"] = client, ["scope"] = scope });
        if (run.Terminal.IsJson)
        {
            return;
        }
        run.Terminal.Out.WriteLine();
        run.Terminal.ShowTable(
            [.. InitFiles.Descriptions(client).Select(file => new JsonObject { ["file"] = file.Name, ["what it is"] = file.Says })],
            ["file", "what it is"]);
        run.Terminal.Out.WriteLine();
        run.Terminal.Out.WriteLine("Start the server in this folder:");
        run.Terminal.Out.WriteLine($"  {InitFiles.Start}");
        run.Terminal.Out.WriteLine("and then, in the folder too:");
        foreach (var command in InitFiles.FirstCommands(issuer, client))
        {
            run.Terminal.Out.WriteLine($"  {command}");
        }
    }

    private static string Answer(CommandRun run, Option<string?> option, string question, string usual, Func<string, string?> faultOf)
    {
        if (run.Get(option) is { } given)
        {
            return faultOf(given) is { } fault ? throw CommandFailure.Usage($"{option.Name} {Excerpt.Of(given)}: {fault}.") : given;
        }
        if (run.Get(CommonOptions.Yes))
        {
            return usual;
        }
        while (true)
        {
            var typed = run.Terminal.AskText($"{question} [{usual}]", $"{run.CommandPath} --yes, or answer it with {option.Name}");
            var answer = string.IsNullOrWhiteSpace(typed) ? usual : typed.Trim();
            if (faultOf(answer) is not { } fault)
            {
                return answer;
            }
            run.Terminal.Warn($"{answer}: {fault}.");
        }
    }

    private static string? IssuerFault(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri is { Query: "", Fragment: "", UserInfo: "" } && Plain().IsMatch(text)
            && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback))
                ? null
                : "an issuer is an https URL without query and fragment, or an http URL of this machine";

    private static string? ClientFault(string text) =>
        text == InitFiles.Administrator ? "that is the administrator"
            : ClientId().IsMatch(text) ? null
            : "use 1 to 64 letters, digits, dots, - and _, and begin with a letter or digit";

    private static string? ScopeFault(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries) switch
    {
        [] => "name at least one scope",
        var tokens when tokens.FirstOrDefault(
            token =>
                token is "introspect"
                    || token.StartsWith("dcr", StringComparison.Ordinal)) is { } reserved => $"{reserved} is for this server's own use",
        var tokens when !tokens.All(
            token => Scope().IsMatch(token)) => "a scope has printable characters without blanks and quotes (RFC 6749 section 3.3)",
        _ => null,
    };

    // It is read by shells.
    [GeneratedRegex(@"^[A-Za-z0-9:/.\[\]_~-]+$")]
    private static partial Regex Plain();

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    private static partial Regex ClientId();

    [GeneratedRegex("^[!#-\\[\\]-~]+$")]
    private static partial Regex Scope();
}
