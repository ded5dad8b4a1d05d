using Dcr.Auditing;
using Dcr.Bulk;
using Dcr.Clients;
using Dcr.Keys;
using Dcr.Protocol;
using Dcr.Storage.Sqlite;
using Xunit;

namespace Dcr.StorageTests;

/// <summary>Nothing grows with the number of clients: the plan of each statement as the store prepared it.</summary>
public sealed class SqliteQueryPlanTests(SqliteUnderTest store) : RegisteredClientsContract(store), IClassFixture<SqliteUnderTest>
{
    private static readonly StatementOrigin[] s_accepted = [new() { Issuer = "a", SoftwareId = "b" }];

    public static TheoryData<OriginFilter, string> Origins => new()
    {
        { new() { OnboardingClient = "x" }, "clients_by_onboarding_client" },
        { new() { Kid = "x" }, "clients_by_origin_kid" },
        { new() { Thumbprint = "x" }, "clients_by_origin_thumbprint" },
        { new() { InitialTokenJti = "x" }, "clients_by_initial_token" },
        { new() { SoftwareStatementIssuer = "x" }, "clients_by_statement_issuer" },
        { new() { SoftwareId = "x" }, "clients_by_software" },
        { new() { OnboardingClient = "x", Kid = "x" }, "clients_by_origin_kid" },
        { new() { OnboardingClient = "x", Thumbprint = "x", InitialTokenJti = "x" }, "clients_by_initial_token" },
        { new() { OnboardingClient = "x", SoftwareStatementIssuer = "x" }, "clients_by_statement_issuer" },
    };

    private SqliteDatabase Database => One.Get<SqliteStorage>().Main;

    /// <summary>How SQLite looks for clients, in every statement that the work prepares.</summary>
    private async Task<List<string>> PlansAsync(Func<Task> work)
    {
        var before = await StatementsAsync();
        await work();
        var made = (await StatementsAsync()).Except(before).Where(sql => sql.Contains("clients", StringComparison.Ordinal));
        return [.. made.SelectMany(sql => Database.Read(session => session.Read(row => row.GetString(3), "EXPLAIN QUERY PLAN " + sql, new object?[20])))];
    }

    private async Task<HashSet<string>> StatementsAsync() =>
        [.. Database.Read(session => session.Statements.ToList()), .. await Database.WriteAsync(session => session.Statements.ToList(), Cancellation)];

    private static void AssertSearches(string index, List<string> plans)
    {
        Assert.Contains(plans, step => step.StartsWith($"SEARCH clients USING ", StringComparison.Ordinal) && step.Contains($"INDEX {index} ", StringComparison.Ordinal));
        Assert.DoesNotContain(plans, step => step.Contains("SCAN clients", StringComparison.Ordinal));
        Assert.DoesNotContain(plans, step => step.Contains("TEMP B-TREE", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Origins))]
    public async Task A_listing_by_origin_uses_the_index_of_what_is_rarest(OriginFilter origin, string index)
    {
        AssertSearches(index, await PlansAsync(() => One.Clients.ListAsync(new ClientFilter { Origin = origin }, new ClientCursor(Now, "x"), 10, Cancellation)));
        AssertSearches(index, await PlansAsync(() => One.Clients.ListAsync(new ClientFilter { Origin = origin, Status = ClientStatus.Active }, null, 10, Cancellation)));
    }

    [Theory]
    [MemberData(nameof(Origins))]
    public async Task An_operation_counts_and_steps_by_the_index_of_what_is_rarest(OriginFilter origin, string index)
    {
        foreach (var accepted in new[] { null, s_accepted })
        {
            var operation = new ClientOperation
            {
                Id = Samples.Record(Now, "").Id,
                Origin = origin,
                UnlessRestingOn = accepted,
                Becomes = ClientStatus.Revoked,
                Actor = new AuditActor("admin", null),
                StartedAt = Now,
            };
            var operations = One.Get<IClientOperationStore>();
            // The count of live clients is kept; what is not active has an index of its own.
            var isKept = accepted is null && origin == new OriginFilter { OnboardingClient = origin.OnboardingClient };
            AssertSearches(isKept ? "clients_not_active" : index, await PlansAsync(() => operations.CountAsync(operation, Cancellation)));
            await operations.AddAsync(operation, record: null, Grounds.Server, Cancellation);
            AssertSearches(index, await PlansAsync(() => operations.StepAsync(operation, 10, (clientId, _) => Samples.Record(Now, clientId), Cancellation)));
        }
    }

    [Fact]
    public async Task Clients_that_are_due_are_found_by_their_review()
    {
        AssertSearches("clients_by_review", await PlansAsync(() => Lifecycles(One).ListDueAsync(Now, new ReviewCursor(Now, "x"), 10, Cancellation)));
    }

    [Theory]
    [InlineData(null, "clients_that_onboard")]
    [InlineData(ClientStatus.Active, "clients_that_onboard")]
    public async Task Onboarding_clients_are_found_by_an_index_of_their_own(ClientStatus? status, string index)
    {
        var filter = new ClientFilter { OnboardingOnly = true, Status = status };
        AssertSearches(index, await PlansAsync(() => One.Clients.ListAsync(filter, new ClientCursor(Now, "x"), 10, Cancellation)));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(ClientStatus.Active)]
    [Requirement("P-AUDIENCE")]
    public async Task Clients_with_exceptions_are_found_by_an_index_of_their_own(ClientStatus? status)
    {
        var filter = new ClientFilter { AssertionException = true, Status = status };
        AssertSearches("clients_excepted", await PlansAsync(() => One.Clients.ListAsync(filter, new ClientCursor(Now, "x"), 10, Cancellation)));
    }

    [Fact]
    public async Task What_changes_a_client_finds_it_by_its_id()
    {
        var plans = await PlansAsync(async () =>
        {
            var limits = Limits(live: 10);
            var client = await RegisteredAsync(limits);
            await One.Clients.RecordAuthenticationAsync(client.ClientId, byException: true, Now, Cancellation);
            await Lifecycles(One).ReviewAgainAsync(client.ClientId, Now, Now, Cancellation);
            client = (await One.Clients.FindAsync(client.ClientId, Cancellation))!;
            client = Next(client, ClientStatus.Expired);
            await Lifecycles(One).ExpireAsync(client, Record(client), Cancellation);
            await ReviveAsync(One, client, limits);
            client = Next(client, ClientStatus.Active);
            await One.Clients.DeleteAsync(client.ClientId, client.Version, Record(client), Grounds.Server, Cancellation);
        });
        Assert.NotEmpty(plans);
        Assert.All(plans, step => Assert.Equal("SEARCH clients USING INDEX sqlite_autoindex_clients_1 (client_id=?)", step));
    }

    [Fact]
    public async Task A_use_of_a_key_finds_its_client_or_key_set_by_its_id()
    {
        var before = await StatementsAsync();
        await One.Get<IKeyUseStore>().RecordAsync([new KeyUse(KeyUse.KeySetPrefix + "x", "y", Now)], Cancellation);
        var sql = Assert.Single((await StatementsAsync()).Except(before), sql => sql.Contains("INTO key_uses", StringComparison.Ordinal));
        var plan = Database.Read(session => session.Read(row => row.GetString(3), "EXPLAIN QUERY PLAN " + sql, new object?[4]));
        Assert.DoesNotContain(plan, step => step.StartsWith("SCAN key_sets", StringComparison.Ordinal) || step.StartsWith("SCAN clients", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("SELECT * FROM client_operations WHERE done = 0 ORDER BY id LIMIT 1", "client_operations USING INDEX client_operations_unfinished")]
    [InlineData("SELECT key FROM registration_answers WHERE expires_at < 1 LIMIT 1", "registration_answers USING COVERING INDEX registration_answers_by_expiry")]
    public void What_is_not_about_clients_is_found_by_an_index_too(string sql, string index)
    {
        var plan = Database.Read(session => session.Read(row => row.GetString(3), "EXPLAIN QUERY PLAN " + sql));
        Assert.Contains(index, Assert.Single(plan), StringComparison.Ordinal);
    }
}
