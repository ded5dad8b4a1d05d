using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Dcr.Auditing;
using Dcr.Bulk;
using Dcr.Clients;
using Dcr.Protocol;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>What becomes of an operation on many clients whose caller hangs up, or that fails.</summary>
public abstract class RunClientOperationTests : IAsyncDisposable
{
    private readonly DcrServer _server;
    private Func<ClientOperation, Task> _beforeStep = _ => Task.CompletedTask;

    protected RunClientOperationTests(Func<Action<Microsoft.Extensions.DependencyInjection.IServiceCollection>, DcrServer> make)
    {
        _server = make(services => services.Decorate<IClientOperationStore>(store => new WatchedStore(store, operation => _beforeStep(operation))));
        Assert.SkipWhen(_server.SkipReason is not null, _server.SkipReason ?? "");
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return _server.DisposeAsync();
    }

    private static JsonObject Origin(OnboardingParty party) => new() { ["origin"] = new JsonObject { ["onboarding_client"] = party.ClientId } };

    /// <summary>By the real clock: no timer of the server is needed.</summary>
    private async Task AssertBecomesAsync(string status, OnboardedClient client)
    {
        for (var i = 0; i < 300 && await _server.StatusAsync(client) != status; i++)
        {
            await Task.Delay(50, Cancellation);
        }
        Assert.Equal(status, await _server.StatusAsync(client));
    }

    [Fact]
    [Requirement("P-LINEAGE")]
    public async Task Goes_on_at_once_when_the_caller_hangs_up_in_the_first_moment()
    {
        await _server.InitializeAsync();
        var party = await _server.OnboardingClientAsync();
        var client = await _server.OnboardAsync(party);
        var (reached, hungUp) = (new TaskCompletionSource(), new TaskCompletionSource());
        _beforeStep = _ =>
        {
            reached.TrySetResult();
            return hungUp.Task;
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_server.Path("/admin/v1/clients:revoke"), UriKind.Relative))
        {
            Content = new StringContent(Origin(party).ToJsonString(), Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await _server.AdminTokenAsync());
        using var patience = new CancellationTokenSource();
        var asking = _server.Http.SendAsync(request, patience.Token);
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        await Task.Delay(100, Cancellation);
        _beforeStep = _ => Task.CompletedTask;
        hungUp.SetResult();
        await AssertBecomesAsync("revoked", client);
    }

    [Fact]
    [Requirement("P-LINEAGE")]
    public async Task Does_not_wait_for_another_that_fails_again_and_again()
    {
        await _server.InitializeAsync();
        var (bad, good) = (await _server.OnboardingClientAsync(), await _server.OnboardingClientAsync());
        var clients = new[] { await _server.OnboardAsync(bad), await _server.OnboardAsync(good) };
        var goodFails = 1;
        _beforeStep = operation => operation.Origin.OnboardingClient == bad.ClientId || Interlocked.Decrement(ref goodFails) >= 0
            ? throw new InvalidOperationException("a bug")
            : Task.CompletedTask;
        foreach (var party in new[] { bad, good })
        {
            Assert.False((await _server.AdminAsync(HttpMethod.Post, "clients:revoke", Origin(party))).Succeeded().Json["done"]!.GetValue<bool>());
        }
        await AssertBecomesAsync("revoked", clients[1]);
        Assert.Equal("active", await _server.StatusAsync(clients[0]));

        _beforeStep = _ => Task.CompletedTask;
        _server.Time.Advance(TimeSpan.FromSeconds(30));
        await AssertBecomesAsync("revoked", clients[0]);
    }

    [Fact]
    [Requirement("P-LINEAGE")]
    public async Task Resumes_what_was_suspended_as_far_as_there_is_room()
    {
        await _server.InitializeAsync();
        var party = await _server.OnboardingClientAsync("""{"client_lifetime_seconds":1800,"max_live_clients":5}""");
        var clients = new List<OnboardedClient>();
        for (var i = 0; i < 5; i++)
        {
            clients.Add(await _server.OnboardAsync(party));
        }
        (await _server.AdminAsync(HttpMethod.Post, $"clients/{clients[0].ClientId}/revoke")).Succeeded();
        (await _server.AdminAsync(HttpMethod.Post, $"clients/{clients[1].ClientId}/suspend")).Succeeded();
        _server.Time.Advance(TimeSpan.FromHours(1));
        (await _server.AdminAsync(HttpMethod.Post, "clients:reap", new JsonObject())).Succeeded();
        (await _server.ReplacePolicyAsync(party, JsonNode.Parse("""{"max_live_clients":3}""")!.AsObject())).Succeeded();

        var resumed = (await _server.AdminAsync(HttpMethod.Post, "clients:resume", Origin(party))).Succeeded().Json;
        Assert.True(resumed["done"]!.GetValue<bool>());
        Assert.Equal((4, 3), (resumed["matched"]!.GetValue<long>(), resumed["resumed"]!.GetValue<long>()));
        Assert.Null(resumed["suspended"]);
        var statuses = new List<string>();
        foreach (var client in clients)
        {
            statuses.Add(await _server.StatusAsync(client));
        }
        Assert.Equal(("revoked", "active"), (statuses[0], statuses[1]));
        Assert.Equal((3, 1), (statuses.Count(status => status == "active"), statuses.Count(status => status == "expired")));
        Assert.Equal("origin.resumed", (await _server.AdminAsync(HttpMethod.Get, $"audit?subject={resumed["operation"]}")).Succeeded().Json["items"]![0]!["action"]!.GetValue<string>());
    }

    private sealed class WatchedStore(IClientOperationStore store, Func<ClientOperation, Task> beforeStep) : IClientOperationStore
    {
        public Task<long> CountAsync(ClientOperation operation, CancellationToken cancellationToken) => store.CountAsync(operation, cancellationToken);

        public Task<bool> AddAsync(ClientOperation operation, AuditRecord? record, Grounds grounds, CancellationToken cancellationToken) => store.AddAsync(operation, record, grounds, cancellationToken);

        public Task<ClientOperation?> FindAsync(string id, CancellationToken cancellationToken) => store.FindAsync(id, cancellationToken);

        public Task<IReadOnlyList<ClientOperation>> ListUnfinishedAsync(string? after, int limit, CancellationToken cancellationToken) => store.ListUnfinishedAsync(after, limit, cancellationToken);

        public async Task<ClientOperation> StepAsync(ClientOperation operation, int limit, Func<string, ClientStatus, AuditRecord> record, CancellationToken cancellationToken)
        {
            await beforeStep(operation);
            cancellationToken.ThrowIfCancellationRequested();
            return await store.StepAsync(operation, limit, record, cancellationToken);
        }

        public Task<IReadOnlyList<ClientCursor>> NextAsync(ClientOperation operation, int limit, CancellationToken cancellationToken) => store.NextAsync(operation, limit, cancellationToken);

        public Task<ClientOperation> CountChangedAsync(ClientOperation operation, long more, CancellationToken cancellationToken) => store.CountChangedAsync(operation, more, cancellationToken);

        public Task<ClientOperation> MoveAsync(ClientOperation read, ClientOperation moved, CancellationToken cancellationToken) => store.MoveAsync(read, moved, cancellationToken);
    }
}

public sealed class RunClientOperationTestsOnSqlite() : RunClientOperationTests(configure => new SqliteServer { Configure = configure });

public sealed class RunClientOperationTestsOnMongoDb() : RunClientOperationTests(configure => new MongoDbServer { Configure = configure });
