using Dcr.Auditing;
using Dcr.Protocol;

namespace Dcr.Clients;

/// <summary>
/// Applies an administrator's change to a client whatever version it is at: reads, decides, replaces, and again if
/// somebody else was faster. A change that is already so leaves the client and the audit trail alone.
/// </summary>
internal sealed class ClientEditor(IClientStore clients, IClientLifecycleStore lifecycles, AuditRecords records)
{
    private const int MaxAttempts = 20;

    public static readonly OAuthError NotFound = OAuthError.NotFound("There is no client with this client_id.");

    /// <param name="clientId">The client to change.</param>
    /// <param name="decide">The client as it should be, or why it may not be changed.</param>
    /// <param name="action">For the audit trail.</param>
    /// <param name="changes">What differs, for the audit trail.</param>
    /// <param name="act">The administrator's.</param>
    /// <param name="cancellationToken">Stops between attempts.</param>
    /// <param name="endTokens">With the same write the tokens that the client has end.</param>
    public async Task<Result<Client>> ExecuteAsync(
        string clientId,
        Func<Client, Result<Client>> decide,
        string action,
        Func<Client, Client, (string Member, AuditChange Change)> changes,
        Act act,
        CancellationToken cancellationToken,
        bool endTokens = false)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (await clients.FindAsync(clientId, cancellationToken) is not { } client)
            {
                return NotFound;
            }
            var decided = decide(client);
            if (!decided.IsSuccess)
            {
                return decided.Error;
            }
            if (decided.Value == client)
            {
                return client;
            }
            var replacement = decided.Value with { Version = client.Version + 1 };
            var (member, change) = changes(client, replacement);
            var record = records.Create(action, clientId, act.Actor) with
            {
                Changes = new Dictionary<string, AuditChange> { [member] = change },
            };
            switch (await ReplaceAsync(client, replacement, record, act.Grounds, endTokens, cancellationToken))
            {
                case ReviveOutcome.Done:
                    return replacement;
                case ReviveOutcome.TooManyLiveClients:
                    return OAuthError.Conflict(
                        "The client has expired, and its onboarding client has as many live clients as "
                            + "registration_policy.max_live_clients allows.");
                case ReviveOutcome.GroundsChanged:
                    return OAuthError.GroundsChanged;
                default:
                    break;
            }
        }
        return OAuthError.Conflict("The client is being changed by others without pause. Try again.");
    }

    private async Task<ReviveOutcome> ReplaceAsync(
        Client client, Client replacement, AuditRecord record, Grounds grounds, bool endTokens, CancellationToken cancellationToken)
    {
        if (replacement.Status.IsLive() && !client.Status.IsLive())
        {
            return await lifecycles.ReviveAsync(
                replacement, await LimitsAsync(client, cancellationToken), record, grounds, cancellationToken);
        }
        var replaced = endTokens
            ? lifecycles.ReplaceAndEndTokensAsync(replacement, record, grounds, cancellationToken)
            : clients.ReplaceAsync(replacement, record, grounds, cancellationToken);
        return await replaced switch
        {
            ReplaceOutcome.Done => ReviveOutcome.Done,
            ReplaceOutcome.GroundsChanged => ReviveOutcome.GroundsChanged,
            // Read again: whoever looks then finds it gone.
            _ => ReviveOutcome.VersionConflict,
        };
    }

    /// <summary>Those that its onboarding client has now; none where that is gone.</summary>
    private async Task<RegistrationLimits> LimitsAsync(Client client, CancellationToken cancellationToken)
    {
        var onboardingClient = client.Origin?.OnboardingClient
            ?? throw new InvalidOperationException("A client that nobody registered does not expire.");
        return await clients.FindAsync(onboardingClient, cancellationToken) is { } onboarding
            ? RegistrationLimits.Of(onboarding)
            : new RegistrationLimits(onboardingClient, MaxLiveClients: null, MaxRegistrationsPerHour: null);
    }
}
