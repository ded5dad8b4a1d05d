using Dcr.Jose;

namespace Dcr.Client;

/// <summary>
/// Keeps a registration in a file that only its owner can read. It is not encrypted: where the disk is not trusted, write
/// an <see cref="IRegistrationStore"/> over something that encrypts.
/// </summary>
/// <param name="path">The file. Its folder must be there.</param>
public sealed class FileRegistrationStore(string path) : IRegistrationStore
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <inheritdoc/>
    public async Task<RegistrationState?> LoadAsync(CancellationToken cancellationToken = default) =>
        File.Exists(path) ? RegistrationState.FromJson(await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false)) : null;

    /// <inheritdoc/>
    public async Task SaveAsync(RegistrationState state, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(state);
        // Beside it first, so that a crash leaves the old one or the new one and never half of either.
        var beside = path + ".new";
        File.Delete(beside);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }
        var file = new FileStream(beside, options);
        await using (file.ConfigureAwait(false))
        {
            var writer = new StreamWriter(file, leaveOpen: true);
            await using (writer.ConfigureAwait(false))
            {
                await writer.WriteAsync(state.ToJson().AsMemory(), cancellationToken).ConfigureAwait(false);
            }
            file.Flush(flushToDisk: true);
        }
        DurableFile.Move(beside, path, overwrite: true);
    }

    /// <inheritdoc/>
    public Task DeleteAsync(CancellationToken cancellationToken = default)
    {
        File.Delete(path);
        return Task.CompletedTask;
    }
}
