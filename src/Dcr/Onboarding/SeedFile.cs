using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dcr.Clients;
using Dcr.Protocol;
using Microsoft.Extensions.Options;

namespace Dcr.Onboarding;

/// <summary>Clients that are there from the start: onboarding clients, administrators, any other.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record SeedFile
{
    [JsonPropertyName("clients")]
    public required IReadOnlyList<SeedClient> Clients { get; init; }
}

/// <summary>RFC 7591 metadata with a chosen <c>client_id</c>; with scope <c>dcr</c> also what it may register.</summary>
public sealed record SeedClient : ClientMetadata
{
    [JsonPropertyName("client_id")]
    public required string ClientId { get; init; }

    /// <summary>
    /// Kept as sent, so that every fault in it can be named at once. Its shape is <see cref="Clients.RegistrationPolicy"/>.
    /// </summary>
    [JsonPropertyName("registration_policy")]
    public JsonElement? RegistrationPolicy { get; init; }
}

/// <summary>Reads and checks the seed file without touching the store; every fault is named at once.</summary>
internal sealed class SeedFileReader(IOptions<DcrOptions> options, SeedClientReader reader)
{
    private const long MaxBytes = 64 * 1024 * 1024;

    /// <summary>The clients of the seed file; none without one.</summary>
    /// <exception cref="OptionsValidationException">The file is at fault: the server must not start.</exception>
    public async Task<IReadOnlyList<SeededClient>> ReadAsync(CancellationToken cancellationToken)
    {
        if (options.Value.SeedFile is not { } path)
        {
            return [];
        }
        var (seed, hashes) = await ParseAsync(path, cancellationToken);
        var faults = new List<string>();
        var clients = new List<SeededClient>();
        for (var i = 0; i < seed.Clients.Count; i++)
        {
            if (seed.Clients[i] is null)
            {
                faults.Add($"clients[{i}]: must be an object, not null.");
                continue;
            }
            var entry = $"clients[{i}] ({seed.Clients[i].ClientId})";
            var read = reader.Read(seed.Clients[i], out var found);
            faults.AddRange(found.Select(fault => $"{entry}: {fault}"));
            if (read is not null)
            {
                clients.Add(read with { EntryHash = hashes[i] });
            }
        }
        faults.AddRange(seed.Clients.Where(client => client is not null).GroupBy(client => client.ClientId)
            .Where(group => group.Count() > 1)
            .Select(group => $"client_id {group.Key} appears {group.Count()} times."));
        return faults.Count == 0 ? clients : throw Fault(path, faults);
    }

    private static async Task<(SeedFile Seed, IReadOnlyList<string> Hashes)> ParseAsync(string path, CancellationToken cancellationToken)
    {
        if (new FileInfo(path).Length > MaxBytes)
        {
            throw Fault(path, [$"larger than {MaxBytes / 1024 / 1024} MiB."]);
        }
        var bytes = await File.ReadAllBytesAsync(path, cancellationToken);
        var text = bytes.AsMemory(bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? Encoding.UTF8.Preamble.Length : 0);
        try
        {
            var seed = JsonSerializer.Deserialize(text.Span, OnboardingJson.Default.SeedFile) ?? throw Fault(path, ["it is null."]);
            using var document = JsonDocument.Parse(text);
            return (seed, [.. document.RootElement.GetProperty("clients").EnumerateArray().Select(SeedEntryHash.Of)]);
        }
        catch (JsonException exception)
        {
            // A file of the operator, not of a stranger: the message is for them.
            throw Fault(path, [exception.Message]);
        }
    }

    private static OptionsValidationException Fault(string path, IEnumerable<string> faults) =>
        new(nameof(DcrOptions.SeedFile), typeof(DcrOptions), faults.Select(fault => $"Dcr:SeedFile {path}: {fault}"));
}
