using System.Collections.Concurrent;
using System.Net;
using Dcr.Client;

namespace Dcr.ClientTests.Support;

/// <summary>A network on which requests and answers get lost when a test says so.</summary>
public sealed class FaultyHandler() : DelegatingHandler(new SocketsHttpHandler { AllowAutoRedirect = false })
{
    private readonly ConcurrentDictionary<HttpMethod, Faults> _faults = new();

    /// <summary>Everything that was sent, with headers, oldest first.</summary>
    public ConcurrentQueue<SentRequest> Sent { get; } = new();

    /// <summary>The next requests of this method are carried out, and their answers lost.</summary>
    public FaultyHandler LoseAnswers(HttpMethod method, int count = 1) => With(method, new Faults { LostAnswers = count });

    /// <summary>The next requests of this method do not arrive.</summary>
    public FaultyHandler LoseRequests(HttpMethod method, int count = 1) => With(method, new Faults { LostRequests = count });

    /// <summary>The next requests of this method are answered by something in front of the server.</summary>
    public FaultyHandler Answer(HttpMethod method, HttpStatusCode status, int count = 1) => With(method, new Faults { Status = status, Answers = count });

    /// <summary>The answers that were lost.</summary>
    public ConcurrentQueue<string> Lost { get; } = new();

    public int Count(HttpMethod method, string path) => Sent.Count(sent => sent.Method == method && sent.Uri.AbsolutePath.StartsWith(path, StringComparison.Ordinal));

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Sent.Enqueue(SentRequest.Of(request) with { Body = request.Content is null ? null : await request.Content.ReadAsStringAsync(cancellationToken) });
        // Discovery and token requests have faults of their own tests.
        var faults = request.RequestUri!.AbsolutePath.StartsWith("/oauth/register", StringComparison.Ordinal) ? _faults.GetValueOrDefault(request.Method) : null;
        if (faults?.TakeRequest() == true)
        {
            throw new HttpRequestException("The request is lost.");
        }
        if (faults?.TakeStatus() is { } status)
        {
            return new HttpResponseMessage(status) { Content = new StringContent("<html>away</html>"), RequestMessage = request };
        }
        var response = await base.SendAsync(request, cancellationToken);
        if (faults?.TakeAnswer() == true)
        {
            Lost.Enqueue(await response.Content.ReadAsStringAsync(cancellationToken));
            response.Dispose();
            throw new HttpRequestException("The answer is lost.");
        }
        return response;
    }

    private FaultyHandler With(HttpMethod method, Faults faults)
    {
        _faults[method] = faults;
        return this;
    }

    private sealed class Faults
    {
        public int LostAnswers { get; set; }

        public int LostRequests { get; set; }

        public int Answers { get; set; }

        public HttpStatusCode Status { get; init; }

        public bool TakeRequest() => LostRequests-- > 0;

        public bool TakeAnswer() => LostAnswers-- > 0;

        public HttpStatusCode? TakeStatus() => Answers-- > 0 ? Status : null;
    }
}

/// <summary>A request as it was sent: what a message says changes when it is sent again.</summary>
public sealed record SentRequest(HttpMethod Method, Uri Uri, string? Authorization, string? Dpop, string? IdempotencyKey, string? IfMatch)
{
    public string? Attestation { get; init; }

    public string? Body { get; init; }

    public static SentRequest Of(HttpRequestMessage request) => new(
        request.Method, request.RequestUri!, request.Headers.Authorization?.ToString(), Header(request, "DPoP"), Header(request, "Idempotency-Key"), Header(request, "If-Match"))
    {
        Attestation = Header(request, ClientAttestation.Header),
    };

    private static string? Header(HttpRequestMessage request, string name) =>
        request.Headers.NonValidated.TryGetValues(name, out var values) ? string.Join(", ", values) : null;
}
