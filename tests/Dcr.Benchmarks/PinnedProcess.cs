using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Dcr.Benchmarks;

/// <summary>A server process on one core of its own.</summary>
internal sealed class PinnedProcess : IAsyncDisposable
{
    private readonly Process _process;

    private PinnedProcess(Process process, string address)
    {
        _process = process;
        Address = address;
        Http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 64 }) { BaseAddress = new Uri(address + "/") };
    }

    public string Address { get; }

    public HttpClient Http { get; }

    /// <summary>What the server has used of its core so far. taskset becomes the server, so this is the server's own.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public static void PinSelf(int core)
    {
        if (OperatingSystem.IsLinux() || OperatingSystem.IsWindows())
        {
            using var self = Process.GetCurrentProcess();
            self.ProcessorAffinity = 1 << core;
        }
    }

    public static async Task<PinnedProcess> StartAsync(string program, string folder, int core, Func<string, string[]> arguments)
    {
        var address = $"http://127.0.0.1:{FreePort()}";
        var start = new ProcessStartInfo("taskset") { WorkingDirectory = folder, RedirectStandardOutput = true };
        foreach (var argument in new[] { "-c", $"{core}", "dotnet", Path.Combine(AppContext.BaseDirectory, program) }.Concat(arguments(address)))
        {
            start.ArgumentList.Add(argument);
        }
        // One core, as a server of one core would be set up.
        start.Environment["DOTNET_PROCESSOR_COUNT"] = "1";
        var server = new PinnedProcess(Process.Start(start)!, address);
        server._process.BeginOutputReadLine();
        for (var i = 0; i < 300; i++)
        {
            try
            {
                if ((await server.Http.GetAsync(new Uri("health/ready", UriKind.Relative))).IsSuccessStatusCode)
                {
                    return server;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }
            await Task.Delay(100);
        }
        throw new InvalidOperationException($"{program} did not start.");
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        Http.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
