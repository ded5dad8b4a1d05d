using Dcr.AccessTokens;
using Dcr.Clients;
using Dcr.Jose;
using Dcr.Keys;
using Dcr.Proofs;
using Dcr.Protocol;

namespace Dcr.Registration;

/// <summary>A registration request: what is asked for, by whom, and with which proof.</summary>
/// <param name="Metadata">As sent.</param>
/// <param name="Caller">The onboarding client, whose policy applies, and its initial access token: one use of it makes one client.</param>
/// <param name="Proofs">The DPoP header as sent.</param>
internal sealed record RegistrationRequest(ClientMetadata Metadata, AccessTokenCaller Caller, SentProofs Proofs)
{
    public Client OnboardingClient => Caller.Client;

    public AccessToken InitialAccessToken => Caller.Token;

    /// <summary>The key of the proof, where the token is bound to it and it has been checked with the token.</summary>
    public PublicKey? ProvedWith => Caller.ProvedWith;
}

/// <summary>What may be registered, and the key the request was proved with, if any.</summary>
internal sealed record PreparedRegistration(ApprovedMetadata Approved, PublicKey? ProvedWith);

/// <summary>Everything that decides on a registration without changing anything: metadata, policy, keys, possession.</summary>
internal sealed class RegistrationPreparation(
    MetadataApproval approve, KeyPossession possession, IRegistrationStore registrations, TimeProvider time)
{
    // Longer than the clocks of two nodes differ.
    private static readonly TimeSpan s_keptAfterExpiry = TimeSpan.FromHours(1);

    /// <param name="request">What is asked for.</param>
    /// <param name="useProof">False: the proof is looked at, not used up.</param>
    /// <param name="mayBeRepeat">True: it may be one that was begun, and has counted its use, so that it goes on with a token that is used
    /// up.</param>
    /// <param name="cancellationToken">Stops a download.</param>
    public async Task<Result<PreparedRegistration>> ExecuteAsync(
        RegistrationRequest request, bool useProof, bool mayBeRepeat, CancellationToken cancellationToken)
    {
        var policy = PolicyOf(request.OnboardingClient);
        // A token that is used up must not have anything fetched. What it can still do is decided when it does it.
        if (!mayBeRepeat && (request.Metadata.JwksUri ?? request.Metadata.SoftwareStatement) is not null
            && Refusal(
                await registrations.TryOutAsync(UseOf(request), RegistrationLimits.Of(request.OnboardingClient), cancellationToken),
                request,
                time.GetUtcNow()) is { } refusal)
        {
            return refusal;
        }
        var approved = await approve.ExecuteAsync(request.Metadata, policy, registered: null, CallerOf(request), cancellationToken);
        if (!approved.IsSuccess)
        {
            return approved.Error;
        }
        var proved = await possession.CheckRegistrationAsync(request, policy, approved.Value, useProof, cancellationToken);
        return proved.IsSuccess ? new PreparedRegistration(approved.Value, proved.Value.Value) : proved.Error;
    }

    public static RegistrationPolicy PolicyOf(Client onboarding) => onboarding.RegistrationPolicy ?? new RegistrationPolicy();

    private static FetchCaller CallerOf(RegistrationRequest request) => new(
        FetchRoom.Newcomer,
        request.OnboardingClient.ClientId,
        $"token {request.InitialAccessToken.Jti}",
        UseOf(request).MaxUses + DownloadBudget.Spare);

    public static InitialAccessTokenUse UseOf(RegistrationRequest request, ApprovedMetadata? approved = null) => new(
        request.InitialAccessToken.Jti,
        (PolicyOf(request.OnboardingClient).InitialAccessToken ?? InitialAccessTokenPolicy.Default).Uses,
        request.InitialAccessToken.ExpiresAt)
    {
        Statement = approved is null ? null : StatementUseOf(request, approved),
    };

    /// <summary>Null: the policy does not count how often a statement is used.</summary>
    private static StatementUse? StatementUseOf(RegistrationRequest request, ApprovedMetadata approved) =>
        PolicyOf(request.OnboardingClient).SoftwareStatement?.Uses is { } uses
            && approved.Used is { Jti: { } jti, Origin.Issuer: var issuer } used
            ? new StatementUse(
                OpaqueSecret.Hash(
                    $"statement {request.OnboardingClient.ClientId.Length} {request.OnboardingClient.ClientId} {issuer.Length} {issuer} "
                        + $"{jti}"),
                uses,
                used.ExpiresAt?.Add(s_keptAfterExpiry) ?? DateTimeOffset.UnixEpoch.AddYears(1000))
            : null;

    /// <summary>The refusal that an outcome stands for. Null: it is none.</summary>
    public static OAuthError? Refusal(RegisterClientOutcome outcome, RegistrationRequest request, DateTimeOffset now)
    {
        var limits = RegistrationLimits.Of(request.OnboardingClient);
        return outcome switch
        {
            RegisterClientOutcome.TokenUsedUp => OAuthError.InvalidToken(
                $"The initial access token has been used: registration_policy.initial_access_token.uses allows {UseOf(request).MaxUses}. "
                    + "Ask for a new one."),
            RegisterClientOutcome.StatementUsedUp => OAuthError.UnapprovedSoftwareStatement(
                "software_statement: it has been used; registration_policy.software_statement.uses allows "
                    + $"{PolicyOf(request.OnboardingClient).SoftwareStatement?.Uses} for one jti."),
            RegisterClientOutcome.TooManyLiveClients => OAuthError.AccessDenied(
                $"registration_policy.max_live_clients allows {limits.MaxLiveClients} clients that are active or suspended, and there are "
                    + "as many."),
            RegisterClientOutcome.TooManyThisHour full => OAuthError.TooManyRequests(
                $"registration_policy.max_registrations_per_hour allows {limits.MaxRegistrationsPerHour} registrations an hour, and there "
                    + "were as many.",
                full.Until - now),
            RegisterClientOutcome.GroundsChanged => OAuthError.GroundsChanged,
            _ => null,
        };
    }
}
