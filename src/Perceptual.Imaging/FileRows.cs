using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Perceptual.Imaging;

/// <summary>The rows of an image file, in the order of the file.</summary>
/// <param name="stored">The decoder of the file.</param>
/// <param name="range">The range of its samples.</param>
/// <param name="path">The file, for messages.</param>
internal abstract class FileRows(StoredRows stored, ValueRange range, string path)
    : RgbRowReader(stored.Width, stored.Height, range)
{
    /// <summary>The decoder of the file.</summary>
    public StoredRows Stored => stored;

    /// <summary>The file, for messages.</summary>
    protected string FilePath => path;

    /// <summary>Reads all rows and makes an upright image of them.</summary>
    /// <exception cref="InvalidDataException">It would take too much memory, or its file is damaged.</exception>
    public RgbImage ReadAll(ImageReadOptions options)
    {
        try
        {
            ImageFile.CheckSize(Width, Height, new() { MaxPixels = Array.MaxLength });
            ImageFile.CheckMemory(3.0 * Width * Height * stored.SampleBytes + stored.BytesHeld, options);
        }
        catch (InvalidDataException problem)
        {
            throw ImageFile.Named(path, problem);
        }
        return ImageFile.InTurn(stored.BytesHeld, Environment.ProcessorCount, Upright);
    }

    /// <summary>Reads all rows, which fit into memory, and makes an upright image of them.</summary>
    protected abstract RgbImage Upright();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        stored.Dispose();
        base.Dispose(disposing);
    }
}

/// <inheritdoc cref="FileRows"/>
/// <typeparam name="T">byte, ushort, or float of linear light.</typeparam>
internal sealed class FileRows<T> : FileRows where T : unmanaged, INumber<T>, IMinMaxValue<T>
{
    private static readonly T Opaque = typeof(T) == typeof(float) ? T.One : T.MaxValue;

    private readonly ImageReadOptions options;
    private readonly T[] row;
    private readonly T[][] channels;
    private int next; // row of the file

    public FileRows(StoredRows stored, string path, ImageReadOptions options) : base(stored,
        typeof(T) == typeof(byte) ? ValueRange.Byte : typeof(T) == typeof(ushort) ? ValueRange.UInt16
        : options.MapsLinearLight ? ValueRange.Unit : ValueRange.LinearLight, path)
    {
        this.options = options;
        row = new T[stored.Width * stored.Samples];
        channels = [new T[stored.Width], new T[stored.Width], new T[stored.Width]];
        if (options.MapsLinearLight)
            ValueRange.ToneMap(options.ToneMapper, options.Exposure ?? 0, [], [], []); // refuses what there is not
    }

    protected override void ReadStoredRow(int y, Span<float> red, Span<float> green, Span<float> blue)
    {
        ReadChannels();
        Widen(channels[0], red);
        Widen(channels[1], green);
        Widen(channels[2], blue);
    }

    protected override RgbImage Upright()
    {
        var count = Width * Height;
        T[][] planes = [new T[count], new T[count], new T[count]];
        var (target, columnStep, rowStep) = Stored.Orientation switch
        {
            2 => (Width - 1, -1, Width),
            3 => (count - 1, -1, -Width),
            4 => (count - Width, 1, -Width),
            5 => (0, Height, 1),
            6 => (Height - 1, Height, -1),
            7 => (count - 1, -Height, -1),
            8 => (count - Height, -Height, 1),
            _ => (0, 1, Width),
        };
        for (var y = 0; y < Height; y++, target += rowStep)
        {
            ReadChannels();
            for (var c = 0; c < 3; c++)
            {
                var (plane, channel) = (planes[c], channels[c]);
                if (columnStep == 1)
                    channel.CopyTo(plane, target);
                else
                    for (var x = 0; x < channel.Length; x++)
                        plane[target + x * columnStep] = channel[x];
            }
        }
        var (width, height) = Stored.Orientation is >= 5 and <= 8 ? (Height, Width) : (Width, Height);
        return planes switch
        {
            byte[][] bytes => RgbImage.Own(bytes, width, height),
            ushort[][] words => RgbImage.Own(words, width, height),
            _ => RgbImage.Own((float[][])(object)planes, width, height, Range),
        };
    }

    private static void Widen(T[] channel, Span<float> values)
    {
        if (channel is byte[] bytes)
            ValueRange.Widen(bytes, values);
        else if (channel is ushort[] words)
            ValueRange.Widen(words, values);
        else
            ((float[])(object)channel).CopyTo(values);
    }

    private void ReadChannels()
    {
        try
        {
            Stored.ReadRow(MemoryMarshal.AsBytes(row.AsSpan()));
            Split(channels[0], channels[1], channels[2]);
            if (channels is float[][] light)
                Expose(light);
            next++;
        }
        catch (Exception problem) when (problem is EndOfStreamException or InvalidDataException)
        {
            throw ImageFile.Named(FilePath, problem);
        }
    }

    private void Expose(float[][] light)
    {
        foreach (var channel in light)
            for (var x = 0; x < channel.Length; x++)
                if (!float.IsFinite(channel[x]))
                    throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture,
                        $"has a sample that is {channel[x]} at x {x}, y {next}: only finite light can be compared"));
        if (options.MapsLinearLight)
            ValueRange.ToneMap(options.ToneMapper, options.Exposure ?? 0, light[0], light[1], light[2]);
    }

    private void Split(T[] red, T[] green, T[] blue)
    {
        switch (Stored.Layout)
        {
            case PixelLayout.Gray:
                row.CopyTo(red, 0);
                row.CopyTo(green, 0);
                row.CopyTo(blue, 0);
                break;
            case PixelLayout.GrayAlpha:
                for (var x = 0; x < red.Length; x++)
                    red[x] = green[x] = blue[x] = Blend(row[2 * x], row[2 * x + 1]);
                break;
            case PixelLayout.Rgb:
                var split = row is byte[] bytes
                    ? SplitFours(bytes, MemoryMarshal.AsBytes(red.AsSpan()), MemoryMarshal.AsBytes(green.AsSpan()),
                        MemoryMarshal.AsBytes(blue.AsSpan()))
                    : 0;
                for (var x = split; x < red.Length; x++)
                    (red[x], green[x], blue[x]) = (row[3 * x], row[3 * x + 1], row[3 * x + 2]);
                break;
            case PixelLayout.Rgba:
                for (var x = 0; x < red.Length; x++)
                {
                    var opacity = row[4 * x + 3];
                    red[x] = Blend(row[4 * x], opacity);
                    green[x] = Blend(row[4 * x + 1], opacity);
                    blue[x] = Blend(row[4 * x + 2], opacity);
                }
                break;
            case PixelLayout.Cmyk:
                for (var x = 0; x < red.Length; x++)
                {
                    var black = row[4 * x + 3];
                    red[x] = Print(row[4 * x], black);
                    green[x] = Print(row[4 * x + 1], black);
                    blue[x] = Print(row[4 * x + 2], black);
                }
                break;
        }
    }

    // Four pixels at a time, as long as there are 16 bytes; returns how many.
    private static int SplitFours(ReadOnlySpan<byte> row, Span<byte> red, Span<byte> green, Span<byte> blue)
    {
        var channels = Vector128.Create((byte)0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11, 12, 13, 14, 15);
        var x = 0;
        for (; 3 * x + Vector128<byte>.Count <= row.Length; x += 4)
        {
            var pixels = Vector128.Shuffle(Vector128.Create(row.Slice(3 * x, Vector128<byte>.Count)), channels)
                .AsUInt32();
            MemoryMarshal.Write(red[x..], pixels[0]);
            MemoryMarshal.Write(green[x..], pixels[1]);
            MemoryMarshal.Write(blue[x..], pixels[2]);
        }
        return x;
    }

    private T Blend(T value, T opacity)
    {
        if (opacity == Opaque || options.Alpha == AlphaMode.Drop)
            return value;
        if (options.Alpha is not (AlphaMode.White or AlphaMode.Black))
            throw new InvalidDataException("has transparent pixels; choose AlphaMode.Drop, White or Black");
        var background = options.Alpha == AlphaMode.White ? Opaque : T.Zero;
        return typeof(T) == typeof(float)
            ? value + background * (Opaque - opacity)
            : T.CreateTruncating(Share(value, opacity) + Share(background, T.MaxValue - opacity));
    }

    // As in Pillow: the ink takes its share of the light that black leaves. No colour management.
    private static T Print(T ink, T black)
    {
        var light = T.MaxValue - black;
        return T.CreateTruncating(long.CreateTruncating(light) - Share(ink, light));
    }

    /// <summary>value * part / max, rounded to the nearest integer (max is odd, so there are no ties).</summary>
    private static long Share(T value, T part)
    {
        var max = long.CreateTruncating(T.MaxValue);
        return (long.CreateTruncating(value) * long.CreateTruncating(part) + max / 2) / max;
    }
}
