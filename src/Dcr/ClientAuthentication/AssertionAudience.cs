namespace Dcr.ClientAuthentication;

/// <summary>What the <c>aud</c> of an accepted assertion is.</summary>
internal enum AssertionAudience
{
    /// <summary>The issuer identifier, as a plain string: RFC 10070.</summary>
    Issuer,

    /// <summary>An array of the issuer identifier alone, as the usual library for Go writes it.</summary>
    IssuerInArray,

    /// <summary>One or more URLs of this server: for a client with an exception, or under <see cref="AssertionAudienceRule.Dual"/>.</summary>
    OwnEndpoints,
}

/// <summary>Which audiences of client assertions are accepted from clients without an exception.</summary>
public enum AssertionAudienceRule
{
    /// <summary>The issuer alone (RFC 10070).</summary>
    Strict,

    /// <summary>Also URLs of this server, from everybody: for the time of a migration.</summary>
    Dual,
}
