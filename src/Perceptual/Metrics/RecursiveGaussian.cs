using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Perceptual;

/// <summary>
/// The blur of JPEG XL with sigma 1.5: three truncated cosines that are fitted to a Gaussian, each a recursion
/// (Charalampidis, "Recursive implementation of the Gaussian filter using truncated cosine functions", 2016), with
/// zeros outside the image. In exact arithmetic it is a filter of nine taps. In single precision the recursion gathers
/// rounding errors, and where images are smooth SSIMULACRA 2 shows them; so this has the operations of JPEG XL's
/// program in their order, with fused multiplication and addition. Eight values go through it side by side.
/// </summary>
internal static class RecursiveGaussian
{
    /// <summary>Half the window: the value at n comes with the input at n + Reach - 1 and n - Reach - 1.</summary>
    public const int Reach = 5;

    /// <summary>Zeros that <see cref="Across"/> needs before and behind a row.</summary>
    public const int Pad = Reach + 1;

    /// <summary>Values of <see cref="Down"/> that are kept for a column from one row to the next.</summary>
    public const int State = 6;

    private static readonly Cosine First = new(1, 0.17893914164149133);
    private static readonly Cosine Second = new(3, 0.0727261447361902);
    private static readonly Cosine Third = new(5, 0.012955819110517089);

    /// <summary>Blurs a row.</summary>
    /// <param name="row">The first value of the row, with <see cref="Pad"/> zeros before and behind.</param>
    /// <param name="width">Values of the row.</param>
    /// <param name="blurred">Receives as many.</param>
    // Safe: n - Reach - 1 is at least -Pad where it is read, and n + Reach - 1 less than width + Pad.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe void Across(Vector256<float>* row, int width, Vector256<float>* blurred)
    {
        const int Lanes = 4; // as many values at a time in the program, of one row there
        var first = Math.Min((Reach + Lanes) / Lanes * Lanes, width);
        Vector256<float> before1 = default, before3 = default, before5 = default;
        Vector256<float> earlier1 = default, earlier3 = default, earlier5 = default;
        for (var n = 1 - Reach; n < width;)
        {
            if (n < first || n >= width - Reach + 1 - (Lanes - 1))
            {
                var sum = (n > Reach ? row[n - Reach - 1] : default) + row[n + Reach - 1];
                var value = First.Step(sum, ref before1, ref earlier1)
                    + (Second.Step(sum, ref before3, ref earlier3) + Third.Step(sum, ref before5, ref earlier5));
                if (n >= 0)
                    blurred[n] = value;
                n++;
                continue;
            }
            Vector256<float>* from = row + n - Reach - 1, to = row + n + Reach - 1;
            var sums = new Four(from[0] + to[0], from[1] + to[1], from[2] + to[2], from[3] + to[3]);
            var one = First.Steps(sums, ref before1, ref earlier1);
            var three = Second.Steps(sums, ref before3, ref earlier3);
            var five = Third.Steps(sums, ref before5, ref earlier5);
            blurred[n] = one.A + (three.A + five.A);
            blurred[n + 1] = one.B + (three.B + five.B);
            blurred[n + 2] = one.C + (three.C + five.C);
            blurred[n + 3] = one.D + (three.D + five.D);
            n += Lanes;
        }
    }

    /// <summary>The next blurred value of a column.</summary>
    /// <param name="sum">The input <see cref="Reach"/> + 1 rows above and <see cref="Reach"/> - 1 rows below.</param>
    /// <param name="state">What is kept for the column, <see cref="State"/> values, 0 before the first, which is
    /// <see cref="Reach"/> - 1 rows above the image.</param>
    // Safe: the caller has State values.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector256<float> Down(Vector256<float> sum, Vector256<float>* state) =>
        First.Next(sum, state) + (Second.Next(sum, state + 2) + Third.Next(sum, state + 4));

    private readonly record struct Four(
        Vector256<float> A, Vector256<float> B, Vector256<float> C, Vector256<float> D);

    /// <summary>One of the cosines, as the recursion y(n) = gain * sum - turn * y(n - 1) - y(n - 2).</summary>
    private readonly struct Cosine
    {
        private readonly Vector256<float> gain, minusTurn;

        // The recursion written out for four values in a row: what each takes from the sums, the value before them, and
        // the one before that.
        private readonly Vector256<float> sum0, sum1, sum2, sum3;
        private readonly Vector256<float> before0, before1, before2, before3;
        private readonly Vector256<float> earlier0, earlier1, earlier2, earlier3;

        public Cosine(int k, double weight)
        {
            var omega = k * Math.PI / (2 * Reach);
            var (n, d) = (-weight * Math.Cos(omega * (Reach + 1)), -2 * Math.Cos(omega));
            var square = d * d;
            (gain, minusTurn) = (All(n), -All(d));
            (sum0, sum1, sum2, sum3) = (All(n), All(-d * n), All(square * n - n), All(-square * d * n + 2 * d * n));
            (before0, before1) = (All(-d), All(square - 1));
            (before2, before3) = (All(-square * d + 2 * d), All(square * square - 3 * square + 1));
            (earlier0, earlier1, earlier2, earlier3) = (All(-1), All(d), All(-square + 1), All(square * d - 2 * d));

            static Vector256<float> All(double value) => Vector256.Create((float)value);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Step(Vector256<float> sum, ref Vector256<float> before, ref Vector256<float> earlier)
        {
            var value = Fused(before0, before, Fused(earlier0, earlier, sum * sum0));
            (before, earlier) = (value, before);
            return value;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Four Steps(in Four sums, ref Vector256<float> before, ref Vector256<float> earlier)
        {
            var a = sums.A * sum0;
            var b = Fused(sum0, sums.B, sums.A * sum1);
            var c = Fused(sum0, sums.C, Fused(sum1, sums.B, sums.A * sum2));
            var d = Fused(sum0, sums.D, Fused(sum1, sums.C, Fused(sum2, sums.B, sums.A * sum3)));
            a = Fused(before0, before, Fused(earlier0, earlier, a));
            b = Fused(before1, before, Fused(earlier1, earlier, b));
            c = Fused(before2, before, Fused(earlier2, earlier, c));
            d = Fused(before3, before, Fused(earlier3, earlier, d));
            (before, earlier) = (d, c);
            return new(a, b, c, d);
        }

        // Safe: the caller has two values.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public unsafe Vector256<float> Next(Vector256<float> sum, Vector256<float>* state)
        {
            var value = Fused(gain, sum, Fused(minusTurn, state[0], -state[1]));
            (state[0], state[1]) = (value, state[0]);
            return value;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector256<float> Fused(Vector256<float> a, Vector256<float> b, Vector256<float> c) =>
            Vector256.FusedMultiplyAdd(a, b, c);
    }
}
