using System.Net;
using System.Text.Json.Nodes;
using Dcr.Keys;
using Dcr.Protocol;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>Uses of keys that cannot be written down for a while.</summary>
public abstract class KeyUsesTests : IAsyncDisposable
{
    private readonly DcrServer _server;

    // A new one each time: one that is thrown again and again remembers from where.
    private Func<Exception>? _fault;

    protected KeyUsesTests(Func<Action<Microsoft.Extensions.DependencyInjection.IServiceCollection>, DcrServer> make)
    {
        _server = make(services => services.Decorate<IKeyUseStore>(store => new FaultyStore(store, () => _fault?.Invoke())));
        Assert.SkipWhen(_server.SkipReason is not null, _server.SkipReason ?? "");
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return _server.DisposeAsync();
    }

    private async Task AMinutePassesAsync()
    {
        _server.Time.Advance(TimeSpan.FromMinutes(1));
        await Task.Delay(200, TestContext.Current.CancellationToken);
    }

    [Theory]
    [Requirement("P-KEYUSE")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Wait_until_they_can_be_and_until_then_nothing_is_safe_to_retire(bool isAway)
    {
        await _server.InitializeAsync();
        var (old, next) = (TestKey.Create(kid: "old"), TestKey.Create(kid: "next"));
        var set = (await _server.AdminAsync(HttpMethod.Post, "key-sets")).Succeeded(HttpStatusCode.Created);
        foreach (var key in new[] { old, next })
        {
            (await _server.AdminAsync(HttpMethod.Post, $"key-sets/{set["id"]}/keys", key.PublicJwk())).Succeeded(HttpStatusCode.Created);
            (await _server.AdminAsync(HttpMethod.Post, $"key-sets/{set["id"]}/keys/{key.Kid}/activate")).Succeeded();
        }
        var client = await _server.OnboardAsync(old, metadata =>
        {
            metadata.Remove("jwks");
            metadata["jwks_uri"] = set["jwks_uri"];
        });
        async Task<JsonNode> ShowAsync() => (await _server.AdminAsync(HttpMethod.Get, $"key-sets/{set["id"]}")).Succeeded().Json["keys"]![0]!;

        _fault = isAway ? () => new StoreUnavailableException("away") : () => new InvalidOperationException("a bug");
        _server.Time.Advance(TimeSpan.FromDays(2));
        await _server.AccessTokenAsync(client.Key, client.ClientId);
        var usedAt = _server.Time.GetUtcNow();
        await AMinutePassesAsync();
        _server.Time.Advance(TimeSpan.FromDays(2));
        var shown = await ShowAsync();
        Assert.True(shown["use_is_unknown"]!.GetValue<bool>());
        Assert.False(shown["safe_to_retire"]!.GetValue<bool>());

        // Nothing was lost, and the server goes on.
        _fault = null;
        for (var i = 0; i < 50 && (await ShowAsync())["use_is_unknown"] is not null; i++)
        {
            await AMinutePassesAsync();
        }
        shown = await ShowAsync();
        Assert.Null(shown["use_is_unknown"]);
        Assert.True(shown["safe_to_retire"]!.GetValue<bool>());
        Assert.Equal(usedAt.ToUnixTimeMilliseconds(), shown["last_used_at"]!.GetValue<DateTimeOffset>().ToUnixTimeMilliseconds());
    }

    private sealed class FaultyStore(IKeyUseStore store, Func<Exception?> fault) : IKeyUseStore
    {
        public Task RecordAsync(IReadOnlyCollection<KeyUse> uses, CancellationToken cancellationToken) =>
            fault() is { } exception ? Task.FromException(exception) : store.RecordAsync(uses, cancellationToken);

        public Task<IReadOnlyDictionary<string, DateTimeOffset>> FindAsync(string clientId, CancellationToken cancellationToken) => store.FindAsync(clientId, cancellationToken);
    }
}

public sealed class KeyUsesTestsOnSqlite() : KeyUsesTests(configure => new SqliteServer { Configure = configure });

public sealed class KeyUsesTestsOnMongoDb() : KeyUsesTests(configure => new MongoDbServer { Configure = configure });
