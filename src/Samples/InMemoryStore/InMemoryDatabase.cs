using Dcr.Auditing;
using Dcr.Bulk;
using Dcr.Clients;
using Dcr.Keys;
using Dcr.Protocol;
using Dcr.Registration;
using Dcr.SigningKeys;
using Dcr.TokenStatus;

namespace InMemoryStore;

/// <summary>
/// All that a server knows, behind one lock, which makes every call atomic. It looks at everything to find something, and forgets nothing
/// before the process ends: enough for tests, and for nothing else.
/// </summary>
public sealed class InMemoryDatabase
{
    private readonly Lock _lock = new();

    internal Dictionary<string, Client> Clients { get; } = [];

    internal Dictionary<int, (long Version, byte[] Bits)> StatusLists { get; } = [];

    internal long NextStatusIndex { get; set; }

    /// <summary>Of initial access tokens by their <c>jti</c>, and of software statements by their key.</summary>
    internal Dictionary<string, int> Uses { get; } = [];

    /// <summary>By onboarding client.</summary>
    internal Dictionary<string, (DateTimeOffset BeganAt, int Registrations)> Hours { get; } = [];

    internal Dictionary<string, RegistrationAnswer> Answers { get; } = [];

    internal SortedDictionary<string, ClientOperation> Operations { get; } = new(StringComparer.Ordinal);

    internal HashSet<(string Operation, string ClientId)> StoppedBy { get; } = [];

    internal Dictionary<string, HostedKeySet> KeySets { get; } = [];

    internal Dictionary<(string Owner, string Thumbprint), DateTimeOffset> KeyUses { get; } = [];

    internal SortedDictionary<string, QuarantinedKey> Quarantine { get; } = new(StringComparer.Ordinal);

    internal SortedDictionary<int, StoredSigningKey> SigningKeys { get; } = [];

    internal List<AuditRecord> Audit { get; } = [];

    internal HashSet<string> RevokedTokens { get; } = [];

    internal HashSet<(string ClientId, string Jti)> UsedJtis { get; } = [];

    internal Dictionary<string, string> SeedEntries { get; } = [];

    internal Dictionary<string, (string Holder, long Renewals, TimeSpan Life)> Leases { get; } = [];

    internal Task<T> DoAsync<T>(Func<T> step)
    {
        lock (_lock)
        {
            return Task.FromResult(step());
        }
    }

    /// <summary>A change with its record: both or neither, and only if its grounds hold.</summary>
    /// <param name="now">The time of the effect.</param>
    /// <param name="grounds">What it rests on.</param>
    /// <param name="record">Stored if the outcome is <paramref name="done"/>. Null: the change has none.</param>
    /// <param name="done">The outcome of a change that was made.</param>
    /// <param name="groundsChanged">The outcome where the grounds do not hold.</param>
    /// <param name="change">Changes everything, or nothing.</param>
    internal Task<T> ChangeAsync<T>(DateTimeOffset now, Grounds grounds, AuditRecord? record, T done, T groundsChanged, Func<T> change) =>
        DoAsync(() =>
        {
            if (!Hold(grounds, now))
            {
                return groundsChanged;
            }
            var outcome = change();
            if (record is not null && Equals(outcome, done))
            {
                Audit.Add(record);
            }
            return outcome;
        });

    /// <summary>Stores what a client becomes. Its tokens end when it is not active any more, or is gone.</summary>
    /// <param name="stored">As it was.</param>
    /// <param name="next">Null: it is gone, and what is known of its keys with it.</param>
    /// <param name="endTokens">Also while it stays active.</param>
    internal void Put(Client stored, Client? next, bool endTokens = false)
    {
        var index = stored.StatusIndex;
        if (index is { } used && (endTokens || next?.Status != ClientStatus.Active))
        {
            var (list, place) = (StatusReference.ListOf(used), StatusReference.PlaceOf(used));
            var (version, bits) = StatusLists[list];
            bits[place / 8] |= (byte)(1 << (place % 8));
            StatusLists[list] = (version + 1, bits);
            index = null;
        }
        if (next is null)
        {
            Clients.Remove(stored.ClientId);
            ForgetKeyUses(stored.ClientId);
            return;
        }
        Clients[stored.ClientId] = next with
        {
            Incarnation = stored.Incarnation,
            CreatedAt = stored.CreatedAt,
            LastUsedAt = stored.LastUsedAt,
            ExceptionNeededAt = stored.ExceptionNeededAt,
            StatusIndex = index,
        };
    }

    internal void ForgetKeyUses(string owner)
    {
        foreach (var use in KeyUses.Keys.Where(use => use.Owner == owner).ToList())
        {
            KeyUses.Remove(use);
        }
    }

    internal long CountLive(string onboardingClient) =>
        Clients.Values.Count(client => client.Status.IsLive() && client.Origin?.OnboardingClient == onboardingClient);

    internal static bool IsFrom(OriginFilter? filter, ClientOrigin? origin) => filter is null || (origin is not null
        && IsOrAny(filter.OnboardingClient, origin.OnboardingClient)
        && IsOrAny(filter.Kid, origin.Kid)
        && IsOrAny(filter.Thumbprint, origin.Thumbprint)
        && IsOrAny(filter.InitialTokenJti, origin.InitialTokenJti)
        && IsOrAny(filter.SoftwareStatementIssuer, origin.SoftwareStatement?.Issuer)
        && IsOrAny(filter.SoftwareId, origin.SoftwareStatement?.SoftwareId));

    /// <summary>By creation, then by client id.</summary>
    internal static int Compare(Client client, ClientCursor place) => client.CreatedAt != place.CreatedAt
        ? client.CreatedAt.CompareTo(place.CreatedAt)
        : string.CompareOrdinal(client.ClientId, place.ClientId);

    private static bool IsOrAny(string? asked, string? value) => asked is null || asked == value;

    private bool Hold(Grounds grounds, DateTimeOffset now) =>
        grounds.Clients.All(ground => Clients.TryGetValue(ground.ClientId, out var client)
            && client.Standing.Supports(ground, now)
            && (ground.KeyThumbprint is null || !Quarantine.ContainsKey(ground.KeyThumbprint)))
        && (grounds.Token is not { } token || (token.ExpiresAt > now && !RevokedTokens.Contains(token.Jti)));
}
