namespace Perceptual.Imaging;

/// <summary>What another stream says, decoded; it is read once, from its start.</summary>
/// <param name="coded">Taken over.</param>
internal abstract class DecodingStream(Stream coded) : Stream
{
    /// <summary>What is decoded.</summary>
    protected Stream Coded => coded;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public abstract override int Read(Span<byte> buffer);

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        coded.Dispose();
        base.Dispose(disposing);
    }
}
