using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Dcr.CliTests.Support;

/// <summary>
/// Lets a shell run <c>dcr</c> in the process of the tests: what the shell starts is a few lines of bash, which hand over arguments,
/// DCR_ variables and standard input, and write what they are given back.
/// </summary>
internal sealed class ShellCalls : IAsyncDisposable
{
    private readonly string _folder;
    private readonly Func<DcrCall, IReadOnlyList<string>, Task<DcrAnswer>> _runAsync;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Task _answering;

    /// <param name="folder">For files that both sides use; made here.</param>
    /// <param name="runAsync">Runs the command.</param>
    public ShellCalls(string folder, Func<DcrCall, IReadOnlyList<string>, Task<DcrAnswer>> runAsync)
    {
        _folder = Directory.CreateDirectory(folder).FullName;
        _runAsync = runAsync;
        _listener.Start();
        _answering = AnswerAllAsync();
    }

    /// <summary>What the shell starts as <c>dcr</c>. Standard input is read only where a command does, which is where - is among the arguments.</summary>
    public string Script => $$"""
        #!/bin/bash
        call='{{_folder}}'/$$
        printf '%s\0' "$@" > "$call.arguments"
        for name in "${!DCR_@}"; do printf '%s=%s\0' "$name" "${!name}"; done > "$call.variables"
        : > "$call.input"
        for word in "$@"; do if [ "$word" = - ]; then cat > "$call.input"; fi; done
        exec 3<> /dev/tcp/127.0.0.1/{{((IPEndPoint)_listener.LocalEndpoint).Port}}
        printf '%s\n%s\n' "$call" "$PWD" >&3
        read -r code <&3
        cat "$call.out"
        cat "$call.error" >&2
        exit "$code"
        """;

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _answering;
    }

    private async Task AnswerAllAsync()
    {
        var answers = new List<Task>();
        while (true)
        {
            try
            {
                answers.Add(AnswerAsync(await _listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken)));
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                break;
            }
        }
        await Task.WhenAll(answers);
    }

    private async Task AnswerAsync(TcpClient connection)
    {
        using var shell = connection;
        await using var stream = shell.GetStream();
        using var reader = new StreamReader(stream);
        var call = (await reader.ReadLineAsync(TestContext.Current.CancellationToken))!;
        var answer = await _runAsync(
            new DcrCall
            {
                Folder = (await reader.ReadLineAsync(TestContext.Current.CancellationToken))!,
                Input = await File.ReadAllTextAsync(call + ".input", TestContext.Current.CancellationToken),
                Variables = (await WordsAsync(call + ".variables")).Select(word => word.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]),
            },
            await WordsAsync(call + ".arguments"));
        await File.WriteAllTextAsync(call + ".out", answer.Out, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(call + ".error", answer.Error, TestContext.Current.CancellationToken);
        await using var writer = new StreamWriter(stream);
        await writer.WriteLineAsync(answer.ExitCode.ToString(CultureInfo.InvariantCulture));
    }

    // A call without any has a file with one empty word in it.
    private static async Task<string[]> WordsAsync(string path) =>
        (await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken)) is { Length: > 1 } text ? text[..^1].Split('\0') : [];
}
