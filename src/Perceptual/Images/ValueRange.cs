using System.Globalization;

namespace Perceptual;

/// <summary>The two values that mean black and white. The only place that turns sample values into the [-1, 1] the networks see.</summary>
public readonly record struct ValueRange
{
    /// <summary>A range from <paramref name="minimum"/> (black) to <paramref name="maximum"/> (white).</summary>
    /// <exception cref="ArgumentException">The bounds are not finite or not in ascending order.</exception>
    public ValueRange(float minimum, float maximum)
    {
        if (!float.IsFinite(minimum) || !float.IsFinite(maximum) || minimum >= maximum)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"a value range needs two finite numbers in ascending order, not {minimum} and {maximum}"));
        Minimum = minimum;
        Maximum = maximum;
    }

    /// <summary>The value of black.</summary>
    public float Minimum { get; }

    /// <summary>The value of white.</summary>
    public float Maximum { get; }

    /// <summary>8-bit samples, 0 to 255.</summary>
    public static ValueRange Byte { get; } = new(0, 255);

    /// <summary>16-bit samples, 0 to 65535.</summary>
    public static ValueRange UInt16 { get; } = new(0, 65535);

    /// <summary>Float samples from 0 to 1.</summary>
    public static ValueRange Unit { get; } = new(0, 1);

    /// <summary>Float samples from -1 to 1, as the reference implementation takes them.</summary>
    public static ValueRange Signed { get; } = new(-1, 1);

    /// <summary>What a sample is divided by before 1 is taken off: 127.5 for 8 bits, 32767.5 for 16.</summary>
    internal float HalfSpan => (Maximum - Minimum) / 2;

    /// <summary>The range as people write it, "0..255".</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Minimum}..{Maximum}");
}
