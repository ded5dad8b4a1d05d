namespace Dcr.Clients;

public enum AddClientOutcome
{
    Added,
    AlreadyThere,

    /// <summary>What the addition rests on does not hold any more; nothing was added.</summary>
    GroundsChanged,
}
