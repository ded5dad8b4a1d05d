namespace Dcr.Protocol;

/// <summary>Who may call an endpoint, by the token it takes.</summary>
internal static class Policies
{
    public const string InitialAccessToken = "an initial access token, with scope dcr";
    public const string RegistrationAccessToken = "the client's registration access token";
    public const string Administrator = "an access token with scope dcr.admin";
}
