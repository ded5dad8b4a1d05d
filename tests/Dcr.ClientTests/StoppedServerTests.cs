using System.Net;
using System.Net.Sockets;
using Dcr.Client;
using Dcr.ClientTests.Support;
using Xunit;

namespace Dcr.ClientTests;

/// <summary>A server that takes connections and answers nothing: many callers wait together, once, and not one after another.</summary>
public sealed class StoppedServerTests
{
    private const int Callers = 100;

    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(3);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>One after the other they would take five minutes.</summary>
    private static async Task<Exception?[]> CallAsync(Func<Task> call)
    {
        var began = TimeProvider.System.GetTimestamp();
        var failures = await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => Task.Run(async () => await Record.ExceptionAsync(call))));
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(30));
        return failures;
    }

    [Fact]
    [Requirement("P-REFRESH")]
    public async Task A_hundred_callers_have_their_answer_within_one_time_out()
    {
        using var mute = new TcpListener(IPAddress.Loopback, 0);
        mute.Start();
        using var http = new HttpClient { Timeout = s_timeout };
        using var key = ClientKey.Generate();
        var dcr = new DcrClient(http, $"http://127.0.0.1:{((IPEndPoint)mute.LocalEndpoint).Port}", new DcrClientOptions { MaxAttempts = 1 });
        var tokens = dcr.AccessTokensFor(new ClientCredentials("worker", key));

        Assert.All(await CallAsync(() => tokens.GetAsync("read", cancellationToken: Cancellation)), failure => Assert.IsType<TaskCanceledException>(failure));
        Assert.All(await CallAsync(() => dcr.DiscoverAsync(Cancellation)), failure => Assert.IsType<TaskCanceledException>(failure));

        // Each of the two asked once.
        for (var i = 0; i < 2; i++)
        {
            Assert.True(mute.Pending());
            (await mute.AcceptTcpClientAsync(Cancellation)).Dispose();
        }
        Assert.False(mute.Pending());
    }

    [Fact]
    [Requirement("P-REFRESH")]
    public async Task Callers_with_an_old_token_go_on_with_it_and_wait_for_metadata_and_token_once()
    {
        var scripted = new ScriptedServer();
        var time = new TestClock(DateTimeOffset.UtcNow);
        using var http = new HttpClient(scripted) { Timeout = s_timeout };
        using var key = ClientKey.Generate();
        var tokens = new DcrClient(http, ScriptedServer.Issuer, new DcrClientOptions { Time = time, MaxAttempts = 1 }).AccessTokensFor(new ClientCredentials("worker", key));
        scripted.OnToken = _ => scripted.NewToken(expiresIn: 4000);
        await tokens.GetAsync("read", cancellationToken: Cancellation);

        scripted.Latency = Timeout.InfiniteTimeSpan;
        time.Advance(TimeSpan.FromSeconds(3960));
        Assert.All(await CallAsync(() => tokens.GetAsync("read", cancellationToken: Cancellation)), Assert.Null);
        // Metadata and token, and then both again.
        Assert.Equal(4, scripted.Sent.Count);

        scripted.Latency = TimeSpan.Zero;
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("token-2", (await tokens.GetAsync("read", cancellationToken: Cancellation)).Value);
    }

    [Theory]
    [Requirement("P-REFRESH")]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task A_token_is_renewed_in_time_whatever_becomes_of_the_clock(int days)
    {
        var scripted = new ScriptedServer();
        var time = new TestClock(DateTimeOffset.UtcNow);
        using var key = ClientKey.Generate();
        var tokens = new DcrClient(new HttpClient(scripted), ScriptedServer.Issuer, new DcrClientOptions { Time = time }).AccessTokensFor(new ClientCredentials("worker", key));
        await tokens.GetAsync("read", cancellationToken: Cancellation);
        time.StepWall(TimeSpan.FromDays(days));
        Assert.Equal("token-1", (await tokens.GetAsync("read", cancellationToken: Cancellation)).Value);
        time.Advance(TimeSpan.FromSeconds(550));
        Assert.Equal("token-2", (await tokens.GetAsync("read", cancellationToken: Cancellation)).Value);
    }

    [Fact]
    [Requirement("P-REFRESH")]
    public async Task A_key_that_does_not_answer_stops_its_own_caller_and_not_for_ever()
    {
        var scripted = new ScriptedServer();
        var time = new TestClock(DateTimeOffset.UtcNow);
        using var real = ClientKey.Generate();
        var remote = new HangingKey(real);
        using var http = new HttpClient(scripted) { Timeout = s_timeout };
        var tokens = new DcrClient(http, ScriptedServer.Issuer, new DcrClientOptions { Time = time, MaxAttempts = 1 }).AccessTokensFor(new ClientCredentials("worker", remote));
        using var stop = new CancellationTokenSource();
        var impatient = tokens.GetAsync("read", cancellationToken: stop.Token);
        var patient = tokens.GetAsync("read", cancellationToken: Cancellation);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);
        Assert.False(patient.IsCompleted);

        time.Advance(TimeSpan.FromHours(1));
        await Assert.ThrowsAsync<TimeoutException>(() => patient);
        remote.Hangs = false;
        Assert.Equal("token-1", (await tokens.GetAsync("read", cancellationToken: Cancellation)).Value);
    }

    /// <summary>As one in a service far away, that does not even look at cancellation.</summary>
    private sealed class HangingKey(ClientKey key) : ISigningKey
    {
        public bool Hangs { get; set; } = true;

        public PublicJwk PublicJwk => key.PublicJwk;

        public SigningAlgorithm Algorithm => key.Algorithm;

        public async ValueTask<byte[]> SignAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default)
        {
            if (Hangs)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, CancellationToken.None);
            }
            return await key.SignAsync(data, cancellationToken);
        }
    }
}
