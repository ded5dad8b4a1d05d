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
using Dcr.Storage.Sqlite;
using Dcr.TokenStatus;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dcr;

/// <summary>Chooses SQLite as the store.</summary>
public static class SqliteSetup
{
    /// <summary>Keeps everything in one SQLite file, for one machine. Its settings are those under <c>Dcr:Storage:Sqlite</c>.</summary>
    /// <param name="dcr">The server.</param>
    /// <param name="path">The database file. Null: the setting, or <c>data/dcr.db</c>.</param>
    public static DcrBuilder UseSqlite(this DcrBuilder dcr, string? path = null)
    {
        var services = dcr.Services;
        services.AddSettings<SqliteStorageOptions>(SqliteStorageOptions.Section)
            .Configure(options => options.Path = path ?? options.Path);
        services.AddSingleton<IPostConfigureOptions<DcrOptions>, AdminKeyBesideDatabase>();
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
        services.AddSingleton<IUsedJtiStore, SqliteUsedJtiStore>();
        services.AddSingleton<IKeySetStore, SqliteKeySetStore>();
        services.AddSingleton<IQuarantinedKeyStore, SqliteQuarantinedKeyStore>();
        services.AddSingleton<IKeyUseStore, SqliteKeyUseStore>();
        services.AddSingleton<ISigningKeyStore, SqliteSigningKeyStore>();
        services.AddSingleton<IAuditStore, SqliteAuditStore>();
        return dcr;
    }
}

/// <summary>Where the first administrator's key is written by default: in the folder of the database.</summary>
internal sealed class AdminKeyBesideDatabase(IOptions<SqliteStorageOptions> sqlite) : IPostConfigureOptions<DcrOptions>
{
    public void PostConfigure(string? name, DcrOptions options) =>
        options.AdminKeyFile ??= Path.Combine(Path.GetDirectoryName(Path.GetFullPath(sqlite.Value.Path))!, "admin.jwk");
}
