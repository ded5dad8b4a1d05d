using Dcr.Auditing;
using Dcr.Bulk;
using Dcr.Clients;
using Dcr.Protocol;
using Dcr.Storage.MongoDb;
using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Dcr.StorageTests;

/// <summary>A node that dies after it has changed a batch and before the operation has moved past it.</summary>
public sealed class MongoDbClientOperationTests(MongoDbUnderTestStore store) : RegisteredClientsContract(store), IClassFixture<MongoDbUnderTestStore>
{
    private static IClientOperationStore Operations(Node node) => node.Get<IClientOperationStore>();

    private Task<ClientOperation> StepAsync(Node node, ClientOperation operation, int limit) =>
        Operations(node).StepAsync(operation, limit, (clientId, _) => Samples.Record(Now, clientId), Cancellation);

    /// <summary>Two batches of three, of which the first is changed and not yet counted.</summary>
    private async Task<(ClientOperation Operation, List<Client> Clients)> DiedInTheFirstBatchAsync(RegistrationLimits limits, ClientStatus becomes)
    {
        var clients = new List<Client>();
        for (var i = 0; i < 5; i++)
        {
            Store.Time.Advance(TimeSpan.FromMilliseconds(1));
            clients.Add(await RegisteredAsync(limits));
        }
        var operation = new ClientOperation
        {
            Id = Samples.Record(Now, "").Id,
            Origin = new OriginFilter { OnboardingClient = limits.OnboardingClient },
            Becomes = becomes,
            Actor = new AuditActor("admin", null),
            StartedAt = Now,
        };
        await Operations(One).AddAsync(operation, record: null, Grounds.Server, Cancellation);
        await StepAsync(One, operation, 3);
        var document = await FindAsync(operation);
        document["changed"] = 0L;
        document["after_client_id"] = document["after_created_at"] = BsonNull.Value;
        await One.Get<MongoDbStorage>().ClientOperations.ReplaceOneAsync(Where(operation), document, cancellationToken: Cancellation);
        return (operation, clients);
    }

    private static FilterDefinition<BsonDocument> Where(ClientOperation operation) => Builders<BsonDocument>.Filter.Eq("_id", operation.Id);

    private Task<BsonDocument> FindAsync(ClientOperation operation) => One.Get<MongoDbStorage>().ClientOperations.Find(Where(operation)).SingleAsync(Cancellation);

    private async Task<ClientOperation> FinishAsync(ClientOperation operation)
    {
        while (!operation.Done)
        {
            operation = await StepAsync(Other, operation, 3);
        }
        return operation;
    }

    [Fact]
    public async Task Its_batch_is_counted_once_by_another_and_not_changed_again()
    {
        var limits = Limits();
        var (operation, clients) = await DiedInTheFirstBatchAsync(limits, ClientStatus.Revoked);
        Assert.Equal(5, (await FinishAsync(operation)).Changed);
        foreach (var client in clients)
        {
            Assert.Equal((ClientStatus.Revoked, 2), ((await StoredAsync(client))!.Status, (await StoredAsync(client))!.Version));
            Assert.Equal(2, await RecordsOfAsync(client.ClientId));
        }
        Assert.Equal(0, await CountLiveAsync(limits));
    }

    [Fact]
    public async Task A_client_of_its_batch_that_was_resumed_since_stays_resumed()
    {
        var (operation, clients) = await DiedInTheFirstBatchAsync(Limits(), ClientStatus.Suspended);
        var resumed = await BecomesAsync(Next(clients[1], ClientStatus.Suspended), ClientStatus.Active);
        Assert.Equal(5, (await FinishAsync(operation)).Changed);
        Assert.Equal(Text(resumed), Text(await StoredAsync(resumed)));
        Assert.Equal(3, await RecordsOfAsync(resumed.ClientId));
    }

    [Fact]
    public async Task A_client_of_its_batch_that_another_operation_changed_since_counts_for_both()
    {
        var (suspension, clients) = await DiedInTheFirstBatchAsync(Limits(), ClientStatus.Suspended);
        var revocation = suspension with { Id = Samples.Record(Now, "").Id, Becomes = ClientStatus.Revoked, Origin = new OriginFilter { OnboardingClient = clients[0].Origin!.OnboardingClient } };
        await Operations(One).AddAsync(revocation, record: null, Grounds.Server, Cancellation);
        Assert.Equal(5, (await FinishAsync(revocation)).Changed);
        // The three that it had suspended; the others were revoked before it came to them.
        Assert.Equal(3, (await FinishAsync(suspension)).Changed);
    }
}
