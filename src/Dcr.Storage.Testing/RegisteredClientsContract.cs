using Dcr.Clients;
using Dcr.Protocol;
using Dcr.Registration;
using Xunit;

namespace Dcr.Storage.Testing;

/// <summary>A contract about clients that were registered, and so are counted.</summary>
public abstract class RegisteredClientsContract(StoreUnderTest store) : StoreContract(store)
{
    protected static IRegistrationStore Registrations(Node node) => node.Get<IRegistrationStore>();

    protected static IClientLifecycleStore Lifecycles(Node node) => node.Get<IClientLifecycleStore>();

    /// <summary>Of an onboarding client of its own, so that no test counts another's clients.</summary>
    protected static RegistrationLimits Limits(long? live = null, long? perHour = null) =>
        new($"onboarding-{Guid.NewGuid():N}", live, perHour);

    protected InitialAccessTokenUse Use(int uses = 1) => new(Guid.NewGuid().ToString(), uses, Now.AddMinutes(5));

    protected NewRegistration Registration(RegistrationLimits limits, InitialAccessTokenUse? use = null, Func<Client, Client>? with = null)
    {
        var sample = Samples.Client(Now);
        var client = sample with { Origin = sample.Origin! with { OnboardingClient = limits.OnboardingClient }, RegistrationPolicy = null };
        client = with?.Invoke(client) ?? client;
        return new NewRegistration
        {
            Client = client,
            Use = use ?? Use(),
            Limits = limits,
            Grounds = Grounds.Server,
            Record = Record(client),
        };
    }

    /// <summary>With an answer that is kept under this key.</summary>
    protected NewRegistration Answered(string key, RegistrationLimits limits, InitialAccessTokenUse? use = null, string? provedBy = "proof")
    {
        var registration = Registration(limits, use);
        var clientId = registration.Client.ClientId;
        var answer = new RegistrationAnswer(
            key, "body", $"answer about {clientId}", provedBy, clientId, registration.Use.Jti, Now.AddHours(24));
        return registration with { Answer = answer };
    }

    /// <summary>As a caller does it: a registration that was begun under the same key is gone on with.</summary>
    protected static async Task<RegisterClientOutcome> RegisterAsync(Node node, NewRegistration registration)
    {
        var outcome = await Registrations(node).RegisterAsync(registration, Cancellation);
        return outcome is RegisterClientOutcome.UnderWay(var begun)
            ? await Registrations(node).RegisterAsync(
                registration with { Client = registration.Client with { ClientId = begun.ClientId }, Answer = begun }, Cancellation)
            : outcome;
    }

    protected async Task<Client> RegisteredAsync(RegistrationLimits limits, Func<Client, Client>? with = null)
    {
        var registration = Registration(limits, with: with);
        Assert.Equal(new RegisterClientOutcome.Registered(), await Registrations(One).RegisterAsync(registration, Cancellation));
        return registration.Client;
    }

    protected Task<RegisterClientOutcome> RegisterAsync(Node node, RegistrationLimits limits, InitialAccessTokenUse? use = null) =>
        Registrations(node).RegisterAsync(Registration(limits, use), Cancellation);

    /// <summary>What a client becomes: the next version, in this status.</summary>
    protected Client Next(Client client, ClientStatus status) => client with
    {
        Status = status,
        Version = client.Version + 1,
        Lifecycle = status == ClientStatus.Expired
            ? client.Lifecycle.Expired(Now)
            : client.Lifecycle with { ExpiredAt = null, ReviewAt = null },
    };

    protected async Task<Client> BecomesAsync(Client client, ClientStatus status)
    {
        var next = Next(client, status);
        var outcome = status == ClientStatus.Expired
            ? await Lifecycles(Other).ExpireAsync(next, Record(client), Cancellation)
            : await Other.Clients.ReplaceAsync(next, Record(client), Grounds.Server, Cancellation);
        Assert.Equal(ReplaceOutcome.Done, outcome);
        return next;
    }

    protected Task<ReviveOutcome> ReviveAsync(Node node, Client expired, RegistrationLimits limits) =>
        Lifecycles(node).ReviveAsync(Next(expired, ClientStatus.Active), limits, Record(expired), Grounds.Server, Cancellation);

    protected async Task DeletedAsync(Client client) =>
        Assert.Equal(
            ReplaceOutcome.Done,
            await Other.Clients.DeleteAsync(client.ClientId, client.Version, Record(client), Grounds.Server, Cancellation));

    protected Task<long> CountLiveAsync(RegistrationLimits limits) =>
        Registrations(Other).CountLiveAsync(limits.OnboardingClient, Cancellation);

    /// <summary>By the clients themselves.</summary>
    protected async Task<int> TrulyLiveAsync(RegistrationLimits limits)
    {
        var filter = new ClientFilter { Origin = new OriginFilter { OnboardingClient = limits.OnboardingClient } };
        return (await Other.Clients.ListAsync(filter, null, 1000, Cancellation)).Count(client => client.Status.IsLive());
    }

    protected Task<Client?> StoredAsync(Client client) => Other.Clients.FindAsync(client.ClientId, Cancellation);
}
