using System.Numerics;

namespace Perceptual;

/// <summary>How <see cref="RgbImage.Resize"/> weighs the pixels around a position. The names are Pillow's.</summary>
public enum ResizeFilter
{
    /// <summary>The pixel under the position, without smoothing.</summary>
    Nearest,

    /// <summary>The mean over the area of the new pixel.</summary>
    Box,

    /// <summary>A tent that reaches one pixel to each side.</summary>
    Bilinear,

    /// <summary>Keys' cubic with a = -0.5, two pixels to each side.</summary>
    Bicubic,

    /// <summary>A sinc windowed by a sinc, three pixels to each side.</summary>
    Lanczos,
}

/// <summary>
/// Pillow's resampling: rows first, then columns. To shrink, the filter is stretched by the factor, so that every
/// pixel counts. With 8-bit samples it is bit-exact: weights are rounded to multiples of 2^-22, and samples to 8 bits
/// between the two passes.
/// </summary>
internal static class Resize
{
    // Pillow sums 8-bit samples in 32-bit integers with 32 - 8 - 2 fraction bits. These sums are exact in a double too,
    // so the same code serves all types of samples.
    private const double FixedPointOne = 1 << 22;

    public static byte[] Plane(byte[] plane, int width, int height, int newWidth, int newHeight, ResizeFilter filter)
    {
        if (filter == ResizeFilter.Nearest)
            return Pick(plane, width, height, newWidth, newHeight);
        var wide = width == newWidth
            ? plane
            : Horizontal<byte, byte>(plane, height, Weights.For(filter, width, newWidth).Rounded(), 0, 255);
        return height == newHeight
            ? wide
            : Vertical<byte, byte>(wide, newWidth, Weights.For(filter, height, newHeight).Rounded(), 0, 255);
    }

    public static ushort[] Plane(ushort[] plane, int width, int height, int newWidth, int newHeight,
        ResizeFilter filter)
    {
        if (filter == ResizeFilter.Nearest)
            return Pick(plane, width, height, newWidth, newHeight);
        if (height == newHeight)
            return Horizontal<ushort, ushort>(plane, height, Weights.For(filter, width, newWidth), 0, 65535);
        var rows = Weights.For(filter, height, newHeight);
        if (width == newWidth)
            return Vertical<ushort, ushort>(plane, newWidth, rows, 0, 65535);
        var wide = Horizontal<ushort, float>(plane, height, Weights.For(filter, width, newWidth), float.MinValue,
            float.MaxValue);
        return Vertical<float, ushort>(wide, newWidth, rows, 0, 65535);
    }

    public static float[] Plane(float[] plane, int width, int height, int newWidth, int newHeight, ResizeFilter filter,
        ValueRange range)
    {
        if (filter == ResizeFilter.Nearest)
            return Pick(plane, width, height, newWidth, newHeight);
        if (height == newHeight)
            return Horizontal<float, float>(plane, height, Weights.For(filter, width, newWidth), range.Lowest,
                range.Highest);
        var wide = width == newWidth
            ? plane
            : Horizontal<float, float>(plane, height, Weights.For(filter, width, newWidth), float.MinValue,
                float.MaxValue);
        return Vertical<float, float>(wide, newWidth, Weights.For(filter, height, newHeight), range.Lowest,
            range.Highest);
    }

    private static TOut[] Horizontal<TIn, TOut>(
        TIn[] source, int height, Weights weights, double minimum, double maximum)
        where TIn : unmanaged, INumber<TIn> where TOut : unmanaged, INumber<TOut>
    {
        var width = source.Length / height;
        var target = new TOut[weights.Length * height];
        for (var y = 0; y < height; y++)
        {
            var sourceRow = source.AsSpan(y * width, width);
            var targetRow = target.AsSpan(y * weights.Length, weights.Length);
            for (var x = 0; x < targetRow.Length; x++)
            {
                var taps = weights[x];
                var samples = sourceRow.Slice(weights.First(x), taps.Length);
                var sum = 0.0;
                for (var i = 0; i < taps.Length; i++)
                    sum += taps[i] * double.CreateTruncating(samples[i]);
                targetRow[x] = Store<TOut>(sum, minimum, maximum);
            }
        }
        return target;
    }

    private static TOut[] Vertical<TIn, TOut>(TIn[] source, int width, Weights weights, double minimum, double maximum)
        where TIn : unmanaged, INumber<TIn> where TOut : unmanaged, INumber<TOut>
    {
        var target = new TOut[width * weights.Length];
        var sums = new double[width];
        for (var y = 0; y < weights.Length; y++)
        {
            var taps = weights[y];
            Array.Clear(sums);
            for (var i = 0; i < taps.Length; i++)
            {
                var weight = taps[i];
                var sourceRow = source.AsSpan((weights.First(y) + i) * width, width);
                for (var x = 0; x < sums.Length; x++)
                    sums[x] += weight * double.CreateTruncating(sourceRow[x]);
            }
            var targetRow = target.AsSpan(y * width, width);
            for (var x = 0; x < sums.Length; x++)
                targetRow[x] = Store<TOut>(sums[x], minimum, maximum);
        }
        return target;
    }

    private static T Store<T>(double value, double minimum, double maximum) where T : unmanaged, INumber<T> =>
        T.CreateTruncating(Math.Clamp(typeof(T) == typeof(float) ? value : Math.Floor(value + 0.5), minimum, maximum));

    private static T[] Pick<T>(T[] source, int width, int height, int newWidth, int newHeight)
    {
        var columns = Positions(width, newWidth);
        var rows = Positions(height, newHeight);
        var target = new T[newWidth * newHeight];
        for (var y = 0; y < newHeight; y++)
            for (var x = 0; x < newWidth; x++)
                target[y * newWidth + x] = source[rows[y] * width + columns[x]];
        return target;
    }

    private static int[] Positions(int length, int newLength)
    {
        var positions = new int[newLength];
        var step = (double)length / newLength;
        var position = step / 2; // summed up and not multiplied, as Pillow does: the rounding is part of the result
        for (var i = 0; i < newLength; i++, position += step)
            positions[i] = Math.Min((int)position, length - 1);
        return positions;
    }

    /// <summary>
    /// For every output position: the first input sample that counts, and the weights from there on, which add up to 1.
    /// </summary>
    private sealed class Weights
    {
        private readonly int[] first;
        private readonly double[][] taps;

        private Weights(int[] first, double[][] taps)
        {
            this.first = first;
            this.taps = taps;
        }

        public int Length => taps.Length;

        public ReadOnlySpan<double> this[int position] => taps[position];

        public int First(int position) => first[position];

        public static Weights For(ResizeFilter filter, int length, int newLength)
        {
            var scale = (double)length / newLength;
            var stretch = Math.Max(scale, 1);
            var reach = Reach(filter) * stretch;
            var first = new int[newLength];
            var taps = new double[newLength][];
            for (var i = 0; i < newLength; i++)
            {
                var centre = (i + 0.5) * scale;
                first[i] = Math.Max((int)(centre - reach + 0.5), 0);
                var row = new double[Math.Min((int)(centre + reach + 0.5), length) - first[i]];
                var sum = 0.0;
                for (var k = 0; k < row.Length; k++)
                    sum += row[k] = Value(filter, (k + first[i] - centre + 0.5) * (1 / stretch));
                if (sum != 0)
                    for (var k = 0; k < row.Length; k++)
                        row[k] /= sum;
                taps[i] = row;
            }
            return new(first, taps);
        }

        /// <summary>
        /// The same weights as 8-bit images use them: multiples of 2^-22, halves rounded away from zero.
        /// </summary>
        public Weights Rounded() => new(first, Array.ConvertAll(taps, row => Array.ConvertAll(row,
            w => Math.Truncate(w * FixedPointOne + (w < 0 ? -0.5 : 0.5)) / FixedPointOne)));

        private static double Reach(ResizeFilter filter) => filter switch
        {
            ResizeFilter.Box => 0.5,
            ResizeFilter.Bilinear => 1,
            ResizeFilter.Bicubic => 2,
            ResizeFilter.Lanczos => 3,
            _ => throw new ArgumentOutOfRangeException(nameof(filter), filter, "not a resize filter"),
        };

        private static double Value(ResizeFilter filter, double x)
        {
            var distance = Math.Abs(x);
            switch (filter)
            {
                case ResizeFilter.Box:
                    return x > -0.5 && x <= 0.5 ? 1 : 0;
                case ResizeFilter.Bilinear:
                    return Math.Max(1 - distance, 0);
                case ResizeFilter.Bicubic:
                    const double A = -0.5;
                    if (distance < 1)
                        return ((A + 2) * distance - (A + 3)) * distance * distance + 1;
                    return distance < 2 ? (((distance - 5) * distance + 8) * distance - 4) * A : 0;
                default:
                    return x >= -3 && x < 3 ? Sinc(x) * Sinc(x / 3) : 0;
            }
        }

        private static double Sinc(double x) => x == 0 ? 1 : Math.Sin(x * Math.PI) / (x * Math.PI);
    }
}
