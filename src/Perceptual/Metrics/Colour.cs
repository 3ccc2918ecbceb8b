using System.Buffers;
using System.Numerics;

namespace Perceptual;

/// <summary>The colour space in which images are compared: converts red, green and blue to planes of doubles.</summary>
internal sealed class Colour
{
    private static readonly double[] LinearOfByte = [.. Enumerable.Range(0, 256).Select(value => Linear(value))];

    private static readonly double[] SingleLinearOfByte =
        [.. Enumerable.Range(0, 256).Select(value => (double)LinearSingle(value))];

    private readonly Transform? transform;
    private readonly bool ofLight; // of linear light as it is; else of levels on [0, 255]

    private Colour(int planes, Transform? transform, bool ofLight = false) =>
        (Planes, this.transform, this.ofLight) = (planes, transform, ofLight);

    private delegate void Transform(Span<double> red, Span<double> green, Span<double> blue); // in place

    /// <summary>Red, green and blue on [0, 255].</summary>
    public static Colour Rgb { get; } = new(3, null);

    /// <summary>
    /// Gray on [0, 255] as MATLAB's rgb2gray makes it, the input that the authors of SSIM, MS-SSIM and GMSD use: luma
    /// of ITU-R BT.601 from the inverse of the YIQ matrix, rounded to a sample of the image's own depth.
    /// </summary>
    public static Colour Gray { get; } = new(1,
        (red, green, blue) => Mix(red, green, blue, [0.298936021293775, 0.587043074451121, 0.114020904255103]));

    /// <summary>
    /// Luma of ITU-R BT.601 as video stores it, on [16, 235], with the digits of MATLAB's rgb2ycbcr, and not rounded:
    /// what papers on super-resolution call the Y channel.
    /// </summary>
    public static Colour Y { get; } = new(1, (red, green, blue) =>
    {
        Mix(red, green, blue, [65.481 / 255, 128.553 / 255, 24.966 / 255]);
        foreach (ref var level in red)
            level += 16;
    });

    /// <summary>Y on [0, 255], I and Q of NTSC, with the digits of FSIM's authors.</summary>
    public static Colour Yiq { get; } = new(3,
        (red, green, blue) => Mix(red, green, blue,
            [0.299, 0.587, 0.114, 0.596, -0.274, -0.322, 0.211, -0.523, 0.312]));

    /// <summary>CIE L*a*b* of sRGB, white D65, 2 degrees; L on [0, 100].</summary>
    public static Colour Lab { get; } = new(3, ToLab);

    /// <summary>
    /// Linear red, green and blue on [0, 1] in single precision, with JPEG XL's approximation of the sRGB curve, to
    /// 5e-7, operation by operation. Smaller images of it are made in single precision too.
    /// </summary>
    public static Colour SingleLinear { get; } = new(3, (red, green, blue) =>
    {
        LineariseSingle(red);
        LineariseSingle(green);
        LineariseSingle(blue);
    });

    /// <summary>
    /// Y, Cx and Cz of FLIP, a linear L*a*b* in which its filters work: white D65, Y on [-16, 100].
    /// </summary>
    public static Colour YCxCz { get; } = new(3,
        (red, green, blue) =>
        {
            Linearise(red);
            Linearise(green);
            Linearise(blue);
            ToYCxCz(red, green, blue);
        });

    /// <summary>Y, Cx and Cz of linear light as it looks with an exposure and a tone mapper.</summary>
    /// <inheritdoc cref="ToneMapper.Apply" path="/param"/>
    public static Colour Exposed(ToneMapper mapper, double exposure) => new(3,
        (red, green, blue) =>
        {
            ToneMapper.Apply(mapper, exposure, red, green, blue);
            ToYCxCz(red, green, blue);
        }, ofLight: true);

    /// <summary>Number of planes.</summary>
    public int Planes { get; }

    /// <summary>Converts a row of samples as stored, [3, width], to the planes of a row.</summary>
    public void Convert(ReadOnlySpan<float> stored, ValueRange range, RowWindow rows, int image, int y)
    {
        var width = rows.Width;
        var scratch = ArrayPool<double>.Shared.Rent(2 * width);
        var red = rows.Inner(image, 0, y);
        var green = Planes > 1 ? rows.Inner(image, 1, y) : scratch.AsSpan(0, width);
        var blue = Planes > 2 ? rows.Inner(image, 2, y) : scratch.AsSpan(width, width);
        Widen(stored[..width], range, red);
        Widen(stored[width..(2 * width)], range, green);
        Widen(stored[(2 * width)..], range, blue);
        transform?.Invoke(red, green, blue);
        if (this == Gray)
            Round(red, range);
        ArrayPool<double>.Shared.Return(scratch);
    }

    private void Widen(ReadOnlySpan<float> samples, ValueRange range, Span<double> values)
    {
        if (!ofLight)
            range.ToLevels(samples, values);
        else
            for (var x = 0; x < samples.Length; x++)
                values[x] = samples[x];
    }

    private static void Round(Span<double> levels, ValueRange range)
    {
        if (range != ValueRange.Byte && range != ValueRange.UInt16)
            return;
        var steps = (double)range.Maximum / 255; // sample values in a grey level
        var x = 0;
        for (; x <= levels.Length - Vector<double>.Count; x += Vector<double>.Count)
            (Vector.Floor(new Vector<double>(levels[x..]) * steps + new Vector<double>(0.5))
                / new Vector<double>(steps)).CopyTo(levels[x..]);
        for (; x < levels.Length; x++)
            levels[x] = Math.Floor(levels[x] * steps + 0.5) / steps;
    }

    // weights: [planes, 3]. With one plane, green and blue keep their values.
    private static void Mix(Span<double> red, Span<double> green, Span<double> blue, ReadOnlySpan<double> weights)
    {
        var x = 0;
        for (; x <= red.Length - Vector<double>.Count; x += Vector<double>.Count)
        {
            var r = new Vector<double>(red[x..]);
            var g = new Vector<double>(green[x..]);
            var b = new Vector<double>(blue[x..]);
            (r * weights[0] + g * weights[1] + b * weights[2]).CopyTo(red[x..]);
            if (weights.Length == 3)
                continue;
            (r * weights[3] + g * weights[4] + b * weights[5]).CopyTo(green[x..]);
            (r * weights[6] + g * weights[7] + b * weights[8]).CopyTo(blue[x..]);
        }
        for (; x < red.Length; x++)
        {
            var (r, g, b) = (red[x], green[x], blue[x]);
            red[x] = r * weights[0] + g * weights[1] + b * weights[2];
            if (weights.Length == 3)
                continue;
            green[x] = r * weights[3] + g * weights[4] + b * weights[5];
            blue[x] = r * weights[6] + g * weights[7] + b * weights[8];
        }
    }

    // Of linear light on [0, 1].
    private static void ToYCxCz(Span<double> red, Span<double> green, Span<double> blue)
    {
        Mix(red, green, blue, Flip.ToWhite);
        Mix(red, green, blue, [0, 116, 0, 500, -500, 0, 0, 200, -200]);
        Add(red, -16);
    }

    private static void ToLab(Span<double> red, Span<double> green, Span<double> blue)
    {
        Linearise(red);
        Linearise(green);
        Linearise(blue);
        // To X, Y and Z relative to white, with the digits of scikit-image: the matrix of ITU-R BT.709, the
        // white of ASTM E308.
        const double WhiteX = 0.95047, WhiteZ = 1.08883;
        Mix(red, green, blue,
        [
            0.412453 / WhiteX, 0.357580 / WhiteX, 0.180423 / WhiteX,
            0.212671, 0.715160, 0.072169,
            0.019334 / WhiteZ, 0.119193 / WhiteZ, 0.950227 / WhiteZ,
        ]);
        Lighten(red);
        Lighten(green);
        Lighten(blue);
        for (var x = 0; x < red.Length; x++)
            (red[x], green[x], blue[x]) = (116 * green[x] - 16, 500 * (red[x] - green[x]), 200 * (green[x] - blue[x]));
    }

    private static void Linearise(Span<double> levels)
    {
        foreach (ref var level in levels)
        {
            var index = (int)level;
            level = index == level ? LinearOfByte[index] : Linear(level);
        }
    }

    private static void LineariseSingle(Span<double> levels)
    {
        foreach (ref var level in levels)
        {
            var index = (int)level;
            level = index == level ? SingleLinearOfByte[index] : LinearSingle((float)level);
        }
    }

    private static float LinearSingle(float level)
    {
        ReadOnlySpan<float> over = [2.200248328e-04f, 1.043637593e-02f, 1.624820318e-01f, 7.961564959e-01f,
            8.210152774e-01f];
        ReadOnlySpan<float> under = [2.631846970e-01f, 1.076976492e+00f, 4.987528350e-01f, -5.512498495e-02f,
            6.521209011e-03f];
        var value = level * (1f / 255);
        if (value <= 0.04045f)
            return value * (1 / 12.92f);
        var (p, q) = (over[^1], under[^1]);
        for (var i = over.Length - 2; i >= 0; i--)
            (p, q) = (MathF.FusedMultiplyAdd(p, value, over[i]), MathF.FusedMultiplyAdd(q, value, under[i]));
        return p / q;
    }

    // The sRGB curve of IEC 61966-2-1, from [0, 255] to [0, 1].
    private static double Linear(double level) =>
        level <= 0.04045 * 255 ? level / 255 / 12.92 : Math.Pow((level / 255 + 0.055) / 1.055, 2.4);

    // CIE's f: the cube root, and a line near black.
    private static void Lighten(Span<double> values)
    {
        var x = 0;
        for (; x <= values.Length - Vector<double>.Count; x += Vector<double>.Count)
        {
            var value = new Vector<double>(values[x..]);
            Vector.ConditionalSelect(Vector.GreaterThan(value, new(0.008856)), CubeRoot(value),
                value * 7.787 + new Vector<double>(16.0 / 116)).CopyTo(values[x..]);
        }
        for (; x < values.Length; x++)
            values[x] = values[x] > 0.008856 ? Math.Cbrt(values[x]) : 7.787 * values[x] + 16.0 / 116;
    }

    private static void Add(Span<double> values, double number)
    {
        var x = 0;
        for (; x <= values.Length - Vector<double>.Count; x += Vector<double>.Count)
            (new Vector<double>(values[x..]) + new Vector<double>(number)).CopyTo(values[x..]);
        for (; x < values.Length; x++)
            values[x] += number;
    }

    /// <summary>The cube root, to a relative error of 1e-15, of values above 0.008.</summary>
    internal static Vector<double> CubeRoot(Vector<double> value)
    {
        // A third of the bits approximates the root to 4 %: a third of the exponent, and two thirds of
        // its bias are added.
        var bits = Vector.AsVectorUInt64(value);
        var third = (bits >>> 2) + (bits >>> 4);
        third += third >>> 4;
        third += third >>> 8;
        third += third >>> 16;
        third += third >>> 32;
        var root = Vector.AsVectorDouble(third + new Vector<ulong>(0x2A9F789300000000));
        // Halley's method: an error e becomes two thirds of e^3.
        for (var i = 0; i < 3; i++)
        {
            var cube = root * root * root;
            root *= (cube + value + value) / (cube + cube + value);
        }
        return root;
    }
}
