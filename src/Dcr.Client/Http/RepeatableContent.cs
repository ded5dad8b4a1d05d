using System.Net;

namespace Dcr.Client;

/// <summary>
/// A body whose length is not known before it is sent: kept while it is sent for the first time, so that it can be sent once more. One that
/// turns out larger than that is sent all the same, and not kept.
/// </summary>
internal sealed class RepeatableContent : HttpContent
{
    private readonly HttpContent _inner;
    private readonly int _longest;
    private volatile byte[]? _whole;

    public RepeatableContent(HttpContent inner, int longest)
    {
        (_inner, _longest) = (inner, longest);
        foreach (var (name, values) in inner.Headers.NonValidated)
        {
            Headers.TryAddWithoutValidation(name, values);
        }
    }

    /// <summary>All of it was sent once, and is kept.</summary>
    public bool IsKept => _whole is not null;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (_whole is { } kept)
        {
            await stream.WriteAsync(kept, cancellationToken).ConfigureAwait(false);
            return;
        }
        using var copy = new MemoryStream();
        var copying = new CopyingStream(stream, copy, _longest);
        await using (copying.ConfigureAwait(false))
        {
            await _inner.CopyToAsync(copying, context, cancellationToken).ConfigureAwait(false);
        }
        _whole = copying.IsTooLong ? null : copy.ToArray();
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _inner.Dispose();
        }
        base.Dispose(disposing);
    }

    /// <summary>Passes on what is written and keeps the beginning of it. What it writes to belongs to others.</summary>
    private sealed class CopyingStream(Stream target, MemoryStream copy, int longest) : Stream
    {
        public bool IsTooLong { get; private set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Keep(buffer);
            target.Write(buffer);
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Keep(buffer.Span);
            return target.WriteAsync(buffer, cancellationToken);
        }

        public override void Flush() => target.Flush();

        public override Task FlushAsync(CancellationToken cancellationToken) => target.FlushAsync(cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        private void Keep(ReadOnlySpan<byte> buffer)
        {
            IsTooLong |= copy.Length + buffer.Length > longest;
            if (IsTooLong)
            {
                copy.SetLength(0);
                copy.Capacity = 0;
                return;
            }
            copy.Write(buffer);
        }
    }
}
