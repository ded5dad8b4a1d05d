using System.Diagnostics.CodeAnalysis;

namespace Dcr.Client;

/// <summary>Lets one in at a time. Whoever is cancelled while waiting leaves the others waiting.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A SemaphoreSlim has something to dispose only once its AvailableWaitHandle is used.")]
internal sealed class AsyncGate
{
    private readonly SemaphoreSlim _semaphore = new(1, 1);

    public async Task<T> RunAsync<T>(Func<Task<T>> act, CancellationToken cancellationToken)
    {
        await _semaphore.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await act().ConfigureAwait(false);
        }
        finally
        {
            _semaphore.Release();
        }
    }
}
