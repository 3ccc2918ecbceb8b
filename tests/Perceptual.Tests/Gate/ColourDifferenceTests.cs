namespace Perceptual.Tests.Gate;

public class ColourDifferenceTests
{
    // Sharma, Wu and Dalal 2005, table 1: all 34 pairs, to the four decimals printed.
    public static TheoryData<double, double, double, double, double, double, double> Published => new()
    {
        { 50, 2.6772, -79.7751, 50, 0, -82.7485, 2.0425 },
        { 50, 3.1571, -77.2803, 50, 0, -82.7485, 2.8615 },
        { 50, 2.8361, -74.0200, 50, 0, -82.7485, 3.4412 },
        { 50, -1.3802, -84.2814, 50, 0, -82.7485, 1.0000 },
        { 50, -1.1848, -84.8006, 50, 0, -82.7485, 1.0000 },
        { 50, -0.9009, -85.5211, 50, 0, -82.7485, 1.0000 },
        { 50, 0, 0, 50, -1, 2, 2.3669 },
        { 50, -1, 2, 50, 0, 0, 2.3669 },
        { 50, 2.49, -0.001, 50, -2.49, 0.0009, 7.1792 },
        { 50, 2.49, -0.001, 50, -2.49, 0.0010, 7.1792 },
        { 50, 2.49, -0.001, 50, -2.49, 0.0011, 7.2195 },
        { 50, 2.49, -0.001, 50, -2.49, 0.0012, 7.2195 },
        { 50, -0.001, 2.49, 50, 0.0009, -2.49, 4.8045 },
        { 50, -0.001, 2.49, 50, 0.0010, -2.49, 4.8045 },
        { 50, -0.001, 2.49, 50, 0.0011, -2.49, 4.7461 },
        { 50, 2.5, 0, 50, 0, -2.5, 4.3065 },
        { 50, 2.5, 0, 73, 25, -18, 27.1492 },
        { 50, 2.5, 0, 61, -5, 29, 22.8977 },
        { 50, 2.5, 0, 56, -27, -3, 31.9030 },
        { 50, 2.5, 0, 58, 24, 15, 19.4535 },
        { 50, 2.5, 0, 50, 3.1736, 0.5854, 1.0000 },
        { 50, 2.5, 0, 50, 3.2972, 0, 1.0000 },
        { 50, 2.5, 0, 50, 1.8634, 0.5757, 1.0000 },
        { 50, 2.5, 0, 50, 3.2592, 0.3350, 1.0000 },
        { 60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644 },
        { 63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630 },
        { 61.2901, 3.7196, -5.3901, 61.4292, 2.2480, -4.9620, 1.8731 },
        { 35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645 },
        { 22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373 },
        { 36.4612, 47.8580, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146 },
        { 90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441 },
        { 90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381 },
        { 6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377 },
        { 2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082 },
    };

    [Theory]
    [MemberData(nameof(Published))]
    public void Ciede2000_is_what_its_authors_publish(
        double l1, double a1, double b1, double l2, double a2, double b2, double expected)
    {
        Assert.Equal(expected, ColourDifference.Ciede2000((l1, a1, b1), (l2, a2, b2)), 5e-5);
        Assert.Equal(expected, ColourDifference.Ciede2000((l2, a2, b2), (l1, a1, b1)), 5e-5);
    }

    [Fact]
    public void Differences_are_never_larger_than_their_bounds_say()
    {
        var random = new SplitMix64(1);
        for (var i = 0; i < 200_000; i++)
        {
            var spread = i % 2 == 0 ? 255 : 8; // far apart, and near each other
            var most = i % 3 == 0 ? 40 : 255; // a third is dark, where a level moves most
            var one = (R: most * random.NextUnit(), G: most * random.NextUnit(), B: most * random.NextUnit());
            var other = (R: Near(one.R), G: Near(one.G), B: Near(one.B));
            var a = ColourDifference.Lab(one.R, one.G, one.B);
            var b = ColourDifference.Lab(other.R, other.G, other.B);
            var straight = ColourDifference.Straight(a, b);
            Assert.True(ColourDifference.Ciede2000(a, b) <= ColourDifference.MostOfStraight * straight + 1e-12);
            // Both are Euclidean distances, of three numbers.
            Assert.True(straight <= ColourDifference.MostOfLevels * ColourDifference.Straight(one, other) + 1e-12);

            double Near(double level) => Math.Clamp(level + spread * (2 * random.NextUnit() - 1), 0, 255);
        }
    }

    [Fact]
    public void Lab_is_that_of_the_metrics_in_Lab()
    {
        var levels = new float[3 * 256];
        var random = new Random(3);
        foreach (ref var level in levels.AsSpan())
            level = random.Next(256);
        levels[0] = levels[256] = levels[512] = 0;
        levels[1] = levels[257] = levels[513] = 255;
        var rows = new RowWindow(1, 3, 256, 1, 0);
        rows.Extend(1);
        Colour.Lab.Convert(levels, ValueRange.Byte, rows, 0, 0);
        for (var x = 0; x < 256; x++)
        {
            var (l, a, b) = ColourDifference.Lab(levels[x], levels[256 + x], levels[512 + x]);
            Assert.Equal(rows.Inner(0, 0, 0)[x], l, 1e-3);
            Assert.Equal(rows.Inner(0, 1, 0)[x], a, 5e-3);
            Assert.Equal(rows.Inner(0, 2, 0)[x], b, 5e-3);
        }
    }
}
