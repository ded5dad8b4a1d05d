namespace Dcr.Protocol;

/// <summary>What became of a replacement or a deletion in a store.</summary>
public enum ReplaceOutcome
{
    Done,

    /// <summary>It is at another version; nothing was changed.</summary>
    VersionConflict,

    /// <summary>There is no such thing.</summary>
    Gone,

    /// <summary>What the change rests on does not hold any more; nothing was changed.</summary>
    GroundsChanged,
}
