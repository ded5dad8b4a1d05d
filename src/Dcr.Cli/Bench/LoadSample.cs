namespace Dcr.Cli;

/// <summary>One request of a load.</summary>
/// <param name="Latency">From sending it to the last byte of its answer.</param>
/// <param name="Signing">What it took to sign what proves the client, before that.</param>
/// <param name="Failure">The status and the error code, or why there was no answer. Null: a success.</param>
internal readonly record struct LoadSample(TimeSpan Latency, TimeSpan Signing, string? Failure);
