using Dcr.Jose;
using Dcr.Storage.Sqlite;
using Microsoft.Extensions.Options;

namespace Dcr.Server.KeyRing;

/// <summary>Says once, when the server has started, which of its secrets lie open.</summary>
internal sealed partial class UnprotectedFiles(
    IOptions<KeyRingOptions> keyRing,
    IOptions<StorageOptions> storage,
    IOptions<SqliteStorageOptions> sqlite,
    KeyRingFolder folder,
    ILogger<UnprotectedFiles> logger)
    : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        var open = Find().ToList();
        if (open.Count > 0)
        {
            LogUnprotected(string.Join("; ", open));
        }
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private IEnumerable<string> Find()
    {
        var ring = folder.Of(keyRing.Value);
        var data = DataFolder.Of(storage.Value, sqlite.Value);
        if (keyRing.Value.PassphraseFile is null)
        {
            var isBeside = storage.Value.Provider == StorageProvider.Sqlite && IsWithin(ring, data);
            yield return $"the keys in {ring} lie in clear{(isBeside ? ", beside the database whose secrets they open" : "")} "
                + "(Dcr:DataProtection:PassphraseFile protects them, Dcr:DataProtection:KeyRingPath puts them elsewhere)";
        }
        foreach (var path in new[] { data, ring }.Where(OwnerOnlyFolder.IsOpenToOthers))
        {
            yield return $"the folder {path} is open to other users of this machine";
        }
    }

    private static bool IsWithin(string path, string folder) =>
        Path.GetRelativePath(folder, path) is var relative
            && !relative.StartsWith("..", StringComparison.Ordinal)
            && !Path.IsPathRooted(relative);

    [LoggerMessage(EventId = 4001, Level = LogLevel.Warning, Message = "Not protected: {What}")]
    private partial void LogUnprotected(string what);
}
