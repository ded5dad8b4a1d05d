using InMemoryStore;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Dcr.StorageTests;

/// <summary>The sample store in the hosts that it is for.</summary>
public sealed class InMemoryHostTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dcr-host-");
    private readonly IDataProtectionProvider _protection = new EphemeralDataProtectionProvider();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    [Requirement("P-STORE")]
    public async Task Hosts_that_share_a_database_are_nodes_of_one_server_and_others_are_not()
    {
        var database = new InMemoryDatabase();
        await using var one = await StartAsync(database);
        await using var other = await StartAsync(database);
        await using var stranger = await StartAsync(new InMemoryDatabase());

        Assert.Equal("Healthy", await GetAsync(one, "/health/ready"));
        var keys = await GetAsync(one, "/oauth/jwks");
        Assert.Contains("\"kid\"", keys, StringComparison.Ordinal);
        Assert.Equal(keys, await GetAsync(other, "/oauth/jwks"));
        Assert.NotEqual(keys, await GetAsync(stranger, "/oauth/jwks"));
    }

    private static async Task<string> GetAsync(WebApplication host, string path)
    {
        using var client = new HttpClient { BaseAddress = new Uri(host.Urls.Single()) };
        return await client.GetStringAsync(new Uri(path, UriKind.Relative), Cancellation);
    }

    private async Task<WebApplication> StartAsync(InMemoryDatabase database)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Configuration["Dcr:AdminKeyFile"] = Path.Combine(_folder.FullName, "admin.jwk");
        builder.Services.AddSingleton(_protection);
        builder.Services.AddDcr().UseInMemoryStore(database);
        var host = builder.Build();
        host.MapDcr();
        await host.StartAsync(Cancellation);
        return host;
    }
}
