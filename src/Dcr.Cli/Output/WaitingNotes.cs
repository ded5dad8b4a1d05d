using System.Collections.Concurrent;
using System.Globalization;
using System.Net;

namespace Dcr.Cli;

/// <summary>Says that a server lets its user wait, so that a long silence is none.</summary>
/// <param name="inner">Where requests go.</param>
/// <param name="note">For the user.</param>
/// <param name="tries">How often a request is sent at most, by whoever sends them through here.</param>
/// <param name="patience">How long nothing is said.</param>
/// <param name="time">The clock.</param>
internal sealed class WaitingNotes(HttpMessageHandler inner, Action<string> note, int tries, TimeSpan patience, TimeProvider time)
    : DelegatingHandler(inner)
{
    // How often each request has failed since it last succeeded.
    private readonly ConcurrentDictionary<string, int> _failures = new(StringComparer.Ordinal);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var name = $"{request.Method.Method} {request.RequestUri}";
        var failures = _failures.GetValueOrDefault(name);
        var host = request.RequestUri!.Authority;
        if (failures > 0)
        {
            note(Text(host, failures + 1));
        }
        try
        {
            var response = await AnswerAsync(request, host, failures, cancellationToken);
            if (response.StatusCode is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError)
            {
                _failures[name] = failures + 1;
            }
            else
            {
                _failures.TryRemove(name, out _);
            }
            return response;
        }
        catch
        {
            _failures[name] = failures + 1;
            throw;
        }
    }

    private async Task<HttpResponseMessage> AnswerAsync(
        HttpRequestMessage request, string host, int failures, CancellationToken cancellationToken)
    {
        var answer = base.SendAsync(request, cancellationToken);
        using var answered = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (failures == 0
            && await Task.WhenAny(answer, Task.Delay(patience, time, answered.Token)) != answer
            && !cancellationToken.IsCancellationRequested)
        {
            note(Text(host, attempt: 1));
        }
        await answered.CancelAsync();
        return await answer;
    }

    private string Text(string host, int attempt) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{host} does not answer yet: waiting{(tries > 1 ? $", try {Math.Min(attempt, tries)} of {tries}" : "")}");
}
