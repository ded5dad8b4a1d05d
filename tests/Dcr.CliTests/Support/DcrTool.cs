using System.Diagnostics;
using System.Text.Json.Nodes;
using Dcr.Cli;
using Dcr.Client;
using Xunit;

namespace Dcr.CliTests.Support;

/// <summary>
/// One user of the <c>dcr</c> command, with a folder and profiles of its own. Calls run in the process of the tests; only what is
/// about the process itself starts the executable, which takes a second.
/// </summary>
public sealed class DcrTool : IDisposable
{
    // Where it is built: beside the tests it would be without the libraries that the tests have from ASP.NET Core.
    private static readonly string s_program = Path.Combine(
        Repository.Root, "src", "Dcr.Cli", Path.GetRelativePath(Path.Combine(Repository.Root, "tests", "Dcr.CliTests"), AppContext.BaseDirectory), "Dcr.Cli.dll");

    /// <summary>Where the commands are run.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("dcr-cli-").FullName;

    private ProfileStore Profiles => new(Path.Combine(ConfigurationFolder, "profiles"));

    public string ConfigurationFolder => Path.Combine(Folder, "config");

    public Dictionary<string, string> Environment { get; } = [];

    /// <summary>Runs <c>dcr</c> with these arguments, whatever comes of it.</summary>
    public Task<DcrAnswer> RunAsync(params IReadOnlyList<string> arguments) => RunWithInputAsync("", arguments);

    /// <summary>The same with something on standard input.</summary>
    public Task<DcrAnswer> RunWithInputAsync(string input, params IReadOnlyList<string> arguments) => RunAsync(new DcrCall { Folder = Folder, Input = input }, arguments);

    /// <summary>The same on a terminal, with what somebody types there.</summary>
    /// <param name="width">Of the terminal, in characters.</param>
    /// <param name="typed">Line by line.</param>
    public Task<DcrAnswer> RunOnTerminalAsync(int width, string typed, params IReadOnlyList<string> arguments) =>
        RunAsync(new DcrCall { Folder = Folder, Input = typed, Width = width }, arguments);

    /// <summary>The executable as a process of its own.</summary>
    public Task<DcrAnswer> StartAsync(params IReadOnlyList<string> arguments) => StartProcessAsync(DotNet, [s_program, .. arguments], "");

    /// <summary>Runs <c>dcr</c>, which must succeed.</summary>
    public async Task<DcrAnswer> SucceedAsync(params IReadOnlyList<string> arguments)
    {
        var answer = await RunAsync(arguments);
        Assert.True(answer.ExitCode == 0, $"dcr {string.Join(' ', arguments)}\n{answer}");
        return answer;
    }

    /// <summary>The JSON that a command which must succeed gives with <c>--json</c>.</summary>
    public async Task<JsonObject> JsonAsync(params IReadOnlyList<string> arguments) => (await SucceedAsync([.. arguments, "--json"])).Json;

    /// <summary>
    /// Lines as a user types them into a shell where <c>dcr</c> is installed. Stops at the first that fails. Each <c>dcr</c> runs in the
    /// process of the tests.
    /// </summary>
    public async Task<DcrAnswer> ShellAsync(string script)
    {
        await using var calls = new ShellCalls(Path.Combine(Folder, ".calls"), RunAsync);
        return await BashAsync(calls.Script, script);
    }

    /// <summary>The same where each <c>dcr</c> is a process, as it is for users.</summary>
    public Task<DcrAnswer> ShellOfProcessesAsync(string script) => BashAsync($"#!/bin/sh\nexec '{DotNet}' '{s_program}' \"$@\"\n", script);

    /// <summary>
    /// Profiles for the clients that the server's seed file names. Not by the command: most tests are about something else.
    /// </summary>
    public async Task<DcrTool> KnowAsync(CliServer server, params IReadOnlyList<string> profiles)
    {
        foreach (var profile in profiles)
        {
            var (clientId, key) = profile switch
            {
                "admin" => ("admin", server.AdminKey),
                "directory" => ("partner-directory", server.DirectoryKey),
                "device-maker" => ("device-maker", server.DeviceMakerKey),
                _ => ("warehouse-7", server.WarehouseKey),
            };
            await Profiles.SaveAsync(profile, new Profile { Server = server.Issuer, ClientId = clientId, KeyFile = key }, TestContext.Current.CancellationToken);
        }
        return this;
    }

    /// <summary>A new client of <c>partner-directory</c> as a profile, with a new key in this file. Not by the command either.</summary>
    public async Task RegisterAsync(CliServer server, string profile = "default", string keyFile = "default.pem", string? scope = null)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        using var key = await NewKeyAsync(keyFile);
        using var directory = ClientKey.FromPem(await File.ReadAllTextAsync(server.DirectoryKey, cancellationToken));
        var dcr = new DcrClient(server.Http, server.Issuer);
        var token = await dcr.GetInitialAccessTokenAsync(new ClientCredentials("partner-directory", directory), cancellationToken: cancellationToken);
        Profiles.CreateFolder();
        await dcr.RegistrationIn(Profiles.RegistrationOf(profile)).RegisterAsync(token, new ClientMetadata { Scope = scope }, key, cancellationToken);
        await Profiles.SaveAsync(profile, new Profile { Server = server.Issuer, KeyFile = PathOf(keyFile) }, cancellationToken);
    }

    /// <summary>A key in a file, as <c>dcr keys new</c> makes it.</summary>
    public async Task<ClientKey> NewKeyAsync(string file)
    {
        var key = ClientKey.Generate();
        await PrivateFile.WriteAsync(PathOf(file), file, KeyFile.PemOf(key, password: null), replace: true, TestContext.Current.CancellationToken);
        return key;
    }

    public string PathOf(string name) => Path.Combine(Folder, name);

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private static string DotNet => System.Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";

    private async Task<DcrAnswer> BashAsync(string dcr, string script)
    {
        var bin = Directory.CreateDirectory(Path.Combine(Folder, ".bin")).FullName;
        var path = Path.Combine(bin, "dcr");
        await File.WriteAllTextAsync(path, dcr, TestContext.Current.CancellationToken);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Environment["PATH"] = $"{bin}:{System.Environment.GetEnvironmentVariable("PATH")}";
        return await StartProcessAsync("bash", ["-c", "set -euo pipefail\n" + script], "");
    }

    private async Task<DcrAnswer> RunAsync(DcrCall call, IReadOnlyList<string> arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        using var input = new StringReader(call.Input);
        var isTerminal = call.Width is not null;
        var surroundings = new Surroundings
        {
            Output = output,
            Error = error,
            Input = () => input,
            HiddenInput = () => input.ReadLine() ?? "",
            IsInputTerminal = isTerminal,
            IsOutputTerminal = isTerminal,
            IsErrorTerminal = isTerminal,
            Width = () => call.Width!.Value,
            Folder = call.Folder,
            Variable = name => call.Variables.GetValueOrDefault(name) ?? Environment.GetValueOrDefault(name) ?? (name == "DCR_CONFIG_DIR" ? ConfigurationFolder : null),
        };
        // On a thread of the pool: what blocks there does not hold up the other tests.
        var exitCode = await Task.Run(() => DcrCommand.RunAsync(arguments, surroundings, TestContext.Current.CancellationToken));
        return new DcrAnswer(exitCode, output.ToString(), error.ToString());
    }

    private async Task<DcrAnswer> StartProcessAsync(string program, IReadOnlyList<string> arguments, string input)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("DCR_", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }
        start.Environment["DCR_CONFIG_DIR"] = ConfigurationFolder;
        foreach (var (name, value) in Environment)
        {
            start.Environment[name] = value;
        }
        using var process = Process.Start(start)!;
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return new DcrAnswer(process.ExitCode, output, await errors);
    }
}

/// <summary>What a command wrote and ended with.</summary>
public sealed record DcrAnswer(int ExitCode, string Out, string Error)
{
    public JsonObject Json => JsonNode.Parse(Out)!.AsObject();

    public override string ToString() => $"exit code {ExitCode}\n{Out}\n{Error}";
}
