using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary>Writes <c>{"items": [...], "next": ...}</c> while the items come: millions of them need not be held.</summary>
internal sealed class JsonListWriter : IAsyncDisposable
{
    private readonly TextWriter _output;
    private readonly JsonSerializerOptions _options;
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly Utf8JsonWriter _writer;

    private bool _hasBegun;

    public JsonListWriter(TextWriter output, JsonSerializerOptions options)
    {
        (_output, _options) = (output, options);
        _writer = new Utf8JsonWriter(_buffer, new JsonWriterOptions { Indented = options.WriteIndented, Encoder = options.Encoder });
    }

    public async Task AddAsync(JsonArray items)
    {
        Begin();
        foreach (var item in items)
        {
            item?.WriteTo(_writer, _options);
        }
        await FlushAsync();
    }

    public async Task EndAsync(string? next)
    {
        Begin();
        _writer.WriteEndArray();
        _writer.WriteString("next", next);
        _writer.WriteEndObject();
        await FlushAsync();
        await _output.WriteLineAsync();
    }

    public ValueTask DisposeAsync() => _writer.DisposeAsync();

    // What is flushed is whole tokens of JSON, and so whole characters.
    private async Task FlushAsync()
    {
        await _writer.FlushAsync();
        await _output.WriteAsync(Printable.OfJson(Encoding.UTF8.GetString(_buffer.WrittenSpan)));
        await _output.FlushAsync();
        _buffer.ResetWrittenCount();
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
