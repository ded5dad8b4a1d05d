using System.Runtime.InteropServices;

namespace Dcr.Jose;

/// <summary>Files that must be there after a power cut.</summary>
public static partial class DurableFile
{
    private const int ReadOnly = 0;
    private const int NotPermitted = 13;
    private const int NotPossible = 22;
    private const int NotSupportedOnLinux = 95;
    private const int NotSupportedOnMac = 45;

    /// <summary>
    /// Gives a file that is written and flushed its name, in the same folder, and flushes the folder: the name of a file is part of
    /// its folder, which a power cut can put back.
    /// </summary>
    /// <param name="overwrite">False: a file that has the name already stays, and it is an error.</param>
    /// <exception cref="IOException">It cannot be moved, or it is moved and the disk fails.</exception>
    public static void Move(string from, string to, bool overwrite)
    {
        File.Move(from, to, overwrite);
        // NTFS keeps a journal of names of its own.
        if (!OperatingSystem.IsWindows() && !OperatingSystem.IsBrowser())
        {
            FlushFolder(Path.GetDirectoryName(Path.GetFullPath(to))!);
        }
    }

    private static void FlushFolder(string folder)
    {
        var descriptor = Open(folder, ReadOnly);
        if (descriptor < 0)
        {
            // A folder that may be written and not be read cannot be flushed.
            ThrowUnless(folder, NotPermitted);
            return;
        }
        try
        {
            if (Flush(descriptor) != 0)
            {
                // Some network file systems have no such thing.
                ThrowUnless(folder, NotPossible, NotSupportedOnLinux, NotSupportedOnMac);
            }
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static void ThrowUnless(string folder, params ReadOnlySpan<int> harmless)
    {
        var fault = Marshal.GetLastPInvokeError();
        if (!harmless.Contains(fault))
        {
            throw new IOException($"The folder {folder} cannot be flushed to disk: {Marshal.GetPInvokeErrorMessage(fault)}");
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Flush(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
