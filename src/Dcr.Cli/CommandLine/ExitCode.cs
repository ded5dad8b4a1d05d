namespace Dcr.Cli;

/// <summary>What the command ends with. Scripts rely on these: they do not change.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>A fault of the command itself.</summary>
    public const int Fault = 1;

    /// <summary>Something the user gave is wrong: an option, a file, a profile.</summary>
    public const int Usage = 2;

    /// <summary>The server refused.</summary>
    public const int Refused = 3;

    /// <summary>The server cannot be reached, or is out of order.</summary>
    public const int Unreachable = 4;

    /// <summary>What was examined is not as it should be.</summary>
    public const int Unhealthy = 5;

    /// <summary>Ctrl+C, as shells write it.</summary>
    public const int Cancelled = 130;

    /// <summary>For <c>--help</c>.</summary>
    public const string Help = """
            0  done
            1  a fault of this command
            2  an option, a file or a profile is wrong
            3  the server refused
            4  the server cannot be reached, or is out of order
            5  what was examined is not as it should be
          130  stopped by Ctrl+C
        """;
}
