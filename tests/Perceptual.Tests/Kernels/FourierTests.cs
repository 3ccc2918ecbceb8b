using System.Numerics;
using Perceptual.Tests.Metrics;

namespace Perceptual.Tests.Kernels;

[Trait("Category", "Numbers")]
public class FourierTests
{
    public static TheoryData<int> Lengths =>
        [.. Enumerable.Range(1, 40), 45, 49, 62, 64, 74, 97, 121, 127, 128, 192, 243, 270, 289, 383, 480];

    // A sum of n terms below 1, as the definition has it, is off by up to n / 2 roundings of 2^-53 of a sum of at most
    // n: n^2 * 5e-17, in practice its root; the fast form's error grows with log n only. 1e-14 * n is some twenty times
    // what is measured.
    [Theory, MemberData(nameof(Lengths))]
    public unsafe void Every_length_agrees_with_the_definition_both_ways(int length)
    {
        const int Lanes = Fourier.Lanes;
        var random = new Random(length);
        double[] re = new double[length * Lanes], im = new double[length * Lanes];
        for (var i = 0; i < re.Length; i++)
            (re[i], im[i]) = (random.NextDouble() - 0.5, random.NextDouble() - 0.5);
        Complex[] Signal(int lane) =>
            [.. Enumerable.Range(0, length).Select(k => new Complex(re[k * Lanes + lane], im[k * Lanes + lane]))];
        Complex[][] signals = [Signal(0), Signal(Lanes - 1)];

        var fourier = new Fourier(length);
        var scratch = new double[fourier.ScratchLength];
        fixed (double* pointerRe = re, pointerIm = im, pointerScratch = scratch)
        {
            fourier.Transform(pointerRe, pointerIm, pointerScratch);
            Assert.True(Distance(PlainMetrics.Dft(signals[0], inverse: false), Signal(0)) < 1e-14 * length);
            Assert.True(Distance(PlainMetrics.Dft(signals[1], inverse: false), Signal(Lanes - 1)) < 1e-14 * length);
            fourier.Transform(pointerIm, pointerRe, pointerScratch);
            Assert.True(Distance([.. signals[0].Select(value => value * length)], Signal(0)) < 1e-14 * length);
        }

        static double Distance(Complex[] expected, Complex[] actual) =>
            expected.Zip(actual, (a, b) => (a - b).Magnitude).Max();
    }
}
