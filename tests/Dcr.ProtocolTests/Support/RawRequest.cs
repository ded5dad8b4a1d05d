using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Dcr.ProtocolTests.Support;

/// <summary>A request byte for byte: <see cref="HttpClient"/> joins header fields of one name, and a test wants two.</summary>
public static class RawRequest
{
    public static async Task<Answer> PostRawAsync(this DcrServer server, string path, HttpContent content, params (string Name, string Value)[] headers)
    {
        var body = await content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var request = new StringBuilder();
        // HTTP/1.0: the answer ends with the connection, and comes in one piece.
        request.Append(CultureInfo.InvariantCulture, $"POST {path} HTTP/1.0\r\nContent-Type: {content.Headers.ContentType}\r\nContent-Length: {body.Length}\r\n");
        foreach (var (name, value) in headers)
        {
            request.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        }
        request.Append("\r\n").Append(body);

        using var connection = new TcpClient(AddressFamily.InterNetwork);
        await connection.ConnectAsync(IPAddress.Loopback, server.Http.BaseAddress!.Port, TestContext.Current.CancellationToken);
        await connection.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request.ToString()), TestContext.Current.CancellationToken);
        return await ReadAnswerAsync(server, connection);
    }

    /// <summary>To the end of the connection.</summary>
    internal static async Task<Answer> ReadAnswerAsync(DcrServer server, TcpClient connection)
    {
        using var reader = new StreamReader(connection.GetStream(), Encoding.UTF8);
        return await Answer.ReadAsync(Read(await reader.ReadToEndAsync(TestContext.Current.CancellationToken)), server.Log);
    }

    private static HttpResponseMessage Read(string text)
    {
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        var lines = text[..end].Split("\r\n");
        var response = new HttpResponseMessage((HttpStatusCode)int.Parse(lines[0].Split(' ')[1], CultureInfo.InvariantCulture))
        {
            Content = new StringContent(text[(end + 4)..], Encoding.UTF8, "application/json"),
        };
        foreach (var field in lines[1..].Select(line => line.Split(": ", 2)).Where(field => !field[0].StartsWith("Content-", StringComparison.Ordinal)))
        {
            response.Headers.TryAddWithoutValidation(field[0], field[1]);
        }
        return response;
    }
}
