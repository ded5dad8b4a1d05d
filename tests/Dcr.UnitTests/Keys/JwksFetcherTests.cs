using System.Buffers.Text;
using System.Diagnostics;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Dcr.Keys;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Dcr.UnitTests.Keys;

/// <summary>Downloads from hosts that are honest, broken and hostile. Each ends within the time limit.</summary>
public sealed class JwksFetcherTests
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromMilliseconds(800);
    private static readonly FetchCaller s_newcomer = new(FetchRoom.Newcomer, "directory", "token 1");

    /// <summary>Each its own party, as clients are.</summary>
    private static FetchCaller Registered(int number, string registrant = "directory") => new(FetchRoom.Registered, registrant, $"client {number}");

    private static string Key(string kid)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var q = key.ExportParameters(false).Q;
        return $$"""{"kty":"EC","crv":"P-256","kid":"{{kid}}","x":"{{Base64Url.EncodeToString(q.X)}}","y":"{{Base64Url.EncodeToString(q.Y)}}"}""";
    }

    private static string Set(params string[] keys) => $$"""{"keys":[{{string.Join(',', keys)}}]}""";

    private static JwksOptions Open() => new() { AllowHttp = true, AllowPrivateNetworks = true, FetchTimeout = s_timeout };

    /// <summary>Where what is good must come in time, on a machine that is busy.</summary>
    private static JwksOptions Patient() => new() { AllowHttp = true, AllowPrivateNetworks = true, FetchTimeout = TimeSpan.FromSeconds(3) };

    private static JwksFetcher Fetcher(JwksOptions? options = null, Func<string, IPAddress[]>? lookUp = null) =>
        new(Options.Create(options ?? Open()), NullLogger<JwksFetcher>.Instance, lookUp);

    private static async Task<JwksFetchOutcome> FetchAsync(RawHost host, JwksFetcher? fetcher = null)
    {
        using var own = fetcher ?? Fetcher();
        var clock = Stopwatch.StartNew();
        var outcome = await own.FetchAsync(host.Url, JwksValidators.None, s_newcomer, TestContext.Current.CancellationToken);
        Assert.True(clock.Elapsed < s_timeout + TimeSpan.FromSeconds(2), $"took {clock.Elapsed}");
        return outcome;
    }

    private static async Task RefusesAsync(JwksFetchFailure reason, string answer, string? body = null)
    {
        await using var host = new RawHost(answer, Encoding.UTF8.GetBytes(body ?? ""));
        var failed = Assert.IsType<JwksFetchFailed>(await FetchAsync(host));
        Assert.Equal(reason, failed.Reason);
        Assert.DoesNotContain("127.0.0.1", failed.Description, StringComparison.Ordinal);
    }

    private static string Ok(int length, string type = "application/json", string more = "") =>
        $"HTTP/1.1 200 OK\r\nContent-Type: {type}\r\nContent-Length: {length}\r\n{more}Connection: close\r\n\r\n";

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/jwk-set+json")]
    [InlineData("Application/JSON; charset=utf-8")]
    public async Task Accepts_a_set(string type)
    {
        var body = Set(Key("a"), Key("b"));
        await using var host = new RawHost(Ok(body.Length, type), Encoding.UTF8.GetBytes(body));
        Assert.Equal(["a", "b"], Assert.IsType<JwksFetched>(await FetchAsync(host)).Keys.Keys.Select(key => key.Kid));
        Assert.DoesNotContain("Cookie", host.Received, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("Authorization", host.Received, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Accepts_a_compressed_set()
    {
        var body = Gzip(Encoding.UTF8.GetBytes(Set(Key("a"))));
        await using var host = new RawHost(Ok(body.Length, more: "Content-Encoding: gzip\r\n"), body);
        Assert.IsType<JwksFetched>(await FetchAsync(host));
    }

    [Theory]
    [Requirement("P-IP", "P-FETCH")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 304 Not Modified\r\n\r\n")]
    [InlineData("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n")]
    public Task Rejects_any_status_but_200_and_follows_no_redirect(string answer) => RefusesAsync(JwksFetchFailure.Status, answer);

    [Theory]
    [InlineData("text/plain")]
    [InlineData("text/html; charset=iso-8859-1")]
    [InlineData("application/octet-stream")]
    [InlineData("not a type")]
    public async Task Takes_a_set_for_what_it_is_whatever_type_the_host_gives_it(string type)
    {
        var body = Set(Key("a"));
        await using var host = new RawHost(Ok(body.Length, type), Encoding.UTF8.GetBytes(body));
        Assert.IsType<JwksFetched>(await FetchAsync(host));
        await using var silent = new RawHost($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n", Encoding.UTF8.GetBytes(body));
        Assert.IsType<JwksFetched>(await FetchAsync(silent));
    }

    [Fact]
    public async Task Passes_over_a_byte_order_mark()
    {
        byte[] body = [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(Set(Key("a")))];
        await using var host = new RawHost(Ok(body.Length), body);
        Assert.IsType<JwksFetched>(await FetchAsync(host));
        byte[] utf16 = [.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes(Set(Key("a")))];
        await using var other = new RawHost(Ok(utf16.Length), utf16);
        Assert.Equal(JwksFetchFailure.NotJson, Assert.IsType<JwksFetchFailed>(await FetchAsync(other)).Reason);
    }

    [Fact]
    public async Task Says_who_it_is_and_nothing_of_who_made_it_ask()
    {
        using var incoming = new Activity("incoming").SetParentId("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").AddBaggage("tenant", "secret-plan");
        incoming.TraceStateString = "vendor=secret";
        incoming.Start();
        var body = Set(Key("a"));
        await using var host = new RawHost(Ok(body.Length), Encoding.UTF8.GetBytes(body));
        Assert.IsType<JwksFetched>(await FetchAsync(host));
        Assert.Matches("(?m)^User-Agent: Dcr/[0-9.]+\r$", host.Received);
        Assert.Equal(["Accept", "Accept-Encoding", "Host", "User-Agent"], host.Received.Split("\r\n").Skip(1).Where(line => line.Length > 0).Select(line => line[..line.IndexOf(':', StringComparison.Ordinal)]).Order());
    }

    [Fact]
    [Requirement("P-FETCH")]
    public async Task Tells_strangers_the_same_of_a_port_that_is_closed_mute_or_answers_something_else()
    {
        await using var missing = new RawHost("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", []);
        await using var page = new RawHost(Ok(6, "text/html"), "<html>"u8.ToArray());
        await using var json = new RawHost(Ok(2), "{}"u8.ToArray());
        await using var ssh = new RawHost("SSH-2.0-OpenSSH_9.6\r\n", []);
        await using var mute = new RawHost("", [], drip: "");
        var closed = new RawHost("", []);
        await closed.DisposeAsync();
        using var fetcher = Fetcher(Patient());
        var told = new List<JwksFetchFailed>();
        foreach (var host in new[] { missing, page, json, ssh, mute, closed })
        {
            told.Add(Assert.IsType<JwksFetchFailed>(await fetcher.FetchAsync(host.Url, JwksValidators.None, s_newcomer, TestContext.Current.CancellationToken)));
        }
        using var guarded = Fetcher(new JwksOptions { AllowHttp = true, FetchTimeout = TimeSpan.FromSeconds(3) }, _ => [IPAddress.Parse("10.0.0.1")]);
        told.Add(Assert.IsType<JwksFetchFailed>(await guarded.FetchAsync(new Uri("http://inside.example/"), JwksValidators.None, s_newcomer, TestContext.Current.CancellationToken)));
        Assert.Single(told.Select(failed => failed.Description).Distinct());
        Assert.True(told.Select(failed => failed.Detail).Distinct().Count() >= 5, "the log tells them apart");
    }

    [Theory]
    [Requirement("R7517-4.5-01", "R8725-3.7-01")]
    [InlineData("[]")]
    [InlineData("not json")]
    [InlineData("{}")]
    [InlineData("{\"keys\":{}}")]
    [InlineData("{\"keys\":[]}", true)]
    [InlineData("{\"keys\":[],\"keys\":[]}")]
    [InlineData("{\"keys\":[{\"kty\":\"EC\",\"kid\":\"\\ud800\"}]}", true)]
    [InlineData("{\"keys\":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}")]
    [InlineData("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"}]}", true)]
    public Task Rejects_a_document_that_is_no_usable_set(string body, bool isSet = false) =>
        RefusesAsync(isSet ? JwksFetchFailure.NotAJwkSet : JwksFetchFailure.NotJson, Ok(body.Length), body);

    [Fact]
    public async Task Rejects_a_private_key_and_two_keys_of_one_kid_and_too_many_keys()
    {
        var withPrivate = Set(Key("a"), Key("b")[..^1] + ",\"d\":\"AA\"}");
        await RefusesAsync(JwksFetchFailure.NotAJwkSet, Ok(withPrivate.Length), withPrivate);
        var twice = Set(Key("a"), Key("a"));
        await RefusesAsync(JwksFetchFailure.NotAJwkSet, Ok(twice.Length), twice);
        var many = Set([.. Enumerable.Range(0, 101).Select(i => Key($"k{i}"))]);
        await RefusesAsync(JwksFetchFailure.NotAJwkSet, Ok(many.Length), many);
    }

    [Fact]
    [Requirement("R7517-5-01")]
    public async Task Serves_the_good_keys_of_a_set_with_a_malformed_one()
    {
        var body = Set(Key("a"), """{"kty":"EC","crv":"P-256","kid":"bad","x":"!","y":7}""", Key("b"));
        await using var host = new RawHost(Ok(body.Length), Encoding.UTF8.GetBytes(body));
        Assert.Equal(2, Assert.IsType<JwksFetched>(await FetchAsync(host)).Keys.Keys.Count);
    }

    [Fact]
    public async Task Rejects_ten_mebibytes_and_a_hundred_thousand_keys()
    {
        var huge = new string(' ', 10 * 1024 * 1024);
        await RefusesAsync(JwksFetchFailure.TooLarge, Ok(huge.Length), huge);
        var keys = Set([.. Enumerable.Repeat("{\"kty\":\"x\"}", 100_000)]);
        await RefusesAsync(JwksFetchFailure.TooLarge, Ok(keys.Length), keys);
    }

    [Fact]
    [Requirement("P-FETCH")]
    public async Task Rejects_a_compression_bomb()
    {
        var bomb = Gzip(new byte[50 * 1024 * 1024]);
        Assert.True(bomb.Length < 65536);
        await using var host = new RawHost(Ok(bomb.Length, more: "Content-Encoding: gzip\r\n"), bomb);
        Assert.Equal(JwksFetchFailure.TooLarge, Assert.IsType<JwksFetchFailed>(await FetchAsync(host)).Reason);
    }

    [Fact]
    [Requirement("P-FETCH")]
    public async Task Gives_up_on_a_slow_drip_silence_and_endless_headers()
    {
        await using (var drip = new RawHost(Ok(60000), [], drip: " "))
        {
            Assert.Equal(JwksFetchFailure.Timeout, Assert.IsType<JwksFetchFailed>(await FetchAsync(drip)).Reason);
        }
        await using (var silent = new RawHost("", [], drip: ""))
        {
            Assert.Equal(JwksFetchFailure.Timeout, Assert.IsType<JwksFetchFailed>(await FetchAsync(silent)).Reason);
        }
        await using (var headers = new RawHost("HTTP/1.1 200 OK\r\n" + string.Concat(Enumerable.Range(0, 5000).Select(i => $"X-{i}: {new string('x', 50)}\r\n")), [], drip: "X-More: x\r\n"))
        {
            Assert.Equal(JwksFetchFailure.Unreachable, Assert.IsType<JwksFetchFailed>(await FetchAsync(headers)).Reason);
        }
    }

    [Fact]
    public async Task Rejects_a_host_that_is_not_there_and_TLS_that_is_none()
    {
        await using var host = new RawHost("", []);
        var port = host.Url.Port;
        using var fetcher = Fetcher();
        var tls = await fetcher.FetchAsync(new Uri($"https://127.0.0.1:{port}/"), JwksValidators.None, s_newcomer, TestContext.Current.CancellationToken);
        Assert.IsType<JwksFetchFailed>(tls);
        await host.DisposeAsync();
        Assert.Equal(JwksFetchFailure.Unreachable, Assert.IsType<JwksFetchFailed>(await fetcher.FetchAsync(new Uri($"http://127.0.0.1:{port}/"), JwksValidators.None, s_newcomer, TestContext.Current.CancellationToken)).Reason);
    }

    [Theory]
    [Requirement("P-IP", "R8725-3.10-02")]
    [InlineData("127.0.0.1")]
    [InlineData("10.1.2.3")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("93.184.216.34,127.0.0.1")]
    public async Task Connects_to_nothing_when_one_address_is_not_public(string addresses)
    {
        await using var host = new RawHost(Ok(2), "{}"u8.ToArray());
        var lookUps = 0;
        using var fetcher = Fetcher(new JwksOptions { AllowHttp = true, FetchTimeout = s_timeout }, _ =>
        {
            lookUps++;
            return [.. addresses.Split(',').Select(IPAddress.Parse)];
        });
        var failed = Assert.IsType<JwksFetchFailed>(await fetcher.FetchAsync(new Uri($"http://keys.example:{host.Url.Port}/"), JwksValidators.None, s_newcomer, TestContext.Current.CancellationToken));
        Assert.Equal(JwksFetchFailure.NotPublic, failed.Reason);
        Assert.Equal(1, lookUps);
        Assert.Equal(0, host.Connections);
    }

    [Fact]
    [Requirement("P-IP")]
    public async Task Connects_to_what_was_looked_up_and_checked_and_looks_up_once()
    {
        var body = Set(Key("a"));
        await using var host = new RawHost(Ok(body.Length), Encoding.UTF8.GetBytes(body));
        var lookUps = 0;
        using var fetcher = Fetcher(lookUp: _ => [++lookUps == 1 ? IPAddress.Loopback : IPAddress.Parse("10.0.0.1")]);
        Assert.IsType<JwksFetched>(await fetcher.FetchAsync(new Uri($"http://keys.example:{host.Url.Port}/"), JwksValidators.None, s_newcomer, TestContext.Current.CancellationToken));
        Assert.Equal(1, lookUps);
    }

    [Fact]
    [Requirement("P-SHARES")]
    public async Task Names_that_hang_delay_nobody_else()
    {
        using var end = new ManualResetEventSlim();
        var body = Set(Key("a"));
        await using var host = new RawHost(Ok(body.Length), Encoding.UTF8.GetBytes(body));
        using var fetcher = Fetcher(Patient(), lookUp: name =>
        {
            if (name.StartsWith("hangs", StringComparison.Ordinal))
            {
                end.Wait();
            }
            return [IPAddress.Loopback];
        });
        Task<JwksFetchOutcome> FetchAsync(string name, FetchCaller caller) =>
            fetcher.FetchAsync(new Uri($"http://{name}:{host.Url.Port}/"), JwksValidators.None, caller, TestContext.Current.CancellationToken);
        try
        {
            var hanging = Enumerable.Range(0, 64).SelectMany(i => new[]
            {
                FetchAsync($"hangs-{i}.example", Registered(i)),
                FetchAsync($"hangs-{i}.example", new(FetchRoom.Newcomer, "directory", $"token {i}")),
            }).ToArray();
            // Of the same registrant, of another, and of somebody new; while they hang, and when all have been given up.
            Assert.IsType<JwksFetched>(await FetchAsync("good.example", Registered(100)));
            Assert.IsType<JwksFetched>(await FetchAsync("good.example", Registered(101, "another")));
            Assert.IsType<JwksFetched>(await FetchAsync("good.example", new(FetchRoom.Newcomer, "directory", "token 100")));
            Assert.All(await Task.WhenAll(hanging), outcome => Assert.Equal(JwksFetchFailure.Timeout, Assert.IsType<JwksFetchFailed>(outcome).Reason));
            Assert.IsType<JwksFetched>(await FetchAsync("good.example", Registered(100)));
            // Their look-ups hold their places still: one more of a host that has its share under way does not come to its turn.
            Assert.IsType<JwksFetched>(await FetchAsync("good.example", new(FetchRoom.Newcomer, "directory", "token 100")));
            await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => FetchAsync("hangs-0.example", new(FetchRoom.Newcomer, "directory", "token 0"))));
            Assert.IsType<JwksFetchBusy>(await FetchAsync("hangs-1.example", new(FetchRoom.Newcomer, "directory", "token 0")));
        }
        finally
        {
            end.Set();
        }
    }

    [Fact]
    public async Task Goes_on_after_look_ups_that_throw()
    {
        var body = Set(Key("a"));
        await using var host = new RawHost(Ok(body.Length), Encoding.UTF8.GetBytes(body));
        var failures = 40;
        using var fetcher = Fetcher(lookUp: _ => failures-- > 0 ? throw new ArgumentOutOfRangeException("hostName") : [IPAddress.Loopback]);
        var url = new Uri($"http://keys.example:{host.Url.Port}/");
        for (var i = 0; i < 40; i++)
        {
            Assert.Equal(JwksFetchFailure.Unreachable, Assert.IsType<JwksFetchFailed>(await fetcher.FetchAsync(url, JwksValidators.None, s_newcomer, TestContext.Current.CancellationToken)).Reason);
        }
        Assert.IsType<JwksFetched>(await fetcher.FetchAsync(url, JwksValidators.None, s_newcomer, TestContext.Current.CancellationToken));
    }

    [Fact]
    [Requirement("P-SHARES")]
    public async Task A_mute_port_holds_no_more_than_its_share_and_the_other_ports_of_its_host_none()
    {
        await using var mute = new RawHost("", [], drip: "");
        var body = Set(Key("a"));
        await using var healthy = new RawHost(Ok(body.Length), Encoding.UTF8.GetBytes(body));
        using var fetcher = Fetcher(Patient());
        Task<JwksFetchOutcome> FetchAsync(Uri url, FetchCaller caller) => fetcher.FetchAsync(url, JwksValidators.None, caller, TestContext.Current.CancellationToken);
        var waiting = Enumerable.Range(0, 110).Select(i => FetchAsync(mute.Url, Registered(i))).ToArray();
        var newcomers = Enumerable.Range(0, 110).Select(i => FetchAsync(mute.Url, new(FetchRoom.Newcomer, "directory", $"token {i}"))).ToArray();
        Assert.IsType<JwksFetched>(await FetchAsync(healthy.Url, Registered(200)));
        Assert.IsType<JwksFetched>(await FetchAsync(healthy.Url, new(FetchRoom.Newcomer, "directory", "token 200")));
        var outcomes = await Task.WhenAll(waiting);
        // Those that had their turn say what the host did, those that had none say nothing of it.
        Assert.Contains(outcomes, outcome => outcome is JwksFetchFailed { Reason: JwksFetchFailure.Timeout });
        Assert.Contains(outcomes, outcome => outcome is JwksFetchBusy);
        Assert.All(outcomes, outcome => Assert.True(outcome is JwksFetchBusy or JwksFetchFailed { Reason: JwksFetchFailure.Timeout }, outcome.ToString()));
        await Task.WhenAll(newcomers);
    }

    [Fact]
    [Requirement("P-SHARES")]
    public async Task Newcomers_at_a_slow_host_leave_its_registered_clients_their_room()
    {
        var body = Set(Key("a"));
        using var slow = new SemaphoreSlim(0);
        await using var host = new RawHost(Ok(body.Length), Encoding.UTF8.GetBytes(body), until: slow);
        using var fetcher = Fetcher(new JwksOptions { AllowHttp = true, AllowPrivateNetworks = true, FetchTimeout = TimeSpan.FromSeconds(20) });
        Task<JwksFetchOutcome> FetchAsync(FetchCaller caller) => fetcher.FetchAsync(host.Url, JwksValidators.None, caller, TestContext.Current.CancellationToken);
        var newcomers = Enumerable.Range(0, 60).Select(i => FetchAsync(new(FetchRoom.Newcomer, "stranger", $"token {i}"))).ToArray();
        var registered = FetchAsync(Registered(1));
        for (var i = 0; i < 500 && host.Connections < 5; i++)
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
        Assert.Equal(5, host.Connections);
        slow.Release(1000);
        Assert.IsType<JwksFetched>(await registered);
        await Task.WhenAll(newcomers);
    }

    [Fact]
    [Requirement("P-SHARES")]
    public async Task Sixty_clients_of_a_host_that_takes_its_time_all_come_to_their_turn()
    {
        var body = Set(Key("a"));
        await using var host = new RawHost(Ok(body.Length), Encoding.UTF8.GetBytes(body), delay: TimeSpan.FromMilliseconds(50));
        using var fetcher = Fetcher(new JwksOptions { AllowHttp = true, AllowPrivateNetworks = true, FetchTimeout = TimeSpan.FromSeconds(20) });
        var served = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => fetcher.FetchAsync(host.Url, JwksValidators.None, Registered(i), TestContext.Current.CancellationToken)));
        Assert.All(served, outcome => Assert.IsType<JwksFetched>(outcome));
    }

    private static byte[] Gzip(byte[] data)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.SmallestSize))
        {
            gzip.Write(data);
        }
        return buffer.ToArray();
    }

    /// <summary>A host that answers every connection with the same bytes, then closes, or drips on for ever.</summary>
    private sealed class RawHost : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _accepting;
        private readonly byte[] _answer;
        private readonly string? _drip;
        private readonly TimeSpan _delay;
        private readonly SemaphoreSlim? _until;
        private int _connections;

        public RawHost(string head, byte[] body, string? drip = null, TimeSpan delay = default, SemaphoreSlim? until = null)
        {
            _delay = delay;
            _until = until;
            _answer = [.. Encoding.ASCII.GetBytes(head), .. body];
            _drip = drip;
            _listener.Start();
            Url = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/jwks");
            _accepting = AcceptAsync();
        }

        public Uri Url { get; }

        public int Connections => _connections;

        public string Received { get; private set; } = "";

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            _listener.Stop();
            await _accepting;
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    _ = AnswerAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
                }
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or InvalidOperationException)
            {
                // Stopped.
            }
        }

        private async Task AnswerAsync(TcpClient client)
        {
            Interlocked.Increment(ref _connections);
            try
            {
                using (client)
                {
                    var stream = client.GetStream();
                    var buffer = new byte[8192];
                    var read = await stream.ReadAsync(buffer, _stop.Token);
                    Received = Encoding.ASCII.GetString(buffer, 0, read);
                    await Task.Delay(_delay, _stop.Token);
                    if (_until is not null)
                    {
                        await _until.WaitAsync(_stop.Token);
                    }
                    await stream.WriteAsync(_answer, _stop.Token);
                    while (_drip is not null)
                    {
                        await Task.Delay(50, _stop.Token);
                        await stream.WriteAsync(Encoding.ASCII.GetBytes(_drip), _stop.Token);
                    }
                }
            }
            catch (Exception exception) when (exception is OperationCanceledException or IOException or SocketException)
            {
                // The caller hung up, or the test is over.
            }
        }
    }
}
