using Dcr.Clients;
using Dcr.Protocol;
using Xunit;

namespace Dcr.Storage.Testing;

/// <summary>
/// Of calls for one new id, one adds; of replacements of one version, one is done, and the others find another version. A change and its
/// record are one. Ids are data, whatever they look like.
/// </summary>
public abstract class ClientStoreContract(StoreUnderTest store) : StoreContract(store)
{
    private Client Sample(string? clientId = null) => Samples.Client(Now, clientId);

    private async Task<Client> AddedAsync(Client? client = null)
    {
        client ??= Sample();
        Assert.Equal(AddClientOutcome.Added, await One.Clients.AddAsync(client, Record(client), Grounds.Server, Cancellation));
        return client;
    }

    [Fact]
    public async Task Gives_back_a_client_as_it_was_added_on_every_node()
    {
        var client = await AddedAsync();
        Assert.Equal(Text(client), Text(await One.Clients.FindAsync(client.ClientId, Cancellation)));
        Assert.Equal(Text(client), Text(await Other.Clients.FindAsync(client.ClientId, Cancellation)));
    }

    [Fact]
    public async Task Gives_back_a_client_with_nothing_but_what_is_required()
    {
        var client = await AddedAsync(new Client
        {
            ClientId = Samples.NewId(),
            Status = ClientStatus.Suspended,
            CreatedAt = Now,
            Version = 1,
            Metadata = new ClientMetadata(),
        });
        Assert.Equal(Text(client), Text(await Other.Clients.FindAsync(client.ClientId, Cancellation)));
    }

    [Theory]
    [Requirement("R8725-3.10-01")]
    [InlineData("{\"$where\": \"1\"}")]
    [InlineData("' OR 1=1 --")]
    [InlineData("$ne")]
    [InlineData("a.b.c")]
    [InlineData("\u00fc\u30af")]
    public async Task Takes_any_id_as_data(string id)
    {
        Assert.Null(await One.Clients.FindAsync(id, Cancellation));
        var client = await AddedAsync(Sample(id));
        Assert.Equal(Text(client), Text(await Other.Clients.FindAsync(id, Cancellation)));
        Assert.Equal(ReplaceOutcome.Done, await One.Clients.DeleteAsync(id, 1, Record(client), Grounds.Server, Cancellation));
    }

    [Fact]
    [Requirement("R7591-3.2.1-02")]
    public async Task Adds_one_of_200_clients_that_race_for_an_id()
    {
        var id = Samples.NewId();
        var outcomes = await RaceAsync(
            200, (node, _) => node.Clients.AddAsync(Sample(id), Record(Sample(id)), Grounds.Server, Cancellation));
        Assert.Single(outcomes, AddClientOutcome.Added);
        Assert.Equal(1, await RecordsOfAsync(id));
    }

    [Fact]
    public async Task Does_one_of_50_replacements_of_one_version()
    {
        var client = await AddedAsync();
        var outcomes = await RaceAsync(50, (node, i) => node.Clients.ReplaceAsync(
            client with { Version = 2, Metadata = client.Metadata with { ClientName = $"racer {i}" } },
            Record(client),
            Grounds.Server,
            Cancellation));
        Assert.Single(outcomes, ReplaceOutcome.Done);
        Assert.Equal(49, outcomes.Count(outcome => outcome == ReplaceOutcome.VersionConflict));
        var winner = Array.IndexOf(outcomes, ReplaceOutcome.Done);
        var stored = await Other.Clients.FindAsync(client.ClientId, Cancellation);
        Assert.Equal($"racer {winner}", stored!.Metadata.ClientName);
        Assert.Equal(2, stored.Version);
        Assert.Equal(2, await RecordsOfAsync(client.ClientId));
    }

    [Fact]
    public async Task Replaces_every_member_but_id_and_creation()
    {
        var client = await AddedAsync();
        var replacement = new Client
        {
            ClientId = client.ClientId,
            Status = ClientStatus.Revoked,
            CreatedAt = client.CreatedAt,
            Version = 2,
            Metadata = new ClientMetadata { ClientName = "other" },
        };
        Assert.Equal(ReplaceOutcome.Done, await Other.Clients.ReplaceAsync(replacement, Record(client), Grounds.Server, Cancellation));
        Assert.Equal(Text(replacement), Text(await One.Clients.FindAsync(client.ClientId, Cancellation)));
    }

    [Fact]
    public async Task Replaces_and_deletes_nothing_that_is_gone_or_at_another_version()
    {
        var client = await AddedAsync();
        Assert.Equal(
            ReplaceOutcome.VersionConflict,
            await One.Clients.ReplaceAsync(client with { Version = 9 }, Record(client), Grounds.Server, Cancellation));
        Assert.Equal(
            ReplaceOutcome.VersionConflict,
            await One.Clients.DeleteAsync(client.ClientId, 9, Record(client), Grounds.Server, Cancellation));
        var nobody = Sample();
        Assert.Equal(
            ReplaceOutcome.Gone, await One.Clients.ReplaceAsync(nobody with { Version = 2 }, Record(nobody), Grounds.Server, Cancellation));
        Assert.Equal(ReplaceOutcome.Gone, await One.Clients.DeleteAsync(nobody.ClientId, 1, Record(nobody), Grounds.Server, Cancellation));
        Assert.Equal(1, await RecordsOfAsync(client.ClientId));
        Assert.Equal(0, await RecordsOfAsync(nobody.ClientId));
    }

    [Fact]
    [Requirement("R7592-2.3-01")]
    public async Task Deletes_a_client_and_keeps_its_records()
    {
        var client = await AddedAsync();
        Assert.Equal(
            ReplaceOutcome.Done,
            await One.Clients.DeleteAsync(client.ClientId, 1, Record(client, "test.deleted"), Grounds.Server, Cancellation));
        Assert.Null(await Other.Clients.FindAsync(client.ClientId, Cancellation));
        Assert.Equal(
            ReplaceOutcome.Gone, await Other.Clients.DeleteAsync(client.ClientId, 1, Record(client), Grounds.Server, Cancellation));
        Assert.Equal(
            ReplaceOutcome.Gone,
            await Other.Clients.ReplaceAsync(client with { Version = 3 }, Record(client), Grounds.Server, Cancellation));
        var records = await Other.Audit.ListAsync(client.ClientId, null, 10, Cancellation);
        Assert.Equal(["test.deleted", "test.changed"], records.Select(record => record.Action));
        await AddedAsync(client);
    }

    [Fact]
    [Requirement("P-AUDIENCE")]
    public async Task Moves_the_last_use_and_the_last_need_of_an_exception_up_and_never_back()
    {
        var client = await AddedAsync();
        var now = Now;
        await RaceAsync(40, async (node, i) =>
        {
            await node.Clients.RecordAuthenticationAsync(client.ClientId, byException: i is 7 or 23, now.AddSeconds(i), Cancellation);
            return i;
        });
        Assert.True(await One.Clients.RecordAuthenticationAsync(client.ClientId, byException: true, now, Cancellation));
        var stored = await Other.Clients.FindAsync(client.ClientId, Cancellation);
        Assert.Equal((now.AddSeconds(23), now.AddSeconds(39), 1), (stored!.ExceptionNeededAt, stored.LastUsedAt, stored.Version));
    }

    [Fact]
    [Requirement("P-AUDIENCE")]
    public async Task Forgets_the_need_of_an_exception_after_a_week_without()
    {
        var client = await AddedAsync(Sample() with { AssertionException = null });
        var now = Now;
        async Task<(DateTimeOffset? NeededAt, bool IsListed)> AfterAsync(bool byException, DateTimeOffset at)
        {
            Assert.True(await One.Clients.RecordAuthenticationAsync(client.ClientId, byException, at, Cancellation));
            var listed = await Other.Clients.ListAsync(new ClientFilter { AssertionException = true }, null, 1000, Cancellation);
            return (
                (await Other.Clients.FindAsync(client.ClientId, Cancellation))!.ExceptionNeededAt,
                listed.Any(found => found.ClientId == client.ClientId));
        }

        Assert.Equal((null, false), await AfterAsync(byException: false, now));
        Assert.Equal((now.AddHours(1), true), await AfterAsync(byException: true, now.AddHours(1)));
        Assert.Equal((now.AddHours(1), true), await AfterAsync(byException: false, now.AddDays(7)));
        Assert.Equal((null, false), await AfterAsync(byException: false, now.AddDays(7).AddHours(2)));
    }

    [Fact]
    public async Task Records_no_authentication_of_a_client_that_is_not_active()
    {
        var suspended = await AddedAsync(Sample() with { Status = ClientStatus.Suspended });
        foreach (var clientId in new[] { suspended.ClientId, "nobody" })
        {
            Assert.False(await One.Clients.RecordAuthenticationAsync(clientId, byException: true, Now, Cancellation));
        }
        var stored = await Other.Clients.FindAsync(suspended.ClientId, Cancellation);
        Assert.Null(stored!.ExceptionNeededAt);
        Assert.Null(stored.LastUsedAt);
    }

    [Fact]
    [Requirement("P-AUDIENCE")]
    public async Task A_replacement_does_not_touch_the_last_need_of_an_exception()
    {
        var client = await AddedAsync();
        var now = Now;
        await One.Clients.RecordAuthenticationAsync(client.ClientId, byException: true, now, Cancellation);
        await One.Clients.ReplaceAsync(
            client with { Version = 2, ExceptionNeededAt = null, AssertionException = null }, Record(client), Grounds.Server, Cancellation);
        var stored = await Other.Clients.FindAsync(client.ClientId, Cancellation);
        Assert.Equal((now, null), (stored!.ExceptionNeededAt, stored.AssertionException));
    }

    [Fact]
    [Requirement("R7592-2.1-02")]
    public async Task Forgets_the_previous_token_only_while_the_current_one_is_current()
    {
        var client = await AddedAsync();
        await One.Clients.ForgetPreviousRegistrationTokenAsync(client.ClientId, "another-hash", Cancellation);
        Assert.Equal("hash-0", (await Other.Clients.FindAsync(client.ClientId, Cancellation))!.RegistrationAccess!.PreviousTokenHash);
        await One.Clients.ForgetPreviousRegistrationTokenAsync(client.ClientId, "hash-1", Cancellation);
        var stored = await Other.Clients.FindAsync(client.ClientId, Cancellation);
        Assert.Equal(new RegistrationAccess { TokenHash = "hash-1" }, stored!.RegistrationAccess);
        Assert.Equal(1, stored.Version);
    }

    [Fact]
    public async Task Lists_each_client_once_newest_first_also_where_times_are_equal()
    {
        var start = Now.AddYears(1);
        var made = new List<Client>();
        for (var i = 0; i < 25; i++)
        {
            made.Add(await AddedAsync(Sample() with { CreatedAt = start.AddMilliseconds(i / 10) }));
        }
        var listed = new List<Client>();
        ClientCursor? after = null;
        while (await One.Clients.ListAsync(new ClientFilter(), after, 4, Cancellation) is { Count: > 0 } page && page[0].CreatedAt >= start)
        {
            listed.AddRange(page.Where(client => client.CreatedAt >= start));
            after = ClientCursor.Parse(ClientCursor.Of(page[^1]).ToString());
        }
        var expected = made.OrderByDescending(client => client.CreatedAt)
            .ThenByDescending(client => client.ClientId, StringComparer.Ordinal);
        Assert.Equal(expected.Select(client => client.ClientId), listed.Select(client => client.ClientId));
    }

    [Fact]
    [Requirement("P-AUDIENCE")]
    public async Task Lists_by_status_and_by_exceptions_for_assertions()
    {
        var stopped = Sample() with { Status = ClientStatus.Suspended };
        var excepted = await AddedAsync(stopped with { ClientId = Samples.NewId() });
        var needing = await AddedAsync(stopped with { ClientId = Samples.NewId(), AssertionException = null, ExceptionNeededAt = Now });
        var neither = await AddedAsync(stopped with { ClientId = Samples.NewId(), AssertionException = null });
        async Task<HashSet<string>> IdsAsync(ClientFilter filter) =>
            [.. (await Other.Clients.ListAsync(filter, null, 1000, Cancellation)).Select(client => client.ClientId)];

        var suspended = await IdsAsync(new ClientFilter { Status = ClientStatus.Suspended });
        Assert.Superset(new HashSet<string> { excepted.ClientId, needing.ClientId, neither.ClientId }, suspended);
        Assert.DoesNotContain((await AddedAsync()).ClientId, suspended);

        var with = await IdsAsync(new ClientFilter { Status = ClientStatus.Suspended, AssertionException = true });
        Assert.Superset(new HashSet<string> { excepted.ClientId, needing.ClientId }, with);
        Assert.DoesNotContain(neither.ClientId, with);
        var without = await IdsAsync(new ClientFilter { AssertionException = false });
        Assert.Contains(neither.ClientId, without);
        Assert.Empty(without.Intersect([excepted.ClientId, needing.ClientId]));

        await One.Clients.ReplaceAsync(
            excepted with { Version = 2, AssertionException = null }, Record(excepted), Grounds.Server, Cancellation);
        Assert.DoesNotContain(excepted.ClientId, await IdsAsync(new ClientFilter { AssertionException = true }));
    }

    [Fact]
    public async Task Knows_whether_a_client_administers()
    {
        // Other tests of this class add none that does.
        await AddedAsync(Sample() with { Metadata = new ClientMetadata { Scope = "dcr.admin.read read" } });
        Assert.False(await Other.Clients.HasAdministratorAsync(Cancellation));
        var administrator = await AddedAsync(Sample() with { Metadata = new ClientMetadata { Scope = "dcr dcr.admin" } });
        Assert.True(await Other.Clients.HasAdministratorAsync(Cancellation));
        await One.Clients.DeleteAsync(administrator.ClientId, administrator.Version, Record(administrator), Grounds.Server, Cancellation);
        Assert.False(await Other.Clients.HasAdministratorAsync(Cancellation));
    }
}
