using Dcr.Auditing;
using Dcr.Bulk;
using Dcr.Clients;
using Dcr.Protocol;
using Dcr.Registration;
using Dcr.Storage.MongoDb;
using Xunit;

namespace Dcr.StorageTests;

/// <summary>
/// A registration and the end of what it rests on, stopped at each command that either sends (decision 0009): whichever comes first,
/// no client is left active, and none comes late.
/// </summary>
public sealed class MongoDbInterleavingTests(MongoDbUnderTestStore store) : RegisteredClientsContract(store), IClassFixture<MongoDbUnderTestStore>
{
    private const int MaxCommands = 40;

    private sealed record Meeting(Client Source, RegistrationLimits Limits, NewRegistration Registration);

    private async Task<Meeting> MeetingAsync(bool withAnswer)
    {
        var sample = Samples.Client(Now);
        var source = sample with { Origin = null, RegistrationAccess = null, Incarnation = $"i-{sample.ClientId}", StatusIndex = null };
        Assert.Equal(AddClientOutcome.Added, await One.Clients.AddAsync(source, Record(source), Grounds.Server, Cancellation));
        var limits = new RegistrationLimits(source.ClientId, MaxLiveClients: 10, MaxRegistrationsPerHour: null);
        var registration = withAnswer ? Answered(Guid.NewGuid().ToString("N"), limits) : Registration(limits);
        var grounds = new Grounds
        {
            Clients = [new ClientGround { ClientId = source.ClientId, Incarnation = source.Incarnation, Version = source.Version }],
            Token = new TokenGround(registration.Use.Jti, registration.Use.ExpiresAt),
        };
        return new Meeting(source, limits, registration with { Grounds = grounds });
    }

    /// <summary>The source is revoked, then everything of it.</summary>
    private async Task EndAsync(Node node, Meeting meeting)
    {
        var revoked = meeting.Source with { Status = ClientStatus.Revoked, Version = meeting.Source.Version + 1 };
        Assert.Equal(ReplaceOutcome.Done, await node.Clients.ReplaceAsync(revoked, Record(revoked), Grounds.Server, default));
        var operations = node.Get<IClientOperationStore>();
        var operation = new ClientOperation
        {
            Id = Samples.Record(Now, "").Id,
            Origin = new OriginFilter { OnboardingClient = meeting.Source.ClientId },
            Becomes = ClientStatus.Revoked,
            Actor = new AuditActor("admin", null),
            StartedAt = Now,
        };
        Assert.True(await operations.AddAsync(operation, record: null, Grounds.Server, default));
        while (!operation.Done)
        {
            operation = await operations.StepAsync(operation, 10, (clientId, _) => Samples.Record(Now, clientId), default);
        }
    }

    private async Task AssertNothingIsLeftAsync(Meeting meeting)
    {
        var stored = await Other.Clients.FindAsync(meeting.Registration.Client.ClientId, Cancellation);
        Assert.True(stored is null or { Status: ClientStatus.Revoked }, $"the client is {stored?.Status}");
        await Other.Get<MongoDbOutbox>().SweepAsync(Cancellation);
        Assert.Equal(0, await CountLiveAsync(meeting.Limits));
    }

    /// <summary>How often a node's call sends a command, so that each is stopped at once.</summary>
    private static async Task<int> CountAsync(CommandGate gate, Func<Task> call)
    {
        _ = gate.StopBefore(MaxCommands);
        gate.GoOn();
        await call();
        return Math.Min(gate.Sent, MaxCommands);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Of_a_registration_and_the_end_of_its_source_one_always_sees_the_other(bool withAnswer)
    {
        using var registrations = new CommandGate();
        using var ends = new CommandGate();
        await using var registering = Store.Open(registrations);
        await using var ending = Store.Open(ends);

        var plain = await MeetingAsync(withAnswer);
        var steps = await CountAsync(registrations, () => Registrations(registering).RegisterAsync(plain.Registration, Cancellation));
        var endSteps = await CountAsync(ends, () => EndAsync(ending, plain));
        Assert.InRange(steps, 4, MaxCommands - 1);
        Assert.InRange(endSteps, 4, MaxCommands - 1);
        await AssertNothingIsLeftAsync(plain);

        // One is stopped at each of its commands, the other comes to each of its own; then the first ends, and then the other.
        for (var i = 0; i < steps; i++)
        {
            for (var j = 0; j <= endSteps; j++)
            {
                var meeting = await MeetingAsync(withAnswer);
                var atRegistration = registrations.StopBefore(i);
                var registered = Task.Run(() => Registrations(registering).RegisterAsync(meeting.Registration, default), Cancellation);
                await Task.WhenAny(atRegistration, registered);
                var atEnd = ends.StopBefore(j);
                var ended = Task.Run(() => EndAsync(ending, meeting), Cancellation);
                await Task.WhenAny(atEnd, ended);
                registrations.GoOn();
                var outcome = await registered;
                ends.GoOn();
                await ended;
                Assert.True(outcome is RegisterClientOutcome.Registered or RegisterClientOutcome.GroundsChanged, $"at {i} and {j}: {outcome}");
                await AssertNothingIsLeftAsync(meeting);
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_node_that_dies_at_any_command_leaves_nothing_active_once_the_source_has_ended_nor_can_it_come_late(bool withAnswer)
    {
        using var registrations = new CommandGate();
        await using var registering = Store.Open(registrations);
        var plain = await MeetingAsync(withAnswer);
        var steps = await CountAsync(registrations, () => Registrations(registering).RegisterAsync(plain.Registration, Cancellation));
        for (var i = 0; i < steps; i++)
        {
            var meeting = await MeetingAsync(withAnswer);
            var stopped = registrations.StopBefore(i);
            var registered = Task.Run(() => Registrations(registering).RegisterAsync(meeting.Registration, default), Cancellation);
            await stopped;
            await EndAsync(One, meeting);
            Assert.True(await Other.Clients.FindAsync(meeting.Registration.Client.ClientId, Cancellation) is null or { Status: ClientStatus.Revoked });
            // A node gives up what it has itself seen stand for two minutes.
            await Other.Get<MongoDbAbandonedRegistrations>().SweepAsync(Cancellation);
            Store.Time.Advance(TimeSpan.FromMinutes(2) + TimeSpan.FromMilliseconds(1));
            await Other.Get<MongoDbAbandonedRegistrations>().SweepAsync(Cancellation);
            await Other.Get<MongoDbOutbox>().SweepAsync(Cancellation);
            Assert.Equal(0, await CountLiveAsync(meeting.Limits));
            // It was not dead but slow.
            registrations.GoOn();
            try
            {
                var outcome = await registered;
                // Registered: it was stopped after the client had been made, which was revoked meanwhile.
                Assert.True(outcome is RegisterClientOutcome.GroundsChanged or RegisterClientOutcome.Registered, $"at {i}: {outcome}");
            }
            catch (StoreUnavailableException)
            {
                // Fenced off: the answer is 503.
            }
            await AssertNothingIsLeftAsync(meeting);
        }
    }
}
