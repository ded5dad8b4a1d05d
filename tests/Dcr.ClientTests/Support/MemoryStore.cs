using Dcr.Client;

namespace Dcr.ClientTests.Support;

/// <summary>A store that survives the process of a test, and fails when the test says so.</summary>
public sealed class MemoryStore : IRegistrationStore
{
    private string? _json;

    public RegistrationState? State => _json is null ? null : RegistrationState.FromJson(_json);

    /// <summary>Whether to refuse this state.</summary>
    public Func<RegistrationState, bool> Fails { get; set; } = _ => false;

    public List<RegistrationState> Saved { get; } = [];

    public Task<RegistrationState?> LoadAsync(CancellationToken cancellationToken = default) => Task.FromResult(State);

    public async Task SaveAsync(RegistrationState state, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        if (Fails(state))
        {
            throw new IOException("The disk is full.");
        }
        Saved.Add(state);
        _json = state.ToJson();
    }

    public Task DeleteAsync(CancellationToken cancellationToken = default)
    {
        _json = null;
        return Task.CompletedTask;
    }
}
