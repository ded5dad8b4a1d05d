using System.Security.Cryptography;
using DotNet.Testcontainers.Builders;
using MongoDB.Driver;
using Testcontainers.MongoDb;

namespace Dcr;

/// <summary>
/// The MongoDB that tests run on: the one that DCR_TEST_MONGODB names, else a container where Docker answers, else none.
/// Each fixture takes a database of its own and drops it.
/// </summary>
public static class MongoDbUnderTest
{
    private const string Variable = "DCR_TEST_MONGODB";

    private static readonly Lazy<Task<string>> s_connectionString = new(StartAsync);

    /// <summary>Null when there is a MongoDB to test on.</summary>
    public static string? SkipReason { get; } =
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } || DockerAnswers()
            ? null
            : $"No MongoDB: {Variable} names none, and Docker does not answer.";

    public static Task<string> ConnectionStringAsync() => s_connectionString.Value;

    public static string NewDatabaseName() => "dcr_test_" + RandomNumberGenerator.GetHexString(16, lowercase: true);

    public static async Task DropAsync(string database)
    {
        using var client = new MongoClient(await ConnectionStringAsync());
        await client.DropDatabaseAsync(database);
    }

    private static async Task<string> StartAsync()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
        {
            return named;
        }
        // Removed by Testcontainers when the test process ends.
        var container = new MongoDbBuilder("mongo:8").Build();
        await container.StartAsync();
        return container.GetConnectionString();
    }

    private static bool DockerAnswers()
    {
        try
        {
            return new MongoDbBuilder("mongo:8").Build() is not null;
        }
        catch (Exception exception) when (exception is DockerUnavailableException or ArgumentException)
        {
            return false;
        }
    }
}
