using Dcr.Protocol;

namespace Dcr.Registration;

/// <summary>What a registration policy may say; every fault at once.</summary>
internal static class RegistrationPolicyRules
{
    private const int MaxUses = 1_000_000;
    private const int MaxLifetimeSeconds = 86_400;

    public static IEnumerable<string> Faults(RegistrationPolicy policy)
    {
        if (policy.InitialAccessToken is { } token)
        {
            if (token.Uses is < 1 or > MaxUses)
            {
                yield return $"registration_policy.initial_access_token.uses: must be from 1 to {MaxUses}.";
            }
            if (token.LifetimeSeconds is < 1 or > MaxLifetimeSeconds)
            {
                yield return $"registration_policy.initial_access_token.lifetime_seconds: must be from 1 to {MaxLifetimeSeconds}.";
            }
        }
        if (policy.Scope is not { } scope)
        {
            yield break;
        }
        foreach (var malformed in scope.Allowed.Concat(scope.Default).Where(token => !ScopeTokens.IsToken(token)).Distinct())
        {
            yield return $"registration_policy.scope: '{malformed}' is no scope token (RFC 6749 section 3.3).";
        }
        foreach (var excess in scope.Default.Except(scope.Allowed))
        {
            yield return $"registration_policy.scope.default: '{excess}' is not among scope.allowed.";
        }
    }
}
