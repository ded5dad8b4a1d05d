using System.CommandLine;
using System.Text;

namespace Dcr.Cli;

/// <summary>
/// What is around a run of the command: standard streams, environment, folder and clock. A process has one; who calls the
/// command from within another program hands it others.
/// </summary>
internal sealed class Surroundings : InvocationConfiguration
{
    // After Ctrl+C a command has time to clear away at the server what it made there.
    private static readonly TimeSpan s_clearingMayTake = TimeSpan.FromSeconds(15);

    public Surroundings()
    {
        // Failures are handled where commands run; what gets past is a fault that should be seen whole.
        EnableDefaultExceptionHandler = false;
        ProcessTerminationTimeout = null;
    }

    /// <summary>Standard input.</summary>
    public required Func<TextReader> Input { get; init; }

    /// <summary>Reads a line that is not shown while it is typed.</summary>
    public required Func<string> HiddenInput { get; init; }

    public required bool IsInputTerminal { get; init; }

    public required bool IsOutputTerminal { get; init; }

    public required bool IsErrorTerminal { get; init; }

    /// <summary>Of the terminal, in characters. Not asked for where there is none.</summary>
    public required Func<int> Width { get; init; }

    /// <summary>Where relative paths begin.</summary>
    public required string Folder { get; init; }

    /// <summary>An environment variable by its name. Null or empty: it is not set.</summary>
    public required Func<string, string?> Variable { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Somebody is there to answer.</summary>
    public bool IsInteractive => IsInputTerminal && IsErrorTerminal;

    /// <summary>Those of this process.</summary>
    public static Surroundings OfProcess() => new()
    {
        Input = () => Console.In,
        HiddenInput = ReadHidden,
        IsInputTerminal = !Console.IsInputRedirected,
        IsOutputTerminal = !Console.IsOutputRedirected,
        IsErrorTerminal = !Console.IsErrorRedirected,
        Width = () => Console.WindowWidth,
        Folder = Environment.CurrentDirectory,
        Variable = Environment.GetEnvironmentVariable,
        ProcessTerminationTimeout = s_clearingMayTake,
    };

    /// <summary>The whole path of a file that the user names.</summary>
    public string PathOf(string file) => Path.GetFullPath(file, Folder);

    private static string ReadHidden()
    {
        var typed = new StringBuilder();
        while (Console.ReadKey(intercept: true) is var key && key.Key != ConsoleKey.Enter)
        {
            if (key.Key == ConsoleKey.Backspace)
            {
                typed.Length = Math.Max(0, typed.Length - 1);
            }
            else if (!char.IsControl(key.KeyChar))
            {
                typed.Append(key.KeyChar);
            }
        }
        return typed.ToString();
    }
}
