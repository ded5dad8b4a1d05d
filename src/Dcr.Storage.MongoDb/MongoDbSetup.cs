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
using Dcr.Storage.MongoDb;
using Dcr.TokenStatus;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dcr;

/// <summary>Chooses MongoDB as the store.</summary>
public static class MongoDbSetup
{
    /// <summary>
    /// Keeps everything in MongoDB, for more than one node. Its settings are those under <c>Dcr:Storage:MongoDb</c>.
    /// </summary>
    /// <param name="dcr">The server.</param>
    /// <param name="connectionString">For example <c>mongodb://node1,node2,node3/?replicaSet=rs0</c>. Null: the setting.</param>
    /// <param name="database">Its name. Null: the setting, or <c>dcr</c>.</param>
    public static DcrBuilder UseMongoDb(this DcrBuilder dcr, string? connectionString = null, string? database = null)
    {
        var services = dcr.Services;
        services.AddSettings<MongoDbStorageOptions>(MongoDbStorageOptions.Section)
            .Configure(options =>
            {
                options.ConnectionString = connectionString ?? options.ConnectionString;
                options.Database = database ?? options.Database;
            })
            .ValidateOnStart();
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
        services.AddSingleton<IUsedJtiStore, MongoDbUsedJtiStore>();
        services.AddSingleton<IKeySetStore, MongoDbKeySetStore>();
        services.AddSingleton<IQuarantinedKeyStore, MongoDbQuarantinedKeyStore>();
        services.AddSingleton<MongoDbKeyUseStore>();
        services.AddSingleton<IKeyUseStore>(provider => provider.GetRequiredService<MongoDbKeyUseStore>());
        services.AddSingleton<ISigningKeyStore, MongoDbSigningKeyStore>();
        services.AddSingleton<IAuditStore, MongoDbAuditStore>();
        return dcr;
    }
}
