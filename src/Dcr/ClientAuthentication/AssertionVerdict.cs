using Dcr.Clients;
using Dcr.Jose;

namespace Dcr.ClientAuthentication;

/// <summary>The rules of client authentication, in the order they are checked.</summary>
internal enum AssertionRule
{
    Shape = 1,
    Algorithm,
    Client,
    Key,
    Signature,
    Audience,
    Times,
    SingleUse,

    /// <summary>Not one of the eight: a client attestation in place of an assertion.</summary>
    Attestation,
}

/// <summary>What the rules say of one request's credentials.</summary>
internal abstract record AssertionVerdict
{
    /// <param name="Client">Who the caller has proved to be.</param>
    /// <param name="Key">The key it proved itself with.</param>
    /// <param name="Audience">What its assertion was addressed to.</param>
    /// <param name="LivesLonger">Its assertion lasts longer than those of clients without an exception may.</param>
    /// <param name="Jti">To be recorded as used.</param>
    /// <param name="Expires">When the assertion expires.</param>
    public sealed record Accepted(
        Client Client, PublicKey Key, AcceptedAudience Audience, bool LivesLonger, string Jti, DateTimeOffset Expires)
        : AssertionVerdict
    {
        /// <summary>Only an exception made it good, or the dual rule for everybody.</summary>
        public bool ByException => LivesLonger || Audience == AcceptedAudience.OwnEndpoints;
    }

    /// <param name="Rule">The first rule that failed.</param>
    /// <param name="Description">For the caller; the same for rules 3 to 5, whoever the caller names.</param>
    /// <param name="Detail">For the log, the audit trail and administrators.</param>
    /// <param name="Client">The client that was named, where there is one.</param>
    /// <param name="Key">The key that verified the signature. Null: none did, or it did not come to that.</param>
    public sealed record Refused(AssertionRule Rule, string Description, string Detail, Client? Client = null, PublicKey? Key = null)
        : AssertionVerdict;
}
