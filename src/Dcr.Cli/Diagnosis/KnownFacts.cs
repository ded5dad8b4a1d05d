namespace Dcr.Cli;

/// <summary>What an assertion is held against. Null members are not known.</summary>
internal sealed record KnownFacts
{
    /// <summary>By the server's clock where it is known, else by the one here.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>Whose clock <see cref="Now"/> is, as a sentence has it.</summary>
    public string Clock { get; init; } = "the clock here";

    public ExaminedServer? Server { get; init; }

    /// <summary>Who should have made the assertion.</summary>
    public string? ClientId { get; init; }

    /// <summary>The public half of the key that should have signed.</summary>
    public ExaminedKey? OwnKey { get; init; }

    /// <summary>The client's keys as the server can find them.</summary>
    public ExaminedKeySet? Published { get; init; }

    /// <summary>What the server says of the client.</summary>
    public ExaminedRegistration? Registration { get; init; }

    /// <summary>The assertion was made for this examination: nobody has used it.</summary>
    public bool IsNew { get; init; }
}
