namespace Dcr.Auditing;

/// <summary>Every value of <see cref="AuditRecord.Action"/>.</summary>
internal static class AuditActions
{
    public const string ClientRegistered = "client.registered";
    public const string ClientUpdated = "client.updated";
    public const string ClientDeleted = "client.deleted";
    public const string ClientSeeded = "client.seeded";
    public const string ClientSuspended = "client.suspended";
    public const string ClientResumed = "client.resumed";
    public const string ClientRevoked = "client.revoked";
    public const string RegistrationAccessTokenRenewed = "client.registration_access_token_renewed";
    public const string ClientSignedOut = "client.signed_out";
    public const string ClientExpired = "client.expired";
    public const string ClientRemoved = "client.removed";
    public const string OriginRevoked = "origin.revoked";
    public const string OriginSuspended = "origin.suspended";
    public const string OnboardingClientCreated = "onboarding_client.created";
    public const string OnboardingClientReplaced = "onboarding_client.replaced";
    public const string OnboardingClientDeleted = "onboarding_client.deleted";
    public const string KeyChangeAllowed = "client.key_change_allowed";
    public const string AssertionAudienceRuleSet = "client.assertion_audience_set";
    public const string KeyQuarantined = "client.key_quarantined";
    public const string KeyReleased = "client.key_released";
    public const string QuarantinedKeyAdded = "quarantined_key.added";
    public const string QuarantinedKeyRemoved = "quarantined_key.removed";
    public const string AuthenticationRefused = "client.authentication_refused";
    public const string KeySetCreated = "key_set.created";
    public const string KeySetDeleted = "key_set.deleted";
    public const string KeySetKeyAdded = "key_set.key_added";
    public const string KeySetKeyActivated = "key_set.key_activated";
    public const string KeySetKeyRetired = "key_set.key_retired";
    public const string KeySetKeyWithdrawn = "key_set.key_withdrawn";
    public const string SigningKeyMade = "signing_key.made";
}
