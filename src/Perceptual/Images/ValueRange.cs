using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Perceptual;

/// <summary>
/// The two values that mean black and white. The only place that turns sample values into the [-1, 1] the networks see.
/// </summary>
public readonly record struct ValueRange
{
    /// <summary>A range from <paramref name="minimum"/> (black) to <paramref name="maximum"/> (white).</summary>
    /// <exception cref="ArgumentException">
    /// The bounds are not finite, not in ascending order, or so far apart or so close that float32 cannot
    /// hold their distance.
    /// </exception>
    public ValueRange(float minimum, float maximum)
    {
        if (!((maximum - minimum) / 2 is > 0 and < float.PositiveInfinity))
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                $"a value range needs two finite numbers in ascending order, not {minimum} and {maximum}"));
        Minimum = minimum;
        Maximum = maximum;
    }

    private ValueRange(float maximum) => Maximum = maximum;

    private float Overshoot { get; init; }

    /// <summary>The value of black.</summary>
    public float Minimum { get; }

    /// <summary>The value of white; infinity of linear light, which has none.</summary>
    public float Maximum { get; }

    /// <summary>8-bit samples, 0 to 255.</summary>
    public static ValueRange Byte { get; } = new(0, 255);

    /// <summary>16-bit samples, 0 to 65535.</summary>
    public static ValueRange UInt16 { get; } = new(0, 65535);

    /// <summary>Float samples from 0 to 1.</summary>
    public static ValueRange Unit { get; } = new(0, 1);

    /// <summary>Float samples from -1 to 1, as the reference implementation takes them.</summary>
    public static ValueRange Signed { get; } = new(-1, 1);

    /// <summary>
    /// Linear light, as renderers compute it: 0 is none, twice the value twice as much, and there is no white. Any
    /// finite value is allowed, also below 0, which colours outside of sRGB have.
    /// </summary>
    public static ValueRange LinearLight { get; } = new(float.PositiveInfinity);

    /// <summary>
    /// The same black and white, and samples that go up to <paramref name="overshoot"/> beyond them are allowed, as
    /// outputs of networks do. Only LPIPS compares such images, as its reference implementation does.
    /// </summary>
    /// <param name="overshoot">From 0 to the distance of black and white.</param>
    /// <exception cref="ArgumentException">It is another number, or this range has no white.</exception>
    public ValueRange WithOvershoot(float overshoot) =>
        !IsLinearLight && overshoot >= 0 && overshoot <= Maximum - Minimum ? this with { Overshoot = overshoot }
            : throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                $"samples may go from 0 to {Maximum - Minimum} beyond the range {this}, not {overshoot}"));

    /// <summary>Whether samples may go beyond black and white.</summary>
    public bool HasOvershoot => Overshoot > 0;

    /// <summary>Whether samples are linear light, and not sRGB.</summary>
    public bool IsLinearLight => float.IsPositiveInfinity(Maximum);

    /// <summary>The least value of a sample.</summary>
    internal float Lowest => IsLinearLight ? float.MinValue : Minimum - Overshoot;

    /// <summary>The greatest value of a sample.</summary>
    internal float Highest => IsLinearLight ? float.MaxValue : Maximum + Overshoot;

    /// <summary>The names of tone mappers: "aces", "reinhard", "hable".</summary>
    public static IReadOnlyList<string> ToneMappers { get; } = [.. ToneMapper.All.Select(mapper => mapper.Name)];

    /// <summary>What a sample is divided by before 1 is subtracted: 127.5 for 8 bits, 32767.5 for 16.</summary>
    internal float HalfSpan => (Maximum - Minimum) / 2;

    /// <exception cref="ArgumentException">This is <c>default(ValueRange)</c>, which has no black
    /// and white.</exception>
    internal void ThrowIfDefault(string parameter)
    {
        if (this == default)
            throw new ArgumentException("default(ValueRange) says nothing of black and white: give a range such as "
                + "ValueRange.Unit", parameter);
    }

    private void ThrowIfLinearLight()
    {
        if (IsLinearLight)
            throw new ArgumentException("linear light has no white: ValueRange.ToneMap makes sRGB of it");
    }

    /// <summary>Refuses samples that are not finite or outside this range.</summary>
    /// <param name="channel">The channel's name, for the message.</param>
    /// <param name="y">The row, for the message.</param>
    /// <param name="row">A row of the channel.</param>
    /// <exception cref="ArgumentException">A sample is NaN, infinite or outside the range.</exception>
    internal void Check(string channel, int y, ReadOnlySpan<float> row)
    {
        var x = 0;
        var (minimum, maximum) = (new Vector<float>(Lowest), new Vector<float>(Highest));
        while (x <= row.Length - Vector<float>.Count && IsWithin(new Vector<float>(row[x..])))
            x += Vector<float>.Count;
        for (; x < row.Length; x++)
            if (!(row[x] >= Lowest && row[x] <= Highest)) // catches NaN too
                throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                    $"the {channel} sample at x {x}, y {y} is {row[x]}, outside the stated range {this}"
                        + $"{(IsLinearLight ? ", which is finite" : "")}"));

        bool IsWithin(Vector<float> samples) =>
            Vector.GreaterThanOrEqualAll(samples, minimum) && Vector.LessThanOrEqualAll(samples, maximum);
    }

    /// <summary>
    /// Converts 8-bit samples to floats without scaling them. The row is at least as long as the samples.
    /// </summary>
    public static void Widen(ReadOnlySpan<byte> samples, Span<float> row)
    {
        row = row[..samples.Length];
        var x = 0;
        for (; x <= row.Length - Vector<byte>.Count; x += Vector<byte>.Count)
        {
            Vector.Widen(new Vector<byte>(samples[x..]), out var low, out var high);
            Convert(low, row[x..]);
            Convert(high, row[(x + Vector<ushort>.Count)..]);
        }
        for (; x < row.Length; x++)
            row[x] = samples[x];
    }

    /// <summary>
    /// Converts 16-bit samples to floats without scaling them. The row is at least as long as the samples.
    /// </summary>
    public static void Widen(ReadOnlySpan<ushort> samples, Span<float> row)
    {
        row = row[..samples.Length];
        var x = 0;
        for (; x <= row.Length - Vector<ushort>.Count; x += Vector<ushort>.Count)
            Convert(new Vector<ushort>(samples[x..]), row[x..]);
        for (; x < row.Length; x++)
            row[x] = samples[x];
    }

    /// <summary>Scales samples of this range to [-1, 1], in place.</summary>
    internal void Scale(Span<float> row)
    {
        ThrowIfLinearLight();
        var x = 0;
        for (; x <= row.Length - Vector<float>.Count; x += Vector<float>.Count)
            ((new Vector<float>(row[x..]) - new Vector<float>(Minimum)) / new Vector<float>(HalfSpan)
                - Vector<float>.One).CopyTo(row[x..]);
        for (; x < row.Length; x++)
            row[x] = (row[x] - Minimum) / HalfSpan - 1;
    }

    /// <summary>
    /// Scales samples of this range to [-1, 1], then takes (value - shift) / scale, in place; rounded after each step.
    /// </summary>
    // Safe if row has length floats: whole vectors first, the rest one by one.
    internal unsafe void Scale(float* row, int length, float shift, float scale)
    {
        ThrowIfLinearLight();
        var x = 0;
        var (minimum, halfSpan) = (new Vector<float>(Minimum), new Vector<float>(HalfSpan));
        var (shifts, scales) = (new Vector<float>(shift), new Vector<float>(scale));
        for (; x <= length - Vector<float>.Count; x += Vector<float>.Count)
            Vector.Store(
                (((Vector.Load(row + x) - minimum) / halfSpan) - Vector<float>.One - shifts) / scales, row + x);
        for (; x < length; x++)
            row[x] = ((row[x] - Minimum) / HalfSpan - 1 - shift) / scale;
    }

    /// <summary>
    /// Does <see cref="Widen(ReadOnlySpan{byte}, Span{float})"/> and <see cref="Scale(float*, int, float, float)"/>
    /// with 8-bit samples in one pass, to the same bits.
    /// </summary>
    // Safe if samples and row have length values: 8 are read and written at a time while there are 8.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static unsafe void WidenAndScale(byte* samples, float* row, int length, float shift, float scale)
    {
        var x = 0;
        if (Fma.IsSupported || AdvSimd.IsSupported)
        {
            var halfSpan = Vector256.Create(Byte.HalfSpan);
            var shifts = Vector256.Create(shift);
            var scales = Vector256.Create(scale);
            var (inverseHalfSpan, inverseScales) = (Vector256<float>.One / halfSpan, Vector256<float>.One / scales);
            for (; x <= length - Vector256<float>.Count; x += Vector256<float>.Count)
            {
                var words = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)(samples + x)).AsByte());
                var value = Vector256.ConvertToSingle(
                    Vector256.Create(Vector128.WidenLower(words), Vector128.WidenUpper(words)).AsInt32());
                Vector256.Store(Divide(Divide(value, halfSpan, inverseHalfSpan) - Vector256<float>.One - shifts, scales,
                    inverseScales), row + x);
            }
        }
        for (; x < length; x++)
            row[x] = (samples[x] / Byte.HalfSpan - 1 - shift) / scale;
    }

    /// <summary>
    /// Converts samples of this range to grey levels on [0, 255], in double precision. 8-bit samples keep
    /// their values exactly.
    /// </summary>
    internal void ToLevels(ReadOnlySpan<float> samples, Span<double> levels)
    {
        ThrowIfLinearLight();
        var (minimum, scale) = ((double)Minimum, 255 / ((double)Maximum - Minimum));
        var x = 0;
        for (; x <= samples.Length - Vector<float>.Count; x += Vector<float>.Count)
        {
            Vector.Widen(new Vector<float>(samples[x..]), out var low, out var high);
            ((low - new Vector<double>(minimum)) * scale).CopyTo(levels[x..]);
            ((high - new Vector<double>(minimum)) * scale).CopyTo(levels[(x + Vector<double>.Count)..]);
        }
        for (; x < samples.Length; x++)
            levels[x] = (samples[x] - minimum) * scale;
    }

    /// <summary>
    /// Makes sRGB on [0, 1] of linear light, in place: multiplies it by 2 to the power of the exposure, brings it to
    /// [0, 1] by a tone mapper, and encodes it with the sRGB curve. Less than no light counts as none, and what is
    /// brighter than 1 before the encoding counts as 1.
    /// </summary>
    /// <param name="toneMapper">One of <see cref="ToneMappers"/>; null: none, so that all above 1 is white.</param>
    /// <param name="exposure">Stops, for example 1 for twice the light.</param>
    /// <param name="red">Linear light.</param>
    /// <param name="green">As many values.</param>
    /// <param name="blue">As many values.</param>
    /// <exception cref="ArgumentException">There is no such tone mapper, the exposure is not finite, or there are not
    /// as many values of each channel.</exception>
    public static void ToneMap(
        string? toneMapper, double exposure, Span<float> red, Span<float> green, Span<float> blue)
    {
        var mapper = toneMapper is null ? null : ToneMapper.Of(toneMapper);
        if (!double.IsFinite(exposure))
            throw new ArgumentException($"an exposure must be a finite number of stops, not {exposure}");
        if (red.Length != green.Length || red.Length != blue.Length)
            throw new ArgumentException(
                $"{red.Length}, {green.Length} and {blue.Length} samples are not as many of each channel");
        Span<double> r = stackalloc double[64], g = stackalloc double[64], b = stackalloc double[64];
        for (var from = 0; from < red.Length; from += r.Length)
        {
            var count = Math.Min(r.Length, red.Length - from);
            for (var x = 0; x < count; x++)
                (r[x], g[x], b[x]) = (red[from + x], green[from + x], blue[from + x]);
            ToneMapper.Apply(mapper, exposure, r[..count], g[..count], b[..count]);
            for (var x = 0; x < count; x++)
                (red[from + x], green[from + x], blue[from + x]) = (Encode(r[x]), Encode(g[x]), Encode(b[x]));
        }

        static float Encode(double light) =>
            (float)(light <= 0.0031308 ? 12.92 * light : Math.Min(1.055 * Math.Pow(light, 1 / 2.4) - 0.055, 1));
    }

    /// <summary>The range as people write it, "0..255" or "linear light".</summary>
    public override string ToString() => IsLinearLight ? "linear light"
        : string.Create(CultureInfo.InvariantCulture,
            $"{Minimum}..{Maximum}{(HasOvershoot ? $" and up to {Overshoot} beyond" : "")}");

    // Multiplies by the reciprocal and corrects the quotient by its remainder. With every 8-bit sample this gives the
    // bits of the division, which takes three times as long.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Divide(Vector256<float> value, Vector256<float> divisor, Vector256<float> inverse)
    {
        var quotient = value * inverse;
        return Vector256.FusedMultiplyAdd(Vector256.FusedMultiplyAdd(-quotient, divisor, value), inverse, quotient);
    }

    private static void Convert(Vector<ushort> samples, Span<float> row)
    {
        Vector.Widen(samples, out var low, out var high);
        // values below 2^16 are the same when signed, and converting signed numbers is one instruction
        Vector.ConvertToSingle(Vector.AsVectorInt32(low)).CopyTo(row);
        Vector.ConvertToSingle(Vector.AsVectorInt32(high)).CopyTo(row[Vector<float>.Count..]);
    }
}
