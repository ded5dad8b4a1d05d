using System.Diagnostics;
using System.Diagnostics.Metrics;
using MediatR;

namespace Dcr.Protocol;

/// <summary>Observes each use case, whatever comes of it: a span of a trace, and how long it took by its outcome.</summary>
internal sealed class ObservationBehavior<TRequest, TResponse>(UseCaseMetrics metrics, TimeProvider time)
    : IPipelineBehavior<TRequest, TResponse>
    where TRequest : notnull
{
    private static readonly string s_useCase = typeof(TRequest).Name;

    public async Task<TResponse> Handle(TRequest request, CancellationToken cancellationToken, RequestHandlerDelegate<TResponse> next)
    {
        using var span = DcrActivities.Source.StartActivity(s_useCase);
        var started = time.GetTimestamp();
        var outcome = "fault";
        try
        {
            var response = await next();
            outcome = response is IRefusable { Error: { } error } ? error.Code : "ok";
            return response;
        }
        finally
        {
            span?.SetTag("dcr.outcome", outcome);
            metrics.Ended(s_useCase, outcome, time.GetElapsedTime(started));
        }
    }
}

/// <summary>
/// How long use cases take. Both labels have closed sets of values: the use cases, and the error codes with <c>ok</c> and <c>fault</c>.
/// </summary>
internal sealed class UseCaseMetrics
{
    private readonly Histogram<double> _durations;

    public UseCaseMetrics(IMeterFactory meters) =>
        _durations = meters.Create(DcrMeter.Name).CreateHistogram<double>("dcr.use_case.duration", "s", "Use cases, by name and outcome.");

    public void Ended(string useCase, string outcome, TimeSpan duration) => _durations.Record(
        duration.TotalSeconds,
        KeyValuePair.Create<string, object?>("use_case", useCase),
        KeyValuePair.Create<string, object?>("outcome", outcome));
}

/// <summary>The source of the server's spans, for whoever exports traces.</summary>
public static class DcrActivities
{
    public const string Name = "Dcr";

    internal static readonly ActivitySource Source = new(Name);
}
