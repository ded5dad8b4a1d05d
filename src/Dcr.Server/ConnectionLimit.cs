using System.Globalization;

namespace Dcr.Server;

/// <summary>
/// How many connections the server takes at once: fewer than the process may have files open, since a runtime that can open none
/// ends the process. Whoever comes beyond it is turned away at once.
/// </summary>
internal static class ConnectionLimit
{
    /// <summary>Some 100 MB when they are idle.</summary>
    private const int Sensible = 10_000;

    /// <summary>
    /// The runtime keeps two descriptors for each assembly, some 300 in all; the rest is for the database, key downloads and the log.
    /// </summary>
    private const int Reserve = 512;

    /// <summary>Where the process may hardly have anything open, it serves a few at a time.</summary>
    private const int Least = 16;

    public static long Of(ConnectionOptions options) => Of(options.Max, DescriptorLimit());

    /// <param name="max">By setting.</param>
    /// <param name="descriptors">How many files the process may have open. Null: it is not known.</param>
    public static long Of(int? max, long? descriptors)
    {
        var wanted = max ?? Sensible;
        return descriptors is { } limit ? Math.Min(wanted, Math.Max(limit - Reserve, Least)) : wanted;
    }

    // RLIMIT_NOFILE, as Linux shows it. The runtime has raised the soft limit to the hard one by now.
    private static long? DescriptorLimit()
    {
        const string Limits = "/proc/self/limits";
        const string Name = "Max open files";
        if (!File.Exists(Limits)
            || File.ReadLines(Limits).FirstOrDefault(line => line.StartsWith(Name, StringComparison.Ordinal)) is not { } line)
        {
            return null;
        }
        var soft = line[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
        return long.TryParse(soft, CultureInfo.InvariantCulture, out var limit) ? limit : null;
    }
}
