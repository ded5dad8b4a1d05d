namespace Dcr.Cli;

/// <summary>
/// Load of one kind: so many workers, each of which sends one request after the other. What is measured begins after a
/// warm-up of the same kind.
/// </summary>
/// <param name="parallel">How many workers.</param>
/// <param name="requestAsync">Sends the request of a number, counted from 0, and never fails but by being stopped.</param>
/// <param name="time">The clock.</param>
internal sealed class LoadPhase(int parallel, Func<int, CancellationToken, Task<LoadSample>> requestAsync, TimeProvider time)
{
    private int _next = -1;

    /// <summary>So many requests, the first tenth of them to warm up.</summary>
    public async Task<(LoadFigures WarmUp, LoadFigures Measured)> RunCountAsync(
        int count, IProgress<double> progress, CancellationToken cancellationToken)
    {
        Func<int, bool> Until(int end) => number =>
        {
            progress.Report((double)number / count);
            return number < end;
        };
        var warmUp = await RunAsync(Until(count / 10), cancellationToken);
        // Each worker has taken a number more than there were.
        _next = count / 10 - 1;
        return (warmUp, await RunAsync(Until(count), cancellationToken));
    }

    /// <summary>For so long, after a tenth of that to warm up.</summary>
    public async Task<(LoadFigures WarmUp, LoadFigures Measured)> RunForAsync(
        TimeSpan length, IProgress<double> progress, CancellationToken cancellationToken)
    {
        var warmUpLength = length / 10;
        Func<int, bool> For(TimeSpan lasts, TimeSpan before)
        {
            var start = time.GetTimestamp();
            return _ =>
            {
                var elapsed = time.GetElapsedTime(start);
                progress.Report((before + elapsed) / (warmUpLength + length));
                return elapsed < lasts;
            };
        }
        var warmUp = await RunAsync(For(warmUpLength, TimeSpan.Zero), cancellationToken);
        return (warmUp, await RunAsync(For(length, warmUpLength), cancellationToken));
    }

    private async Task<LoadFigures> RunAsync(Func<int, bool> goesOn, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        var samples = await Task.WhenAll(
            Enumerable.Range(0, parallel).Select(_ => Task.Run(() => WorkAsync(goesOn, cancellationToken), cancellationToken)));
        var elapsed = time.GetElapsedTime(start);
        return new LoadFigures([.. samples.SelectMany(ofWorker => ofWorker)], elapsed, parallel);
    }

    private async Task<List<LoadSample>> WorkAsync(Func<int, bool> goesOn, CancellationToken cancellationToken)
    {
        var samples = new List<LoadSample>();
        while (Interlocked.Increment(ref _next) is var number && goesOn(number))
        {
            samples.Add(await requestAsync(number, cancellationToken));
        }
        return samples;
    }
}
