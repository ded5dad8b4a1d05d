using System.Diagnostics;
using System.Text.Json.Nodes;
using Xunit;

namespace Dcr.InteropTests.Support;

/// <summary>How a script ended.</summary>
/// <param name="ExitCode">0: every step went as it must.</param>
/// <param name="Steps">Those that were done, in order.</param>
/// <param name="Fault">The step that went wrong, and why.</param>
public sealed record ScriptResult(int ExitCode, IReadOnlyList<string> Steps, string Fault);

/// <summary>A script of <c>clients/</c> at work: see <c>steps.mjs</c> for what is said on which stream. Stops with the test.</summary>
public sealed class ScriptProcess : IAsyncDisposable
{
    private readonly Process _process;

    private ScriptProcess(Process process) => _process = process;

    public static ScriptProcess Start(string program, IReadOnlyList<string> arguments, string folder) => new(Process.Start(new ProcessStartInfo(program, arguments)
    {
        WorkingDirectory = folder,
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!);

    /// <summary>Takes the script from step to step.</summary>
    /// <param name="settings">What it begins with.</param>
    /// <param name="between">What is done when a step is, before the next.</param>
    public async Task<ScriptResult> RunAsync(JsonObject settings, Func<JsonNode, Task>? between = null)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var fault = _process.StandardError.ReadToEndAsync(cancellationToken);
        var steps = new List<string>();
        await _process.StandardInput.WriteLineAsync(settings.ToJsonString());
        await _process.StandardInput.FlushAsync(cancellationToken);
        while (await _process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            var step = JsonNode.Parse(line)!;
            steps.Add(step["step"]!.GetValue<string>());
            if (between is not null)
            {
                await between(step);
            }
            await _process.StandardInput.WriteLineAsync();
            await _process.StandardInput.FlushAsync(cancellationToken);
        }
        await _process.WaitForExitAsync(cancellationToken);
        return new ScriptResult(_process.ExitCode, steps, await fault);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
        }
        _process.Dispose();
    }
}
