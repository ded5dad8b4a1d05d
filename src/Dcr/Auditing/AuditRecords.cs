using System.Security.Cryptography;
using Dcr.Protocol;

namespace Dcr.Auditing;

/// <summary>Who acts: a client, and the <c>kid</c> it proved itself with where it used an assertion.</summary>
public sealed record AuditActor(string ClientId, string? Kid);

/// <summary>Makes audit records with their id and time.</summary>
internal sealed class AuditRecords(TimeProvider time)
{
    private int _made;

    /// <param name="action">One of <see cref="AuditActions"/>.</param>
    /// <param name="subject">The client id or <c>kid</c> that is acted on.</param>
    /// <param name="actor">Null: the server itself.</param>
    public AuditRecord Create(string action, string subject, AuditActor? actor)
    {
        var now = time.GetUtcNowAsStored();
        return new AuditRecord
        {
            Id = NextId(now),
            At = now,
            Actor = actor?.ClientId,
            ActorKid = actor?.Kid,
            Action = action,
            Subject = subject,
        };
    }

    /// <summary>Milliseconds, then the order within this process, then chance, so that no two nodes ever make the same.</summary>
    private string NextId(DateTimeOffset now) =>
        $"{now.ToUnixTimeMilliseconds():x12}{Interlocked.Increment(ref _made):x8}{RandomNumberGenerator.GetHexString(12, lowercase: true)}";
}
