namespace Dcr.CliTests.Support;

/// <summary>How <c>dcr</c> is called: from where, with what on standard input, and on which terminal.</summary>
public sealed record DcrCall
{
    /// <summary>Where relative paths begin.</summary>
    public required string Folder { get; init; }

    /// <summary>On standard input.</summary>
    public string Input { get; init; } = "";

    /// <summary>Environment variables of this call alone.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>();

    /// <summary>Of the terminal, in characters. Null: there is none, and what is written goes into a pipe.</summary>
    public int? Width { get; init; }
}
