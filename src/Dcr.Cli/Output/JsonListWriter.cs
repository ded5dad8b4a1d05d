using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary>Writes <c>{"items": [...], "next": ...}</c> while the items come: millions of them need not be held.</summary>
internal sealed class JsonListWriter(Stream output, JsonSerializerOptions options) : IAsyncDisposable
{
    private readonly Utf8JsonWriter _writer = new(output, new JsonWriterOptions { Indented = options.WriteIndented, Encoder = options.Encoder });

    private bool _hasBegun;

    public async Task AddAsync(JsonArray items)
    {
        Begin();
        foreach (var item in items)
        {
            item?.WriteTo(_writer, options);
        }
        await _writer.FlushAsync();
    }

    public async Task EndAsync(string? next)
    {
        Begin();
        _writer.WriteEndArray();
        _writer.WriteString("next", next);
        _writer.WriteEndObject();
        await _writer.FlushAsync();
        output.Write("\n"u8);
    }

    public async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync();
        await output.DisposeAsync();
    }

    // Not before the first page is there: a refusal leaves standard output empty.
    private void Begin()
    {
        if (!_hasBegun)
        {
            _hasBegun = true;
            _writer.WriteStartObject();
            _writer.WriteStartArray("items");
        }
    }
}
