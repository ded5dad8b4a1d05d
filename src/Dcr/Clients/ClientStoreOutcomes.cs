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
