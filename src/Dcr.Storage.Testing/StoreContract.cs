using System.Text.Json;
using Dcr.Auditing;
using Dcr.Clients;
using Xunit;

namespace Dcr.Storage.Testing;

/// <summary>
/// What every store keeps, as tests to inherit: an implementer derives a public class from each contract, with the own
/// <see cref="StoreUnderTest"/> as class fixture. A contract is skipped, with the reason, where there is no store to test on.
/// </summary>
public abstract class StoreContract
{
    protected StoreContract(StoreUnderTest store)
    {
        Assert.SkipWhen(store.SkipReason is not null, store.SkipReason ?? "");
        Store = store;
    }

    protected StoreUnderTest Store { get; }

    protected Node One => Store.One;

    protected Node Other => Store.Other;

    protected DateTimeOffset Now => Store.Time.GetUtcNow();

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A record of a change, of this moment.</summary>
    protected AuditRecord Record(string subject, string action = "test.changed") => Samples.Record(Now, subject, action);

    protected AuditRecord Record(Client client, string action = "test.changed") => Record(client.ClientId, action);

    /// <summary>How many records the audit trail has of a subject, as the other node sees it.</summary>
    protected async Task<int> RecordsOfAsync(string subject) =>
        (await Other.Audit.ListAsync(subject, null, 1000, Cancellation)).Count;

    /// <summary>Records compare lists by reference; as text they compare by value.</summary>
    protected static string Text(Client? client) => JsonSerializer.Serialize(client);

    /// <summary>Many calls at once, spread over both nodes.</summary>
    protected Task<T[]> RaceAsync<T>(int count, Func<Node, int, Task<T>> call) =>
        Task.WhenAll(Enumerable.Range(0, count).Select(i => Task.Run(() => call(i % 2 == 0 ? One : Other, i), Cancellation)));
}
