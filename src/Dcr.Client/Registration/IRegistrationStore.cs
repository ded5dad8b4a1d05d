namespace Dcr.Client;

/// <summary>
/// Where one client keeps its registration: the registration access token, without which it can never read, change or
/// delete itself, and what is needed to go on after a crash or a lost answer. One store for one client, used by one
/// process at a time. <see cref="FileRegistrationStore"/> is one; on a device, write one over its keystore or keychain.
/// </summary>
/// <example>
/// <code>
/// sealed class SecureStorageStore : IRegistrationStore
/// {
///     public async Task&lt;RegistrationState?> LoadAsync(CancellationToken cancellationToken) =>
///         await SecureStorage.GetAsync("registration") is { } json ? RegistrationState.FromJson(json) : null;
///     public Task SaveAsync(RegistrationState state, CancellationToken cancellationToken) =>
///         SecureStorage.SetAsync("registration", state.ToJson());
///     public Task DeleteAsync(CancellationToken cancellationToken) { SecureStorage.Remove("registration"); return Task.CompletedTask; }
/// }
/// </code>
/// </example>
public interface IRegistrationStore
{
    /// <summary>What was last saved. Null: nothing, or it was deleted.</summary>
    Task<RegistrationState?> LoadAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Replaces what was saved, as a whole. When the task ends, the new state must survive a crash; if it fails, the old
    /// one must still be there. A new token is not used before this has ended, so that the one before it stays good.
    /// </summary>
    Task SaveAsync(RegistrationState state, CancellationToken cancellationToken = default);

    /// <summary>Forgets everything: the client is gone.</summary>
    Task DeleteAsync(CancellationToken cancellationToken = default);
}
