using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary>A client's JWK Set (RFC 7517 section 5) as it is published, judged as the server judges one that it downloads.</summary>
internal sealed record ExaminedKeySet
{
    private const int MaxBytes = 64 * 1024;
    private const int MaxKeys = 100;

    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(5);
    private static readonly JsonDocumentOptions s_strict = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    /// <summary>What it is and where it comes from, in words.</summary>
    public required string Name { get; init; }

    /// <summary>Null: it was not downloaded.</summary>
    public DateTimeOffset? FetchedAt { get; private init; }

    /// <summary>How long it may be kept, by <c>Cache-Control</c>. Null: not said.</summary>
    public TimeSpan? MaxAge { get; private init; }

    /// <summary>Why there is no set here; that says nothing about what the server can get. Null: there is one.</summary>
    public string? Absence { get; private init; }

    /// <summary>Why the server takes no key of this set. Null: it takes those that are good.</summary>
    public string? Fault { get; private init; }

    public IReadOnlyList<ExaminedKey> Keys { get; private init; } = [];

    public IEnumerable<ExaminedKey> UsableKeys => Keys.Where(key => key.Fault is null);

    /// <summary>Those of a set that can be used, by name.</summary>
    public string KeyNames =>
        UsableKeys.Any() ? Excerpt.List([.. UsableKeys.Select(key => key.Kid ?? "a key without kid")]) : "no key that can be used";

    /// <summary>From where <c>--jwks</c> says.</summary>
    public static Task<ExaminedKeySet> FromAsync(string fileOrUrl, CommandRun run, HttpClient http, CancellationToken cancellationToken) =>
        IsUrl(fileOrUrl)
            ? FetchAsync(fileOrUrl, http, run.Time, cancellationToken)
            : ReadAsync(run.PathOf(fileOrUrl), fileOrUrl, cancellationToken);

    public static bool IsUrl(string text) =>
        text.StartsWith("https://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("http://", StringComparison.OrdinalIgnoreCase);

    /// <summary>A set that is at hand.</summary>
    /// <param name="name">In words, such as: the registered jwks.</param>
    public static ExaminedKeySet Parse(string name, string json)
    {
        try
        {
            var keys = (JsonNode.Parse(json, documentOptions: s_strict) as JsonObject)?["keys"] as JsonArray;
            return keys is null
                ? new ExaminedKeySet { Name = name, Fault = "it is no JWK Set: {\"keys\": [...]}" }
                : Judge(
                    new ExaminedKeySet
                    {
                        Name = name,
                        Keys = [.. keys.Take(MaxKeys + 1).Select((key, index) => ExaminedKey.Read(key, index + 1))],
                    });
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return new ExaminedKeySet { Name = name, Fault = "it is not JSON with each member named once" };
        }
    }

    /// <summary>
    /// What a <c>jwks_uri</c> serves. The same limits as the server's, but for the address, which may be on this network.
    /// </summary>
    public static async Task<ExaminedKeySet> FetchAsync(string url, HttpClient http, TimeProvider time, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(s_timeout);
        var now = time.GetUtcNow();
        var name = $"the set fetched at {TimeText.Of(now)} from {Excerpt.Of(url)}";
        if (!IsUrl(url))
        {
            return new ExaminedKeySet { Name = name, Fault = "it must be an https URL" };
        }
        try
        {
            using var response = await http.GetAsync(new Uri(url), HttpCompletionOption.ResponseHeadersRead, timeout.Token);
            if (FaultOf(response) is { } fault)
            {
                return new ExaminedKeySet { Name = name, Fault = fault, FetchedAt = now };
            }
            await using var stream = await response.Content.ReadAsStreamAsync(timeout.Token);
            var buffer = new byte[MaxBytes + 1];
            var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, timeout.Token);
            var set = length > MaxBytes
                ? new ExaminedKeySet { Name = name, Fault = $"it is larger than {MaxBytes} bytes" }
                : Parse(name, Encoding.UTF8.GetString(buffer, 0, length).TrimStart('\uFEFF'));
            return set with { FetchedAt = now, MaxAge = MaxAgeOf(response) };
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or UriFormatException)
        {
            return new ExaminedKeySet
            {
                Name = name,
                Absence = $"the keys cannot be fetched from {Excerpt.Of(url)}: {Excerpt.Of(exception.Message)}",
            };
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new ExaminedKeySet
            {
                Name = name,
                Absence = $"the keys did not arrive from {Excerpt.Of(url)} within {s_timeout.TotalSeconds} s",
            };
        }
    }

    /// <summary>As it is shown.</summary>
    public JsonObject ToJson() => new()
    {
        ["source"] = Name,
        ["fetched_at"] = FetchedAt?.UtcDateTime.ToString("O"),
        ["max_age_seconds"] = MaxAge?.TotalSeconds,
        ["fault"] = Absence ?? Fault,
        ["keys"] = new JsonArray(
            [.. Keys.Select(key => new JsonObject { ["kid"] = key.Name, ["thumbprint"] = key.Thumbprint, ["fault"] = key.Fault })]),
    };

    private static async Task<ExaminedKeySet> ReadAsync(string path, string name, CancellationToken cancellationToken)
    {
        if (!File.Exists(path))
        {
            throw CommandFailure.Usage($"There is no file {name}.", "--jwks wants a file with a JWK Set, or the URL of one.");
        }
        if (new FileInfo(path).Length > MaxBytes)
        {
            throw CommandFailure.Usage($"{name} is larger than {MaxBytes} bytes; the server takes no such set.");
        }
        return Parse($"the set in {Excerpt.Of(name)}", await File.ReadAllTextAsync(path, cancellationToken));
    }

    private static string? FaultOf(HttpResponseMessage response) =>
        response.StatusCode == HttpStatusCode.OK ? null : $"the answer is {(int)response.StatusCode}; it must be 200, without redirects";

    // RFC 9111 section 5.2.2.
    private static TimeSpan? MaxAgeOf(HttpResponseMessage response) => response.Headers.CacheControl switch
    {
        null => null,
        { NoStore: true } or { NoCache: true } => TimeSpan.Zero,
        var control => control.MaxAge,
    };

    // One bad key does not stop the good ones, but a private one or a name that two have stops all.
    private static ExaminedKeySet Judge(ExaminedKeySet set)
    {
        if (set.Keys.FirstOrDefault(key => key.IsPrivate) is { } secret)
        {
            return set with { Fault = $"the key {secret.Name} is published with its private half: {secret.Fault}" };
        }
        if (set.Keys.Count > MaxKeys)
        {
            return set with { Fault = $"it has more than {MaxKeys} keys" };
        }
        // A key that stands twice is one.
        set = set with
        {
            Keys = [.. set.Keys.DistinctBy(key => key.Thumbprint is null ? (object)key : (key.Thumbprint, key.Kid, key.Alg))],
        };
        if (set.UsableKeys.GroupBy(key => key.Kid).FirstOrDefault(group => group.Key is not null && group.Count() > 1) is { } twice)
        {
            return set with { Fault = $"two keys have the kid {Excerpt.Of(twice.Key)}" };
        }
        return set.UsableKeys.Any() ? set : set with
        {
            Fault = set.Keys.Count == 0
                ? "it has no key"
                : $"it has no key that can be used: {string.Join("; ", set.Keys.Take(3).Select(key => $"{key.Name}: {key.Fault}"))}",
        };
    }
}
