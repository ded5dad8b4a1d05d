namespace Dcr.Keys;

/// <summary>Which of two rooms a download is in. What happens in one delays nothing in the other.</summary>
internal enum FetchRoom
{
    /// <summary>For a registration, an update, or one that is only tried out: for a URL that its sender has just chosen.</summary>
    Newcomer,

    /// <summary>For a client that is registered, or an issuer that a policy trusts.</summary>
    Registered,
}

/// <summary>Who has a document downloaded, to be given a share of the fetcher.</summary>
/// <param name="Room">Where it waits its turn.</param>
/// <param name="Registrant">The onboarding client that it comes from.</param>
/// <param name="Party">One of that registrant's: an initial access token by its <c>jti</c>, or a client.</param>
/// <param name="MaxDownloads">How many downloads the party may cause in all (<see cref="DownloadBudget"/>). Null: any number.</param>
internal sealed record FetchCaller(FetchRoom Room, string Registrant, string Party, int? MaxDownloads = null)
{
    /// <summary>Somebody whose signature a policy trusts.</summary>
    public static FetchCaller OfIssuer(string issuer) => new(FetchRoom.Registered, $"issuer {issuer}", $"issuer {issuer}");
}
