using Dcr.AccessTokens;
using Dcr.Auditing;
using Dcr.Bulk;
using Dcr.Clients;
using Dcr.Keys;
using Dcr.Protocol;
using Dcr.Registration;
using Dcr.SigningKeys;
using Dcr.TokenStatus;
using Xunit;

namespace Dcr.Storage.Testing;

/// <summary>
/// Every write that is given grounds is made only if all of them hold when it is made, in the same atomic step, and otherwise leaves no
/// trace. Between a write and the end of what it rests on, the end wins: once it is acknowledged, no such write succeeds.
/// </summary>
public abstract class GroundsContract(StoreUnderTest store) : RegisteredClientsContract(store)
{
    private const string Key = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xt";

    private static int s_generation;

    public static TheoryData<string> Faults =>
    [
        "suspended", "gone", "another under its id", "expired", "changed", "signed out", "key quarantined", "key quarantined everywhere",
        "registration token replaced", "token revoked", "token expired",
    ];

    [Theory]
    [Requirement("P-EFFECT")]
    [MemberData(nameof(Faults))]
    public async Task Makes_no_write_whose_grounds_do_not_hold(string fault)
    {
        var grounds = await BrokenAsync(fault);
        var unmade = Samples.NewId();
        foreach (var (name, write) in await WritesAsync(unmade))
        {
            Assert.Equal((name, "GroundsChanged"), (name, await write(One, grounds)));
        }
        Assert.Equal(0, await RecordsOfAsync(unmade));
    }

    [Fact]
    public async Task Makes_every_write_whose_grounds_hold()
    {
        var caller = await AddedAsync();
        var index = await One.Get<IStatusListStore>().AssignAsync(caller.ClientId, Cancellation);
        var ground = Ground(caller) with
        {
            StatusIndex = index,
            Version = caller.Version,
            KeyThumbprint = Key,
            RegistrationTokenHash = caller.RegistrationAccess!.TokenHash,
        };
        var grounds = On(ground) with { Token = new TokenGround(Guid.NewGuid().ToString(), Now.AddMinutes(1)) };
        foreach (var (name, write) in await WritesAsync(subject: null))
        {
            var outcome = await write(One, grounds);
            Assert.True(outcome is "Done" or "Added" or "Registered", $"{name}: {outcome}");
        }
    }

    [Fact]
    [Requirement("P-EFFECT")]
    public async Task Registers_nothing_after_the_end_of_what_it_rests_on_was_acknowledged()
    {
        for (var round = 0; round < 5; round++)
        {
            var (caller, limits) = (await AddedAsync(), Limits());
            var grounds = On(Ground(caller));
            var racing = RaceAsync(40, (node, _) =>
                Registrations(node).RegisterAsync(Registration(limits) with { Grounds = grounds }, Cancellation));
            Assert.Equal(
                ReplaceOutcome.Done,
                await Other.Clients.ReplaceAsync(Next(caller, ClientStatus.Revoked), Record(caller), Grounds.Server, Cancellation));
            var live = await LiveAsync(limits);
            var outcomes = await racing;

            Assert.Subset(live, await LiveAsync(limits));
            Assert.Equal(outcomes.Count(outcome => outcome is RegisterClientOutcome.Registered), await TrulyLiveAsync(limits));
            Assert.All(outcomes, outcome => Assert.True(
                outcome is RegisterClientOutcome.Registered or RegisterClientOutcome.GroundsChanged, outcome.ToString()));
            Assert.Equal(await TrulyLiveAsync(limits), await CountLiveAsync(limits));
        }
    }

    private async Task<HashSet<string>> LiveAsync(RegistrationLimits limits)
    {
        var filter = new ClientFilter { Origin = new OriginFilter { OnboardingClient = limits.OnboardingClient } };
        return
        [
            .. (await One.Clients.ListAsync(filter, null, 1000, Cancellation))
                .Where(client => client.Status.IsLive())
                .Select(client => client.ClientId),
        ];
    }

    private static Grounds On(ClientGround ground) => new() { Clients = [ground] };

    private static ClientGround Ground(Client client) => new() { ClientId = client.ClientId, Incarnation = client.Incarnation };

    private async Task<Client> AddedAsync(Func<Client, Client>? with = null)
    {
        var client = Samples.Client(Now) with { Origin = null, Incarnation = Guid.NewGuid().ToString("N") };
        client = with?.Invoke(client) ?? client;
        Assert.Equal(AddClientOutcome.Added, await One.Clients.AddAsync(client, Record(client), Grounds.Server, Cancellation));
        return client;
    }

    private async Task<Grounds> BrokenAsync(string fault)
    {
        var client = await AddedAsync(client => fault switch
        {
            "expired" => client with { Lifecycle = new ClientLifecycle { ExpiresAt = Now } },
            "key quarantined" => client with { QuarantinedKeys = [Key] },
            _ => client,
        });
        var ground = Ground(client);
        switch (fault)
        {
            case "suspended":
                await BecomesAsync(client, ClientStatus.Suspended);
                break;
            case "gone":
                await DeletedAsync(client);
                break;
            case "another under its id":
                ground = ground with { Incarnation = Guid.NewGuid().ToString("N") };
                break;
            case "changed":
                await BecomesAsync(client, ClientStatus.Active);
                ground = ground with { Version = client.Version };
                break;
            case "signed out":
                ground = ground with { StatusIndex = await One.Get<IStatusListStore>().AssignAsync(client.ClientId, Cancellation) };
                await Other.Clients.SignOutAsync(client.ClientId, client.Version, Record(client), Grounds.Server, Cancellation);
                break;
            case "key quarantined":
                ground = ground with { KeyThumbprint = Key };
                break;
            case "key quarantined everywhere":
                var thumbprint = Guid.NewGuid().ToString("N");
                ground = ground with { KeyThumbprint = thumbprint };
                await Other.Get<IQuarantinedKeyStore>().AddAsync(
                    new QuarantinedKey(thumbprint, "stolen", Now, "operator"), Record(thumbprint), Grounds.Server, Cancellation);
                break;
            case "registration token replaced":
                ground = ground with { RegistrationTokenHash = "hash-of-another" };
                break;
            case "token revoked":
                var token = new TokenGround(Guid.NewGuid().ToString(), Now.AddMinutes(5));
                await Other.Get<IRevokedTokenStore>().AddAsync(token.Jti, token.ExpiresAt, Cancellation);
                return On(ground) with { Token = token };
            case "token expired":
                return On(ground) with { Token = new TokenGround(Guid.NewGuid().ToString(), Now) };
        }
        return On(ground);
    }

    /// <summary>Each write that takes grounds, once, with things of its own to write; its outcome as text.</summary>
    /// <param name="subject">Of each record. Null: what is written.</param>
    private async Task<Dictionary<string, Func<Node, Grounds, Task<string>>>> WritesAsync(string? subject)
    {
        AuditRecord Of(string written) => Record(subject ?? written);
        var (replaced, ended, out_, deleted) = (await AddedAsync(), await AddedAsync(), await AddedAsync(), await AddedAsync());
        var limits = Limits();
        var expired = await BecomesAsync(await RegisteredAsync(limits), ClientStatus.Expired);
        var set = new HostedKeySet { Id = Guid.NewGuid().ToString("N"), Version = 1, CreatedAt = Now };
        var added = set with { Id = Guid.NewGuid().ToString("N") };
        var removed = set with { Id = Guid.NewGuid().ToString("N") };
        await One.Get<IKeySetStore>().AddAsync(set, Record(set.Id), Grounds.Server, Cancellation);
        await One.Get<IKeySetStore>().AddAsync(removed, Record(removed.Id), Grounds.Server, Cancellation);
        var key = new QuarantinedKey(Guid.NewGuid().ToString("N"), "stolen", Now, "operator");
        var held = key with { Thumbprint = Guid.NewGuid().ToString("N") };
        await One.Get<IQuarantinedKeyStore>().AddAsync(held, Record(held.Thumbprint), Grounds.Server, Cancellation);
        var generation = Interlocked.Increment(ref s_generation);
        var signing = new StoredSigningKey(generation, "kid", "ES256", new byte[] { 1 }, Now, Now, RevokesUpTo: 0);
        var operation = new ClientOperation
        {
            Id = Record("").Id,
            Origin = new OriginFilter { OnboardingClient = limits.OnboardingClient },
            Becomes = ClientStatus.Revoked,
            Actor = new AuditActor("admin", null),
            StartedAt = Now,
        };
        return new()
        {
            ["add"] = async (node, grounds) =>
                $"{await node.Clients.AddAsync(Samples.Client(Now) with { Origin = null }, Of("added"), grounds, Cancellation)}",
            ["replace"] = async (node, grounds) => $"{await node.Clients.ReplaceAsync(
                Next(replaced, ClientStatus.Suspended), Of(replaced.ClientId), grounds, Cancellation)}",
            ["replace and end tokens"] = async (node, grounds) => $"{await Lifecycles(node).ReplaceAndEndTokensAsync(
                Next(ended, ClientStatus.Active), Of(ended.ClientId), grounds, Cancellation)}",
            ["sign out"] = async (node, grounds) =>
                $"{await node.Clients.SignOutAsync(out_.ClientId, 1, Of(out_.ClientId), grounds, Cancellation)}",
            ["delete"] = async (node, grounds) =>
                $"{await node.Clients.DeleteAsync(deleted.ClientId, 1, Of(deleted.ClientId), grounds, Cancellation)}",
            ["revive"] = async (node, grounds) => $"{await Lifecycles(node).ReviveAsync(
                Next(expired, ClientStatus.Active), limits, Of(expired.ClientId), grounds, Cancellation)}",
            ["register"] = async (node, grounds) => (await Registrations(node).RegisterAsync(
                Registration(Limits()) with { Grounds = grounds, Record = Of("registered") }, Cancellation)).GetType().Name,
            ["add key set"] = async (node, grounds) =>
                $"{await node.Get<IKeySetStore>().AddAsync(added, Of(added.Id), grounds, Cancellation)}",
            ["replace key set"] = async (node, grounds) =>
                $"{await node.Get<IKeySetStore>().ReplaceAsync(set with { Version = 2 }, Of(set.Id), grounds, Cancellation)}",
            ["delete key set"] = async (node, grounds) =>
                $"{await node.Get<IKeySetStore>().DeleteAsync(removed.Id, 1, Of(removed.Id), grounds, Cancellation)}",
            ["quarantine"] = async (node, grounds) =>
                $"{await node.Get<IQuarantinedKeyStore>().AddAsync(key, Of(key.Thumbprint), grounds, Cancellation)}",
            ["release"] = async (node, grounds) =>
                $"{await node.Get<IQuarantinedKeyStore>().RemoveAsync(held.Thumbprint, Of(held.Thumbprint), grounds, Cancellation)}",
            ["add signing key"] = async (node, grounds) =>
                $"{await node.SigningKeys.AddAsync(signing, Of("signing key"), grounds, Cancellation)}",
            ["add operation"] = async (node, grounds) =>
                await node.Get<IClientOperationStore>().AddAsync(operation, Of(operation.Id), grounds, Cancellation)
                    ? "Added"
                    : "GroundsChanged",
        };
    }
}
