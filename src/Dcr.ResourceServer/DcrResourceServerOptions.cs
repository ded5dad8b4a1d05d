namespace Dcr.ResourceServer;

/// <summary>How an API takes the access tokens of a Dcr server.</summary>
public sealed class DcrResourceServerOptions
{
    /// <summary>The issuer identifier of the server, exactly as its metadata has it.</summary>
    public string Issuer { get; set; } = "";

    /// <summary>
    /// The audience that tokens must be for: a resource the server knows this API by (RFC 8707), or the issuer where it has no other.
    /// </summary>
    public string Audience { get; set; } = "";

    /// <summary>
    /// How old the status list may be before it is fetched again: a stopped client is refused within this time. 1 second to 1 hour; default
    /// 10 seconds.
    /// </summary>
    public TimeSpan StatusRefresh { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How old the status list may be while the server cannot be reached; then every token is refused. Default 5 minutes.
    /// </summary>
    public TimeSpan MaxStatusAge { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>True: only tokens that are bound to a key are taken. Default false.</summary>
    public bool RequireDpop { get; set; }

    /// <summary>
    /// The scheme and host that clients see in front of a proxy, for the <c>htu</c> of proofs. Null: those of the request.
    /// </summary>
    public string? PublicOrigin { get; set; }

    internal IEnumerable<string> Faults()
    {
        if (!Uri.TryCreate(Issuer, UriKind.Absolute, out var issuer)
            || !(issuer.Scheme == Uri.UriSchemeHttps || (issuer.Scheme == Uri.UriSchemeHttp && issuer.IsLoopback)))
        {
            yield return $"Issuer is '{Issuer}': it must be an https URL; http is for loopback only.";
        }
        if (Audience.Length == 0)
        {
            yield return "Audience is missing: without it any API's tokens would be taken.";
        }
        if (StatusRefresh < TimeSpan.FromSeconds(1) || StatusRefresh > TimeSpan.FromHours(1))
        {
            yield return $"StatusRefresh is {StatusRefresh}: it must be from 00:00:01 to 01:00:00.";
        }
        if (MaxStatusAge < StatusRefresh)
        {
            yield return $"MaxStatusAge is {MaxStatusAge}: it must not be shorter than StatusRefresh, {StatusRefresh}.";
        }
    }
}
