using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using NetVips;

namespace Perceptual.Imaging;

/// <summary>
/// TIFF 6.0 and BigTIFF: gray, palette, RGB, CMYK and YCbCr of 1 to 16 bits, in strips or tiles, together or in planes,
/// with an alpha channel or without; uncompressed, PackBits, LZW, Deflate and JPEG, the last through libvips. Rows of
/// strips are decoded one by one, tiles a row of them at a time. libvips reads fax.
/// </summary>
internal sealed class TiffRows : StoredRows
{
    private const int JpegMost = 1 << 28; // bytes of a strip or tile
    private const int MostCoded = 8, MostTables = 1 << 14; // bytes for a byte of a strip or tile, and beside them

    private readonly Stream stream;
    private readonly TiffDirectory directory;
    private readonly TiffLayout layout;
    private readonly ImageReadOptions options;
    private readonly byte[] jpegTables = [];
    private readonly byte[] palette = []; // [colours, RGB]
    private readonly double[] fromYCbCr = []; // [red from Cr, green from Cb, from Cr, blue from Cb; reference]
    private readonly byte[] packed; // a row of a chunk, or of groups of subsampled pixels
    private readonly byte[] band; // [rows, width, samples, sample bytes], in the byte order of this machine
    private readonly int bandRows; // of a row of tiles, or of groups of subsampled pixels
    private readonly int rowBytes; // of the band
    private readonly Stream?[] chunks; // that are being read: one for each plane
    private int next; // row

    private TiffRows(
        Stream stream, TiffDirectory directory, TiffLayout layout, ImageReadOptions options)
    {
        (this.stream, this.directory, this.layout, this.options) = (stream, directory, layout, options);
        (Width, Height, SampleBytes) = (layout.Width, layout.Height, layout.Bits / 16 + 1);
        Orientation = (int)Math.Clamp(directory.Number(TiffLayout.Orientation, 1), 1, 9);
        Layout = (layout.Photometric, layout.Samples) switch
        {
            (TiffLayout.Palette, _) => PixelLayout.Rgb,
            (_, 1) => PixelLayout.Gray,
            (_, 2) => PixelLayout.GrayAlpha,
            (TiffLayout.Cmyk, _) => PixelLayout.Cmyk,
            (_, 3) => PixelLayout.Rgb,
            _ => PixelLayout.Rgba,
        };
        if (layout.Photometric == TiffLayout.Palette)
            palette = ReadPalette();
        if (layout.Photometric == TiffLayout.YCbCr && layout.Compression != TiffLayout.Jpeg)
            fromYCbCr = ReadConversion();
        if (layout.Compression == TiffLayout.Jpeg && directory.Count(TiffLayout.JpegTables) > 0)
            jpegTables = directory.Bytes(TiffLayout.JpegTables);
        bandRows = layout.IsTiled ? layout.ChunkHeight : layout.GroupHeight;
        chunks = new Stream?[layout.IsPlanar ? layout.Samples : 1];
        // A tile may be higher than the image.
        var held = Math.Min(bandRows, (Height + layout.GroupHeight - 1L) / layout.GroupHeight * layout.GroupHeight);
        rowBytes = Width * layout.Samples * SampleBytes;
        var bandBytes = (double)held * rowBytes;
        BytesHeld = bandBytes + ChunkRowBytes();
        ImageFile.CheckMemory(BytesHeld, options);
        band = new byte[checked((long)bandBytes)];
        packed = new byte[ChunkRowBytes()];
    }

    /// <summary>Opens a TIFF.</summary>
    /// <exception cref="EndOfStreamException">The file is cut short.</exception>
    /// <exception cref="InvalidDataException">It is damaged, or of a kind that cannot be read.</exception>
    public static StoredRows Open(Stream stream, string path, ImageReadOptions options)
    {
        var directory = new TiffDirectory(stream);
        var layout = new TiffLayout(directory, options);
        if (layout.IsFax)
            return VipsRows.Open(stream, path, "TIFF", source => Image.TiffloadSource(
                source, access: Enums.Access.Sequential, failOn: Enums.FailOn.Warning), options);
        var rows = new TiffRows(stream, directory, layout, options);
        return options.ConvertToSrgb && directory.Count(TiffLayout.Profile) > 0
            ? new SrgbRows(rows, directory.Bytes(TiffLayout.Profile))
            : rows;
    }

    public override void ReadRow(Span<byte> row)
    {
        if (next % bandRows == 0)
            FillBand();
        var stored = band.AsSpan(next % bandRows * rowBytes, rowBytes);
        next++;
        if (palette.Length == 0)
            stored.CopyTo(row);
        else
            for (var x = 0; x < Width; x++)
                palette.AsSpan(3 * stored[x], 3).CopyTo(row[(3 * x)..]);
        Convert(row);
    }

    public override void Dispose()
    {
        foreach (var chunk in chunks)
            chunk?.Dispose();
        stream.Dispose();
    }

    private int ChunkSamples => layout.IsPlanar ? 1 : layout.Samples;

    private long ChunkRowBytes() => layout.GroupWidth * layout.GroupHeight == 1
        ? ((long)layout.ChunkWidth * ChunkSamples * layout.Bits + 7) / 8
        : ((long)layout.ChunkWidth + layout.GroupWidth - 1) / layout.GroupWidth
            * (layout.GroupWidth * layout.GroupHeight + 2);

    private void FillBand()
    {
        for (var plane = 0; plane < chunks.Length; plane++)
            for (var column = 0; column < layout.Across; column++)
            {
                if (next % layout.ChunkHeight == 0)
                {
                    chunks[plane]?.Dispose();
                    chunks[plane] = OpenChunk(((long)plane * layout.Down + next / layout.ChunkHeight) * layout.Across
                        + column);
                }
                try
                {
                    Decode(chunks[plane]!, column * layout.ChunkWidth, plane);
                }
                catch (InvalidDataException)
                {
                    throw Damaged();
                }
            }
    }

    private static InvalidDataException Damaged() => new("the TIFF is damaged; get the file again");

    private void Decode(Stream chunk, int x, int plane)
    {
        for (var y = 0; y < bandRows; y += layout.GroupHeight)
        {
            chunk.ReadExactly(packed);
            if (next + y < Height)
                Unpack(y, x, plane);
        }
        // A check sum of all that was read is checked at the end.
        var end = next + bandRows;
        if (chunk is ZLibStream && (end % layout.ChunkHeight == 0 || end >= Height))
            chunk.ReadByte();
    }

    /// <summary>Brings a row of a chunk, or a row of groups, to its place in the band.</summary>
    private void Unpack(int y, int x, int plane)
    {
        var target = band.AsSpan(y * rowBytes, layout.GroupHeight * rowBytes);
        var columns = Math.Min(layout.ChunkWidth, Width - x);
        if (layout.GroupWidth * layout.GroupHeight > 1)
            UnpackGroups(target, x, columns);
        else if (layout.Bits == 16)
            Unpack16(MemoryMarshal.Cast<byte, ushort>(target)[(x * layout.Samples)..], columns, plane);
        else
            Unpack8(target[(x * layout.Samples)..], columns, plane);
    }

    private void Unpack8(Span<byte> target, int columns, int plane)
    {
        var (samples, step) = (ChunkSamples, layout.Samples / ChunkSamples);
        if (layout.Predictor)
            for (var i = samples; i < packed.Length; i++)
                packed[i] += packed[i - samples];
        if (layout.Bits == 8 && step == 1)
            packed.AsSpan(0, columns * samples).CopyTo(target);
        else if (layout.Bits == 8)
            for (var x = 0; x < columns; x++)
                target[x * step + plane] = packed[x];
        else
        {
            var most = (1 << layout.Bits) - 1;
            var scale = palette.Length > 0 ? 1 : 255 / most;
            for (var i = 0; i < columns * samples; i++)
            {
                var bit = (long)i * layout.Bits;
                var value = packed[bit / 8] >> (8 - layout.Bits - (int)(bit % 8)) & most;
                target[i * step + plane] = (byte)(value * scale);
            }
        }
    }

    private void Unpack16(Span<ushort> target, int columns, int plane)
    {
        var (samples, step) = (ChunkSamples, layout.Samples / ChunkSamples);
        var values = MemoryMarshal.Cast<byte, ushort>(packed.AsSpan());
        if (directory.BigEndian == BitConverter.IsLittleEndian)
            BinaryPrimitives.ReverseEndianness(values, values);
        if (layout.Predictor)
            for (var i = samples; i < values.Length; i++)
                values[i] += values[i - samples];
        for (var i = 0; i < columns * samples; i++)
            target[i * step + plane] = values[i];
    }

    // TIFF 6.0, section 21: the luma of a group, row by row, then its Cb and Cr.
    private void UnpackGroups(Span<byte> target, int x, int columns)
    {
        var (across, down) = (layout.GroupWidth, layout.GroupHeight);
        var rows = target.Length / (3 * Width);
        for (var y = 0; y < Math.Min(rows, down); y++)
            for (var i = 0; i < columns; i++)
            {
                var group = i / across * (across * down + 2);
                var to = 3 * (y * Width + x + i);
                target[to] = packed[group + y * across + i % across];
                target[to + 1] = packed[group + across * down];
                target[to + 2] = packed[group + across * down + 1];
            }
    }

    private void Convert(Span<byte> row)
    {
        if (layout.Photometric == TiffLayout.WhiteIsZero)
            Invert(row);
        if (fromYCbCr.Length > 0)
            ToRgb(row);
        if (layout.IsPremultiplied && SampleBytes == 1)
            Divide(row);
        else if (layout.IsPremultiplied)
            Divide(MemoryMarshal.Cast<byte, ushort>(row));
    }

    private void Invert(Span<byte> row)
    {
        var step = layout.Samples * SampleBytes; // alpha stays
        for (var i = 0; i < row.Length; i += step)
            for (var part = 0; part < SampleBytes; part++)
                row[i + part] ^= 0xFF;
    }

    private void ToRgb(Span<byte> row)
    {
        Span<double> scaled = stackalloc double[3];
        for (var i = 0; i < row.Length; i += 3)
        {
            for (var c = 0; c < 3; c++)
            {
                var (black, white) = (fromYCbCr[4 + 2 * c], fromYCbCr[5 + 2 * c]);
                scaled[c] = (row[i + c] - black) * (c == 0 ? 255 : 127) / (white - black);
            }
            row[i] = Round(scaled[0] + fromYCbCr[0] * scaled[2]);
            row[i + 1] = Round(scaled[0] + fromYCbCr[1] * scaled[1] + fromYCbCr[2] * scaled[2]);
            row[i + 2] = Round(scaled[0] + fromYCbCr[3] * scaled[1]);
        }

        static byte Round(double value) => (byte)Math.Clamp(Math.Round(value), 0, 255);
    }

    private void Divide(Span<byte> row)
    {
        for (var i = 0; i < row.Length; i += layout.Samples)
            if (row[i + layout.Colours] is > 0 and < 255 and var alpha)
                for (var c = 0; c < layout.Colours; c++)
                    row[i + c] = (byte)Math.Min(255, (row[i + c] * 255 + alpha / 2) / alpha);
    }

    private void Divide(Span<ushort> row)
    {
        for (var i = 0; i < row.Length; i += layout.Samples)
            if (row[i + layout.Colours] is > 0 and < ushort.MaxValue and var alpha)
                for (var c = 0; c < layout.Colours; c++)
                    row[i + c] = (ushort)Math.Min(ushort.MaxValue, (row[i + c] * 65535L + alpha / 2) / alpha);
    }

    private byte[] ReadPalette()
    {
        var colours = 1 << layout.Bits;
        long[] values = [.. Enumerable.Range(0, 3 * colours)
            .Select(i => directory.Number(TiffLayout.ColourMap, null, i))];
        var shift = values.Max() > 255 ? 8 : 0; // some write 8 bits, as libtiff's own tools know
        return [.. from i in Enumerable.Range(0, colours)
            from c in Enumerable.Range(0, 3)
            select (byte)(values[c * colours + i] >> shift)];
    }

    // TIFF 6.0, sections 20 and 21.
    private double[] ReadConversion()
    {
        double[] luma = directory.Count(TiffLayout.Coefficients) == 0
            ? [0.299, 0.587, 0.114]
            : [.. Enumerable.Range(0, 3).Select(i => directory.Fraction(TiffLayout.Coefficients, i))];
        double[] reference = directory.Count(TiffLayout.Reference) == 0
            ? [0, 255, 128, 255, 128, 255]
            : [.. Enumerable.Range(0, 6).Select(i => directory.Fraction(TiffLayout.Reference, i))];
        var (red, blue) = (2 - 2 * luma[0], 2 - 2 * luma[2]);
        double[] all = [red, -luma[2] * blue / luma[1], -luma[0] * red / luma[1], blue, .. reference];
        return all.All(double.IsFinite) && reference[0] != reference[1] && reference[2] != reference[3]
            && reference[4] != reference[5]
            ? all
            : throw new InvalidDataException("the TIFF is damaged: it does not say what its YCbCr pixels mean");
    }

    private Stream OpenChunk(long index)
    {
        var (offsets, lengths) = layout.IsTiled ? (324, 325) : (273, 279);
        var start = directory.Number(offsets, null, index);
        var rows = layout.IsTiled
            ? layout.ChunkHeight
            : Math.Min(layout.ChunkHeight, Height - next) + layout.GroupHeight - 1;
        var decoded = (long)(rows / layout.GroupHeight) * packed.Length;
        var length = layout.Compression == TiffLayout.Uncompressed
            ? decoded // what it is said to have is sometimes wrong
            : directory.Number(lengths, null, index);
        if (length <= 0 || start > stream.Length - length)
            throw new EndOfStreamException();
        // Else many chunks could share one that has no end of codes which say nothing.
        length = Math.Min(length, MostCoded * decoded + MostTables);
        var bytes = new PartStream(stream, start, length);
        return layout.Compression switch
        {
            TiffLayout.Uncompressed => bytes,
            TiffLayout.Deflate when ZlibHeader.NeedsDictionary(bytes) => throw Damaged(),
            TiffLayout.Deflate => new ZLibStream(bytes, CompressionMode.Decompress),
            TiffLayout.Jpeg => OpenJpeg(bytes, length),
            TiffLayout.PackBits => new PackBitsStream(new BufferedStream(bytes)),
            _ => OpenLzw(bytes),
        };
    }

    private static LzwStream OpenLzw(PartStream codes)
    {
        var (first, second) = (codes.ReadByte(), codes.ReadByte());
        codes.Position = 0;
        return first != 0 || (second & 1) == 0 // a table that is cleared is how the others begin
            ? new(codes, 8, isTiff: true)
            : throw new InvalidDataException("the TIFF has LZW of an old kind, which cannot be read; save it as PNG");
    }

    private JpegChunk OpenJpeg(Stream bytes, long length)
    {
        if (length > JpegMost)
            throw Damaged();
        var stored = new byte[length];
        bytes.ReadExactly(stored);
        var kind = ChunkSamples == 1 ? -1 : layout.Photometric == TiffLayout.YCbCr ? 1 : 0;
        var whole = new MemoryStream(JpegMarkers.Join(jpegTables, stored, kind));
        // A tile may be larger than the image.
        var rows = VipsRows.OpenJpeg(whole, "", new() { MaxPixels = options.MaxPixels is null ? null : long.MaxValue });
        if (rows.Width == layout.ChunkWidth && rows.Height <= layout.ChunkHeight && rows.Samples == ChunkSamples)
            return new JpegChunk(rows);
        rows.Dispose();
        throw Damaged();
    }

    /// <summary>The rows of a JPEG as a stream that is read by rows.</summary>
    private sealed class JpegChunk(StoredRows rows) : DecodingStream(Null)
    {
        private int left = rows.Height;

        public override int Read(Span<byte> buffer)
        {
            if (left-- <= 0)
                return 0;
            rows.ReadRow(buffer);
            if (rows.Layout == PixelLayout.Cmyk)
                for (var i = 0; i < buffer.Length; i++)
                    buffer[i] ^= 0xFF; // with Adobe's marker they are inverted, in a TIFF they are not
            return buffer.Length;
        }

        protected override void Dispose(bool disposing)
        {
            rows.Dispose();
            base.Dispose(disposing);
        }
    }

    /// <summary>Runs of bytes (TIFF 6.0, section 9).</summary>
    private sealed class PackBitsStream(Stream coded) : DecodingStream(coded)
    {
        private int repeats, singles; // bytes left of the packet
        private byte repeated;

        public override int Read(Span<byte> buffer)
        {
            while (repeats == 0 && singles == 0)
            {
                var packet = Coded.ReadByte();
                if (packet < 0)
                    return 0;
                if (packet < 128)
                    singles = packet + 1;
                else if (packet > 128)
                    (repeats, repeated) = (257 - packet, (byte)Next());
            }
            var count = Math.Min(buffer.Length, repeats + singles);
            if (singles > 0)
                Coded.ReadExactly(buffer[..count]);
            else
                buffer[..count].Fill(repeated);
            (repeats, singles) = repeats > 0 ? (repeats - count, 0) : (0, singles - count);
            return count;
        }

        private int Next() => Coded.ReadByte() is >= 0 and var value ? value : throw new EndOfStreamException();
    }

    /// <summary>A part of a stream that others read too, and that stays open.</summary>
    private sealed class PartStream(Stream whole, long start, long length) : DecodingStream(Null)
    {
        private long at;

        public override bool CanSeek => true;

        public override long Length => length;

        public override long Position { get => at; set => at = value; }

        public override int Read(Span<byte> buffer)
        {
            whole.Position = start + at;
            var count = whole.Read(buffer[..(int)Math.Min(buffer.Length, length - at)]);
            at += count;
            return count;
        }

        public override long Seek(long offset, SeekOrigin origin) => at = origin switch
        {
            SeekOrigin.Begin => offset,
            SeekOrigin.Current => at + offset,
            _ => length + offset,
        };
    }
}
