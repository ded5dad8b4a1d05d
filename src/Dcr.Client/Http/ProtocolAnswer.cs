using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Dcr.Client;

/// <summary>What the server answered.</summary>
internal sealed record ProtocolAnswer(HttpStatusCode Status, byte[] Body, string? ETag, TimeSpan? RetryAfter)
{
    /// <summary>An earlier attempt may have been carried out: its answer was lost.</summary>
    public bool IsRepeated { get; init; }

    public bool IsSuccess => (int)Status is >= 200 and < 300;

    /// <summary>The server is away or overburdened: the same request may succeed later.</summary>
    public bool IsTransient =>
        Status is HttpStatusCode.TooManyRequests
            or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    public void ThrowIfRefused()
    {
        if (!IsSuccess)
        {
            throw Refusal();
        }
    }

    public DcrException Refusal()
    {
        OAuthErrorBody? body = null;
        try
        {
            body = JsonSerializer.Deserialize(Body, DcrClientJson.Default.OAuthErrorBody);
        }
        catch (JsonException)
        {
            // Not the server itself, but something in front of it.
        }
        return new DcrException(Status, body?.Error, body?.ErrorDescription, RetryAfter);
    }

    /// <param name="type">Of the body.</param>
    /// <param name="what">The body is, for the message if it is not.</param>
    public T Read<T>(JsonTypeInfo<T> type, string what)
    {
        try
        {
            return JsonSerializer.Deserialize(Body, type) ?? throw new JsonException();
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException)
        {
            // Without the inner exception, whose text could quote the body.
            throw new HttpRequestException(HttpRequestError.InvalidResponse, $"The answer is not the JSON of {what}.", inner: null, Status);
        }
    }

    /// <summary>Nothing of the body.</summary>
    public override string ToString() => $"{(int)Status}";
}

internal sealed record OAuthErrorBody(
    [property: JsonPropertyName("error")] string? Error,
    [property: JsonPropertyName("error_description")] string? ErrorDescription);
