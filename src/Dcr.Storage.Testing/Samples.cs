using System.Text.Json;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Jose;

namespace Dcr.Storage.Testing;

/// <summary>Valid values, of which a test changes what it is about.</summary>
public static class Samples
{
    private static int s_made;

    public static string NewId() => $"client-{Interlocked.Increment(ref s_made)}-{Guid.NewGuid():N}";

    /// <summary>A client with every member set.</summary>
    public static Client Client(DateTimeOffset now, string? clientId = null) => new()
    {
        ClientId = clientId ?? NewId(),
        Status = ClientStatus.Active,
        CreatedAt = now,
        Version = 1,
        Origin = new ClientOrigin { OnboardingClient = "directory", Kid = "k1", Thumbprint = "tp", InitialTokenJti = "jti" },
        RegistrationPolicy = new RegistrationPolicy
        {
            InitialAccessToken = new InitialAccessTokenPolicy { Uses = 3, LifetimeSeconds = 60 },
            Scope = new ScopePolicy { Allowed = ["a", "b"], Default = ["a"] },
        },
        RegistrationAccess = new RegistrationAccess
        {
            TokenHash = "hash-1",
            PreviousTokenHash = "hash-0",
            PreviousValidUntil = now.AddHours(1),
        },
        QuarantinedKeys = ["NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"],
        AssertionException = new AssertionExceptionRule
        {
            Audience = ExceptedAudience.OwnEndpoints,
            MaxLifetimeSeconds = 3600,
            Until = now.AddDays(90),
        },
        Metadata = new ClientMetadata
        {
            ClientName = "Caf\u00e9 \u30af\u30e9",
            Scope = "a b",
            TokenEndpointAuthMethod = "private_key_jwt",
            GrantTypes = ["client_credentials"],
            ResponseTypes = [],
            Contacts = ["a@b.example"],
            Jwks = new JwkSet { Keys = [JsonSerializer.SerializeToElement(new { kty = "EC", kid = "$where" })] },
            Others = new() { ["client_name#ja"] = JsonSerializer.SerializeToElement("\u30af\u30e9") },
        },
    };

    public static AuditRecord Record(DateTimeOffset now, string subject, string action = "test.changed") => new()
    {
        Id = $"{now.ToUnixTimeMilliseconds():x12}{Interlocked.Increment(ref s_made):x8}{Guid.NewGuid().ToString("N")[..12]}",
        At = now,
        Actor = "actor",
        ActorKid = "kid",
        Action = action,
        Subject = subject,
        Changes = new Dictionary<string, AuditChange> { ["scope"] = new("a", "b"), ["jwks"] = new(null, "tp") },
    };
}
