using System.Net;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Proofs;
using Dcr.Protocol;
using Dcr.ProtocolTests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>The store is away for a while, or another node of it takes over: what was read of it before counts no more.</summary>
public sealed class ChangeOfPrimaryTests : IAsyncLifetime
{
    private TurningAway _store = null!;
    private SqliteServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = new SqliteServer
        {
            Configure = services =>
            {
                var real = services.Last(service => service.ServiceType == typeof(IUsedJtiStore)).ImplementationType!;
                services.AddSingleton<IUsedJtiStore>(provider => _store = new TurningAway((IUsedJtiStore)ActivatorUtilities.CreateInstance(provider, real)));
            },
        };
        await _server.InitializeAsync();
        _server.Services.GetRequiredService<IUsedJtiStore>();
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private Task<Answer> AskAsync() => _server.PostTokenAsync(_server.Assertion(_server.OnboardingKey, DcrServer.OnboardingClient).Sign(), "dcr");

    [Fact]
    [Requirement("P-AWAY")]
    public async Task A_client_is_judged_again_when_its_assertion_could_not_be_recorded()
    {
        (await AskAsync()).Succeeded();
        _store.FailsOnce(new StoreUnavailableException("turned away") { NothingWritten = true });
        (await AskAsync()).Succeeded();

        // The next primary knows that the client has been stopped meanwhile.
        _store.Fails = async () =>
        {
            var clients = _server.Services.GetRequiredService<IClientStore>();
            var client = (await clients.FindAsync(DcrServer.OnboardingClient, default))!;
            var record = new AuditRecord { Id = "ffffffffffff", At = _server.Time.GetUtcNow(), Action = "client.suspended", Subject = client.ClientId };
            await clients.ReplaceAsync(client with { Status = ClientStatus.Suspended, Version = client.Version + 1 }, record, Grounds.Server, default);
            return new StoreUnavailableException("turned away") { NothingWritten = true };
        };
        (await AskAsync()).Refused(HttpStatusCode.Unauthorized, "invalid_client");
    }

    [Fact]
    [Requirement("P-AWAY", "P-FAULT")]
    public async Task An_outage_is_two_lines_in_the_log_however_many_requests_it_fails()
    {
        for (var i = 0; i < 20; i++)
        {
            _store.FailsOnce(new StoreUnavailableException("MongoDB cannot be used.", new IOException("line one\nline two")));
            (await AskAsync()).Refused(HttpStatusCode.ServiceUnavailable, "temporarily_unavailable");
        }
        var line = Assert.Single(_server.Log.Lines, line => line.Contains("store is away", StringComparison.Ordinal));
        Assert.Contains("IOException", line, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', line);

        (await AskAsync()).Succeeded();
        _server.Time.Advance(TimeSpan.FromSeconds(30));
        Assert.Single(_server.Log.Lines, line => line.Contains("20 requests were answered 503", StringComparison.Ordinal));
        Assert.DoesNotContain(_server.Log.Lines, line => line.Contains("   at ", StringComparison.Ordinal));
    }

    /// <summary>A store that turns one write away, as a test says.</summary>
    private sealed class TurningAway(IUsedJtiStore store) : IUsedJtiStore
    {
        public Func<Task<StoreUnavailableException>>? Fails { get; set; }

        public void FailsOnce(StoreUnavailableException exception) => Fails = () => Task.FromResult(exception);

        public async Task<RecordJtiOutcome> RecordAsync(string clientId, string jti, DateTimeOffset expiresAt, CancellationToken cancellationToken)
        {
            if (Fails is { } fails)
            {
                Fails = null;
                throw await fails();
            }
            return await store.RecordAsync(clientId, jti, expiresAt, cancellationToken);
        }

        public Task<bool> IsUsedAsync(string clientId, string jti, CancellationToken cancellationToken) => store.IsUsedAsync(clientId, jti, cancellationToken);
    }
}
