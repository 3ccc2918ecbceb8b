namespace Perceptual.Tests.Metrics;

[Trait("Category", "Numbers")]
public class DistanceMapTests
{
    [Fact]
    public void One_value_fills_the_map()
    {
        var map = new DistanceMap([([3f], 1, 1), ([0.5f], 1, 1)], 5, 4);
        Assert.Equal(Enumerable.Repeat(3.5f, 5 * 4), map.ToArray());
    }

    [Fact]
    public void Two_values_are_joined_by_a_line_between_the_centres_of_their_pixels()
    {
        // Output pixel centres, in input pixels: (i + .5) / 3 - .5 = -1/3, 0, 1/3, 2/3, 1, 4/3; what lies outside takes
        // the edge's value.
        var map = new DistanceMap([([0f, 3f], 2, 1)], 6, 1);
        float[] expected = [0, 0, 1, 2, 3, 3];
        Numbers.AssertClose(expected, map.ToArray(), 1e-6);
    }

    [Fact]
    public void A_map_of_the_same_size_is_kept_bit_for_bit()
    {
        float[] values = [.1f, .2f, .3f, .4f, .5f, .6f];
        Assert.Equal(values, new DistanceMap([(values, 3, 2)], 3, 2).ToArray());
    }
}
