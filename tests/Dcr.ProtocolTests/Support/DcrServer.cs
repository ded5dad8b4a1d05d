using System.Text.Json.Nodes;
using Dcr.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Dcr.ProtocolTests.Support;

/// <summary>
/// The real server in this process: Kestrel on a loopback port of its own, a store of its own, a clock that tests may
/// move. One for each test class and store.
/// </summary>
public abstract class DcrServer : IAsyncLifetime
{
    private WebApplication? _app;

    /// <summary>Why the tests of this store cannot run here. Null: they can.</summary>
    public virtual string? SkipReason => null;

    public TestClock Time { get; } = new(DateTimeOffset.UtcNow);

    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("dcr-test-").FullName;

    public string Issuer { get; private set; } = "";

    /// <summary>For a server whose issuer has a path.</summary>
    public string IssuerPath { get; set; } = "";

    public HttpClient Http { get; private set; } = null!;

    public CapturedLog Log { get; } = new();

    /// <summary>What <see cref="Log"/> keeps at least.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Debug;

    /// <summary>May register clients; one use a token, five minutes, scopes read and write, default read.</summary>
    public TestKey OnboardingKey { get; } = TestKey.Create(kid: "onboarding-1");

    public TestKey AdminKey { get; } = TestKey.Create(kid: "admin-1");

    public const string OnboardingClient = "partner-directory";

    public const string Admin = "operator";

    /// <summary>May introspect tokens.</summary>
    public TestKey ApiKey { get; } = TestKey.Create(kid: "api-1");

    public const string Api = "orders-api";

    public string TokenEndpoint => Issuer + "/oauth/token";

    public string RegistrationEndpoint => Issuer + "/oauth/register";

    /// <summary>Changes services of the server before it is built.</summary>
    public Action<IServiceCollection>? Configure { get; set; }

    public IServiceProvider Services => _app!.Services;

    /// <summary>Settings beyond the defaults of a test server.</summary>
    public Dictionary<string, string> Settings { get; } = new()
    {
        ["Dcr:Jwks:AllowHttp"] = "true",
        ["Dcr:Jwks:AllowPrivateNetworks"] = "true",
    };

    /// <summary>The command line that names the store.</summary>
    protected abstract IEnumerable<string> StorageArguments { get; }

    protected virtual Task PrepareStoreAsync() => Task.CompletedTask;

    protected virtual Task DropStoreAsync() => Task.CompletedTask;

    public async ValueTask InitializeAsync()
    {
        if (SkipReason is not null)
        {
            return;
        }
        await PrepareAsync();
        await StartAsync();
    }

    /// <summary>Store and seed file, without a server in this process.</summary>
    public async Task PrepareAsync()
    {
        await PrepareStoreAsync();
        await File.WriteAllTextAsync(SeedPath, SeedText());
    }

    public string SeedPath => Path.Combine(Directory, "seed.json");

    public async Task StartAsync()
    {
        var address = $"http://127.0.0.1:{Ports.Free()}";
        if (Issuer.Length == 0)
        {
            Issuer = address + IssuerPath;
        }
        _app = Create(Arguments(address, Issuer), services =>
        {
            services.AddSingleton<TimeProvider>(Time);
            Configure?.Invoke(services);
            services.AddLogging(logging => logging.ClearProviders().AddProvider(Log).SetMinimumLevel(LogLevel));
        });
        try
        {
            await _app.StartAsync();
        }
        catch
        {
            await _app.DisposeAsync();
            _app = null;
            throw;
        }
        Http = new HttpClient { BaseAddress = new Uri(address + "/") };
    }

    /// <summary>The whole server, or another host that has it within.</summary>
    protected virtual WebApplication Create(string[] arguments, Action<IServiceCollection> configure) =>
        ServerApplication.Create(arguments, configure);

    /// <summary>Another node on the same store. To be disposed by the test.</summary>
    /// <param name="time">Its clock. Null: the same.</param>
    public async Task<(WebApplication App, HttpClient Http)> StartAnotherNodeAsync(TimeProvider? time = null)
    {
        var address = $"http://127.0.0.1:{Ports.Free()}";
        var app = ServerApplication.Create(Arguments(address, Issuer), services =>
        {
            services.AddSingleton(time ?? Time);
            services.AddLogging(logging => logging.ClearProviders());
        });
        await app.StartAsync();
        return (app, new HttpClient { BaseAddress = new Uri(address + "/") });
    }

    public async Task StopAsync()
    {
        if (_app is not null)
        {
            await _app.StopAsync();
            await _app.DisposeAsync();
            _app = null;
        }
    }

    public string[] Arguments(string address, string issuer) =>
    [
        "--urls", address,
        "--Dcr:Issuer", issuer,
        "--Dcr:SeedFile", SeedPath,
        "--Dcr:AdminKeyFile", Path.Combine(Directory, "admin.jwk"),
        "--Dcr:DataProtection:KeyRingPath", Path.Combine(Directory, "keys"),
        .. StorageArguments,
        .. Settings.SelectMany(setting => new[] { "--" + setting.Key, setting.Value }),
    ];

    /// <summary>The clients that every test may count on.</summary>
    protected virtual string SeedText() => Seed().ToJsonString();

    private JsonObject Seed() => new()
    {
        ["clients"] = new JsonArray(
            SeedClient(OnboardingClient, "dcr", OnboardingKey, new JsonObject
            {
                ["scope"] = new JsonObject { ["allowed"] = new JsonArray("read", "write"), ["default"] = new JsonArray("read") },
            }),
            SeedClient("fleet", "dcr read", OnboardingKey, new JsonObject
            {
                ["initial_access_token"] = new JsonObject { ["uses"] = 5, ["lifetime_seconds"] = 60 },
                ["scope"] = new JsonObject { ["allowed"] = new JsonArray("telemetry") },
            }),
            SeedClient(Api, "introspect", ApiKey),
            SeedClient(Admin, "dcr.admin", AdminKey)),
    };

    public static JsonObject SeedClient(string clientId, string scope, TestKey key, JsonObject? policy = null)
    {
        var client = new JsonObject
        {
            ["client_id"] = clientId,
            ["client_name"] = clientId,
            ["token_endpoint_auth_method"] = "private_key_jwt",
            ["grant_types"] = new JsonArray("client_credentials"),
            ["scope"] = scope,
            ["jwks"] = TestKey.Jwks(key),
        };
        if (policy is not null)
        {
            client["registration_policy"] = policy;
        }
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (SkipReason is null)
        {
            await StopAsync();
            Http?.Dispose();
            await DropStoreAsync();
        }
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}

public class SqliteServer : DcrServer
{
    protected override IEnumerable<string> StorageArguments => ["--Dcr:Storage:Sqlite:Path", Path.Combine(Directory, "dcr.db")];
}

public class MongoDbServer : DcrServer
{
    private readonly string _database = MongoDbUnderTest.NewDatabaseName();

    public override string? SkipReason => MongoDbUnderTest.SkipReason;

    /// <summary>Set for a way to the database other than the straight one.</summary>
    public string? ConnectionString { get; set; }

    protected override IEnumerable<string> StorageArguments =>
    [
        "--Dcr:Storage:Provider", "MongoDb",
        "--Dcr:Storage:MongoDb:ConnectionString", ConnectionString!,
        "--Dcr:Storage:MongoDb:Database", _database,
    ];

    protected override async Task PrepareStoreAsync() => ConnectionString ??= await MongoDbUnderTest.ConnectionStringAsync();

    protected override Task DropStoreAsync() => MongoDbUnderTest.DropAsync(_database);
}
