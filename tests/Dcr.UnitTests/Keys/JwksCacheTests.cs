using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Dcr.Keys;
using Dcr.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Dcr.UnitTests.Keys;

/// <summary>How fresh the keys of a jwks_uri are, on a clock that the tests move: OpenID Connect Core section 10.1.1.</summary>
public sealed class JwksCacheTests : IAsyncLifetime
{
    private static readonly FetchCaller s_client = new(FetchRoom.Registered, "directory", "client 1");
    private static readonly FetchCaller s_newcomer = new(FetchRoom.Newcomer, "directory", "token 1");

    private readonly SteppedClock _time = new();
    private readonly JwksOptions _options = new() { AllowHttp = true, AllowPrivateNetworks = true };
    private readonly Host _host = new();
    private JwksFetcher _fetcher = null!;
    private JwksCache _cache = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _host.StartAsync();
        _fetcher = new JwksFetcher(Options.Create(_options), NullLogger<JwksFetcher>.Instance);
        var metrics = new JwksMetrics(new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>());
        _cache = new JwksCache(_fetcher, Options.Create(_options), metrics, _time);
        _host.Publish("a");
    }

    public async ValueTask DisposeAsync()
    {
        _cache.Dispose();
        _fetcher.Dispose();
        await _host.DisposeAsync();
    }

    /// <summary>As an authentication does: looks, and looks again when the kid is not there.</summary>
    private async Task<bool> FindsAsync(string kid)
    {
        var found = await _cache.FindAsync(_host.Url, s_client, Cancellation);
        if (Has(found, kid) || found.Set is null)
        {
            return Has(found, kid);
        }
        return await _cache.FindNewerAsync(_host.Url, found, set => set.Keys.Any(key => key.Kid == kid), s_client, Cancellation) is { } newer && Has(newer, kid);
    }

    /// <summary>Lets what was begun come to where it waits for the clock.</summary>
    private static Task SettleAsync() => Task.Delay(20, Cancellation);

    private static bool Has(FoundKeys found, string kid) => found.Set?.Keys.Any(key => key.Kid == kid) == true;

    [Fact]
    public async Task Downloads_once_while_the_document_is_fresh()
    {
        for (var i = 0; i < 10; i++)
        {
            Assert.True(await FindsAsync("a"));
            _time.Advance(TimeSpan.FromSeconds(29));
        }
        Assert.Equal(1, _host.Requests);
        _time.Advance(TimeSpan.FromSeconds(11));
        Assert.True(await FindsAsync("a"));
        Assert.Equal(2, _host.Requests);
    }

    [Theory]
    [InlineData("max-age=0", 60)]
    [InlineData("no-store", 60)]
    [InlineData("no-cache", 60)]
    [InlineData("max-age=90", 90)]
    [InlineData("max-age=31536000", 600)]
    [InlineData("public", 300)]
    [InlineData(null, 300)]
    public async Task Is_fresh_for_as_long_as_the_host_says_within_limits(string? cacheControl, int seconds)
    {
        _host.CacheControl = cacheControl;
        await FindsAsync("a");
        _time.Advance(TimeSpan.FromSeconds(seconds - 1));
        await FindsAsync("a");
        Assert.Equal(1, _host.Requests);
        _time.Advance(TimeSpan.FromSeconds(2));
        await FindsAsync("a");
        Assert.Equal(2, _host.Requests);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Revalidates_with_what_the_host_gave_for_it(bool etag, bool lastModified)
    {
        _host.WithETag = etag;
        _host.WithLastModified = lastModified;
        await FindsAsync("a");
        var before = _cache.Peek(_host.Url)!;
        _time.Advance(TimeSpan.FromMinutes(6));
        Assert.True(await FindsAsync("a"));
        Assert.Equal(1, _host.NotModified);
        var after = _cache.Peek(_host.Url)!;
        Assert.Same(before.Keys, after.Keys);
        Assert.Equal(_time.GetUtcNow(), after.FetchedAt);
        _host.Publish("a", "b");
        _time.Advance(TimeSpan.FromMinutes(6));
        Assert.True(await FindsAsync("b"));
        Assert.Equal(1, _host.NotModified);
    }

    [Fact]
    [Requirement("OIDCC-10.1-03")]
    public async Task A_withdrawn_key_is_refused_within_max_age_even_under_constant_traffic()
    {
        _host.CacheControl = "max-age=120";
        _host.Publish("a", "b");
        Assert.True(await FindsAsync("a"));
        _host.Publish("b");
        for (var second = 0; second < 120; second += 5)
        {
            Assert.True(await FindsAsync("a"), $"fresh until max-age has passed, at {second} s");
            Assert.True(await FindsAsync("b"));
            _time.Advance(TimeSpan.FromSeconds(5));
        }
        Assert.False(await FindsAsync("a"));
        Assert.True(await FindsAsync("b"));
    }

    [Fact]
    [Requirement("OIDCC-10.1-02")]
    public async Task A_key_that_was_just_published_works_on_first_use()
    {
        Assert.True(await FindsAsync("a"));
        _time.Advance(TimeSpan.FromSeconds(1));
        _host.Publish("a", "b");
        Assert.True(await FindsAsync("b"));
        Assert.True(await FindsAsync("a"));
        Assert.Equal(2, _host.Requests);
    }

    [Fact]
    [Requirement("OIDCC-10.1-02")]
    public async Task A_key_that_was_just_published_works_for_all_that_use_it_at_once()
    {
        Assert.True(await FindsAsync("a"));
        _host.Publish("a", "b");
        _host.Delay = TimeSpan.FromMilliseconds(200);
        var found = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => FindsAsync("b")));
        Assert.All(found, Assert.True);
        Assert.Equal(2, _host.Requests);
    }

    [Fact]
    [Requirement("OIDCC-10.1-02")]
    public async Task A_storm_of_unknown_kids_causes_three_downloads_in_the_cooldown()
    {
        await FindsAsync("a");
        var before = _host.Requests;
        var asked = new List<Task<bool>>();
        for (var second = 0; second < 300; second++)
        {
            asked.AddRange(Enumerable.Range(0, 20).Select(i => FindsAsync($"unknown-{second}-{i}")));
            await SettleAsync();
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        for (var second = 0; second < 20; second++)
        {
            await SettleAsync();
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.All(await Task.WhenAll(asked), Assert.False);
        // Three at first, then one in ten seconds; nothing but these, since each confirms the document.
        Assert.InRange(_host.Requests - before, 20, 3 + (320 / 10));
    }

    [Fact]
    [Requirement("OIDCC-10.1-02")]
    public async Task A_key_that_was_just_published_works_on_first_use_although_a_stranger_forges_kids_all_the_time()
    {
        Assert.True(await FindsAsync("a"));
        var forged = new List<Task<bool>>();
        async Task ForgeAsync(int seconds, int each = 5)
        {
            for (var second = 0; second < seconds; second++)
            {
                forged.AddRange(Enumerable.Range(0, each).Select(_ => FindsAsync(Guid.NewGuid().ToString())));
                await SettleAsync();
                _time.Advance(TimeSpan.FromSeconds(1));
            }
        }
        // At whatever moment between two downloads the key comes.
        for (var i = 0; i < 12; i++)
        {
            await ForgeAsync(21 + i);
            _host.Publish([.. Enumerable.Range(0, i + 1).Select(n => $"new-{n}"), "a"]);
            var first = FindsAsync($"new-{i}");
            await ForgeAsync(12);
            Assert.True(await first);
        }
        await ForgeAsync(12, each: 0);
        Assert.All(await Task.WhenAll(forged), Assert.False);
    }

    [Fact]
    public async Task A_download_that_began_before_the_key_was_published_does_not_answer_for_it()
    {
        Assert.True(await FindsAsync("a"));
        _host.Delay = TimeSpan.FromMilliseconds(300);
        var early = FindsAsync("b");
        for (var i = 0; i < 500 && _host.Requests < 2; i++)
        {
            await Task.Delay(10, Cancellation);
        }
        // The host has read what it will answer.
        _host.Publish("a", "b");
        Assert.True(await FindsAsync("b"));
        await early;
    }

    [Fact]
    public async Task A_kid_is_refused_where_the_next_download_is_too_far()
    {
        _options.UnknownKidCooldown = TimeSpan.FromHours(1);
        await FindsAsync("a");
        for (var i = 0; i < 10; i++)
        {
            Assert.False(await FindsAsync($"unknown-{i}"));
        }
        Assert.Equal(1 + UnknownKidBudget.InCooldown, _host.Requests);
    }

    [Theory]
    [Requirement("P-KEYCLOCK")]
    [InlineData(-5)]
    [InlineData(5)]
    [InlineData(-20)]
    [InlineData(20)]
    [InlineData(-24 * 60)]
    [InlineData(24 * 60)]
    [InlineData(-100 * 24 * 60)]
    [InlineData(100 * 24 * 60)]
    public async Task A_step_of_the_clock_changes_nothing(int minutes)
    {
        _host.CacheControl = "max-age=120";
        _host.Publish("a", "b");
        Assert.True(await FindsAsync("a"));
        _host.Publish("b");
        _time.Step(TimeSpan.FromMinutes(minutes));
        Assert.True(await FindsAsync("a"), "fresh still");
        Assert.Equal(1, _host.Requests);
        _time.Advance(TimeSpan.FromSeconds(121));
        Assert.False(await FindsAsync("a"), "withdrawn");
        _host.Publish("b", "c");
        Assert.True(await FindsAsync("c"), "new");
        // A host that is down: its keys serve for an hour, and no longer.
        _host.Down = true;
        _time.Advance(TimeSpan.FromMinutes(50));
        Assert.True(await FindsAsync("b"));
        _time.Step(TimeSpan.FromMinutes(-2 * minutes));
        Assert.True(await FindsAsync("b"));
        _time.Advance(TimeSpan.FromMinutes(11));
        Assert.False(await FindsAsync("b"));
        _host.Down = false;
        _time.Advance(TimeSpan.FromSeconds(11));
        Assert.True(await FindsAsync("b"));
    }

    [Fact]
    [Requirement("P-SHARES")]
    public async Task Own_congestion_is_no_failure_of_the_host_and_not_remembered()
    {
        _host.Delay = TimeSpan.FromSeconds(3);
        _options.FetchTimeout = TimeSpan.FromSeconds(30);
        // Eight are under way and a hundred wait; there is no room for more, until the host has answered.
        var crowd = Enumerable.Range(0, 108).Select(i => _cache.FindAsync($"{_host.Url}?{i}", s_client with { Party = $"client {i}" }, Cancellation).AsTask()).ToList();
        var last = _cache.FindAsync(_host.Url, s_client with { Party = "client 108" }, Cancellation).AsTask();
        for (var i = 0; i < 500 && _host.Requests < 8; i++)
        {
            await Task.Delay(10, Cancellation);
        }
        _host.Delay = TimeSpan.Zero;
        var outcomes = await Task.WhenAll(crowd.Append(last).Select(find => Record.ExceptionAsync(() => find).AsTask()));
        Assert.IsType<DownloadsBusyException>(Assert.Single(outcomes.OfType<Exception>()));
        Assert.All(Enumerable.Range(0, 108), i => Assert.Null(_cache.Peek($"{_host.Url}?{i}")?.LastFailure));
        Assert.Null(_cache.Peek(_host.Url)?.LastFailure);
        Assert.True(await FindsAsync("a"));
    }

    [Fact]
    [Requirement("P-SHARES", "P-MEMORY")]
    public async Task A_strangers_documents_push_out_none_of_a_client()
    {
        Assert.True(await FindsAsync("a"));
        _host.Publish([.. Enumerable.Range(0, 99).Select(i => $"key-{i}"), "a"]);
        for (var i = 0; i < 400; i++)
        {
            Assert.NotNull((await _cache.FetchAsync($"{_host.Url}?{i}", s_newcomer, Cancellation)).Set);
        }
        Assert.NotNull(_cache.Peek(_host.Url));
        var kept = Enumerable.Range(0, 400).Select(i => _cache.Peek($"{_host.Url}?{i}")).OfType<CachedJwks>().ToList();
        Assert.True(kept.Count < 300, "a hundred keys are charged at what they cost");
        Assert.All(kept.SelectMany(document => document.Keys!.Keys), key => Assert.False(key.IsImported, "nobody has needed it"));
    }

    [Fact]
    public async Task A_client_takes_over_what_was_fetched_for_its_registration()
    {
        Assert.NotNull((await _cache.FetchAsync(_host.Url, s_newcomer, Cancellation)).Set);
        Assert.True(await FindsAsync("a"));
        Assert.Equal(1, _host.Requests);
    }

    [Fact]
    public void A_download_that_was_overtaken_does_not_bring_back_what_a_later_one_replaced()
    {
        var entry = new JwksEntry("https://keys.example/", new UnknownKidBudget(TimeSpan.FromSeconds(30), _time), _time);
        var late = entry.Replace(2, _ => new CachedJwks { Freshness = TimeSpan.FromMinutes(2) });
        Assert.Same(late, entry.Replace(1, _ => new CachedJwks { Freshness = TimeSpan.FromMinutes(1) }));
        Assert.Equal(TimeSpan.FromMinutes(2), entry.Current.Freshness);
        Assert.Equal(3, entry.Replace(3, current => current).Number);
    }

    [Fact]
    public async Task Two_hundred_first_uses_at_once_cause_one_download()
    {
        _host.Delay = TimeSpan.FromMilliseconds(200);
        var found = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => FindsAsync("a")));
        Assert.All(found, Assert.True);
        Assert.Equal(1, _host.Requests);
    }

    [Fact]
    [Requirement("OIDCC-10.1-03")]
    public async Task A_host_that_is_down_leaves_its_keys_in_use_for_an_hour_and_no_longer()
    {
        Assert.True(await FindsAsync("a"));
        _host.Down = true;
        for (var minute = 1; minute <= 59; minute++)
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            Assert.True(await FindsAsync("a"), $"at {minute} min");
        }
        Assert.NotNull(_cache.Peek(_host.Url)!.LastFailure);
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.False(await FindsAsync("a"));

        _host.Down = false;
        _time.Advance(TimeSpan.FromSeconds(11));
        Assert.True(await FindsAsync("a"));
        Assert.Null(_cache.Peek(_host.Url)!.LastFailure);
    }

    [Fact]
    public async Task A_host_that_is_down_is_not_hammered()
    {
        await FindsAsync("a");
        _host.Down = true;
        _time.Advance(TimeSpan.FromMinutes(6));
        var before = _host.Requests;
        for (var i = 0; i < 50; i++)
        {
            Assert.True(await FindsAsync("a"));
        }
        Assert.Equal(before + 1, _host.Requests);
    }

    [Fact]
    public async Task A_host_that_never_answered_is_asked_again_soon_and_not_at_once()
    {
        _host.Down = true;
        Assert.False(await FindsAsync("a"));
        Assert.False(await FindsAsync("a"));
        Assert.Equal(1, _host.Requests);
        _host.Down = false;
        _time.Advance(TimeSpan.FromSeconds(11));
        Assert.True(await FindsAsync("a"));
    }

    [Fact]
    public async Task A_caller_that_leaves_does_not_end_the_download_of_the_others()
    {
        _host.Delay = TimeSpan.FromMilliseconds(300);
        using var leaving = new CancellationTokenSource();
        var first = _cache.FindAsync(_host.Url, s_client, leaving.Token).AsTask();
        var second = FindsAsync("a");
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.True(await second);
        Assert.Equal(1, _host.Requests);
    }

    [Fact]
    public async Task A_registration_asks_the_host_now()
    {
        await FindsAsync("a");
        Assert.NotNull((await _cache.FetchAsync(_host.Url, s_newcomer, Cancellation)).Set);
        Assert.Equal(2, _host.Requests);
        _host.Down = true;
        var failed = await _cache.FetchAsync(_host.Url, s_newcomer, Cancellation);
        Assert.Null(failed.Set);
        Assert.Contains("500", failed.Fault, StringComparison.Ordinal);
        Assert.DoesNotContain("500", failed.PublicFault!, StringComparison.Ordinal);
    }

    /// <summary>A wall clock that may be set, over one that only goes forward.</summary>
    private sealed class SteppedClock() : FakeTimeProvider(DateTimeOffset.UtcNow)
    {
        private TimeSpan _step;

        public void Step(TimeSpan by) => _step += by;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + _step;

        public override long GetTimestamp() => base.GetUtcNow().Ticks;
    }

    /// <summary>A partner's web server.</summary>
    private sealed class Host : IAsyncDisposable
    {
        private readonly WebApplication _app;
        private readonly Dictionary<string, string> _keys = [];
        private volatile string _document = "";
        private int _requests;
        private int _notModified;
        private DateTimeOffset _changed = DateTimeOffset.UtcNow.AddDays(-10);

        public Host()
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            var address = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";
            listener.Stop();
            Url = address + "/jwks";
            _app = WebApplication.CreateSlimBuilder(["--urls", address, "--Logging:LogLevel:Default", "None"]).Build();
            _app.MapGet("/jwks", (Delegate)AnswerAsync);
        }

        public string Url { get; }

        public int Requests => _requests;

        public int NotModified => _notModified;

        public string? CacheControl { get; set; }

        public bool WithETag { get; set; }

        public bool WithLastModified { get; set; }

        public bool Down { get; set; }

        public TimeSpan Delay { get; set; }

        public Task StartAsync() => _app.StartAsync();

        public void Publish(params string[] kids)
        {
            foreach (var kid in kids.Where(kid => !_keys.ContainsKey(kid)))
            {
                using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
                var q = key.ExportParameters(false).Q;
                _keys[kid] = $$"""{"kty":"EC","crv":"P-256","kid":"{{kid}}","x":"{{Base64Url.EncodeToString(q.X)}}","y":"{{Base64Url.EncodeToString(q.Y)}}"}""";
            }
            _document = $$"""{"keys":[{{string.Join(',', kids.Select(kid => _keys[kid]))}}]}""";
            _changed = _changed.AddMinutes(1);
        }

        public ValueTask DisposeAsync() => _app.DisposeAsync();

        private async Task<IResult> AnswerAsync(HttpContext context)
        {
            Interlocked.Increment(ref _requests);
            var (document, etag, changed) = (_document, $"\"{_document.GetHashCode(StringComparison.Ordinal)}\"", _changed.ToString("R"));
            await Task.Delay(Delay);
            if (Down)
            {
                return Results.StatusCode(500);
            }
            if (CacheControl is not null)
            {
                context.Response.Headers.CacheControl = CacheControl;
            }
            if ((WithETag && context.Request.Headers.IfNoneMatch == etag) || (WithLastModified && context.Request.Headers.IfModifiedSince == changed))
            {
                Interlocked.Increment(ref _notModified);
                return Results.StatusCode(304);
            }
            if (WithETag)
            {
                context.Response.Headers.ETag = etag;
            }
            if (WithLastModified)
            {
                context.Response.Headers.LastModified = changed;
            }
            return Results.Text(document, "application/json");
        }
    }
}
