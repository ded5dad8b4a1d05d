using Dcr.Jose;
using Dcr.Protocol;
using Dcr.Storage.Sqlite;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.Extensions.Options;

namespace Dcr.Server.KeyRing;

/// <summary>The Data Protection keys that encrypt what is secret in the store, in a folder of their own.</summary>
internal static class KeyRingSetup
{
    public static void AddKeyRing(this IServiceCollection services)
    {
        services.AddSettings<KeyRingOptions>(KeyRingOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<KeyRingOptions>, KeyRingOptionsValidator>();
        services.AddSingleton<KeyRingFolder>();
        services.AddSingleton<Passphrase>();
        services.AddDataProtection().SetApplicationName("Dcr");
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>, KeyRingInFolder>();
        services.AddHostedService<UnprotectedFiles>();

        // The framework would make the first key before the server listens; here it is made when it is first needed.
        foreach (var early in services.Where(service => service.ImplementationType?.Name == "DataProtectionHostedService").ToList())
        {
            services.Remove(early);
        }
    }
}

/// <summary>Where the key ring is: <c>Dcr:DataProtection:KeyRingPath</c>, or <c>keys</c> in the data folder.</summary>
internal sealed class KeyRingFolder(IOptions<StorageOptions> storage, IOptions<SqliteStorageOptions> sqlite)
{
    public string Of(KeyRingOptions options) =>
        Path.GetFullPath(options.KeyRingPath ?? Path.Combine(DataFolder.Of(storage.Value, sqlite.Value), "keys"));
}

/// <summary>Makes the folder for the owner only, and not before a key is looked for.</summary>
internal sealed class OwnerOnlyRepository(string path, ILoggerFactory loggers) : FileSystemXmlRepository(new DirectoryInfo(path), loggers)
{
    public override IReadOnlyCollection<System.Xml.Linq.XElement> GetAllElements()
    {
        OwnerOnlyFolder.Make(path);
        return base.GetAllElements();
    }

    public override void StoreElement(System.Xml.Linq.XElement element, string friendlyName)
    {
        OwnerOnlyFolder.Make(path);
        base.StoreElement(element, friendlyName);
    }
}

internal sealed class KeyRingInFolder(IOptions<KeyRingOptions> options, KeyRingFolder folder, Passphrase passphrase, ILoggerFactory loggers)
    : IConfigureOptions<KeyManagementOptions>
{
    public void Configure(KeyManagementOptions management)
    {
        management.XmlRepository = new OwnerOnlyRepository(folder.Of(options.Value), loggers);
        if (options.Value.PassphraseFile is not null)
        {
            management.XmlEncryptor = new PassphraseEncryptor(passphrase);
        }
    }
}
