using System.Globalization;
using System.Numerics;

namespace Perceptual;

/// <summary>
/// An RGB image in memory: three planes of 8-bit, 16-bit or float samples, kept as given, with the range that says what
/// black and white are. Immutable, so it can be shared between threads.
/// </summary>
public sealed class RgbImage
{
    private readonly byte[][]? bytes;
    private readonly ushort[][]? words;
    private readonly float[][]? floats;

    private RgbImage(Array planes, int width, int height, ValueRange range)
    {
        bytes = planes as byte[][];
        words = planes as ushort[][];
        floats = planes as float[][];
        Width = width;
        Height = height;
        Range = range;
    }

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>What black and white are in the samples.</summary>
    public ValueRange Range { get; }

    /// <summary>The size as people write it, "640x480".</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Width}x{Height}");

    /// <summary>An image of 8-bit samples, pixel after pixel.</summary>
    /// <param name="pixels">Rows from the top.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="format">Which samples a pixel has, and in which order.</param>
    /// <param name="stride">Samples from the start of a row to that of the next; 0 if there is no gap.</param>
    /// <exception cref="ArgumentException">The number of samples is not that of the image (with a stride: is less than
    /// it needs), a side is less than 1, the stride is shorter than a row, or a pixel is transparent.</exception>
    public static RgbImage FromInterleaved(ReadOnlySpan<byte> pixels, int width, int height,
        PixelFormat format = PixelFormat.Rgb, int stride = 0) =>
        new(Split(pixels, width, height, format, stride, byte.MaxValue), width, height, ValueRange.Byte);

    /// <summary>An image of 16-bit samples (0 to 65535), pixel after pixel.</summary>
    /// <inheritdoc cref="FromInterleaved(ReadOnlySpan{byte}, int, int, PixelFormat, int)" path="/param"/>
    /// <inheritdoc cref="FromInterleaved(ReadOnlySpan{byte}, int, int, PixelFormat, int)" path="/exception"/>
    public static RgbImage FromInterleaved(ReadOnlySpan<ushort> pixels, int width, int height,
        PixelFormat format = PixelFormat.Rgb, int stride = 0) =>
        new(Split(pixels, width, height, format, stride, ushort.MaxValue), width, height, ValueRange.UInt16);

    /// <summary>An image of float samples, pixel after pixel.</summary>
    /// <param name="pixels">Rows from the top.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="range">The values of black and white; for alpha, those of transparent and opaque, which are 0 and 1
    /// with linear light.</param>
    /// <param name="format">Which samples a pixel has, and in which order.</param>
    /// <param name="stride">Samples from the start of a row to that of the next; 0 if there is no gap.</param>
    /// <exception cref="ArgumentException">As with 8-bit samples, or a sample is NaN, infinite or outside
    /// <paramref name="range"/>.</exception>
    public static RgbImage FromInterleaved(ReadOnlySpan<float> pixels, int width, int height, ValueRange range,
        PixelFormat format = PixelFormat.Rgb, int stride = 0) =>
        new(Checked(
            Split(pixels, width, height, format, stride, range.IsLinearLight ? 1 : range.Maximum), width, range),
            width, height, range);

    /// <summary>An image of three planes of 8-bit samples, each width * height, rows from the top.</summary>
    /// <exception cref="ArgumentException">A plane's length is not width * height.</exception>
    public static RgbImage FromPlanes(
        ReadOnlySpan<byte> red, ReadOnlySpan<byte> green, ReadOnlySpan<byte> blue, int width, int height) =>
        new(Copy(red, green, blue, width, height), width, height, ValueRange.Byte);

    /// <summary>
    /// An image of three planes of 16-bit samples (0 to 65535), each width * height, rows from the top.
    /// </summary>
    /// <exception cref="ArgumentException">A plane's length is not width * height.</exception>
    public static RgbImage FromPlanes(
        ReadOnlySpan<ushort> red, ReadOnlySpan<ushort> green, ReadOnlySpan<ushort> blue, int width, int height) =>
        new(Copy(red, green, blue, width, height), width, height, ValueRange.UInt16);

    /// <summary>An image of three planes of float samples, each width * height, rows from the top.</summary>
    /// <exception cref="ArgumentException">A plane's length is not width * height, or a sample is NaN, infinite or
    /// outside <paramref name="range"/>.</exception>
    public static RgbImage FromPlanes(
        ReadOnlySpan<float> red, ReadOnlySpan<float> green, ReadOnlySpan<float> blue, int width, int height,
        ValueRange range) =>
        new(Checked(Copy(red, green, blue, width, height), width, range), width, height, range);

    /// <summary>
    /// Takes over three planes, each width * height, without copying them: the caller must not write to them again.
    /// </summary>
    /// <exception cref="ArgumentException">There are not three planes of this size.</exception>
    public static RgbImage Own(byte[][] planes, int width, int height) =>
        new(Three(planes, width, height), width, height, ValueRange.Byte);

    /// <inheritdoc cref="Own(byte[][], int, int)"/>
    public static RgbImage Own(ushort[][] planes, int width, int height) =>
        new(Three(planes, width, height), width, height, ValueRange.UInt16);

    /// <inheritdoc cref="Own(byte[][], int, int)"/>
    /// <exception cref="ArgumentException">
    /// There are not three planes of this size, or a sample is NaN, infinite or outside <paramref name="range"/>.
    /// </exception>
    public static RgbImage Own(float[][] planes, int width, int height, ValueRange range) =>
        new(Checked(Three(planes, width, height), width, range), width, height, range);

    /// <summary>Reads all rows of an image into memory.</summary>
    /// <exception cref="ArgumentException">The reader is in use or has been read from, or the image is too large
    /// for memory.</exception>
    /// <inheritdoc cref="RgbRowReader.ReadStoredRow(Span{float}, Span{float}, Span{float})" path="/exception"/>
    public static RgbImage FromRows(RgbRowReader rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        rows.Begin();
        return FromBegunRows(rows);
    }

    /// <summary>The same of rows that the caller has claimed already.</summary>
    internal static RgbImage FromBegunRows(RgbRowReader rows)
    {
        if (rows is Rows { Image: var image })
            return image;
        if (rows.Range == ValueRange.Byte)
            return Own(Planes<byte>(), rows.Width, rows.Height);
        if (rows.Range == ValueRange.UInt16)
            return Own(Planes<ushort>(), rows.Width, rows.Height);
        return Own(Planes<float>(), rows.Width, rows.Height, rows.Range);

        T[][] Planes<T>() where T : unmanaged, INumber<T>
        {
            var (count, width) = (PlaneLength(rows.Width, rows.Height), rows.Width);
            T[][] planes = [new T[count], new T[count], new T[count]];
            float[][] row = [new float[width], new float[width], new float[width]];
            for (var y = 0; y < rows.Height; y++)
            {
                rows.ReadStoredRow(row[0], row[1], row[2]);
                for (var c = 0; c < 3; c++)
                    for (var x = 0; x < width; x++)
                    {
                        var sample = T.CreateTruncating(row[c][x]);
                        planes[c][y * width + x] = float.CreateTruncating(sample) == row[c][x] ? sample
                            : throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                                $"the {ChannelNames[c]} sample at x {x}, y {y} is {row[c][x]}, but samples of the "
                                    + $"range {rows.Range} are whole numbers"));
                    }
            }
            return planes;
        }
    }

    /// <summary>Copies one row of a channel as stored: converted to float, not scaled.</summary>
    /// <param name="channel">0 red, 1 green, 2 blue.</param>
    /// <param name="y">The row, 0 at the top.</param>
    /// <param name="row">Receives <see cref="Width"/> values.</param>
    /// <exception cref="ArgumentException">There is no such channel or row, or the span is shorter than
    /// a row.</exception>
    public void CopyStoredRow(int channel, int y, Span<float> row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(channel);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(channel, 2);
        ArgumentOutOfRangeException.ThrowIfNegative(y);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(y, Height);
        if (row.Length < Width)
            throw new ArgumentException($"{row.Length} values are too few for a row of {Width}", nameof(row));
        var start = y * Width;
        if (floats is not null)
            floats[channel].AsSpan(start, Width).CopyTo(row);
        else if (words is not null)
            ValueRange.Widen(words[channel].AsSpan(start, Width), row);
        else
            ValueRange.Widen(bytes![channel].AsSpan(start, Width), row);
    }

    /// <summary>Copies one row of a channel, scaled to [-1, 1].</summary>
    /// <inheritdoc cref="CopyStoredRow" path="/param"/>
    /// <inheritdoc cref="CopyStoredRow" path="/exception"/>
    public void CopyRow(int channel, int y, Span<float> row)
    {
        CopyStoredRow(channel, y, row);
        Range.Scale(row[..Width]);
    }

    /// <summary>
    /// The image at another size, as Pillow's <c>Image.resize</c> computes it: bit-exact for 8-bit samples; 16-bit and
    /// float samples are weighed in double precision with the same weights and clipped to their range.
    /// </summary>
    /// <exception cref="ArgumentException">A side is less than 1, or the result would have too many pixels.</exception>
    public RgbImage Resize(int width, int height, ResizeFilter filter)
    {
        PlaneLength(width, height);
        if (width == Width && height == Height)
            return this;
        if (floats is not null)
            return Own(
                Array.ConvertAll(floats,
                    plane => Perceptual.Resize.Plane(plane, Width, Height, width, height, filter, Range)),
                width, height, Range);
        if (words is not null)
            return Own(Array.ConvertAll(words,
                plane => Perceptual.Resize.Plane(plane, Width, Height, width, height, filter)), width, height);
        return Own(Array.ConvertAll(bytes!,
            plane => Perceptual.Resize.Plane(plane, Width, Height, width, height, filter)), width, height);
    }

    /// <summary>
    /// The image resized so that its shorter side has this length, and the other side is in proportion, rounded down,
    /// as torchvision's <c>Resize(length)</c> does it. The images of judgements are loaded in this way.
    /// </summary>
    /// <inheritdoc cref="Resize" path="/exception"/>
    public RgbImage ResizeShorterSide(int length, ResizeFilter filter) => Width <= Height
        ? Resize(length, Side((long)length * Height / Width), filter)
        : Resize(Side((long)length * Width / Height), length, filter);

    // One that is longer is too long in any case.
    private static int Side(long length) => (int)Math.Min(length, int.MaxValue);

    /// <summary>A reader of the image's rows.</summary>
    public RgbRowReader OpenRows() => new Rows(this);

    private static T[][] Split<T>(
        ReadOnlySpan<T> pixels, int width, int height, PixelFormat format, int stride, T opaque) where T : INumber<T>
    {
        var (samples, red, blue) = format switch
        {
            PixelFormat.Rgb => (3, 0, 2),
            PixelFormat.Bgr => (3, 2, 0),
            PixelFormat.Rgba or PixelFormat.Rgbx => (4, 0, 2),
            PixelFormat.Bgra or PixelFormat.Bgrx => (4, 2, 0),
            PixelFormat.Gray => (1, 0, 0),
            _ => throw new ArgumentOutOfRangeException(nameof(format), format, "is not a pixel format"),
        };
        var count = PlaneLength(width, height);
        CheckLength(pixels, samples, width, height, stride);
        if (stride == 0)
            stride = samples * width;
        int[] offsets = format == PixelFormat.Gray ? [0] : [red, 1, blue];
        var planes = Array.ConvertAll(offsets, _ => new T[count]);
        for (var y = 0; y < height; y++)
        {
            var row = pixels.Slice(y * stride, samples * width);
            if (format is PixelFormat.Rgba or PixelFormat.Bgra)
                CheckOpaque(row, y, opaque);
            for (var c = 0; c < offsets.Length; c++)
            {
                var plane = planes[c].AsSpan(y * width, width);
                for (var x = 0; x < width; x++)
                    plane[x] = row[samples * x + offsets[c]];
            }
        }
        return planes is [var gray] ? [gray, gray, gray] : planes;
    }

    private static void CheckLength<T>(ReadOnlySpan<T> pixels, int samples, int width, int height, int stride)
    {
        var length = pixels.Length;
        var row = (long)samples * width;
        if (stride == 0 && length != row * height)
            throw new ArgumentException(
                $"{length} samples are not the {samples} x {width} x {height} of the image", nameof(pixels));
        if (stride == 0)
            return;
        if (stride < row)
            throw new ArgumentException($"a stride of {stride} is shorter than a row of {row} samples", nameof(stride));
        if (length < stride * (height - 1L) + row)
            throw new ArgumentException(
                $"{length} samples are too few for {height} rows of {row} with a stride of {stride}",
                nameof(pixels));
    }

    private static void CheckOpaque<T>(ReadOnlySpan<T> pixels, int y, T opaque) where T : INumber<T>
    {
        for (var i = 3; i < pixels.Length; i += 4)
            if (pixels[i] != opaque)
                throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                    $"the pixel at x {i / 4}, y {y} is transparent, alpha {pixels[i]} of {opaque}: blend it over a "
                    + $"background, or take its colour as it is with a format without alpha, such as Rgbx"),
                    nameof(pixels));
    }

    private static T[][] Copy<T>(ReadOnlySpan<T> red, ReadOnlySpan<T> green, ReadOnlySpan<T> blue,
        int width, int height)
    {
        var count = PlaneLength(width, height);
        if (red.Length != count || green.Length != count || blue.Length != count)
            throw new ArgumentException($"planes of {red.Length}, {green.Length} and {blue.Length} samples are not "
                + $"three of {width} x {height}");
        return [red.ToArray(), green.ToArray(), blue.ToArray()];
    }

    private static T[][] Three<T>(T[][] planes, int width, int height)
    {
        ArgumentNullException.ThrowIfNull(planes);
        foreach (var plane in planes)
            ArgumentNullException.ThrowIfNull(plane);
        var count = PlaneLength(width, height);
        return planes.Length == 3 && planes.All(plane => plane.Length == count) ? [.. planes]
            : throw new ArgumentException($"{planes.Length} planes are not three of {width} x {height}",
                nameof(planes));
    }

    private static int PlaneLength(int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        var count = (long)width * height;
        return count <= Array.MaxLength
            ? (int)count
            : throw new ArgumentException(
                $"{width}x{height} is more than the {Array.MaxLength} pixels an image in memory can have");
    }

    private static float[][] Checked(float[][] planes, int width, ValueRange range)
    {
        range.ThrowIfDefault(nameof(range));
        for (var c = 0; c < 3; c++)
            for (var at = 0; at < planes[c].Length; at += width)
                range.Check(ChannelNames[c], at / width, planes[c].AsSpan(at, width));
        return planes;
    }

    private static readonly string[] ChannelNames = ["red", "green", "blue"];

    private sealed class Rows(RgbImage image) : RgbRowReader(image.Width, image.Height, image.Range)
    {
        public RgbImage Image => image;

        private protected override bool IsChecked => true; // when the image was made

        protected override void ReadStoredRow(int y, Span<float> red, Span<float> green, Span<float> blue)
        {
            image.CopyStoredRow(0, y, red);
            image.CopyStoredRow(1, y, green);
            image.CopyStoredRow(2, y, blue);
        }

        // Safe: a plane holds Width * Height bytes, y is below Height, and the caller has room for Width values.
        private protected override unsafe void ReadScaledRow(
            int y, float* red, float* green, float* blue, float[] shift, float[] scale)
        {
            if (image.bytes is null)
            {
                base.ReadScaledRow(y, red, green, blue, shift, scale);
                return;
            }
            for (var c = 0; c < 3; c++)
                fixed (byte* samples = image.bytes[c].AsSpan(y * Width, Width))
                    ValueRange.WidenAndScale(samples, c switch { 0 => red, 1 => green, _ => blue }, Width,
                        shift[c], scale[c]);
        }
    }
}
