using System.ComponentModel;
using System.Diagnostics;

namespace Dcr.InteropTests.Support;

/// <summary>A program run to its end.</summary>
public sealed record CommandLine(int ExitCode, string Output, string Errors)
{
    /// <returns>Null: there is no such program.</returns>
    public static async Task<CommandLine?> RunAsync(string program, IEnumerable<string> arguments, string? folder = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (folder is not null)
        {
            start.WorkingDirectory = folder;
        }
        try
        {
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();
            return new CommandLine(process.ExitCode, await output, await errors);
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
