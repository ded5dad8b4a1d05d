using Microsoft.Extensions.Options;
using MongoDB.Driver;
using MongoDB.Driver.Core.Configuration;

namespace Dcr.Storage.MongoDb;

/// <summary>The settings under <c>Dcr:Storage:MongoDb</c>.</summary>
public sealed class MongoDbStorageOptions
{
    public const string Section = "Dcr:Storage:MongoDb";

    /// <summary>For example <c>mongodb://node1,node2,node3/?replicaSet=rs0</c>. Never logged.</summary>
    public string ConnectionString { get; set; } = "";

    public string Database { get; set; } = "dcr";

    /// <summary>What is to be observed of the driver. No setting: only code sets it. Null: nothing.</summary>
    internal Action<ClusterBuilder>? ConfigureCluster { get; set; }
}

internal sealed class MongoDbStorageOptionsValidator : IValidateOptions<MongoDbStorageOptions>
{
    public ValidateOptionsResult Validate(string? name, MongoDbStorageOptions options)
    {
        var faults = new List<string>();
        if (options.ConnectionString.Length == 0)
        {
            faults.Add("Dcr:Storage:MongoDb:ConnectionString is missing: it is needed with Dcr:Storage:Provider=MongoDb.");
        }
        else if (!IsConnectionString(options.ConnectionString))
        {
            // Not quoted: it may hold a password.
            faults.Add("Dcr:Storage:MongoDb:ConnectionString cannot be read: it must look like mongodb://host:27017/?replicaSet=rs0.");
        }
        if (options.Database.Length is 0 or > 63 || options.Database.Any(c => "/\\. \"$*<>:|?\0".Contains(c, StringComparison.Ordinal)))
        {
            faults.Add(
                $"Dcr:Storage:MongoDb:Database is '{options.Database}': it must be 1 to 63 characters, without any of /\\. \"$*<>:|?.");
        }
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static bool IsConnectionString(string text)
    {
        try
        {
            _ = new MongoUrl(text);
            return true;
        }
        catch (Exception exception) when (exception is MongoConfigurationException or FormatException or ArgumentException)
        {
            return false;
        }
    }
}
