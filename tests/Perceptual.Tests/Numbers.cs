using System.Numerics;

namespace Perceptual.Tests;

internal static class Numbers
{
    /// <summary>There are as many as expected, and each is off by no more than the tolerances allow.</summary>
    /// <param name="expected">What is expected.</param>
    /// <param name="actual">What is there.</param>
    /// <param name="absolute">How far each may be off.</param>
    /// <param name="relative">How far each may be off besides, of the magnitude of what is expected.</param>
    public static void AssertClose<TExpected, TActual>(
        IReadOnlyList<TExpected> expected, IReadOnlyList<TActual> actual, double absolute = 0, double relative = 0)
        where TExpected : INumber<TExpected>
        where TActual : INumber<TActual>
    {
        Assert.Equal(expected.Count, actual.Count);
        Assert.NotEmpty(expected);
        for (var i = 0; i < expected.Count; i++)
        {
            var (e, a) = (double.CreateChecked(expected[i]), double.CreateChecked(actual[i]));
            if (!(Math.Abs(e - a) <= absolute + relative * Math.Abs(e)))
                Assert.Fail($"number {i} is {a:R}, not {e:R}");
        }
    }
}
