using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary>One step of a run that is told.</summary>
internal sealed class NarratedStep(string title)
{
    public string Title => title;

    /// <summary>As they were answered; also those that others sent here.</summary>
    public ConcurrentQueue<JsonObject> Requests { get; } = new();

    public ConcurrentQueue<string> Shown { get; } = new();

    /// <summary>It went to its end, and everything was as promised.</summary>
    public bool IsOk { get; set; }

    public JsonObject ToJson() => new()
    {
        ["title"] = title,
        ["ok"] = IsOk,
        ["requests"] = new JsonArray([.. Requests.Select(request => request.DeepClone())]),
        ["shown"] = new JsonArray([.. Shown.Select(fact => JsonValue.Create(fact))]),
    };
}
