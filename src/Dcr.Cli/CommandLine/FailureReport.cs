using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>What is said of a failure, and the exit code that goes with it.</summary>
internal sealed partial record FailureReport(int ExitCode, string Message, string? Next = null)
{
    /// <summary>The <c>error</c> of the server's answer. Null: it is not the server that refused.</summary>
    public string? Error { get; init; }

    /// <summary>Of a fault: where it happened, line by line.</summary>
    public IReadOnlyList<string> Trace { get; init; } = [];

    /// <summary>The message for people: where the server names several faults at once, each on its own line.</summary>
    public IReadOnlyList<string> Lines => Error == "invalid_client_metadata" ? BetweenFaults().Split(Message) : [Message];

    /// <param name="exception">The failure.</param>
    /// <param name="cancellationToken">Of the command: whether the user stopped it.</param>
    /// <param name="doctor">The command that examines the client.</param>
    public static FailureReport Of(Exception exception, CancellationToken cancellationToken, string doctor = "dcr doctor") =>
        exception switch
        {
            CommandFailure failure => new(failure.ExitCode, failure.Message, failure.Next) { Error = failure.Error },
            DcrException { StatusCode: >= HttpStatusCode.InternalServerError } refusal =>
                new(
                    Cli.ExitCode.Unreachable,
                    Text(refusal),
                    "The server is out of order. Try again later, and look at its log.")
                { Error = refusal.Error },
            DcrException refusal => new(Cli.ExitCode.Refused, Text(refusal), NextAfter(refusal, doctor)) { Error = refusal.Error },
            OperationCanceledException when cancellationToken.IsCancellationRequested => new(Cli.ExitCode.Cancelled, "Stopped."),
            HttpRequestException or TaskCanceledException or TimeoutException =>
                new(
                    Cli.ExitCode.Unreachable,
                    $"The server cannot be reached or does not answer as it should: {exception.Message}",
                    "Is --server the issuer of a running server? --verbose shows each request."),
            CryptographicException => new(Cli.ExitCode.Usage, exception.Message),
            JsonException => new(Cli.ExitCode.Usage, $"A file is not the JSON that it should be: {exception.Message}"),
            // A file that a command reads has no culture; a part of the command itself has.
            IOException or UnauthorizedAccessException when exception is not FileNotFoundException { FileName: { } file }
                || !file.Contains(", Culture=", StringComparison.Ordinal) =>
                new(Cli.ExitCode.Usage, exception.Message),
            _ =>
                new(
                    Cli.ExitCode.Fault,
                    $"A fault of this command: {exception.Message}",
                    "Please report it, with the lines above.")
                { Trace = exception.ToString().Split('\n') },
        };

    public JsonObject ToJson()
    {
        var json = new JsonObject { ["exit_code"] = ExitCode, ["error"] = Error, ["message"] = Message, ["next"] = Next };
        foreach (var name in json.Where(member => member.Value is null).Select(member => member.Key).ToList())
        {
            json.Remove(name);
        }
        return json;
    }

    private static string Text(DcrException refusal) =>
        $"The server refused: {(int)refusal.StatusCode} {refusal.Error ?? ""}{(refusal.ErrorDescription is { } why ? $": {why}" : "")}";

    private static string? NextAfter(DcrException refusal, string doctor) => refusal switch
    {
        { RetryAfter: { } wait } => $"Try again in {Math.Ceiling(wait.TotalSeconds)} s.",
        { Error: "invalid_client" } => $"Find out why: {doctor}",
        { Error: "invalid_scope" } => "Ask for less (--scope), or let an administrator widen what the client may ask for.",
        { Error: "insufficient_scope" } => "Use the profile of a client that has the scope which this needs.",
        { Error: "invalid_dpop_proof" } => "The policy asks for a proof of the key: is --key the one that is registered?",
        { StatusCode: HttpStatusCode.PreconditionFailed } or { StatusCode: HttpStatusCode.Conflict, ErrorDescription: null } =>
            "Somebody else was faster, or it is there already. Look again, and repeat if it is still wanted.",
        _ => null,
    };

    // Each begins with the path of a member: scope: ... registration_policy.scope.allowed[0]: ...
    [GeneratedRegex(@"(?<=\.) (?=[a-z][a-z0-9_.#\[\]-]*: )")]
    private static partial Regex BetweenFaults();
}
