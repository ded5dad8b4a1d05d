namespace Dcr.Clients;

public enum AddClientOutcome
{
    Added,
    AlreadyThere,
}
