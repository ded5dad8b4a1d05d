namespace Dcr.Protocol;

/// <summary>The store cannot be reached or cannot write: the caller gets 503 and may try again.</summary>
public sealed class StoreUnavailableException : Exception
{
    private const int MaxReason = 300;

    public StoreUnavailableException()
    {
    }

    public StoreUnavailableException(string message)
        : base(message)
    {
    }

    public StoreUnavailableException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>
    /// The store turned the write away before it did anything. What the write rests on may be read and judged again, and the write be
    /// tried again then; it is never tried again by itself.
    /// </summary>
    public bool NothingWritten { get; init; }

    /// <summary>What is the matter, in one short line for the log.</summary>
    public string Reason
    {
        get
        {
            var reason = OAuthErrorResult.Printable(InnerException is { } cause ? $"{cause.GetType().Name}: {cause.Message}" : Message);
            return reason.Length <= MaxReason ? reason : reason[..MaxReason] + "...";
        }
    }
}
