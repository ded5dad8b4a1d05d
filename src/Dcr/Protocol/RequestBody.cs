using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;

namespace Dcr.Protocol;

/// <summary>
/// What every body must be before anything is read of it, and how it is read: whole, within 64 KiB
/// and within ten seconds, so that nobody holds a request open. A body that breaks off, or breaks HTTP, is a bad request.
/// </summary>
internal static class RequestBody
{
    // The web server says it in no other way.
    private const string UnexpectedEnd = "Unexpected end of request content.";

    /// <summary>64 KiB.</summary>
    public const int MaxBytes = 64 * 1024;

    public static readonly TimeSpan LongestRead = TimeSpan.FromSeconds(10);

    /// <summary>Nobody reads it as a rule, and it is nobody's fault: it leaves no line in the log.</summary>
    public static readonly OAuthError BrokenOff = OAuthError.InvalidRequest("The body broke off, or is not framed as HTTP says.");

    /// <summary>Null when the body may be read as <paramref name="mediaType"/>; else 415, which names what is wanted.</summary>
    /// <param name="request">Whose body.</param>
    /// <param name="mediaType">The one that is taken.</param>
    /// <param name="charsets">Those that may be named; UTF-8 where none is.</param>
    public static OAuthError? Fault(HttpRequest request, string mediaType, params ReadOnlySpan<string> charsets)
    {
        // RFC 9110 section 8.4: nothing is unpacked here; what comes out could be of any size.
        if (request.Headers.ContentEncoding.Any(coding => !string.Equals(coding?.Trim(), "identity", StringComparison.OrdinalIgnoreCase)))
        {
            request.HttpContext.Response.Headers.AcceptEncoding = "identity";
            return NotTaken(mediaType, ", sent without Content-Encoding");
        }
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || !type.MediaType.Equals(mediaType, StringComparison.OrdinalIgnoreCase))
        {
            return NotTaken(mediaType, "");
        }
        // RFC 9110 section 8.3.1: a parameter means the same with and without quotes.
        var charset = HeaderUtilities.RemoveQuotes(type.Charset).Value ?? charsets[0];
        foreach (var taken in charsets)
        {
            if (charset.Equals(taken, StringComparison.OrdinalIgnoreCase))
            {
                return null;
            }
        }
        return NotTaken(mediaType, "");
    }

    /// <summary>The whole body, or why it could not be read.</summary>
    public static async Task<Result<byte[]>> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var reader = request.BodyReader;
        var time = request.HttpContext.RequestServices.GetRequiredService<TimeProvider>();
        // A wait is ended, no read is cancelled: the web server must be able to go on with what is left of the body. A caller that goes
        // away ends the wait too, by the web server itself.
        await using var late = time.CreateTimer(_ => reader.CancelPendingRead(), null, LongestRead, Timeout.InfiniteTimeSpan);
        try
        {
            var read = await ReadToEndAsync(reader);
            var body = read.Buffer.ToArray();
            reader.AdvanceTo(read.Buffer.End);
            if (!read.IsCanceled)
            {
                return body;
            }
            CloseAfter(request);
            return cancellationToken.IsCancellationRequested ? BrokenOff : TooSlow();
        }
        catch (IOException exception) when (exception is not BadHttpRequestException { StatusCode: not StatusCodes.Status400BadRequest })
        {
            // The caller has gone, or wrote a chunk that cannot be: its fault or the network's, not the server's.
            CloseAfter(request);
            if (exception is ConnectionResetException or BadHttpRequestException { Message: UnexpectedEnd })
            {
                // Nobody is there to be answered; without this the web server would go on to read a next request, and log that it cannot.
                request.HttpContext.Abort();
            }
            return BrokenOff;
        }
    }

    private static async Task<ReadResult> ReadToEndAsync(PipeReader reader)
    {
        while (true)
        {
            var read = await reader.ReadAsync(CancellationToken.None);
            if (read.IsCompleted || read.IsCanceled)
            {
                return read;
            }
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    /// <summary>RFC 9110 section 15.5.9.</summary>
    public static OAuthError TooSlow() => OAuthError.InvalidRequest(
        $"The body did not arrive whole within {LongestRead.TotalSeconds:0} s, or too slowly.", StatusCodes.Status408RequestTimeout);

    // What is still on its way belongs to no other request.
    private static void CloseAfter(HttpRequest request)
    {
        if (HttpProtocol.IsHttp11(request.Protocol) || HttpProtocol.IsHttp10(request.Protocol))
        {
            request.HttpContext.Response.Headers.Connection = "close";
        }
    }

    private static OAuthError NotTaken(string mediaType, string more) =>
        OAuthError.InvalidRequest($"The body must be {mediaType} in UTF-8{more}.", StatusCodes.Status415UnsupportedMediaType);
}
