using System.Runtime.InteropServices;

namespace Perceptual.Native;

/// <summary><c>perceptual_image</c>: pixels in the caller's memory.</summary>
// Safe: only the samples of the rows that the caller describes are read; that they are there is the caller's promise.
[StructLayout(LayoutKind.Sequential)]
internal readonly unsafe struct CallerImage
{
    private const int FloatPlanes = 7; // formats below it are those of PixelFormat

    private readonly byte* data;
    private readonly int width, height, format;
    private readonly float minimum, maximum, overshoot;
    private readonly long stride, planeStride;

    /// <summary>A copy of the pixels.</summary>
    /// <exception cref="ArgumentException">What the caller says is no image; the message says why.</exception>
    public RgbImage Copy(string name)
    {
        if (data is null)
            throw new ArgumentException($"the pixels of {name} are null");
        if (width < 1 || height < 1)
            throw new ArgumentException($"{name} is {width}x{height}: each side must be at least 1");
        if ((long)width * height > Array.MaxLength)
            throw new ArgumentException(
                $"{name} is {width}x{height}: at most {Array.MaxLength} pixels fit into an image in memory");
        if (format is < 0 or > FloatPlanes)
            throw new ArgumentException($"{name} has the format {format}, which is none of perceptual_format");
        var row = format == FloatPlanes ? (long)width * sizeof(float)
            : width * (PixelFormat)format switch
            {
                PixelFormat.Gray => 1L,
                PixelFormat.Rgb or PixelFormat.Bgr => 3,
                _ => 4,
            };
        var step = stride == 0 ? row : stride;
        if (step < row)
            throw new ArgumentException($"{name} has a stride of {stride} bytes, but its rows have {row}");
        if (step > long.MaxValue / 4 / height)
            throw new ArgumentException($"{name} has a stride of {stride} bytes, which is too large");
        try
        {
            return format == FloatPlanes ? CopyFloats(name, row, step) : CopyBytes(name, row, step);
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"{name}: {e.Message}", e);
        }
    }

    private RgbImage CopyBytes(string name, long row, long step)
    {
        var length = step * (height - 1) + row;
        return length <= int.MaxValue
            ? RgbImage.FromInterleaved(new ReadOnlySpan<byte>(data, (int)length), width, height, (PixelFormat)format,
                height == 1 ? 0 : (int)step)
            : throw new ArgumentException($"{name} has {length} bytes: at most {int.MaxValue} can be read");
    }

    private RgbImage CopyFloats(string name, long row, long step)
    {
        var range = new ValueRange(minimum, maximum).WithOvershoot(overshoot);
        var plane = step * (height - 1) + row;
        if (planeStride != 0 && planeStride < plane)
            throw new ArgumentException($"{name} has {planeStride} bytes between its planes, but they have {plane}");
        if (planeStride > long.MaxValue / 4)
            throw new ArgumentException($"{name} has {planeStride} bytes between its planes, which is too many");
        var planes = new float[3][];
        for (var c = 0; c < 3; c++)
        {
            planes[c] = GC.AllocateUninitializedArray<float>(width * height);
            var from = data + c * (planeStride == 0 ? step * height : planeStride);
            // Rows without gaps are one long row.
            var (rows, bytes) = step == row ? (1, row * height) : (height, row);
            fixed (float* to = planes[c])
                for (var y = 0; y < rows; y++)
                    Buffer.MemoryCopy(from + y * step, (byte*)to + y * row, bytes, bytes);
        }
        return RgbImage.Own(planes, width, height, range);
    }

    public long Pixels => (long)Math.Max(width, 0) * Math.Max(height, 0);
}
