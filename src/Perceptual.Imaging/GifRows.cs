using System.Buffers.Binary;

namespace Perceptual.Imaging;

/// <summary>
/// The first image of a GIF (87a, 89a) on its canvas, which is transparent outside of it. What comes after the image
/// is not looked at. Only an interlaced image is held whole.
/// </summary>
internal sealed class GifRows : StoredRows
{
    private const int Extension = 0x21, GraphicControl = 0xF9, ImageStart = 0x2C, End = 0x3B;

    private readonly Stream stream;
    private readonly LzwStream indices;
    private readonly byte[] palette; // [colours, RGB]
    private readonly int left, top, width, height; // of the image on the canvas
    private readonly int transparent = -1; // a place in the palette
    private readonly byte[] line;
    private readonly byte[] interlaced = []; // [height, width], if the rows are not in order
    private int next; // row of the canvas

    public GifRows(Stream stream, ImageReadOptions options)
    {
        this.stream = stream;
        var screen = Read(13);
        (Width, Height) = (UInt16(screen, 6), UInt16(screen, 8));
        ImageFile.CheckSize(Width, Height, options);
        palette = ReadPalette(screen[10]);
        int block;
        while ((block = Byte()) == Extension)
            if (Byte() != GraphicControl)
                SkipBlocks();
            else
            {
                var control = Read(Byte());
                if (control.Length < 4)
                    throw Damaged();
                transparent = (control[0] & 1) == 1 ? control[3] : -1;
                SkipBlocks();
            }
        if (block == End)
            throw new InvalidDataException("the GIF has no image; get the file again");
        if (block != ImageStart)
            throw Damaged();
        var image = Read(9);
        (left, top, width, height) = (UInt16(image, 0), UInt16(image, 2), UInt16(image, 4), UInt16(image, 6));
        if (width == 0 || height == 0)
            throw Damaged();
        if (left + width > Width || top + height > Height)
            throw new InvalidDataException("the GIF has an image that is larger than its canvas; save it as PNG");
        if ((image[8] & 0x80) != 0)
            palette = ReadPalette(image[8]);
        if (Byte() is not (>= 2 and <= 8 and var bits))
            throw Damaged();
        indices = new(new Blocks(stream), bits, isTiff: false);
        line = new byte[width];
        Layout = transparent < 0 && (width, height) == (Width, Height) ? PixelLayout.Rgb : PixelLayout.Rgba;
        if ((image[8] & 0x40) == 0)
            return;
        BytesHeld = (double)width * height;
        ImageFile.CheckMemory(BytesHeld, options);
        interlaced = new byte[width * (long)height];
    }

    public override void ReadRow(Span<byte> row)
    {
        try
        {
            var y = next++ - top;
            row.Clear();
            if (y < 0 || y >= height)
                return;
            if (interlaced.Length > 0 && y == 0)
                ReadInterlaced();
            if (interlaced.Length > 0)
                interlaced.AsSpan(y * width, width).CopyTo(line);
            else
                indices.ReadExactly(line);
            Expand(row[(left * Samples)..]);
        }
        catch (InvalidDataException)
        {
            throw Damaged();
        }
    }

    public override void Dispose() => stream.Dispose();

    private static ushort UInt16(byte[] bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at));

    private static InvalidDataException Damaged() => new("the GIF is damaged; get the file again");

    private byte[] Read(int count)
    {
        var bytes = new byte[count];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private int Byte() => stream.ReadByte() is >= 0 and var value ? value : throw new EndOfStreamException();

    private byte[] ReadPalette(byte flags) => (flags & 0x80) == 0 ? [] : Read(3 << (flags & 7) + 1);

    private void SkipBlocks()
    {
        for (int length; (length = Byte()) > 0;)
            Read(length);
    }

    // GIF89a, appendix E.
    private void ReadInterlaced()
    {
        foreach (var (first, step) in new[] { (0, 8), (4, 8), (2, 4), (1, 2) })
            for (var y = first; y < height; y += step)
                indices.ReadExactly(interlaced.AsSpan(y * width, width));
    }

    private void Expand(Span<byte> row)
    {
        var samples = Samples;
        for (var x = 0; x < width; x++)
        {
            var index = line[x];
            if (3 * index >= palette.Length)
                throw Damaged();
            palette.AsSpan(3 * index, 3).CopyTo(row[(samples * x)..]);
            if (samples == 4)
                row[4 * x + 3] = index == transparent ? byte.MinValue : byte.MaxValue;
        }
    }

    /// <summary>What sub-blocks hold, one after another, up to the empty one.</summary>
    private sealed class Blocks(Stream stream) : DecodingStream(stream)
    {
        private int left; // of this block
        private bool ended;

        public override int Read(Span<byte> buffer)
        {
            if (left == 0 && !ended)
            {
                left = Coded.ReadByte();
                if (left < 0)
                    throw new EndOfStreamException();
                ended = left == 0;
            }
            var count = Coded.Read(buffer[..Math.Min(buffer.Length, left)]);
            left -= count;
            return count > 0 || left == 0 ? count : throw new EndOfStreamException();
        }
    }
}
