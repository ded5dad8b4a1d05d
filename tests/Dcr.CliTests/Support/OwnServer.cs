namespace Dcr.CliTests.Support;

/// <summary>A server for one test, with settings of its own, in a folder of its own.</summary>
public sealed class OwnServer : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dcr-cli-own-server-").FullName;
    private readonly string _issuer = $"http://127.0.0.1:{Ports.Free()}";
    private ServerProcess? _process;

    public string Address => _issuer;

    public string AdminKey => Path.Combine(_folder, "data", "admin.jwk");

    /// <param name="settings">As on its command line.</param>
    public static async Task<OwnServer> StartAsync(params IReadOnlyList<string> settings)
    {
        var server = new OwnServer();
        server._process = await ServerProcess.StartAsync(["--urls", server._issuer, .. settings], server._folder);
        return server;
    }

    /// <summary>The options that make a command its administrator.</summary>
    public IReadOnlyList<string> AsAdministrator => ["--server", _issuer, "--client-id", "admin", "--key", AdminKey];

    public AdminRequests Admin => new(_process!.Http, _issuer, AdminKey);

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }
        Directory.Delete(_folder, recursive: true);
    }
}
