using Dcr.Protocol;

namespace Dcr.Auditing;

/// <summary>Who changes something, for the audit trail, and what that rests on, for the store.</summary>
internal sealed record Act(AuditActor? Actor, Grounds Grounds)
{
    /// <summary>The server acts by itself.</summary>
    public static readonly Act Server = new(Actor: null, Grounds.Server);
}
