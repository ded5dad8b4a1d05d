using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;

namespace Dcr.StorageTests;

/// <summary>
/// Says hello as a MongoDB does and answers every other command as a test says: for faults that no server in good health
/// can be brought to report. Two of them can pose as a replica set.
/// </summary>
internal sealed class MongoDbStubServer : IAsyncDisposable
{
    private const int HeaderLength = 16;
    private const int OpMsg = 2013;
    private const int OpQuery = 2004;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<BsonDocument, BsonDocument?> _answer;
    private readonly Func<BsonDocument> _replicaSet;
    private readonly Task _accepting;

    public MongoDbStubServer(BsonDocument answer)
        : this(_ => answer)
    {
    }

    /// <param name="answer">To a command. Null: it is never answered.</param>
    /// <param name="replicaSet">What hello says beyond itself. Null: nothing, it stands alone.</param>
    public MongoDbStubServer(Func<BsonDocument, BsonDocument?> answer, Func<BsonDocument>? replicaSet = null)
    {
        _answer = answer;
        _replicaSet = replicaSet ?? (() => new BsonDocument("isWritablePrimary", true));
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string Address => _listener.LocalEndpoint.ToString()!;

    public string ConnectionString => $"mongodb://{Address}/?directConnection=true";

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var connection = client;
        var stream = connection.GetStream();
        var header = new byte[HeaderLength];
        try
        {
            while (true)
            {
                await stream.ReadExactlyAsync(header, _stop.Token);
                var body = new byte[BinaryPrimitives.ReadInt32LittleEndian(header) - HeaderLength];
                await stream.ReadExactlyAsync(body, _stop.Token);
                if (Reply(header, body) is { } reply)
                {
                    await stream.WriteAsync(reply, _stop.Token);
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // The driver hung up, or the test is over.
        }
    }

    private byte[]? Reply(byte[] header, byte[] body)
    {
        // An OP_MSG has its command after the flags and the kind of the section; the only other message is the first
        // hello, an OP_QUERY, which is answered in the old form.
        var isMessage = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(12)) == OpMsg;
        var command = isMessage ? BsonSerializer.Deserialize<BsonDocument>(body[5..]) : null;
        var isHello = command is null || command.GetElement(0).Name is "hello" or "isMaster" or "ismaster";
        if ((isHello ? Hello() : _answer(command!)) is not { } answer)
        {
            return null;
        }
        var document = answer.ToBson();
        byte[] preamble = isMessage ? [0, 0, 0, 0, 0] : [0, 0, 0, 0, .. new byte[12], 1, 0, 0, 0];

        var reply = new byte[HeaderLength + preamble.Length + document.Length];
        BinaryPrimitives.WriteInt32LittleEndian(reply, reply.Length);
        header.AsSpan(4, 4).CopyTo(reply.AsSpan(8)); // the request that is answered
        BinaryPrimitives.WriteInt32LittleEndian(reply.AsSpan(12), isMessage ? OpMsg : OpQuery - 2003);
        preamble.CopyTo(reply, HeaderLength);
        document.CopyTo(reply, HeaderLength + preamble.Length);
        return reply;
    }

    private BsonDocument Hello()
    {
        var hello = new BsonDocument
        {
            { "ok", 1 }, { "helloOk", true }, { "minWireVersion", 0 }, { "maxWireVersion", 21 },
            { "maxBsonObjectSize", 16_777_216 }, { "maxMessageSizeBytes", 48_000_000 }, { "maxWriteBatchSize", 100_000 },
        }.Merge(_replicaSet());
        // The old form of the first hello says it by another name.
        return hello.Add("ismaster", hello["isWritablePrimary"]);
    }
}
