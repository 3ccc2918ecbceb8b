using System.Runtime.Intrinsics;

namespace Perceptual.Tests.Kernels;

[Trait("Category", "Numbers")]
public unsafe class ConvolutionTests
{
    // Every shape of the networks, and odd ones: channels that fill no plane, other strides and paddings.
    public static TheoryData<int, int, int, int, int> Shapes
    {
        get
        {
            var real = Network.All.SelectMany(network => network.Convolutions).Select(layer => layer.Shape);
            ConvolutionShape[] odd = [new(1, 16, 1, 1, 0), new(5, 32, 3, 1, 1), new(3, 8, 5, 2, 2),
                new(17, 48, 3, 1, 0), new(20, 33, 1, 1, 0), new(33, 20, 5, 1, 1), new(16, 5, 3, 1, 2),
                new(20, 80, 3, 1, 1)];
            var data = new TheoryData<int, int, int, int, int>();
            foreach (var (inputs, outputs, kernel, stride, padding) in real.Concat(odd).Distinct())
                data.Add(inputs, outputs, kernel, stride, padding);
            return data;
        }
    }

    [Fact]
    public void The_level_is_that_of_the_vectors_that_the_kernels_choose()
    {
        var (weight, bias) = (new float[16 * 16], new float[16]);
        var vector = Convolver.Choose(new(16, 16, 1, 1, 0), weight, bias).GetType().GenericTypeArguments[0];
        string[] levels = vector == typeof(Simd512) ? ["avx512"] : vector == typeof(Simd256) ? ["avx2"]
            : vector == typeof(Simd128) ? ["sse", "neon"] : ["none"];
        Assert.Contains(Vectors.Level, levels);
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Fast_form_agrees_with_float64_loops_for_every_vector(
        int inputs, int outputs, int kernel, int stride, int padding)
    {
        var shape = new ConvolutionShape(inputs, outputs, kernel, stride, padding);
        // Narrower and wider than a register block and a tile, and more than one chunk of tiles where that is cheap.
        var cheap = (long)shape.Depth * outputs < 24_000;
        (int, int)[] sizes = cheap ? [(11, 11), (12, 14), (3 + kernel, 2 + kernel), (47, 33)] : [(11, 13), (3, 5)];
        // Of large layers a fourth of the outputs, which are computed alike: some of each plane, and each lane of some.
        int[] checkedOutputs = [.. Enumerable.Range(0, outputs).Where(o => cheap || o % 4 == o / 16 % 4)];
        foreach (var (height, width) in sizes.Where(size => shape.OutputLength(Math.Min(size.Item1, size.Item2)) > 0))
        {
            var random = new Random(shape.GetHashCode());
            float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 2 - 1)];
            var (weight, bias, input) = (Values(shape.Outputs * shape.Depth), Values(shape.Outputs),
                Values(2 * shape.Inputs * height * width));
            var some = shape with { Outputs = checkedOutputs.Length };
            var pixels = shape.OutputLength(height) * shape.OutputLength(width);
            float[] someWeight =
                [.. checkedOutputs.SelectMany(o => new ArraySegment<float>(weight, o * shape.Depth, shape.Depth))];
            float[] someBias = [.. checkedOutputs.Select(o => bias[o])];
            var expected = new double[2][];
            var magnitude = new double[2][];
            for (var image = 0; image < 2; image++)
            {
                var one = input.AsSpan(image * input.Length / 2, input.Length / 2).ToArray();
                expected[image] = new double[checkedOutputs.Length * pixels];
                magnitude[image] = new double[expected[image].Length];
                ReferenceKernels.Convolve<double>(
                    Float64.Doubles(one), height, width, some, Float64.Doubles(someWeight), Float64.Doubles(someBias),
                    expected[image]);
                ReferenceKernels.Convolve<double>(
                    Absolute(one), height, width, some, Absolute(someWeight), Absolute(someBias), magnitude[image]);
            }
            // A chain of n multiply-adds in float32 is off by at most n roundings of half an ulp, 2^-24, of the sum of
            // magnitudes; each product rounds once more where it is not fused. Winograd's transforms mix the values of
            // a tile, so that the largest sum of magnitudes counts; their matrices enlarge errors by up to about 10
            // (3x3) and 100 (5x5), while the chains, over the input channels only, are shorter by the kernel's area.
            var depth = 2 * (shape.Depth + 1) * Math.ScaleB(1, -24);
            var largest = magnitude.Max(values => values.Max());
            double Tolerance(int image, int i) =>
                kernel == 1 || inputs < 16 ? depth * magnitude[image][i] : depth * largest * (kernel == 3 ? 1 : 4);

            foreach (var convolver in OfEveryVector(shape, weight, bias, isSmall: false))
            {
                var vector = convolver.GetType().GenericTypeArguments[0].Name;
                var whole = Run(convolver, input, height, width, band: int.MaxValue / 2, threads: 1);
                for (var image = 0; image < 2; image++)
                    for (var i = 0; i < expected[image].Length; i++)
                    {
                        var (output, pixel) = (checkedOutputs[i / pixels], i % pixels);
                        var value = whole[image][output * pixels + pixel];
                        if (!(Math.Abs(value - expected[image][i]) <= Tolerance(image, i)))
                            Assert.Fail(
                                $"{vector} {shape} on {width}x{height}, output {output}, pixel {pixel}: "
                                + $"{value}, not {expected[image][i]}");
                    }
                var inBands = Run(convolver, input, height, width, convolver.UnitRows, threads: 3);
                Assert.True(whole[0].AsSpan().SequenceEqual(inBands[0]),
                    $"{vector} {shape} on {width}x{height} in bands");
                Assert.Equal(whole[1], inBands[1]);
            }
        }
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Small_maps_agree_with_float64_loops_for_every_vector(
        int inputs, int outputs, int kernel, int stride, int padding)
    {
        var shape = new ConvolutionShape(inputs, outputs, kernel, stride, padding);
        if (!SmallMapConvolver.Suits(shape))
            return;
        const int Images = 7; // more than are computed together
        foreach (var (height, width) in new[] { (3, 3), (2, 3), (3, 1), (1, 2), (1, 1) }
            .Select(size => (size.Item1 + kernel - 1 - 2 * padding, size.Item2 + kernel - 1 - 2 * padding))
            .Where(size => Math.Min(size.Item1, size.Item2) > 0))
        {
            var random = new Random(shape.GetHashCode());
            float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 2 - 1)];
            var length = shape.Inputs * height * width;
            var (weight, bias, input) =
                (Values(shape.Outputs * shape.Depth), Values(shape.Outputs), Values(Images * length));
            var expected = new double[shape.Outputs * shape.OutputLength(height) * shape.OutputLength(width)];
            var magnitude = new double[expected.Length];
            var first = input[..length];
            ReferenceKernels.Convolve<double>(Float64.Doubles(first), height, width, shape, Float64.Doubles(weight),
                Float64.Doubles(bias), expected);
            ReferenceKernels.Convolve<double>(Absolute(first), height, width, shape, Absolute(weight), Absolute(bias),
                magnitude);
            foreach (var convolver in OfEveryVector(shape, weight, bias, isSmall: true))
            {
                var alone = Run(convolver, first, height, width, band: 3, threads: 1)[0];
                // A chain of multiply-adds in float32: see above.
                for (var i = 0; i < expected.Length; i++)
                    Assert.InRange(Math.Abs(alone[i] - expected[i]), 0,
                        2 * (shape.Depth + 1) * Math.ScaleB(1, -24) * magnitude[i]);
                // The same bits with others, in bands and by several threads.
                foreach (var images in new[] { 2, Images })
                    foreach (var (band, threads) in new[] { (3, 1), (1, 1), (3, 40) })
                    {
                        var together = Run(convolver, input[..(images * length)], height, width, band, threads);
                        Assert.Equal(alone, together[0]);
                        Assert.Equal(Run(convolver, input[((images - 1) * length)..(images * length)], height, width,
                            band: 3, threads: 1)[0], together[images - 1]);
                    }
            }
        }
    }

    [Fact]
    public void Reference_loops_agree_with_a_sum_done_by_hand()
    {
        // A 2x2 kernel over 1 2 3 / 4 5 6 / 7 8 9: 1*1 + 2*2 - 4*3 + 5*0.5 + 0.25 = -4.25 -> 0 by ReLU; the last: 5 +
        // 12 - 24 + 4.5 + .25 0.
        var output = new double[4];
        ReferenceKernels.Convolve([1.0, 2, 3, 4, 5, 6, 7, 8, 9], 3, 3, new(1, 1, 2, 1, 0), [1.0, 2, -3, 0.5],
            [0.25], output);
        Assert.Equal([0, 0, 0, 0], output);
        ReferenceKernels.Convolve([1.0, 2, 3, 4, 5, 6, 7, 8, 9], 3, 3, new(1, 1, 2, 1, 0), [1.0, 2, 3, 0.5],
            [0.25], output);
        Assert.Equal(
            [1 + 4 + 12 + 2.5 + .25, 2 + 6 + 15 + 3 + .25, 4 + 10 + 21 + 4 + .25, 5 + 12 + 24 + 4.5 + .25], output);
        // With a zero on each side and a stride of 2 the windows are 0 0 0 1, 0 0 2 3, 0 4 0 7, 5 6 8 9.
        ReferenceKernels.Convolve([1.0, 2, 3, 4, 5, 6, 7, 8, 9], 3, 3, new(1, 1, 2, 2, 1), [1.0, 2, 3, 4], [0], output);
        Assert.Equal([4, 6 + 12, 8 + 28, 5 + 12 + 24 + 36], output);
    }

    // Without vectors where others are there, on small layers only: it is slow.
    private static IEnumerable<Convolver> OfEveryVector(
        ConvolutionShape shape, float[] weight, float[] bias, bool isSmall)
    {
        if (!Vector128.IsHardwareAccelerated || shape.Inputs < 64)
            yield return Of<SimdScalar>();
        if (Vector128.IsHardwareAccelerated)
            yield return Of<Simd128>();
        if (Vector256.IsHardwareAccelerated)
            yield return Of<Simd256>();
        if (Vector512.IsHardwareAccelerated)
            yield return Of<Simd512>();

        Convolver Of<T>() where T : struct, ISimd<T> => isSmall
            ? Convolver.ChooseSmall<T>(shape, weight, bias)
            : Convolver.Choose<T>(shape, weight, bias);
    }

    /// <summary>Images through a convolver, some rows at a time, into the middle of a larger output.</summary>
    private static float[][] Run(Convolver convolver, float[] values, int height, int width, int band, int threads)
    {
        var shape = convolver.Shape;
        var images = values.Length / (shape.Inputs * height * width);
        var input = new RowBuffer(shape.Inputs, Convolver.LanesOf(shape.Inputs), height, width);
        var output = new RowBuffer((shape.Outputs + 15) / 16 * 16 + 32, RowBuffer.Lanes, shape.OutputLength(height),
            shape.OutputLength(width));
        convolver.Reserve(input, output);
        (input.Capacity, input.First, input.End) = (input.Above + height + input.Below, -input.Above, height);
        (output.Capacity, output.End) = (output.Height, 0);
        var from = new PinnedFloats(images * input.ImageLength + 1024);
        var to = new PinnedFloats(images * output.ImageLength);
        input.Data = from.Pointer;
        output.Data = to.Pointer;
        new Span<float>(to.Pointer, (int)to.Length).Fill(-7);
        for (var image = 0; image < images; image++)
            for (var c = 0; c < shape.Inputs; c++)
                for (var y = 0; y < height; y++)
                    for (var x = 0; x < width; x++)
                        input.Row(image, c / input.LaneCount, y)[x * input.LaneCount + c % input.LaneCount] =
                            values[((image * shape.Inputs + c) * height + y) * width + x];
        var offsets = GC.AllocateArray<int>(convolver.OffsetCount, pinned: true);
        convolver.FillOffsets(input, offsets);
        var scratch = new PinnedFloats(convolver.ScratchLength);
        // nothing may be read that was not written
        new Span<float>(scratch.Pointer, (int)convolver.ScratchLength).Fill(float.NaN);
        for (var y = 0; y < output.Height; y += band)
        {
            var step = new ConvolutionStep(input, output, 16, offsets, images, y,
                Math.Min(y + band, output.Height), threads);
            for (var task = convolver.CountTasks(step) - 1; task >= 0; task--)
                convolver.Run(step, task, scratch.Pointer);
        }
        var results = new float[images][];
        for (var image = 0; image < images; image++)
        {
            results[image] = new float[shape.Outputs * output.Height * output.Width];
            for (var i = 0; i < results[image].Length; i++)
            {
                var (c, y, x) = (i / (output.Height * output.Width) + 16, i / output.Width % output.Height,
                    i % output.Width);
                results[image][i] = output.Row(image, c / 16, y)[x * 16 + c % 16];
            }
            foreach (var plane in new[] { 0, output.Planes - 1 }) // nothing is written outside the channels asked for
            {
                var untouched = new ReadOnlySpan<float>(output.Row(image, plane, 0), (int)output.PlaneLength);
                Assert.Equal(-1, untouched.IndexOfAnyExcept(-7f));
            }
        }
        GC.KeepAlive((convolver, from, to, scratch)); // only their pointers were used
        return results;
    }

    private static double[] Absolute(float[] values) => [.. values.Select(value => Math.Abs((double)value))];
}
