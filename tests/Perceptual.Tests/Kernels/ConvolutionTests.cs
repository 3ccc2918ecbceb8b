namespace Perceptual.Tests.Kernels;

[Trait("Category", "Numbers")]
public class ConvolutionTests
{
    // Every shape of the three networks, and odd ones: outputs that fill no register block, depths around the slice length.
    public static TheoryData<int, int, int, int, int> Shapes
    {
        get
        {
            var real = Network.All.SelectMany(network => network.Convolutions).Select(layer => layer.Shape);
            ConvolutionShape[] odd = [new(1, 1, 1, 1, 0), new(5, 7, 3, 1, 1), new(3, 2, 5, 3, 2), new(257, 3, 1, 1, 0), new(256, 5, 1, 2, 0), new(29, 6, 3, 2, 2)];
            var data = new TheoryData<int, int, int, int, int>();
            foreach (var (inputs, outputs, kernel, stride, padding) in real.Concat(odd).Distinct())
                data.Add(inputs, outputs, kernel, stride, padding);
            return data;
        }
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Fast_form_agrees_with_float64_loops(int inputs, int outputs, int kernel, int stride, int padding)
    {
        var shape = new ConvolutionShape(inputs, outputs, kernel, stride, padding);
        // Rows shorter and longer than a register block of pixels, and more pixels than one tile where that is cheap.
        (int, int)[] sizes = (long)shape.Depth * outputs < 100_000 ? [(11, 11), (12, 14), (47, 33)] : [(11, 11), (9 + kernel, 14)];
        foreach (var (height, width) in sizes)
            Check(shape, height, width);
    }

    [Fact]
    public void Reference_loops_agree_with_a_sum_done_by_hand()
    {
        // A 2x2 kernel over 1 2 3 / 4 5 6 / 7 8 9: 1*1 + 2*2 - 4*3 + 5*0.5 + 0.25 = -4.25 -> 0 by ReLU; the last: 5 + 12 - 24 + 4.5 + .25 < 0.
        var output = new double[4];
        ReferenceKernels.Convolve([1.0, 2, 3, 4, 5, 6, 7, 8, 9], 3, 3, new(1, 1, 2, 1, 0), [1.0, 2, -3, 0.5], [0.25], output);
        Assert.Equal([0, 0, 0, 0], output);
        ReferenceKernels.Convolve([1.0, 2, 3, 4, 5, 6, 7, 8, 9], 3, 3, new(1, 1, 2, 1, 0), [1.0, 2, 3, 0.5], [0.25], output);
        Assert.Equal([1 + 4 + 12 + 2.5 + .25, 2 + 6 + 15 + 3 + .25, 4 + 10 + 21 + 4 + .25, 5 + 12 + 24 + 4.5 + .25], output);
        // With a zero on each side and a stride of 2 the windows are 0 0 0 1, 0 0 2 3, 0 4 0 7, 5 6 8 9.
        ReferenceKernels.Convolve([1.0, 2, 3, 4, 5, 6, 7, 8, 9], 3, 3, new(1, 1, 2, 2, 1), [1.0, 2, 3, 4], [0], output);
        Assert.Equal([4, 6 + 12, 8 + 28, 5 + 12 + 24 + 36], output);
    }

    private static void Check(ConvolutionShape shape, int height, int width)
    {
        var random = new Random(shape.GetHashCode());
        var weight = Values(shape.Outputs * shape.Depth);
        var bias = Values(shape.Outputs);
        var input = new FeatureMap(shape.Inputs, height, width);
        Values(input.Values.Length).CopyTo(input.Values, 0);
        // One channel more on each side shows writes outside the range.
        var output = new FeatureMap(shape.Outputs + 2, shape.OutputLength(height), shape.OutputLength(width));
        output.Values.AsSpan().Fill(-7);

        new Im2colConvolution(shape, weight, bias).Run(input, output, 1, 2, default);

        var exact = new double[shape.Outputs * output.PlaneLength];
        var magnitude = new double[exact.Length];
        ReferenceKernels.Convolve<double>(Float64.Doubles(input.Values), height, width, shape, Float64.Doubles(weight), Float64.Doubles(bias), exact);
        ReferenceKernels.Convolve<double>(Absolute(input.Values), height, width, shape, Absolute(weight), Absolute(bias), magnitude);
        for (var i = 0; i < exact.Length; i++)
        {
            // A chain of n multiply-adds in float32 is off by at most n roundings of half an ulp, 2^-24, of the sum of magnitudes;
            // n is the depth and the bias, each product rounds once more where it is not fused.
            var tolerance = 2 * (shape.Depth + 1) * Math.ScaleB(1, -24) * magnitude[i];
            Assert.True(Math.Abs(output.Values[output.PlaneLength + i] - exact[i]) <= tolerance, $"{shape} on {width}x{height}, value {i}: {output.Values[output.PlaneLength + i]}, not {exact[i]}");
        }
        Assert.All(output.Plane(0).ToArray(), value => Assert.Equal(-7, value));
        Assert.All(output.Plane(shape.Outputs + 1).ToArray(), value => Assert.Equal(-7, value));

        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 2 - 1)];
        static double[] Absolute(float[] values) => [.. values.Select(value => Math.Abs((double)value))];
    }
}
