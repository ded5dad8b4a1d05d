using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Dcr.Auditing;
using Dcr.ProtocolTests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>Refused authentications in the audit trail: who was refused cannot keep the record out of it.</summary>
public abstract class RefusalAuditTests : IAsyncLifetime
{
    private readonly DcrServer _server;
    private readonly HeldAudit _held;

    protected RefusalAuditTests(Func<Action<IServiceCollection>, DcrServer> create)
    {
        var held = new HeldAudit();
        _held = held;
        _server = create(services =>
        {
            var store = services.Single(service => service.ServiceType == typeof(IAuditStore));
            services.AddSingleton<IAuditStore>(provider => held.Over((IAuditStore)ActivatorUtilities.CreateInstance(provider, store.ImplementationType!)));
        });
        Assert.SkipWhen(_server.SkipReason is not null, _server.SkipReason ?? "");
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _server.InitializeAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return _server.DisposeAsync();
    }

    [Fact]
    [Requirement("P-AUDIT")]
    public async Task Who_hangs_up_leaves_a_record_all_the_same()
    {
        _held.Hold();
        await SendAndResetAsync(_server.Assertion(TestKey.Create(), DcrServer.Api).Sign());
        _held.Release();

        var admin = await _server.AdminTokenAsync();
        for (var i = 0; i < 100; i++)
        {
            var audit = (await _server.AdminAsync(HttpMethod.Get, $"audit?subject={DcrServer.Api}", admin)).Succeeded();
            if (audit.Json["items"]!.AsArray().Any(record => record!["action"]!.GetValue<string>() == "client.authentication_refused"))
            {
                return;
            }
            await Task.Delay(50, Cancellation);
        }
        Assert.Fail("no record of the refusal");
    }

    private async Task SendAndResetAsync(string assertion)
    {
        using var form = new FormUrlEncodedContent(Requests.TokenForm(assertion));
        var body = await form.ReadAsStringAsync(Cancellation);
        var head = string.Create(CultureInfo.InvariantCulture, $"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {body.Length}\r\n\r\n");
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(true, 0) };
        await socket.ConnectAsync(IPAddress.Loopback, _server.Http.BaseAddress!.Port, Cancellation);
        await socket.SendAsync(Encoding.ASCII.GetBytes(head + body), Cancellation);
        await _held.Reached.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
        // Closed at once, with a reset: the request is aborted while the record is being written.
        socket.Close();
        await Task.Delay(500, Cancellation);
    }

    /// <summary>An audit store whose next write waits, and honours whatever would cancel it.</summary>
    private sealed class HeldAudit : IAuditStore
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private TaskCompletionSource? _released;
        private IAuditStore _store = null!;

        public Task Reached => _reached.Task;

        public HeldAudit Over(IAuditStore store)
        {
            _store = store;
            return this;
        }

        public void Hold() => _released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Release() => _released!.SetResult();

        public async Task AddAsync(AuditRecord record, CancellationToken cancellationToken)
        {
            if (_released is { } released)
            {
                _reached.TrySetResult();
                await released.Task.WaitAsync(cancellationToken);
            }
            await _store.AddAsync(record, cancellationToken);
        }

        public Task<IReadOnlyList<AuditRecord>> ListAsync(string? subject, string? before, int limit, CancellationToken cancellationToken) =>
            _store.ListAsync(subject, before, limit, cancellationToken);
    }
}

public sealed class RefusalAuditTestsOnSqlite() : RefusalAuditTests(configure => new SqliteServer { Configure = configure });

public sealed class RefusalAuditTestsOnMongoDb() : RefusalAuditTests(configure => new MongoDbServer { Configure = configure });
