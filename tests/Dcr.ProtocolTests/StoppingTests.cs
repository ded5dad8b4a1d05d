using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>The connections of a server that is a process of its own: how many it takes, and what becomes of them when it is told to stop.</summary>
public sealed class StoppingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dcr-stopping-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    [Requirement("P-DRAIN")]
    public async Task A_server_that_is_told_to_stop_is_not_ready_first_and_resets_no_request()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "SIGTERM");
        for (var round = 0; round < 3; round++)
        {
            var port = Ports.Free();
            await using var server = await ServerProcess.StartAsync(["--urls", $"http://127.0.0.1:{port}"], _folder);
            var (answers, lasts, broken) = (new ConcurrentBag<int>(), 0, new ConcurrentBag<string>());
            var readiness = new ConcurrentQueue<int>();
            var callers = Enumerable.Range(0, 16).Select(_ => Task.Run(() => CallAsync(port, "/oauth/jwks", (status, isLast) =>
            {
                answers.Add(status);
                Interlocked.Add(ref lasts, isLast ? 1 : 0);
            }, broken), Cancellation)).ToList();
            var watcher = Task.Run(() => CallAsync(port, "/health/ready", (status, _) => readiness.Enqueue(status), broken), Cancellation);

            for (var i = 0; i < 200 && answers.Count < 500; i++)
            {
                await Task.Delay(20, Cancellation);
            }
            Assert.Equal(0, await server.TerminateAsync());
            await Task.WhenAll([.. callers, watcher]);

            Assert.Empty(broken);
            Assert.All(answers, status => Assert.Equal(200, status));
            Assert.True(lasts >= 16, $"{lasts} answers said that they are the last on their connection");
            Assert.Equal(200, readiness.First());
            Assert.Equal(503, readiness.Last());
        }
    }

    /// <summary>One request after the other, each on the connection of the one before, until nobody listens any more.</summary>
    private static async Task CallAsync(int port, string path, Action<int, bool> answered, ConcurrentBag<string> broken)
    {
        while (true)
        {
            KeptConnection connection;
            try
            {
                connection = await KeptConnection.OpenAsync(port, Cancellation);
            }
            catch (SocketException refused)
            {
                if (refused.SocketErrorCode != SocketError.ConnectionRefused)
                {
                    broken.Add($"on connecting: {refused.Message}");
                }
                return;
            }
            using (connection)
            {
                try
                {
                    for (var isLast = false; !isLast;)
                    {
                        (var status, isLast) = await connection.GetAsync(path, Cancellation);
                        answered(status, isLast);
                    }
                }
                catch (Exception exception) when (exception is SocketException or IOException)
                {
                    broken.Add(exception.Message);
                }
            }
        }
    }

    [Fact]
    [Requirement("P-CONNECTIONS")]
    public async Task Idle_connections_beyond_the_descriptors_of_the_process_do_not_end_it()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the limit is read from /proc");
        const int Descriptors = 600;
        var port = Ports.Free();
        await using var server = await ServerProcess.StartWithFewDescriptorsAsync(Descriptors, ["--urls", $"http://127.0.0.1:{port}"], _folder);
        var idle = new List<KeptConnection>();
        for (var i = 0; i < 2 * Descriptors; i++)
        {
            idle.Add(await KeptConnection.OpenAsync(port, Cancellation));
        }
        await Task.Delay(500, Cancellation);
        Assert.False(server.HasExited, server.Output);
        idle.ForEach(connection => connection.Dispose());

        for (var i = 0; i < 100; i++)
        {
            try
            {
                Assert.Equal(HttpStatusCode.OK, (await server.Http.GetAsync(new Uri("health/ready", UriKind.Relative), Cancellation)).StatusCode);
                return;
            }
            catch (HttpRequestException) when (!server.HasExited)
            {
                // Turned away, until the server has noticed that the others are gone.
                await Task.Delay(100, Cancellation);
            }
        }
        Assert.Fail($"the server takes nobody any more: {server.Output}");
    }

    [Fact]
    [Requirement("P-CONNECTIONS")]
    public async Task A_setting_lowers_the_number_of_connections()
    {
        await using var server = new SqliteServer();
        server.Settings["Dcr:Connections:Max"] = "3";
        await server.InitializeAsync();
        var port = server.Http.BaseAddress!.Port;
        var open = new List<KeptConnection>();
        for (var i = 0; i < 3; i++)
        {
            open.Add(await KeptConnection.OpenAsync(port, Cancellation));
            Assert.Equal(200, (await open[i].GetAsync("/health/live", Cancellation)).Status);
        }
        using (var beyond = await KeptConnection.OpenAsync(port, Cancellation))
        {
            var turnedAway = await Record.ExceptionAsync(() => beyond.GetAsync("/health/live", Cancellation));
            Assert.True(turnedAway is SocketException or IOException, $"{turnedAway}");
        }
        open.ForEach(connection => connection.Dispose());
    }
}
