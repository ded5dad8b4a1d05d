namespace Dcr.Protocol;

/// <summary>
/// This server has too many downloads under way, and the one that is needed did not come to its turn: an outage of its own, and no
/// fault of the caller or of its host. The caller gets 503 and may try again.
/// </summary>
internal sealed class DownloadsBusyException : Exception
{
    public DownloadsBusyException()
        : base("Too many downloads are under way.")
    {
    }

    public DownloadsBusyException(string message)
        : base(message)
    {
    }

    public DownloadsBusyException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
