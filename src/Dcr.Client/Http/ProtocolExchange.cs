using System.Net;
using System.Security.Cryptography;

namespace Dcr.Client;

/// <summary>
/// Sends requests to the server, again when an answer is lost or the server is away. Only requests that do no harm when
/// they are carried out twice go through here; each caller says why its own does none.
/// </summary>
internal sealed class ProtocolExchange(HttpClient http, DcrClientOptions options)
{
    private const int MaxAnswer = 1024 * 1024;
    private static readonly TimeSpan s_longestWait = TimeSpan.FromSeconds(10);

    // Where the HttpClient has no time-out, or one that nobody would wait for.
    private static readonly TimeSpan s_longestAttempt = TimeSpan.FromMinutes(10);

    public DpopNonces Nonces { get; } = new();

    /// <summary>
    /// More than any exchange takes, with what comes before and after it: for what is shared, and must end although nobody who waits may
    /// end it for the others, such as a signing key far away that does not answer.
    /// </summary>
    public TimeSpan Longest
    {
        get
        {
            var attempt = http.Timeout == Timeout.InfiniteTimeSpan || http.Timeout > s_longestAttempt ? s_longestAttempt : http.Timeout;
            // Each attempt may be made twice for a nonce, and the exchange twice for a proof.
            return options.MaxAttempts * ((4 * attempt) + s_longestWait) + (options.RetryDelay * (2 << options.MaxAttempts));
        }
    }

    public TimeProvider Time => options.Time;

    public async Task<ProtocolAnswer> SendAsync(ProtocolRequest request, CancellationToken cancellationToken)
    {
        var isRepeated = false;
        for (var attempt = 1; ; attempt++)
        {
            TimeSpan? wait = null;
            try
            {
                var answer = await SendOnceAsync(request, cancellationToken).ConfigureAwait(false);
                if (!answer.IsTransient || attempt >= options.MaxAttempts || answer.RetryAfter > s_longestWait)
                {
                    return answer with { IsRepeated = isRepeated };
                }
                wait = answer.RetryAfter;
                // 429 comes before anything is done; the others may come after.
                isRepeated |= answer.Status != HttpStatusCode.TooManyRequests;
            }
            catch (Exception exception) when (IsLost(exception, cancellationToken) && attempt < options.MaxAttempts)
            {
                isRepeated = true;
            }
            await Task.Delay(wait ?? Pause(attempt), options.Time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Whether the server may or may not have got the request: the connection broke, or the time was over.</summary>
    public static bool IsLost(Exception exception, CancellationToken cancellationToken) =>
        exception is HttpRequestException or IOException
            || (exception is TaskCanceledException && !cancellationToken.IsCancellationRequested);

    private async Task<ProtocolAnswer> SendOnceAsync(ProtocolRequest request, CancellationToken cancellationToken)
    {
        var nonce = Nonces.For(request.Uri);
        var (answer, hasNewNonce) = await SendWithNonceAsync(request, nonce, cancellationToken).ConfigureAwait(false);
        // RFC 9449 sections 8 and 9: once with the nonce that was just given.
        if (hasNewNonce && request.ProofKey is not null && !answer.IsSuccess && answer.Refusal().Error == DpopNonces.Wanted)
        {
            (answer, _) = await SendWithNonceAsync(request, Nonces.For(request.Uri), cancellationToken).ConfigureAwait(false);
        }
        return answer;
    }

    private async Task<(ProtocolAnswer Answer, bool HasNewNonce)> SendWithNonceAsync(
        ProtocolRequest request, string? nonce, CancellationToken cancellationToken)
    {
        using var message = await request.MakeMessageAsync(nonce, options.Time, cancellationToken).ConfigureAwait(false);
        using var response = await http.SendAsync(
            message, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        await response.Content.LoadIntoBufferAsync(MaxAnswer, cancellationToken).ConfigureAwait(false);
        var body = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
        return (
            new ProtocolAnswer(response.StatusCode, body, response.Headers.ETag?.ToString(), RetryAfter(response)),
            Nonces.Keep(request.Uri, response, nonce));
    }

    private TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } when date > options.Time.GetUtcNow() => date - options.Time.GetUtcNow(),
        { Date: not null } => TimeSpan.Zero,
        _ => null,
    };

    private TimeSpan Pause(int attempt)
    {
        var pause = options.RetryDelay * (1 << (attempt - 1));
        // By chance, so that many clients that lost the server together do not come back together.
        return pause * (1 + RandomNumberGenerator.GetInt32(0, 500) / 1000.0);
    }
}
