namespace Dcr.Clients;

public enum AddClientOutcome
{
    Added,
    AlreadyThere,
}

public enum RegisterClientOutcome
{
    Registered,

    /// <summary>The initial access token has been used as often as its policy allows.</summary>
    TokenUsedUp,
}

/// <summary>What became of a replacement or a deletion.</summary>
public enum ReplaceClientOutcome
{
    Done,

    /// <summary>The client is at another version; nothing was changed.</summary>
    VersionConflict,

    /// <summary>There is no such client.</summary>
    Gone,
}
