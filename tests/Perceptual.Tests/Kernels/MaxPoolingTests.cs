namespace Perceptual.Tests.Kernels;

[Trait("Category", "Numbers")]
public class MaxPoolingTests
{
    [Theory]
    [InlineData(16, 2, false)]
    [InlineData(16, 3, false)]
    [InlineData(16, 3, true)]
    [InlineData(48, 3, false)] // three planes
    public unsafe void Fast_form_equals_plain_loops(int channels, int kernel, bool ceil)
    {
        var pool = new MaxPool(kernel, 2, ceil);
        var random = new Random(1);
        for (var height = kernel; height < 12; height++)
            for (var width = kernel; width < 12; width++)
            {
                var input = new RowBuffer(channels, 16, height, width);
                var output = new RowBuffer(channels, 16, pool.OutputLength(height), pool.OutputLength(width));
                MaxPooling.Reserve(kernel, 2, input, output);
                (input.Capacity, output.Capacity) = (height + input.Below, output.Height);
                var (from, to) = (new PinnedFloats(input.ImageLength), new PinnedFloats(output.ImageLength));
                input.Data = from.Pointer;
                output.Data = to.Pointer;
                var values = new float[channels * height * width]; // [channels, height, width]
                for (var i = 0; i < values.Length; i++)
                    input.Row(0, i / (height * width) / 16,
                        i / width % height)[i % width * 16 + i / (height * width) % 16] = values[i] = Math.Max(0,
                            random.NextSingle() - 0.5f);
                for (var y = 0; y < output.Height; y++)
                    MaxPooling.Run(kernel, 2, input, output, 0, y);
                var expected = new float[channels * output.Height * output.Width];
                ReferenceKernels.MaxPool<float>(values, channels, height, width, kernel, 2, output.Height,
                    output.Width, expected);
                for (var i = 0; i < expected.Length; i++)
                    Assert.Equal(expected[i],
                        output.Row(0, i / (output.Height * output.Width) / 16,
                            i / output.Width % output.Height)[i % output.Width * 16
                                + i / (output.Height * output.Width) % 16]);
                GC.KeepAlive((from, to)); // only their pointers were used
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
        // windows at 0 and 3; one at 6 would start past the end
        Assert.Equal(2, new MaxPool(1, 3, CeilMode: true).OutputLength(5));
}
