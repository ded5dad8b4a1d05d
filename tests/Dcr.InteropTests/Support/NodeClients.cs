using System.Globalization;
using Dcr.InteropTests.Support;
using Xunit;

[assembly: AssemblyFixture(typeof(NodeClients))]

namespace Dcr.InteropTests.Support;

/// <summary>
/// The scripts of <c>clients/</c> beside the packages they need. Node.js and npm are the machine's own; without them,
/// or with nothing installed yet and no registry, the tests are skipped.
/// </summary>
public sealed class NodeClients : IAsyncLifetime
{
    // What openid-client 6 and the MCP SDK need: WebCrypto without a flag.
    private const int OldestNode = 20;

    private string _scripts = "";

    /// <summary>Why no script can run here. Null: they can.</summary>
    public string? SkipReason { get; private set; }

    public static string Sources { get; } = Path.Combine(Repository.Root, "tests", "Dcr.InteropTests", "clients");

    public async ValueTask InitializeAsync()
    {
        SkipReason = await MissingAsync();
        if (SkipReason is null)
        {
            (var folder, SkipReason) = await NodePackages.InstallAsync(Sources);
            if (folder is not null)
            {
                // Below the packages: that is where Node.js looks for what a script imports.
                _scripts = Directory.CreateDirectory(Path.Combine(folder, "scripts", Guid.NewGuid().ToString("N"))).FullName;
                foreach (var script in Directory.EnumerateFiles(Sources, "*.mjs"))
                {
                    File.Copy(script, Path.Combine(_scripts, Path.GetFileName(script)));
                }
            }
        }
    }

    /// <summary>Starts a script of <c>clients/</c>.</summary>
    /// <param name="name">Without <c>.mjs</c>.</param>
    public ScriptProcess Start(string name) => ScriptProcess.Start("node", [Path.Combine(_scripts, name + ".mjs")], _scripts);

    public ValueTask DisposeAsync()
    {
        if (_scripts.Length > 0)
        {
            Directory.Delete(_scripts, recursive: true);
        }
        return ValueTask.CompletedTask;
    }

    private static async Task<string?> MissingAsync()
    {
        if (await CommandLine.RunAsync("node", ["--version"]) is not { ExitCode: 0 } node)
        {
            return "No Node.js: the program node cannot be started.";
        }
        // v20.20.2
        if (int.Parse(node.Output.Trim().TrimStart('v').Split('.')[0], CultureInfo.InvariantCulture) < OldestNode)
        {
            return $"Node.js is {node.Output.Trim()}; the libraries need {OldestNode} or newer.";
        }
        return await CommandLine.RunAsync(NodePackages.Npm, ["--version"]) is { ExitCode: 0 } ? null : "No npm: the program npm cannot be started.";
    }
}
