using Dcr.Protocol;

namespace Dcr.ClientAuthentication;

/// <summary>What the <c>aud</c> of an accepted assertion is.</summary>
internal enum AcceptedAudience
{
    /// <summary>The issuer identifier, as a plain string: RFC 10070.</summary>
    Issuer,

    /// <summary>An array of the issuer identifier alone, as the usual library for Go writes it.</summary>
    IssuerInArray,

    /// <summary>
    /// One or more URLs of this server: for a client with an exception, or under <see cref="AssertionAudienceRule.Dual"/>.
    /// </summary>
    OwnEndpoints,
}
