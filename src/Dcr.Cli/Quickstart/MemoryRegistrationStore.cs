using Dcr.Client;

namespace Dcr.Cli;

/// <summary>A registration that need not outlive the command.</summary>
internal sealed class MemoryRegistrationStore : IRegistrationStore
{
    private RegistrationState? _state;

    public Task<RegistrationState?> LoadAsync(CancellationToken cancellationToken = default) => Task.FromResult(_state);

    public Task SaveAsync(RegistrationState state, CancellationToken cancellationToken = default)
    {
        _state = state;
        return Task.CompletedTask;
    }

    public Task DeleteAsync(CancellationToken cancellationToken = default)
    {
        _state = null;
        return Task.CompletedTask;
    }
}
