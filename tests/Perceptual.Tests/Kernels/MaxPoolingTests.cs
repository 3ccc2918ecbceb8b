namespace Perceptual.Tests.Kernels;

[Trait("Category", "Numbers")]
public class MaxPoolingTests
{
    [Theory]
    [InlineData(2, false)]
    [InlineData(3, false)]
    [InlineData(3, true)]
    public void Fast_form_equals_plain_loops(int kernel, bool ceil)
    {
        var pool = new MaxPool(kernel, 2, ceil);
        var random = new Random(1);
        for (var height = kernel; height < 12; height++)
            for (var width = kernel; width < 12; width++)
            {
                var input = new FeatureMap(3, height, width);
                foreach (ref var value in input.Values.AsSpan())
                    value = random.NextSingle() - 0.5f;
                var output = new FeatureMap(3, pool.OutputLength(height), pool.OutputLength(width));
                MaxPooling.Run(input, kernel, 2, output, 2, default);
                var expected = new float[output.Values.Length];
                ReferenceKernels.MaxPool<float>(input.Values, 3, height, width, kernel, 2, output.Height, output.Width, expected);
                Assert.Equal(expected, output.Values);
            }
    }

    [Theory]
    [InlineData(5, 2, 2)] // windows at 0 and 2 fit exactly
    [InlineData(6, 2, 3)] // the third window, at 4, is partial
    [InlineData(7, 3, 3)]
    [InlineData(2, 0, 1)] // one partial window
    [InlineData(1, 0, 0)]
    public void Ceil_mode_counts_a_partial_window_that_starts_inside(int length, int floor, int ceil)
    {
        Assert.Equal(floor, new MaxPool(3, 2).OutputLength(length));
        Assert.Equal(ceil, new MaxPool(3, 2, CeilMode: true).OutputLength(length));
    }

    [Fact]
    public void Ceil_mode_drops_a_window_that_would_start_outside() =>
        Assert.Equal(2, new MaxPool(1, 3, CeilMode: true).OutputLength(5)); // windows at 0 and 3; one at 6 would start past the end
}
