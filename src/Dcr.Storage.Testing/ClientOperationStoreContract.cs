using Dcr.Auditing;
using Dcr.Bulk;
using Dcr.Clients;
using Dcr.Protocol;
using Dcr.Registration;
using Xunit;

namespace Dcr.Storage.Testing;

/// <summary>
/// An operation changes, counts and records each client of its origin once, whoever steps and whatever comes meanwhile; it ends, and
/// when it is done nothing of what was there is left. Whom an administrator lets go on in between is left alone.
/// </summary>
public abstract class ClientOperationStoreContract(StoreUnderTest store) : RegisteredClientsContract(store)
{
    /// <summary>The members of an origin, as a filter of the sample's value and as a change of it.</summary>
    private static readonly Dictionary<string, Member> s_members = new()
    {
        ["onboarding_client"] = new(
            origin => new OriginFilter { OnboardingClient = origin.OnboardingClient },
            origin => origin with { OnboardingClient = origin.OnboardingClient + "-2" }),
        ["kid"] = new(origin => new OriginFilter { Kid = origin.Kid }, origin => origin with { Kid = null }),
        ["thumbprint"] = new(
            origin => new OriginFilter { Thumbprint = origin.Thumbprint }, origin => origin with { Thumbprint = origin.Thumbprint + "x" }),
        ["initial_token_jti"] = new(
            origin => new OriginFilter { InitialTokenJti = origin.InitialTokenJti }, origin => origin with { InitialTokenJti = "another" }),
        ["software_statement_issuer"] = new(
            origin => new OriginFilter { SoftwareStatementIssuer = origin.SoftwareStatement!.Issuer },
            origin => origin with { SoftwareStatement = null }),
        ["software_id"] = new(
            origin => new OriginFilter { SoftwareId = origin.SoftwareStatement!.SoftwareId },
            origin => origin with { SoftwareStatement = origin.SoftwareStatement! with { SoftwareId = null } }),
    };

    private sealed record Member(Func<ClientOrigin, OriginFilter> Filter, Func<ClientOrigin, ClientOrigin> Change);

    public static TheoryData<string> Members => [.. s_members.Keys];

    private static IClientOperationStore Operations(Node node) => node.Get<IClientOperationStore>();

    private static OriginFilter By(RegistrationLimits limits) => new() { OnboardingClient = limits.OnboardingClient };

    private ClientOperation Operation(OriginFilter origin, ClientStatus becomes = ClientStatus.Revoked) => new()
    {
        Id = Record("").Id,
        Origin = origin,
        Becomes = becomes,
        Actor = new AuditActor("admin", "kid"),
        StartedAt = Now,
    };

    private async Task<ClientOperation> StartedAsync(ClientOperation operation)
    {
        operation = operation with { Matched = await Operations(One).CountAsync(operation, Cancellation) };
        await Operations(One).AddAsync(operation, record: null, Grounds.Server, Cancellation);
        return operation;
    }

    private Task<ClientOperation> StepAsync(Node node, ClientOperation operation, int limit) =>
        Operations(node).StepAsync(operation, limit, (clientId, was) => Record(clientId, $"test.was-{was}"), Cancellation);

    private async Task<ClientOperation> FinishAsync(Node node, ClientOperation operation, int limit = 4)
    {
        while (!operation.Done)
        {
            operation = await StepAsync(node, operation, limit);
        }
        return operation;
    }

    private async Task<ClientOperation> DoneAsync(ClientOperation operation) => await FinishAsync(One, await StartedAsync(operation));

    private async Task<Client[]> RegisteredAsync(RegistrationLimits limits, int count)
    {
        var clients = new Client[count];
        for (var i = 0; i < count; i++)
        {
            // Some have equal times.
            Store.Time.Advance(TimeSpan.FromMilliseconds(i % 3 == 0 ? 1 : 0));
            clients[i] = await RegisteredAsync(limits);
        }
        return clients;
    }

    private async Task AssertChangedOnceAsync(IEnumerable<Client> clients, ClientStatus status)
    {
        foreach (var client in clients)
        {
            Assert.Equal(Text(client with { Status = status, Version = client.Version + 1 }), Text(await StoredAsync(client)));
            var newest = (await Other.Audit.ListAsync(client.ClientId, null, 10, Cancellation))[0];
            Assert.Equal($"test.was-{client.Status}", newest.Action);
            Assert.Equal(1 + client.Version, await RecordsOfAsync(client.ClientId));
        }
    }

    /// <summary>As <see cref="AssertChangedOnceAsync"/>, whatever the order of records by the clock.</summary>
    private async Task AssertStoppedOnceAsync(IEnumerable<Client> clients, ClientStatus status)
    {
        foreach (var client in clients)
        {
            Assert.Equal(Text(client with { Status = status, Version = client.Version + 1 }), Text(await StoredAsync(client)));
            Assert.Equal(1 + client.Version, await RecordsOfAsync(client.ClientId));
        }
    }

    private async Task AssertUntouchedAsync(params IEnumerable<Client> clients)
    {
        foreach (var client in clients)
        {
            Assert.Equal(Text(client), Text(await StoredAsync(client)));
            Assert.Equal(client.Version, await RecordsOfAsync(client.ClientId));
        }
    }

    [Theory]
    [MemberData(nameof(Members))]
    public async Task Revokes_exactly_the_clients_of_an_origin_by_each_of_its_members(string member)
    {
        var (filter, change) = s_members[member];
        var limits = Limits();
        var unique = Guid.NewGuid().ToString("N");
        var origin = new ClientOrigin
        {
            OnboardingClient = limits.OnboardingClient,
            Kid = $"kid {unique}",
            Thumbprint = $"thumbprint {unique}",
            InitialTokenJti = $"jti {unique}",
            SoftwareStatement = new StatementOrigin { Issuer = $"https://issuer.example/{unique}", SoftwareId = $"software {unique}" },
        };
        var concerned = await Task.WhenAll(
            Enumerable.Range(0, 5).Select(_ => RegisteredAsync(limits, client => client with { Origin = origin })));
        Client[] others =
        [
            await RegisteredAsync(
                limits with { OnboardingClient = change(origin).OnboardingClient }, client => client with { Origin = change(origin) }),
            await RegisteredAsync(Limits()),
            await AddedAsync(Samples.Client(Now) with { Origin = null }),
        ];

        var operation = await DoneAsync(Operation(filter(origin)));

        Assert.Equal((5, 5), (operation.Matched, operation.Changed));
        await AssertChangedOnceAsync(concerned, ClientStatus.Revoked);
        await AssertUntouchedAsync(others);
        Assert.Equal(others.Count(client => client.Origin?.OnboardingClient == limits.OnboardingClient), await CountLiveAsync(limits));
    }

    private async Task<Client> AddedAsync(Client client)
    {
        await One.Clients.AddAsync(client, Record(client), Grounds.Server, Cancellation);
        return client;
    }

    [Fact]
    public async Task Revokes_by_all_given_members_together()
    {
        var (limits, other) = (Limits(), Limits());
        var concerned = await RegisteredAsync(limits, client => client with { Origin = client.Origin! with { Kid = "stolen" } });
        Client[] others =
        [
            await RegisteredAsync(limits),
            await RegisteredAsync(other, client => client with { Origin = client.Origin! with { Kid = "stolen" } }),
        ];
        var operation = await DoneAsync(Operation(By(limits) with { Kid = "stolen" }));
        Assert.Equal((1, 1), (operation.Matched, operation.Changed));
        await AssertChangedOnceAsync([concerned], ClientStatus.Revoked);
        await AssertUntouchedAsync(others);
    }

    [Fact]
    public async Task Revokes_active_suspended_and_expired_clients_and_gives_back_the_room_of_live_ones()
    {
        var limits = Limits(live: 5);
        var clients = await RegisteredAsync(limits, 5);
        clients[1] = await BecomesAsync(clients[1], ClientStatus.Suspended);
        clients[2] = await BecomesAsync(clients[2], ClientStatus.Expired);
        clients[3] = await BecomesAsync(clients[3], ClientStatus.Revoked);
        await DeletedAsync(clients[4]);
        var operation = await DoneAsync(Operation(By(limits)));
        Assert.Equal((3, 3), (operation.Matched, operation.Changed));
        await AssertChangedOnceAsync(clients[..3], ClientStatus.Revoked);
        await AssertUntouchedAsync(clients[3]);
        Assert.Equal(0, await CountLiveAsync(limits));
        var filling = await RaceAsync(10, (node, _) => RegisterAsync(node, limits));
        Assert.Equal(5, filling.Count(outcome => outcome is RegisterClientOutcome.Registered));
    }

    [Fact]
    public async Task Suspends_only_active_clients_and_they_keep_their_room()
    {
        var limits = Limits();
        var clients = await RegisteredAsync(limits, 4);
        clients[1] = await BecomesAsync(clients[1], ClientStatus.Suspended);
        clients[2] = await BecomesAsync(clients[2], ClientStatus.Expired);
        clients[3] = await BecomesAsync(clients[3], ClientStatus.Revoked);
        var operation = await DoneAsync(Operation(By(limits), ClientStatus.Suspended));
        Assert.Equal((1, 1), (operation.Matched, operation.Changed));
        await AssertChangedOnceAsync(clients[..1], ClientStatus.Suspended);
        await AssertUntouchedAsync(clients[1..]);
        Assert.Equal(2, await CountLiveAsync(limits));
    }

    [Fact]
    public async Task Another_node_finishes_what_one_began()
    {
        var limits = Limits();
        var clients = await RegisteredAsync(limits, 11);
        var begun = await StepAsync(One, await StartedAsync(Operation(By(limits))), 4);
        Assert.Equal((4, false), (begun.Changed, begun.Done));
        Assert.Contains(
            begun.Id, (await Operations(Other).ListUnfinishedAsync(null, 1000, Cancellation)).Select(operation => operation.Id));

        var found = (await Operations(Other).FindAsync(begun.Id, Cancellation))!;
        Assert.Equal(Text(begun), Text(found));
        var finished = await FinishAsync(Other, found);

        Assert.Equal((11, 11), (finished.Matched, finished.Changed));
        await AssertChangedOnceAsync(clients, ClientStatus.Revoked);
        Assert.DoesNotContain(
            begun.Id, (await Operations(Other).ListUnfinishedAsync(null, 1000, Cancellation)).Select(operation => operation.Id));
        Assert.Equal(Text(finished), Text(await StepAsync(One, begun, 4)));
    }

    private static string Text(ClientOperation? operation) => System.Text.Json.JsonSerializer.Serialize(operation);

    [Theory]
    [InlineData(ClientStatus.Revoked)]
    [InlineData(ClientStatus.Suspended)]
    public async Task Nodes_that_step_at_once_change_and_count_each_client_once(ClientStatus becomes)
    {
        var limits = Limits();
        var clients = await RegisteredAsync(limits, 40);
        var operation = await StartedAsync(Operation(By(limits), becomes));
        var finished = await RaceAsync(6, (node, i) => FinishAsync(node, operation, limit: 3 + i));
        Assert.All(finished, one => Assert.Equal((40, true), (one.Changed, one.Done)));
        await AssertChangedOnceAsync(clients, becomes);
        Assert.Equal(becomes.IsLive() ? 40 : 0, await CountLiveAsync(limits));
    }

    [Fact]
    public async Task Clients_that_change_meanwhile_are_changed_once_all_the_same()
    {
        var limits = Limits();
        var clients = await RegisteredAsync(limits, 30);
        var operation = await StartedAsync(Operation(By(limits)));
        var changing = RaceAsync(60, (node, i) => node.Clients.ReplaceAsync(
            clients[i / 2] with { Version = 2, Metadata = clients[i / 2].Metadata with { ClientName = "changed" } },
            Record(clients[i / 2]),
            Grounds.Server,
            Cancellation));
        var finished = await FinishAsync(Other, operation, limit: 7);
        var changes = (await changing).Count(outcome => outcome == Protocol.ReplaceOutcome.Done);
        Assert.Equal(30, finished.Changed);
        var versions = 0L;
        foreach (var client in clients)
        {
            var stored = (await StoredAsync(client))!;
            Assert.Equal(ClientStatus.Revoked, stored.Status);
            versions += stored.Version;
            Assert.Equal(stored.Version, await RecordsOfAsync(client.ClientId));
        }
        Assert.Equal(30 + 30 + changes, versions);
        Assert.Equal(0, await CountLiveAsync(limits));
    }

    [Theory]
    [Requirement("P-CLOCK", "P-LINEAGE")]
    [InlineData(3)]
    [InlineData(300)]
    public async Task Covers_what_a_node_registered_whose_clock_is_ahead(int seconds)
    {
        var limits = Limits();
        var clients = await RegisteredAsync(limits, 3);
        Store.Time.StepWall(TimeSpan.FromSeconds(seconds));
        clients = [.. clients, .. await RegisteredAsync(limits, 5)];
        Store.Time.StepWall(TimeSpan.FromSeconds(-seconds));
        var operation = await DoneAsync(Operation(By(limits)));
        Assert.Equal((8, 8), (operation.Matched, operation.Changed));
        await AssertStoppedOnceAsync(clients, ClientStatus.Revoked);
    }

    [Theory]
    [Requirement("P-CLOCK", "P-LINEAGE")]
    [InlineData(ClientStatus.Revoked)]
    [InlineData(ClientStatus.Suspended)]
    public async Task Covers_what_comes_while_it_runs_also_by_a_node_whose_clock_is_behind(ClientStatus becomes)
    {
        var limits = Limits();
        var clients = await RegisteredAsync(limits, 9);
        var operation = await StepAsync(One, await StartedAsync(Operation(By(limits), becomes)), 4);
        Store.Time.StepWall(TimeSpan.FromMinutes(-5));
        Client[] late = [.. await RegisteredAsync(limits, 2)];
        operation = await StepAsync(Other, operation, 4);
        late = [.. late, .. await RegisteredAsync(limits, 1)];
        Store.Time.StepWall(TimeSpan.FromMinutes(5));
        Assert.Equal(12, (await FinishAsync(Other, operation)).Changed);
        await AssertStoppedOnceAsync([.. clients, .. late], becomes);
    }

    [Fact]
    [Requirement("P-LINEAGE")]
    public async Task Ends_although_new_clients_come_with_every_step()
    {
        var limits = Limits();
        var clients = new List<Client>(await RegisteredAsync(limits, 9));
        var operation = await StartedAsync(Operation(By(limits)));
        var steps = 0;
        while (!operation.Done)
        {
            Assert.InRange(++steps, 1, 30);
            // One is found by this pass, the other, by a clock that is behind, by the next at the earliest.
            clients.Add(await RegisteredAsync(limits));
            Store.Time.StepWall(TimeSpan.FromDays(-1));
            clients.Add(await RegisteredAsync(limits));
            operation = await StepAsync(steps % 2 == 0 ? One : Other, operation, 4);
            Store.Time.StepWall(TimeSpan.FromDays(1));
        }
        var stored = await Task.WhenAll(clients.Select(StoredAsync));
        Assert.All(stored[..9], client => Assert.Equal(ClientStatus.Revoked, client!.Status));
        Assert.Equal(operation.Changed, stored.Count(client => client!.Status == ClientStatus.Revoked));
        Assert.Equal(stored.Count(client => client!.Status == ClientStatus.Active), await CountLiveAsync(limits));
    }

    [Fact]
    [Requirement("P-LINEAGE")]
    public async Task Leaves_a_client_alone_that_was_let_go_on_while_it_runs()
    {
        var limits = Limits();
        var clients = await RegisteredAsync(limits, 9);
        var operation = await StepAsync(One, await StartedAsync(Operation(By(limits), ClientStatus.Suspended)), 4);
        var resumed = await BecomesAsync(Next(clients[0], ClientStatus.Suspended), ClientStatus.Active);
        Assert.Equal(9, (await FinishAsync(Other, operation)).Changed);
        Assert.Equal(Text(resumed), Text(await StoredAsync(resumed)));
        await AssertChangedOnceAsync(clients[1..], ClientStatus.Suspended);
    }

    [Fact]
    [Requirement("P-LINEAGE")]
    public async Task Counts_what_each_of_two_nodes_changed_client_by_client()
    {
        var clients = await RegisteredAsync(Limits(), 3);
        var read = await StartedAsync(Operation(By(Limits()), ClientStatus.Active));
        var after = new ClientCursor(clients[0].CreatedAt, clients[0].ClientId);
        // Two nodes came over the same clients; one has read the operation before the other counted, and does not take that back.
        var counted = await Operations(One).CountChangedAsync(read, 2, Cancellation);
        Assert.Equal(2, counted.Changed);
        Assert.Equal(counted, await Operations(Other).MoveAsync(read, read with { After = after }, Cancellation));
        counted = await Operations(Other).CountChangedAsync(read, 3, Cancellation);
        var moved = await Operations(Other).MoveAsync(counted, counted with { After = after, Done = true }, Cancellation);
        Assert.Equal((5, true, after), (moved.Changed, moved.Done, moved.After));
        // The slower one counts what it did although the operation is done.
        var last = await Operations(One).CountChangedAsync(read, 1, Cancellation);
        Assert.Equal((6, true), (last.Changed, last.Done));
        Assert.Equal(6, (await Operations(Other).FindAsync(read.Id, Cancellation))!.Changed);
    }

    [Theory]
    [Requirement("P-DRYRUN")]
    [InlineData(ClientStatus.Revoked, 4)]
    [InlineData(ClientStatus.Suspended, 1)]
    [InlineData(ClientStatus.Active, 3)]
    public async Task Counts_by_onboarding_client_what_it_would_change(ClientStatus becomes, int expected)
    {
        var limits = Limits();
        var clients = await RegisteredAsync(limits, 6);
        await BecomesAsync(clients[1], ClientStatus.Suspended);
        await BecomesAsync(clients[2], ClientStatus.Expired);
        await BecomesAsync(clients[3], ClientStatus.Expired);
        await BecomesAsync(clients[4], ClientStatus.Revoked);
        await DeletedAsync(clients[5]);
        Assert.Equal(expected, await Operations(Other).CountAsync(Operation(By(limits), becomes), Cancellation));
        // By the clients themselves, to compare.
        Assert.Equal(
            expected,
            await Operations(Other).CountAsync(
                Operation(By(limits) with { Thumbprint = clients[0].Origin!.Thumbprint }, becomes), Cancellation));
    }

    [Fact]
    [Requirement("P-LINEAGE")]
    public async Task Goes_once_over_the_clients_that_may_go_on()
    {
        var limits = Limits();
        var clients = await RegisteredAsync(limits, 6);
        foreach (var client in clients[1..])
        {
            await BecomesAsync(client, ClientStatus.Suspended);
        }
        var operation = await StartedAsync(Operation(By(limits), ClientStatus.Active));
        var next = await Operations(One).NextAsync(operation, 3, Cancellation);
        Assert.Equal(3, next.Count);
        var moved = operation with { After = next[^1], Changed = 3 };
        Assert.Equal(Text(moved), Text(await Operations(One).MoveAsync(operation, moved, Cancellation)));
        // Another node that did the same does not move it back.
        Assert.Equal(
            Text(moved), Text(await Operations(Other).MoveAsync(operation, operation with { After = next[0], Changed = 1 }, Cancellation)));
        var rest = await Operations(Other).NextAsync(moved, 3, Cancellation);
        Assert.Equal(clients[1..].Select(client => client.ClientId).Order(), next.Concat(rest).Select(client => client.ClientId).Order());
    }

    [Fact]
    [Requirement("P-AUDIT")]
    public async Task Is_in_the_audit_trail_with_its_record()
    {
        var operation = Operation(By(Limits()));
        await Operations(One).AddAsync(operation, Record(operation.Id, "origin.revoked"), Grounds.Server, Cancellation);
        Assert.Equal("origin.revoked", Assert.Single(await Other.Audit.ListAsync(operation.Id, null, 10, Cancellation)).Action);
    }

    [Fact]
    public async Task Spares_clients_that_rest_on_an_accepted_statement_or_on_none()
    {
        var limits = Limits();
        Task<Client> RestingAsync(string? issuer, string? softwareId) => RegisteredAsync(limits, client => client with
        {
            Origin = client.Origin! with
            {
                SoftwareStatement = issuer is null ? null : new StatementOrigin { Issuer = issuer, SoftwareId = softwareId },
            },
        });
        Client[] spared =
        [
            await RestingAsync("a", "one"), await RestingAsync("b", "one"), await RestingAsync("b", null), await RestingAsync(null, null),
        ];
        Client[] concerned = [await RestingAsync("a", "two"), await RestingAsync("a", null), await RestingAsync("c", "one")];
        var accepted = new StatementOrigin[] { new() { Issuer = "a", SoftwareId = "one" }, new() { Issuer = "b" } };

        var operation = await DoneAsync(Operation(By(limits), ClientStatus.Suspended) with { UnlessRestingOn = accepted });
        Assert.Equal((3, 3), (operation.Matched, operation.Changed));
        await AssertChangedOnceAsync(concerned, ClientStatus.Suspended);
        await AssertUntouchedAsync(spared);

        // Nothing is accepted any more.
        operation = await DoneAsync(Operation(By(limits), ClientStatus.Suspended) with { UnlessRestingOn = [] });
        Assert.Equal((3, 3), (operation.Matched, operation.Changed));
        await AssertUntouchedAsync(spared[3]);
    }

    [Fact]
    public async Task Lists_what_is_unfinished_the_oldest_first()
    {
        var ids = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            Store.Time.Advance(TimeSpan.FromMilliseconds(1));
            ids.Add((await StartedAsync(Operation(By(Limits())) with { Done = i == 1, DryRun = i == 1 })).Id);
        }
        var unfinished = (await Operations(Other).ListUnfinishedAsync(null, 1000, Cancellation)).Select(operation => operation.Id).ToList();
        Assert.Equal([ids[0], ids[2], ids[3]], unfinished.Where(ids.Contains));
        Assert.Equal(
            unfinished.Take(1), (await Operations(Other).ListUnfinishedAsync(null, 1, Cancellation)).Select(operation => operation.Id));
        var later = await Operations(Other).ListUnfinishedAsync(ids[2], 1000, Cancellation);
        Assert.Equal([ids[3]], later.Select(operation => operation.Id).Where(ids.Contains));
        Assert.True((await Operations(Other).FindAsync(ids[1], Cancellation))!.DryRun);
        Assert.Null(await Operations(Other).FindAsync("none", Cancellation));
    }
}
