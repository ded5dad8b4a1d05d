using System.Text.Json;
using System.Text.RegularExpressions;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>
/// The profiles in the user's configuration folder: <c>profiles/NAME.json</c>, beside it <c>NAME.registration.json</c>
/// with the registration access token of a client that was registered here, and <c>NAME.pem</c> with a key that was made
/// for it. The folder and its files are the user's alone.
/// </summary>
internal sealed partial class ProfileStore(string folder)
{
    /// <summary>Those of the user, where the environment names no other folder.</summary>
    public static ProfileStore Of(Surroundings surroundings) => new(Path.Combine(
        new EnvironmentVariables(surroundings.Variable).ConfigurationFolder is { } chosen ? surroundings.PathOf(chosen)
            : Path.Combine(
                Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify), "dcr"),
        "profiles"));

    public IReadOnlyList<string> List() => Directory.Exists(folder)
        ?
        [
            .. Directory.EnumerateFiles(folder, "*.json")
                .Select(file => Path.GetFileNameWithoutExtension(file))
                .Where(name => NamePattern().IsMatch(name))
                .Order(StringComparer.Ordinal),
        ]
        : [];

    /// <summary>Null: there is none of this name.</summary>
    public async Task<Profile?> FindAsync(string name, CancellationToken cancellationToken)
    {
        var path = PathOf(name, ".json");
        if (!File.Exists(path))
        {
            return null;
        }
        try
        {
            return JsonSerializer.Deserialize(await File.ReadAllTextAsync(path, cancellationToken), ProfileJson.Default.Profile);
        }
        catch (JsonException)
        {
            throw CommandFailure.Usage(
                $"The profile {name} cannot be read: {path} is not what was written there.",
                $"Write it again: dcr profile set {name} --server ...");
        }
    }

    public async Task SaveAsync(string name, Profile profile, CancellationToken cancellationToken)
    {
        var path = PathOf(name, ".json");
        PrivateFile.CreateFolder(folder);
        await PrivateFile.WriteAsync(
            path, path, JsonSerializer.Serialize(profile, ProfileJson.Default.Profile), replace: true, cancellationToken);
    }

    /// <summary>Forgets the profile and its registration access token. A key file stays: it may be the only one.</summary>
    public void Remove(string name)
    {
        File.Delete(PathOf(name, ".registration.json"));
        File.Delete(PathOf(name, ".json"));
    }

    /// <summary>Where the registration of the profile's client is kept.</summary>
    public FileRegistrationStore RegistrationOf(string name) => new(PathOf(name, ".registration.json"));

    /// <summary>Makes the folder, for what writes into it.</summary>
    public void CreateFolder() => PrivateFile.CreateFolder(folder);

    /// <summary>Where a key that is made for the profile is written.</summary>
    public string KeyFileOf(string name) => PathOf(name, ".pem");

    private string PathOf(string name, string extension) => NamePattern().IsMatch(name)
        ? Path.Combine(folder, name + extension)
        : throw CommandFailure.Usage($"{name} is no name for a profile.", "Use 1 to 64 letters, digits, - and _.");

    // No dot, or a name could be the file of another's registration.
    [GeneratedRegex("^[A-Za-z0-9_-]{1,64}$")]
    private static partial Regex NamePattern();
}
