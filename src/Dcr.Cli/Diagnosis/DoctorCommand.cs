using System.CommandLine;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary><c>dcr doctor</c>: which of the rules a client assertion fails, why, and what to do.</summary>
internal static class DoctorCommand
{
    // Enough to say that what is longer is too long.
    private const int MaxCharacters = 64 * 1024;

    private static readonly Argument<string?> s_file = new("file")
    {
        Description = "A file with the assertion, or - for standard input (default: one is made by the profile's client and key)",
        Arity = ArgumentArity.ZeroOrOne,
        DefaultValueFactory = _ => null,
    };

    private static readonly Option<string?> s_jwks = new("--jwks")
    {
        Description = "The client's published keys: a JWK Set in a file or at a URL (default: as the profile's client is registered)",
        HelpName = "file or url",
    };

    private static readonly Option<string?> s_admin = new("--admin")
    {
        Description = "Ask the server itself, as the administrator of this profile; the assertion is not used up",
        HelpName = "profile",
    };

    private static readonly Option<bool> s_offline = new("--offline") { Description = "Send nothing at all" };

    public static Command Create() => new LeafCommand(
        "doctor",
        "Say why a client assertion is refused, rule by rule, and what to do",
        new Example("dcr doctor", "make one with the default profile: would it work?"),
        new Example("dcr doctor assertion.jwt", "one that was refused; look at it at once, they live for a minute"),
        new Example("dcr doctor --jwks jwks.json", "against the keys that are to be published"),
        new Example("dcr doctor old.jwt --offline --json", "for a program, and nothing is sent", ExitCode.Unhealthy),
        new Example("dcr doctor - --admin admin < assertion.jwt", "what the server says, with all that it knows"))
        .With(s_file, s_jwks, s_admin, s_offline, CommonOptions.Dpop)
        .WithCredentials()
        .Does(RunAsync);

    private static async Task<int> RunAsync(CommandRun run, CancellationToken cancellationToken)
    {
        CheckOptions(run);
        using var connection = await Connection.OpenAsync(run, cancellationToken);
        using var administrator = run.Get(s_admin) is { } profile ? await Connection.OpenAsync(run, profile, cancellationToken) : null;
        var serverOf = connection.Profile.Server is null ? administrator : connection;

        var assertion = run.Get(s_file) is { } file ? await ReadAsync(run, file, cancellationToken) : null;
        var server = serverOf is null ? null : await ServerAsync(run, serverOf, cancellationToken);
        var clientId = await connection.FindClientIdAsync(cancellationToken);
        var registration = server is { TokenEndpoint: not null }
            ? await ExaminedRegistration.ReadAsync(connection, clientId, run.Time, cancellationToken)
            : null;
        var published = run.Get(s_jwks) is { } jwks
            ? await ExaminedKeySet.FromAsync(jwks, run, connection.Http, cancellationToken)
            : registration?.Keys;
        var isNew = assertion is null;
        assertion ??= await ClientAssertion.CreateAsync(
            await connection.CredentialsAsync(cancellationToken), (serverOf ?? connection).Server, run.Time, cancellationToken);

        var known = new KnownFacts
        {
            Now = run.Time.GetUtcNow() + (server?.Ahead ?? TimeSpan.Zero),
            Clock = server?.Ahead is null ? "the clock here" : "the server's clock",
            Server = server,
            ClientId = clientId,
            OwnKey = connection.Profile.KeyFile is null ? null : ExaminedKey.Of((await connection.KeyAsync(cancellationToken)).PublicJwk),
            Published = published,
            Registration = registration,
            IsNew = isNew,
        };
        var examined = ExaminedAssertion.Read(assertion);
        var verdict = administrator is null ? null : await AskAsync(administrator, assertion, cancellationToken);
        var question = verdict is null ? await AskAsClientAsync(run, connection, known, examined, assertion, cancellationToken) : null;
        var diagnosis = Diagnose(examined, known, serverOf, verdict, question) with { CommandLine = connection.DoctorCommand };
        Show(run, diagnosis);
        return diagnosis.ExitCode;
    }

    private static void CheckOptions(CommandRun run)
    {
        if (run.Get(s_offline) && (run.Get(s_admin) is not null || (run.Get(s_jwks) is { } jwks && ExaminedKeySet.IsUrl(jwks))))
        {
            throw CommandFailure.Usage("--offline sends nothing, and --admin or the URL of --jwks would.", "Leave one of them out.");
        }
    }

    private static async Task<string> ReadAsync(CommandRun run, string file, CancellationToken cancellationToken)
    {
        if (file != "-" && !File.Exists(run.PathOf(file)))
        {
            // What was typed is not repeated: it may be the assertion itself.
            throw file.Count(character => character == '.') >= 2 && file.StartsWith("ey", StringComparison.Ordinal)
                ? CommandFailure.Usage(
                    "That is no file, it looks like an assertion. It is a credential: among arguments others can see it.",
                    "Write it to a file, or pass it on standard input: dcr doctor -")
                : CommandFailure.Usage(
                    $"There is no file {Excerpt.Of(file)}.", "dcr doctor - reads standard input; dcr doctor alone makes an assertion.");
        }
        using var reader = file == "-" ? run.Input : new StreamReader(run.PathOf(file));
        var buffer = new char[MaxCharacters];
        var length = await reader.ReadBlockAsync(buffer, cancellationToken);
        return new string(buffer, 0, length);
    }

    private static async Task<ExaminedServer> ServerAsync(CommandRun run, Connection connection, CancellationToken cancellationToken)
    {
        // Refuses what can be no issuer.
        _ = connection.Dcr;
        return run.Get(s_offline)
            ? new ExaminedServer { Issuer = connection.Server }
            : await ExaminedServer.AskAsync(connection.Http, connection.Server, run.Time, cancellationToken);
    }

    private static async Task<ServerVerdict> AskAsync(Connection administrator, string assertion, CancellationToken cancellationToken)
    {
        using var api = await AdminApi.OpenAsync(administrator, cancellationToken);
        return await ServerVerdict.AskAsync(api, assertion.Trim(), cancellationToken);
    }

    /// <summary>
    /// Asks by an assertion that was made here: with the client, key and kid of the one that is examined, which is not used up. Null: the
    /// server was not reached, is not to be asked, or somebody else signed.
    /// </summary>
    private static async Task<ServerQuestion?> AskAsClientAsync(
        CommandRun run,
        Connection connection,
        KnownFacts known,
        ExaminedAssertion examined,
        string assertion,
        CancellationToken cancellationToken)
    {
        if (run.Get(s_offline)
            || known is not { Server: { TokenEndpoint: { } endpoint } server, OwnKey: { } own, ClientId: { } clientId }
            || examined is not { Header: { } header, Claims: { } claims })
        {
            return null;
        }
        if (!known.IsNew)
        {
            var isOwn = ExaminedAssertion.Text(claims, "sub") == clientId
                && own.Verifies(ExaminedAssertion.Text(header, "alg") ?? "", examined.SigningInput, examined.Signature);
            if (!isOwn)
            {
                return null;
            }
            using var key = await KeyFile.ReadAsync(
                connection.Profile.KeyFile!,
                run,
                connection.Profile.Alg,
                ExaminedAssertion.Text(header, "kid") ?? connection.Profile.Kid,
                cancellationToken);
            assertion = await ClientAssertion.CreateAsync(new ClientCredentials(clientId, key), server.Issuer, run.Time, cancellationToken);
        }
        return await ServerQuestion.AskAsync(connection.Http, endpoint, assertion, cancellationToken);
    }

    private static Diagnosis Diagnose(
        ExaminedAssertion examined, KnownFacts known, Connection? serverOf, ServerVerdict? verdict, ServerQuestion? question)
    {
        var examination = new AssertionExamination(examined, known);
        var findings = examination.Examine();
        var warnings = examination.Warnings.ToList();
        if (known.Server is { Absence: { } absence })
        {
            warnings.Add($"Only the client's side was examined: {Printable.Of(absence)}");
        }
        else if (known.Server is { } server && serverOf is not null && server.Issuer != serverOf.Server)
        {
            warnings.Add(
                $"The server calls itself {Excerpt.Of(server.Issuer)}, and it was called {Excerpt.Of(serverOf.Server)} here: the two must "
                    + $"be equal, also in a slash at the end. Say --server {Excerpt.Of(server.Issuer)}, or keep it: dcr profile set "
                        + $"{serverOf.ProfileName} --server {Excerpt.Of(server.Issuer)}");
        }
        if (known.Server?.Ahead is { Ticks: not 0 } ahead)
        {
            warnings.Add($"The clock here is {TimeText.Seconds(ahead)} {(ahead > TimeSpan.Zero ? "behind" : "ahead of")} the server's.");
        }
        if (verdict?.Failure is { } failure)
        {
            warnings.Add($"The server does not answer the administrator: {Printable.Of(failure.Message)}");
        }
        return new Diagnosis
        {
            Findings = verdict?.Overrule(findings) ?? question?.Overrule(findings) ?? findings,
            Warnings = warnings,
            Known = known,
            Verdict = verdict,
            Question = question,
            IsServerAlone = question is { Accepted: false } && findings.All(finding => finding.Outcome != RuleOutcome.Failed),
        };
    }

    private static void Show(CommandRun run, Diagnosis diagnosis)
    {
        if (run.Terminal.IsJson)
        {
            run.Terminal.WriteJson(diagnosis.ToJson());
        }
        else
        {
            DiagnosisText.Write(run.Terminal, diagnosis);
        }
    }
}
