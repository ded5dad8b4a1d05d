using Dcr;
using Dcr.AccessTokens;
using Dcr.Auditing;
using Dcr.Bulk;
using Dcr.Clients;
using Dcr.Keys;
using Dcr.Onboarding;
using Dcr.Proofs;
using Dcr.Protocol;
using Dcr.Registration;
using Dcr.SigningKeys;
using Dcr.TokenStatus;
using Microsoft.Extensions.DependencyInjection;

namespace InMemoryStore;

/// <summary>Chooses the memory of this process as the store: for tests of hosts that embed the server.</summary>
public static class InMemorySetup
{
    /// <param name="dcr">The server.</param>
    /// <param name="database">Shared by hosts that are to be nodes of one server. Null: a new one.</param>
    public static DcrBuilder UseInMemoryStore(this DcrBuilder dcr, InMemoryDatabase? database = null)
    {
        var services = dcr.Services;
        services.AddSingleton(database ?? new InMemoryDatabase());
        services.AddSingleton<IStoreLifecycle, InMemoryRecords>();
        services.AddSingleton<IAuditStore, InMemoryRecords>();
        services.AddSingleton<IRevokedTokenStore, InMemoryRecords>();
        services.AddSingleton<IUsedJtiStore, InMemoryRecords>();
        services.AddSingleton<ISeededClientStore, InMemoryRecords>();
        services.AddSingleton<ILeaseStore, InMemoryLeases>();
        services.AddSingleton<IClientStore, InMemoryClients>();
        services.AddSingleton<IClientLifecycleStore, InMemoryClients>();
        services.AddSingleton<IStatusListStore, InMemoryClients>();
        services.AddSingleton<IRegistrationStore, InMemoryRegistrations>();
        services.AddSingleton<IClientOperationStore, InMemoryOperations>();
        services.AddSingleton<IKeySetStore, InMemoryKeySets>();
        services.AddSingleton<IKeyUseStore, InMemoryKeySets>();
        services.AddSingleton<IQuarantinedKeyStore, InMemoryQuarantine>();
        services.AddSingleton<ISigningKeyStore, InMemorySigningKeys>();
        return dcr;
    }
}
