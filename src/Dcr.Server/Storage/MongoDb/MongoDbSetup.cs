using Dcr.AccessTokens;
using Dcr.Administration;
using Dcr.Auditing;
using Dcr.ClientAuthentication;
using Dcr.Clients;
using Dcr.Keys;
using Dcr.Protocol;
using Dcr.Registration;
using Dcr.TokenStatus;
using Microsoft.Extensions.Options;

namespace Dcr.Server.Storage.MongoDb;

internal static class MongoDbSetup
{
    public static void AddMongoDbStorage(this IServiceCollection services)
    {
        services.AddOptions<MongoDbStorageOptions>().ValidateOnStart();
        services.AddSingleton<IValidateOptions<MongoDbStorageOptions>, MongoDbStorageOptionsValidator>();
        services.AddSingleton<MongoDbStorage>();
        services.AddSingleton<MongoDbIndexes>();
        services.AddSingleton<IStoreLifecycle, MongoDbSchema>();
        services.AddSingleton<MongoDbEffects>();
        services.AddSingleton<MongoDbOutbox>();
        services.AddSingleton<MongoDbOutboxWorker>();
        services.AddHostedService(provider => provider.GetRequiredService<MongoDbOutboxWorker>());
        services.AddSingleton<MongoDbInitialAccessTokens>();
        services.AddSingleton<MongoDbRegistrationCounts>();
        services.AddSingleton<MongoDbAbandonedRegistrations>();
        services.AddSingleton<MongoDbStatusListStore>();
        services.AddSingleton<IStatusListStore>(provider => provider.GetRequiredService<MongoDbStatusListStore>());
        services.AddSingleton<IRevokedTokenStore, MongoDbRevokedTokenStore>();
        services.AddSingleton<MongoDbRegistrationAnswers>();
        services.AddSingleton<MongoDbClientChange>();
        services.AddSingleton<MongoDbClientStore>();
        services.AddSingleton<IClientStore>(provider => provider.GetRequiredService<MongoDbClientStore>());
        services.AddSingleton<IRegistrationStore, MongoDbRegistrationStore>();
        services.AddSingleton<IClientLifecycleStore, MongoDbClientLifecycleStore>();
        services.AddSingleton<IClientOperationStore, MongoDbClientOperationStore>();
        services.AddSingleton<ILeaseStore, MongoDbLeaseStore>();
        services.AddSingleton<ISeededClientStore, MongoDbSeededClientStore>();
        services.AddSingleton<IAssertionReplayStore, MongoDbAssertionReplayStore>();
        services.AddSingleton<IKeySetStore, MongoDbKeySetStore>();
        services.AddSingleton<IQuarantinedKeyStore, MongoDbQuarantinedKeyStore>();
        services.AddSingleton<IKeyUseStore, MongoDbKeyUseStore>();
        services.AddSingleton<ISigningKeyStore, MongoDbSigningKeyStore>();
        services.AddSingleton<IAuditStore, MongoDbAuditStore>();
    }
}
