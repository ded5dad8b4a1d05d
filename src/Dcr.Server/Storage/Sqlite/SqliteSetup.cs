using Dcr.AccessTokens;
using Dcr.Administration;
using Dcr.Auditing;
using Dcr.ClientAuthentication;
using Dcr.Clients;
using Dcr.Keys;
using Dcr.Protocol;
using Dcr.Registration;
using Dcr.TokenStatus;

namespace Dcr.Server.Storage.Sqlite;

internal static class SqliteSetup
{
    public static void AddSqliteStorage(this IServiceCollection services)
    {
        services.AddSingleton<SqliteStorage>();
        services.AddSingleton<IStoreLifecycle>(provider => provider.GetRequiredService<SqliteStorage>());
        services.AddSingleton<IClientStore, SqliteClientStore>();
        services.AddSingleton<IRegistrationStore, SqliteRegistrationStore>();
        services.AddSingleton<IClientLifecycleStore, SqliteClientLifecycleStore>();
        services.AddSingleton<IClientOperationStore, SqliteClientOperationStore>();
        services.AddSingleton<IStatusListStore, SqliteStatusListStore>();
        services.AddSingleton<IRevokedTokenStore, SqliteRevokedTokenStore>();
        services.AddSingleton<ILeaseStore, SqliteLeaseStore>();
        services.AddSingleton<ISeededClientStore, SqliteSeededClientStore>();
        services.AddSingleton<IAssertionReplayStore, SqliteAssertionReplayStore>();
        services.AddSingleton<IKeySetStore, SqliteKeySetStore>();
        services.AddSingleton<IQuarantinedKeyStore, SqliteQuarantinedKeyStore>();
        services.AddSingleton<IKeyUseStore, SqliteKeyUseStore>();
        services.AddSingleton<ISigningKeyStore, SqliteSigningKeyStore>();
        services.AddSingleton<IAuditStore, SqliteAuditStore>();
    }
}
