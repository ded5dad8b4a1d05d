using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Dcr.Client;
using Xunit;

namespace Dcr.InteropTests.Support;

/// <summary>The real server as a process of its own, for one class of tests.</summary>
public abstract class InteropServer : IAsyncLifetime
{
    // What the MCP SDK insists on, and this server has none of: it is of the authorization server beside it.
    private static readonly string[] s_metadata =
        ["--Dcr:Metadata:AuthorizationEndpoint", "https://login.example/authorize", "--Dcr:Metadata:ResponseTypesSupported", "code"];

    private readonly string _folder = Directory.CreateTempSubdirectory("dcr-interop-").FullName;
    private ServerProcess? _process;

    /// <summary>Why the tests of this store cannot run here. Null: they can.</summary>
    public virtual string? SkipReason => null;

    public string Issuer { get; } = $"http://127.0.0.1:{Ports.Free()}";

    /// <summary>Where the script of the MCP SDK puts its MCP server: the one API that clients may register for.</summary>
    public string McpServer { get; } = $"http://127.0.0.1:{Ports.Free()}/mcp";

    /// <summary>May register clients.</summary>
    public SeededClient Partner => field ??= new("partner-directory", "dcr", Policy());

    /// <summary>May introspect tokens: those for the MCP server, and those for the default audience.</summary>
    public SeededClient Api => field ??= new("orders-api", "introspect", policy: null, McpServer, Issuer);

    /// <summary>As <see cref="Partner"/>, with a library from before the strict audience.</summary>
    public SeededClient OldPartner => field ??= new("old-directory", "dcr", Policy());

    /// <summary>As <see cref="Api"/>, with a library from before the strict audience.</summary>
    public SeededClient OldApi { get; } = new("old-api", "introspect");

    public string Log => _process?.Output ?? "";

    protected abstract IEnumerable<string> StorageArguments { get; }

    protected virtual Task PrepareStoreAsync() => Task.CompletedTask;

    protected virtual Task DropStoreAsync() => Task.CompletedTask;

    public async ValueTask InitializeAsync()
    {
        if (SkipReason is not null)
        {
            return;
        }
        await PrepareStoreAsync();
        var seed = new JsonObject { ["clients"] = new JsonArray(Partner.Entry(), Api.Entry(), OldPartner.Entry(), OldApi.Entry()) };
        await File.WriteAllTextAsync(Path.Combine(_folder, "seed.json"), seed.ToJsonString());
        string[] arguments = ["--urls", Issuer, "--Dcr:SeedFile", "seed.json", .. s_metadata, .. StorageArguments];
        _process = await ServerProcess.StartAsync(arguments, _folder);
    }

    /// <summary>A request of the administrator's that must succeed.</summary>
    /// <param name="method">GET, PUT, ...</param>
    /// <param name="path">Below <c>/admin/v1/</c>.</param>
    /// <param name="body">Null: none.</param>
    public async Task<JsonObject> AdministerAsync(HttpMethod method, string path, JsonObject? body = null)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var http = _process!.Http;
        using var key = ClientKey.FromJwk(await File.ReadAllTextAsync(Path.Combine(_folder, "data", "admin.jwk"), cancellationToken));
        var tokens = new DcrClient(http, Issuer).AccessTokensFor(new ClientCredentials("admin", key));
        var token = await tokens.GetAsync("dcr.admin", cancellationToken: cancellationToken);
        using var request = new HttpRequestMessage(method, $"{Issuer}/admin/v1/{path}")
        {
            Content = body is null ? null : JsonContent.Create(body),
            Headers = { Authorization = new(token.TokenType, token.Value) },
        };
        using var response = await http.SendAsync(request, cancellationToken);
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        Assert.True(response.IsSuccessStatusCode, text);
        return text.Length > 0 ? JsonNode.Parse(text)!.AsObject() : [];
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_process is not null)
        {
            await _process.DisposeAsync();
            await DropStoreAsync();
        }
        Directory.Delete(_folder, recursive: true);
    }

    private JsonObject Policy() => new()
    {
        ["scope"] = new JsonObject { ["allowed"] = new JsonArray("read", "write"), ["default"] = new JsonArray("read") },
        ["resources"] = new JsonObject { ["allowed"] = new JsonArray(McpServer) },
    };
}

public sealed class SqliteServer : InteropServer
{
    protected override IEnumerable<string> StorageArguments => [];
}

public sealed class MongoDbServer : InteropServer
{
    private readonly string _database = MongoDbUnderTest.NewDatabaseName();
    private string _connectionString = "";

    public override string? SkipReason => MongoDbUnderTest.SkipReason;

    protected override IEnumerable<string> StorageArguments =>
    [
        "--Dcr:Storage:Provider", "MongoDb",
        "--Dcr:Storage:MongoDb:ConnectionString", _connectionString,
        "--Dcr:Storage:MongoDb:Database", _database,
    ];

    protected override async Task PrepareStoreAsync() => _connectionString = await MongoDbUnderTest.ConnectionStringAsync();

    protected override Task DropStoreAsync() => MongoDbUnderTest.DropAsync(_database);
}
