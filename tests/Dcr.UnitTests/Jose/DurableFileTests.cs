using System.Runtime.InteropServices;
using System.Text;
using Dcr.Jose;
using Xunit;

namespace Dcr.UnitTests.Jose;

/// <summary>That a disk has written what it was told to cannot be seen from here; that the folder is opened for it can.</summary>
public sealed class DurableFileTests : IDisposable
{
    private const uint Opened = 0x20;
    private const uint IsFolder = 0x40000000;

    private readonly string _folder = Directory.CreateTempSubdirectory("dcr-durable-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Replaces_a_file_and_refuses_to_where_it_is_told_to()
    {
        var (from, to) = (Path.Combine(_folder, "new"), Path.Combine(_folder, "it"));
        await File.WriteAllTextAsync(to, "old", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(from, "new", TestContext.Current.CancellationToken);
        Assert.Throws<IOException>(() => DurableFile.Move(from, to, overwrite: false));
        DurableFile.Move(from, to, overwrite: true);
        Assert.Equal("new", await File.ReadAllTextAsync(to, TestContext.Current.CancellationToken));
        Assert.False(File.Exists(from));
    }

    [Fact]
    public async Task Flushes_the_folder()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "inotify is there on Linux only");
        var from = Path.Combine(_folder, "new");
        await File.WriteAllTextAsync(from, "new", TestContext.Current.CancellationToken);
        var watch = NewWatch(0x800);
        Assert.True(AddWatch(watch, _folder, Opened) >= 0);
        DurableFile.Move(from, Path.Combine(_folder, "it"), overwrite: true);
        var seen = new byte[4096];
        var length = Read(watch, seen, seen.Length);
        _ = Close(watch);
        // struct inotify_event: wd, mask, cookie, len.
        Assert.True(length >= 16, "the folder was not opened");
        Assert.Equal(Opened | IsFolder, BitConverter.ToUInt32(seen, 4));
        Assert.Equal(0, Encoding.ASCII.GetString(seen, 16, (int)BitConverter.ToUInt32(seen, 12)).Trim('\0').Length);
    }

    [DllImport("libc", EntryPoint = "inotify_init1")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NewWatch(int flags);

    [DllImport("libc", EntryPoint = "inotify_add_watch", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int AddWatch(int watch, string path, uint mask);

    [DllImport("libc", EntryPoint = "read")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint Read(int descriptor, byte[] buffer, nint length);

    [DllImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int descriptor);
}
