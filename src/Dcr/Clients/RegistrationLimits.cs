namespace Dcr.Clients;

/// <summary>How many clients an onboarding client may have. All of its registrations are counted, limited or not.</summary>
/// <param name="OnboardingClient">Whose limits.</param>
/// <param name="MaxLiveClients">Clients that are active or suspended. Null: any number.</param>
/// <param name="MaxRegistrationsPerHour">Within an hour that begins with the first. Null: any number.</param>
public sealed record RegistrationLimits(string OnboardingClient, long? MaxLiveClients, long? MaxRegistrationsPerHour)
{
    /// <summary>Those that the onboarding client has now.</summary>
    internal static RegistrationLimits Of(Client onboarding) => new(
        onboarding.ClientId, onboarding.RegistrationPolicy?.MaxLiveClients, onboarding.RegistrationPolicy?.MaxRegistrationsPerHour);

    public static readonly TimeSpan Window = TimeSpan.FromHours(1);

    /// <summary>
    /// When the hour that began then ends. Null: it is over. One that begins an hour or more ahead was begun by a clock that was wrong, and
    /// is over too; one that begins a little ahead was begun by another node.
    /// </summary>
    public static DateTimeOffset? EndOfHour(DateTimeOffset beganAt, DateTimeOffset now) =>
        (now - beganAt).Duration() < Window ? beganAt + Window : null;
}
