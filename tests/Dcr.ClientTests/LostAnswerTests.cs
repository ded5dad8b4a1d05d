using System.Net;
using Dcr.Client;
using Dcr.ClientTests.Support;
using Xunit;

namespace Dcr.ClientTests;

/// <summary>Requests and answers get lost, processes end: no second client, and nobody is locked out.</summary>
public sealed class LostAnswerTests(RealServer server) : IClassFixture<RealServer>
{
    private static readonly int s_attempts = RealServer.Quick.MaxAttempts;

    private readonly FaultyHandler _network = new();
    private readonly MemoryStore _store = new();
    private readonly RemoteKey _key = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_registration_whose_answer_is_lost_is_repeated_and_makes_one_client(bool answerIsLost)
    {
        _ = answerIsLost ? _network.LoseAnswers(HttpMethod.Post, 2) : _network.LoseRequests(HttpMethod.Post, 2);
        var dcr = server.Connect(_network);

        var client = await RegisterAsync(dcr);

        var sent = _network.Sent.Where(request => request.Uri.AbsolutePath == "/oauth/register").ToList();
        Assert.Equal(3, sent.Count);
        Assert.Single(sent.Select(request => request.IdempotencyKey).Distinct());
        Assert.NotNull(sent[0].IdempotencyKey);
        Assert.All(_network.Lost, answer => Assert.Contains(client.ClientId, answer, StringComparison.Ordinal));
        Assert.Equal(client.ClientId, (await dcr.RegistrationIn(_store).ReadAsync(Cancellation)).ClientId);
    }

    [Fact]
    public async Task A_registration_goes_on_in_the_next_process_with_another_token()
    {
        _network.LoseAnswers(HttpMethod.Post, s_attempts);
        await Assert.ThrowsAsync<HttpRequestException>(() => RegisterAsync(server.Connect(_network)));
        Assert.Equal(PendingRequest.Registration, _store.State!.Pending);
        Assert.Null(await server.Connect().RegistrationIn(_store).FindClientIdAsync(Cancellation));

        var next = new FaultyHandler();
        var client = await RegisterAsync(server.Connect(next));

        Assert.Equal(_network.Sent.Last().IdempotencyKey, next.Sent.Single(request => request.Uri.AbsolutePath == "/oauth/register").IdempotencyKey);
        Assert.All(_network.Lost, answer => Assert.Contains(client.ClientId, answer, StringComparison.Ordinal));
        Assert.Null(_store.State!.Pending);
        await server.Connect().AccessTokensFor(new ClientCredentials(client.ClientId, _key)).GetAsync(cancellationToken: Cancellation);
    }

    [Fact]
    public async Task A_device_repeats_its_registration_with_a_fresh_proof_each_time()
    {
        _network.LoseAnswers(HttpMethod.Post, 2);
        var dcr = server.Connect(_network);

        var initial = await dcr.GetInitialAccessTokenAsync(server.DeviceMaker, _key, Cancellation);
        await dcr.RegistrationIn(_store).RegisterAsync(initial, new ClientMetadata(), _key, Cancellation);

        var proofs = _network.Sent.Where(request => request.Uri.AbsolutePath == "/oauth/register").Select(request => request.Dpop).ToList();
        Assert.Equal(3, proofs.Distinct().Count());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_update_whose_answer_is_lost_is_repeated(bool withETag)
    {
        var dcr = server.Connect(_network);
        var client = await RegisterAsync(dcr);
        var registration = dcr.RegistrationIn(_store);
        _network.LoseAnswers(HttpMethod.Put, 2);

        var updated = await registration.UpdateAsync(client.Metadata with { Scope = "read write" }, withETag ? client.ETag : null, cancellationToken: Cancellation);

        Assert.Equal("read write", updated.Metadata.Scope);
        Assert.Null(_store.State!.Pending);
        Assert.Equal(updated.ETag, (await registration.ReadAsync(Cancellation)).ETag);
    }

    [Fact]
    public async Task A_new_token_is_stored_before_it_is_used()
    {
        var dcr = server.Connect(_network);
        var client = await RegisterAsync(dcr);
        var old = _store.State!.RegistrationAccessToken!;
        var registration = dcr.RegistrationIn(_store);
        _store.Fails = state => state.RegistrationAccessToken != old;

        await Assert.ThrowsAsync<IOException>(() => registration.UpdateAsync(client.Metadata with { Scope = "read write" }, cancellationToken: Cancellation));
        Assert.Equal((old, PendingRequest.Update), (_store.State!.RegistrationAccessToken, _store.State.Pending));

        // The disk has room again: the old token still works, and is changed for one that lasts.
        _store.Fails = _ => false;
        var read = await registration.ReadAsync(Cancellation);
        Assert.Equal("read write", read.Metadata.Scope);
        Assert.Null(_store.State!.Pending);
        Assert.NotEqual(old, _store.State.RegistrationAccessToken);
        await registration.ReadAsync(Cancellation);
        Assert.All(_network.Sent.Where(request => request.Authorization == $"Bearer {_store.State.RegistrationAccessToken}"), request => Assert.Equal(HttpMethod.Get, request.Method));
    }

    [Fact]
    public async Task After_an_update_that_was_lost_for_good_the_next_process_reads_with_the_old_token_and_goes_on()
    {
        var client = await RegisterAsync(server.Connect());
        var old = _store.State!.RegistrationAccessToken;
        _network.LoseAnswers(HttpMethod.Put, s_attempts);
        await Assert.ThrowsAsync<HttpRequestException>(() => server.Connect(_network).RegistrationIn(_store).UpdateAsync(client.Metadata with { Scope = "read write" }, client.ETag, cancellationToken: Cancellation));
        Assert.Equal((old, PendingRequest.Update), (_store.State!.RegistrationAccessToken, _store.State.Pending));

        var registration = server.Connect().RegistrationIn(_store);
        Assert.Equal("read write", (await registration.ReadAsync(Cancellation)).Metadata.Scope);
        Assert.NotEqual(old, _store.State!.RegistrationAccessToken);
        await registration.DeleteAsync(cancellationToken: Cancellation);
    }

    [Fact]
    public async Task An_update_that_never_arrived_leaves_the_token_as_it_is()
    {
        var client = await RegisterAsync(server.Connect());
        var old = _store.State!.RegistrationAccessToken;
        _network.LoseRequests(HttpMethod.Put, s_attempts);
        await Assert.ThrowsAsync<HttpRequestException>(() => server.Connect(_network).RegistrationIn(_store).UpdateAsync(client.Metadata, cancellationToken: Cancellation));

        Assert.Equal(client.ETag, (await server.Connect().RegistrationIn(_store).ReadAsync(Cancellation)).ETag);
        Assert.Equal((old, null), (_store.State!.RegistrationAccessToken, _store.State.Pending));
    }

    [Fact]
    public async Task A_lost_update_does_not_overwrite_what_somebody_else_changed()
    {
        var client = await RegisterAsync(server.Connect());
        // Another process, with a copy of the store.
        var other = new MemoryStore();
        await other.SaveAsync(_store.State!, Cancellation);
        _network.LoseRequests(HttpMethod.Put, 1);
        _store.Fails = state =>
        {
            if (state.Pending == PendingRequest.Update && other.Saved.Count == 1)
            {
                server.Connect().RegistrationIn(other).UpdateAsync(client.Metadata with { ClientName = "Theirs" }, cancellationToken: Cancellation).GetAwaiter().GetResult();
            }
            return false;
        };

        var refusal = await Assert.ThrowsAsync<DcrException>(() => server.Connect(_network).RegistrationIn(_store).UpdateAsync(client.Metadata with { ClientName = "Ours" }, client.ETag, cancellationToken: Cancellation));

        Assert.Equal(HttpStatusCode.PreconditionFailed, refusal.StatusCode);
    }

    [Fact]
    public async Task A_deletion_whose_answer_is_lost_is_done()
    {
        await RegisterAsync(server.Connect());
        _network.LoseAnswers(HttpMethod.Delete);

        await server.Connect(_network).RegistrationIn(_store).DeleteAsync(cancellationToken: Cancellation);

        Assert.Null(_store.State);
        Assert.Equal(2, _network.Count(HttpMethod.Delete, "/oauth/register/"));
    }

    [Fact]
    public async Task A_deletion_that_was_lost_for_good_ends_in_the_next_process()
    {
        await RegisterAsync(server.Connect());
        _network.LoseAnswers(HttpMethod.Delete, s_attempts);
        await Assert.ThrowsAnyAsync<Exception>(() => server.Connect(_network, RealServer.Quick with { MaxAttempts = 1 }).RegistrationIn(_store).DeleteAsync(cancellationToken: Cancellation));
        Assert.Equal(PendingRequest.Deletion, _store.State!.Pending);

        await server.Connect().RegistrationIn(_store).DeleteAsync(cancellationToken: Cancellation);

        Assert.Null(_store.State);
    }

    [Fact]
    public async Task A_server_that_is_away_for_a_moment_is_asked_again()
    {
        _network.Answer(HttpMethod.Post, HttpStatusCode.ServiceUnavailable, 2);

        await RegisterAsync(server.Connect(_network));

        Assert.Equal(3, _network.Count(HttpMethod.Post, "/oauth/register"));
    }

    [Fact]
    public async Task A_server_that_stays_away_is_a_refusal_with_its_status_and_the_registration_stays_pending()
    {
        _network.Answer(HttpMethod.Post, HttpStatusCode.BadGateway, s_attempts);

        var refusal = await Assert.ThrowsAsync<DcrException>(() => RegisterAsync(server.Connect(_network)));

        Assert.Equal((HttpStatusCode.BadGateway, null), (refusal.StatusCode, refusal.Error));
        Assert.Equal(PendingRequest.Registration, _store.State!.Pending);
    }

    [Fact]
    public async Task A_caller_that_gives_up_stops_the_attempts()
    {
        _network.LoseRequests(HttpMethod.Post, 100);
        using var stop = new CancellationTokenSource();
        var dcr = server.Connect(_network, new DcrClientOptions { RetryDelay = TimeSpan.FromMinutes(1) });
        var initial = await dcr.GetInitialAccessTokenAsync(server.Onboarding, cancellationToken: Cancellation);

        var registering = dcr.RegistrationIn(_store).RegisterAsync(initial, new ClientMetadata(), _key, stop.Token);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => registering);
    }

    private async Task<ClientInformation> RegisterAsync(DcrClient dcr) => await dcr.RegistrationIn(_store).RegisterAsync(
        await dcr.GetInitialAccessTokenAsync(server.Onboarding, cancellationToken: Cancellation), new ClientMetadata { Scope = "read" }, _key, Cancellation);
}
