namespace Dcr.Auditing;

/// <summary>Who acts: a client, and the <c>kid</c> it proved itself with where it used an assertion.</summary>
public sealed record AuditActor(string ClientId, string? Kid);

/// <summary>Makes audit records with their id and time.</summary>
internal sealed class AuditRecords(TimeProvider time)
{
    /// <param name="action">One of <see cref="AuditActions"/>.</param>
    /// <param name="subject">The client id or <c>kid</c> that is acted on.</param>
    /// <param name="actor">Null: the server itself.</param>
    public AuditRecord Create(string action, string subject, AuditActor? actor)
    {
        var now = time.GetUtcNow();
        return new AuditRecord
        {
            Id = Guid.CreateVersion7(now).ToString("N"),
            At = now,
            Actor = actor?.ClientId,
            ActorKid = actor?.Kid,
            Action = action,
            Subject = subject,
        };
    }
}
