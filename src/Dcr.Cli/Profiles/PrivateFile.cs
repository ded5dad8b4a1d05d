using Dcr.Jose;

namespace Dcr.Cli;

/// <summary>Files that only the user can read: keys, tokens, profiles.</summary>
internal static class PrivateFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>Writes the whole file or nothing of it.</summary>
    /// <param name="path">The whole path.</param>
    /// <param name="name">As the user calls the file.</param>
    /// <param name="text">What is in it then.</param>
    /// <param name="replace">False: a file that is there stays, and it is an error.</param>
    public static async Task WriteAsync(string path, string name, string text, bool replace, CancellationToken cancellationToken)
    {
        if (!replace && File.Exists(path))
        {
            throw CommandFailure.Usage($"{name} is there already.", "Choose another name, or replace it with --force.");
        }
        var beside = path + ".new";
        File.Delete(beside);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }
        await using (var file = new FileStream(beside, options))
        {
            await using (var writer = new StreamWriter(file, leaveOpen: true))
            {
                await writer.WriteAsync(text.AsMemory(), cancellationToken);
            }
            file.Flush(flushToDisk: true);
        }
        DurableFile.Move(beside, path, replace);
    }

    public static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, OwnerOnly | UnixFileMode.UserExecute);
        }
    }

    /// <summary>Whether somebody else on this machine may read or write it.</summary>
    public static bool IsOpenToOthers(string path) => !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != 0;
}
