namespace Dcr.Cli;

/// <summary>Ends a command: what is wrong and what to do next, for standard error.</summary>
internal sealed class CommandFailure(int exitCode, string message, string? next = null) : Exception(message)
{
    public int ExitCode => exitCode;

    /// <summary>What the user can do about it. Null: the message says it.</summary>
    public string? Next => next;

    /// <summary>The <c>error</c> of the server's answer, where a refusal is behind it.</summary>
    public string? Error { get; init; }

    public static CommandFailure Usage(string message, string? next = null) => new(Cli.ExitCode.Usage, message, next);
}
