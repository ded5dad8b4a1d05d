using System.Diagnostics;
using System.Net;
using Xunit;

namespace Dcr;

/// <summary>The server as a process of its own, to be killed and restarted. Stops with the test.</summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly List<string> _output = [];

    private ServerProcess(Process process, string address)
    {
        _process = process;
        Http = new HttpClient { BaseAddress = new Uri(address + "/") };
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public HttpClient Http { get; }

    public string Output
    {
        get
        {
            lock (_output)
            {
                return string.Join('\n', _output);
            }
        }
    }

    /// <param name="arguments">The command line, <c>--urls</c> first.</param>
    /// <param name="folder">Where it is started.</param>
    public static Task<ServerProcess> StartAsync(IReadOnlyList<string> arguments, string folder) =>
        StartAsync(Path.Combine(AppContext.BaseDirectory, "Dcr.Server.dll"), arguments, folder, "health/ready");

    /// <summary>The same, with no more than so many files open at once: sockets count among them.</summary>
    public static Task<ServerProcess> StartWithFewDescriptorsAsync(int descriptors, IReadOnlyList<string> arguments, string folder) =>
        StartAsync(Path.Combine(AppContext.BaseDirectory, "Dcr.Server.dll"), arguments, folder, "health/ready", descriptors);

    /// <summary>The server run to its end, for a start that fails or has nothing to serve.</summary>
    /// <returns>Its exit code, and what it wrote.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(IReadOnlyList<string> arguments, string folder)
    {
        using var process = Process.Start(Command(Path.Combine(AppContext.BaseDirectory, "Dcr.Server.dll"), arguments, folder))!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, output + await errors);
    }

    /// <summary>The sample API, built beside the tests and in the same way.</summary>
    public static Task<ServerProcess> StartSampleApiAsync(IReadOnlyList<string> arguments, string folder)
    {
        var output = Path.GetRelativePath(Path.Combine(Repository.Root, "tests", "Dcr.ProtocolTests"), AppContext.BaseDirectory);
        return StartAsync(Path.Combine(Repository.Root, "src", "Samples", "Dcr.SampleApi", output, "Dcr.SampleApi.dll"), arguments, folder, "");
    }

    private static async Task<ServerProcess> StartAsync(string program, IReadOnlyList<string> arguments, string folder, string readyAt, int? descriptors = null)
    {
        var start = Command(program, arguments, folder);
        if (descriptors is not null)
        {
            string[] command = [start.FileName, .. start.ArgumentList];
            start.FileName = "bash";
            start.ArgumentList.Clear();
            foreach (var argument in (string[])["-c", $"ulimit -n {descriptors} && exec \"$@\"", "bash", .. command])
            {
                start.ArgumentList.Add(argument);
            }
        }
        var server = new ServerProcess(Process.Start(start)!, arguments[1]);
        await server.WaitUntilReadyAsync(readyAt);
        return server;
    }

    private static ProcessStartInfo Command(string program, IReadOnlyList<string> arguments, string folder)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet")
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(program);
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }
        return start;
    }

    public bool HasExited => _process.HasExited;

    /// <summary>The memory of the process that is resident now, and the most that was: VmRSS and VmHWM, on Linux.</summary>
    public (int Now, int Most) ResidentMegabytes()
    {
        var lines = File.ReadAllLines($"/proc/{_process.Id}/status");
        int Of(string name) => int.Parse(
            lines.Single(line => line.StartsWith(name, StringComparison.Ordinal)).Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1],
            System.Globalization.CultureInfo.InvariantCulture) / 1024;
        return (Of("VmRSS:"), Of("VmHWM:"));
    }

    /// <summary>SIGTERM, as a supervisor stops a server. Returns when it has ended.</summary>
    public async Task<int> TerminateAsync()
    {
        using (var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
        {
            await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return _process.ExitCode;
    }

    /// <summary>SIGKILL: nothing is flushed, nothing is said goodbye to.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>SIGSTOP: its sockets take connections, and nothing answers. It can be killed in this state.</summary>
    public async Task FreezeAsync()
    {
        using var kill = Process.Start("kill", ["-STOP", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, kill.ExitCode);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
        }
        _process.Dispose();
        Http.Dispose();
    }

    private async Task WaitUntilReadyAsync(string readyAt)
    {
        for (var i = 0; i < 300; i++)
        {
            Assert.False(_process.HasExited, $"the server ended: {Output}");
            try
            {
                if ((await Http.GetAsync(new Uri(readyAt, UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode == HttpStatusCode.OK)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
        Assert.Fail($"the server is not ready after 30 s: {Output}");
    }

    private void Keep(string? line)
    {
        if (line is not null)
        {
            lock (_output)
            {
                _output.Add(line);
            }
        }
    }
}
