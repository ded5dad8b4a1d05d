namespace Dcr.Cli;

/// <summary>The password of a key file: from a file, the environment or the keyboard, never from the command line.</summary>
internal sealed class KeyPassword(CommandRun run, string keyFile)
{
    private string? _password;

    /// <summary>Asked for once, and only when it is needed.</summary>
    public string Get() => _password ??= Find(run) ?? run.Terminal.AskPassword($"Password of {keyFile}:") ?? throw CommandFailure.Usage(
        $"{keyFile} needs a password, and there is nobody to ask.",
        "Put it into DCR_KEY_PASSWORD, or into a file: --key-password-file FILE");

    /// <summary>For a key that is to be written.</summary>
    public string GetNew() => _password ??= Find(run) ?? AskTwice() ?? throw CommandFailure.Usage(
        $"A password for {keyFile} is needed, and there is nobody to ask.",
        "Put it into DCR_KEY_PASSWORD, or into a file: --key-password-file FILE");

    private static string? Find(CommandRun run)
    {
        if (run.Get(CommonOptions.KeyPasswordFile) is not { } path)
        {
            return run.Variables.KeyPassword;
        }
        var line = path == "-" ? run.Input.ReadLine() : File.ReadLines(run.PathOf(path)).FirstOrDefault();
        return string.IsNullOrEmpty(line) ? throw CommandFailure.Usage($"There is no password on the first line of {path}.") : line;
    }

    private string? AskTwice()
    {
        var first = run.Terminal.AskPassword($"Password for {keyFile}:");
        return first is null || first == run.Terminal.AskPassword("Once more:")
            ? first
            : throw CommandFailure.Usage("The two are not the same.");
    }
}
