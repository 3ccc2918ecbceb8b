namespace Perceptual.Tests.Kernels;

/// <summary>
/// The way back: plain float64 loops against central differences, the fast float32 form against these loops.
/// </summary>
[Trait("Category", "Numbers")]
public unsafe class GradientTests
{
    // Each kind of layer, with strides, paddings, partial windows and channels that do not fill their planes.
    private static readonly Dictionary<string, Layer[]> Small = new()
    {
        ["3x3"] = [new Convolution("a", 3, 20, 3, 1, 1) { Tap = true }],
        ["5x5"] = [new Convolution("a", 3, 17, 5, 1, 2), new Convolution("b", 17, 20, 5, 1, 2) { Tap = true }],
        ["stride 4"] = [new Convolution("a", 3, 16, 11, 4, 2) { Tap = true }],
        ["stride 2"] = [new Convolution("a", 3, 18, 3, 2) { Tap = true },
            new Convolution("b", 18, 16, 1) { Tap = true }],
        ["pool"] = [new Convolution("a", 3, 17, 3) { Tap = true }, new MaxPool(3, 2),
            new Convolution("b", 17, 16, 1) { Tap = true }],
        ["ceil pool"] = [new Convolution("a", 3, 17, 3) { Tap = true }, new MaxPool(3, 2, CeilMode: true),
            new MaxPool(2, 2), new Convolution("b", 17, 16, 1) { Tap = true }],
        ["fire first"] = [new Fire("f", 3, 16, 16) { Tap = true }],
        ["fire"] = [new Convolution("a", 3, 16, 1), new Fire("f", 16, 16, 16) { Tap = true },
            new Convolution("b", 32, 20, 1) { Tap = true }],
    };

    public static TheoryData<string> Kinds => [.. Small.Keys];

    [Theory, MemberData(nameof(Kinds))]
    public void Plain_loops_agree_with_central_differences(string kind)
    {
        var network = new Network { Name = kind, FileName = kind, Layers = Small[kind] };
        var weights = TrunkWeights.Random(network, 1).Tensors.ToDictionary();
        var input = Float64.Input(TestImages.Waves(17, 15, 3), LpipsVersion.V01);
        var random = new Random(4);
        var loss = Float64.Taps(network.Layers, weights, input)
            .Select(tap => Random(random, tap.Values.Length)).ToList();
        double Loss(Float64.Map from, Dictionary<string, Tensor> with) => Float64.Taps(network.Layers, with, from)
            .Select((tap, k) => tap.Values.Zip(loss[k], (a, b) => a * b).Sum()).Sum();

        var (byInput, byWeights) = Float64.Backward(network.Layers, weights, input, loss);
        // In a direction, because a derivative by one value may be small beside the rounding of the loss.
        for (var direction = 0; direction < 3; direction++)
        {
            var along = Random(random, byInput.Length);
            Agree(byInput, along,
                h => Loss(input with { Values = [.. input.Values.Zip(along, (v, a) => v + h * a)] }, weights));
        }
        foreach (var (key, gradient) in byWeights)
        {
            // Weights are floats: steps that are exact in them.
            var along = Random(random, gradient.Length).Select(a => a > 0 ? 1.0 : -1).ToArray();
            var values = weights[key].Values.Select(v => MathF.Round(v * 4096) / 4096).ToArray();
            weights[key] = weights[key] with { Values = values };
            var (_, exact) = Float64.Backward(network.Layers, weights, input, loss);
            Agree(exact[key], along,
                h => Loss(input,
                    new(weights)
                    {
                        [key] = weights[key] with { Values = [.. values.Zip(along, (v, a) => v + (float)(h * a))] },
                    }), Math.ScaleB(1, -20));
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Fast_form_agrees_with_plain_loops_for_small_networks(string kind) => CheckFast(Small[kind], 3, 19, 16);

    public static TheoryData<string> Convolutions =>
        [.. Network.All.SelectMany(network => network.Convolutions).Select(layer => layer.Shape).Distinct()
        .Select(shape => $"{shape.Inputs} {shape.Outputs} {shape.Kernel} {shape.Stride} {shape.Padding}")];

    [Theory, MemberData(nameof(Convolutions))]
    public void Fast_form_agrees_with_plain_loops_for_every_convolution(string numbers)
    {
        var n = numbers.Split(' ').Select(int.Parse).ToArray();
        var layer = new Convolution("b", n[0], n[1], n[2], n[3], n[4]) { Tap = true };
        // More than a tile and not whole ones; of large layers, whose loops take long, in one direction only.
        var (width, height) = n[3] > 1 ? (43, 38) : n[0] * n[1] < 40_000 ? (7, 6) : (5, 4);
        CheckFast(n[0] == 3 ? [layer] : [new Convolution("a", 3, n[0], 1), layer], 2, width, height);
    }

    [Fact]
    public void Of_equal_values_the_first_takes_the_gradient_of_a_pool()
    {
        // Windows of a 3x3 pool with stride 2 over five equal columns overlap in column 2: both rows of windows begin
        // with the largest, the first.
        var gradient = new double[5];
        ReferenceKernels.MaxPoolBack([1.0, 1, 1, 1, 1], 1, 1, 5, 3, 2, 1, 2, [10.0, 1], gradient);
        Assert.Equal([10, 0, 1, 0, 0], gradient);
        ReferenceKernels.MaxPoolBack([0.0, 1, 2, 2, 2], 1, 1, 5, 3, 2, 1, 2, [10.0, 1], gradient = new double[5]);
        Assert.Equal([0, 0, 11, 0, 0], gradient);
    }

    [Fact]
    public void Dropout_drops_half_and_doubles_the_rest()
    {
        var dropout = new Dropout(7);
        double sum = 0, squares = 0;
        const int Pixels = 1000, Planes = 6; // 96,000 values
        var lanes = new float[System.Numerics.Vector<float>.Count];
        for (var pixel = 0; pixel < Pixels; pixel++)
            for (var plane = 0; plane < Planes; plane++)
                for (var lane = 0; lane < 16; lane += lanes.Length)
                {
                    dropout.Apply(System.Numerics.Vector<float>.One, pixel, Planes, plane, lane).CopyTo(lanes);
                    Assert.All(lanes, value => Assert.True(value is 0 or 2));
                    sum += lanes.Sum();
                    squares += lanes.Sum(value => value * value);
                }
        // A mean of 96,000 values of deviation 1 has a deviation of .0032: five of them.
        Assert.InRange(sum / (Pixels * Planes * 16), 1 - .016, 1 + .016);
        Assert.InRange(squares / (Pixels * Planes * 16), 2 - .032, 2 + .032);
    }

    // In norm: single derivatives may be small sums of large terms. A unit whose input is within rounding of zero may
    // be on in one form and off in the other, which is rare and counts little: 1e-4 is what is promised.
    private static void CheckFast(Layer[] layers, int images, int width, int height)
    {
        var network = new Network { Name = "test", FileName = "test", Layers = layers };
        var weights = TrunkWeights.Random(network, 1).Tensors;
        var inputs = Enumerable.Range(0, images).Select(i => TestImages.Waves(width, height, i)).ToArray();
        var random = new Random(5);
        var taps = Array.ConvertAll(inputs,
            image => Float64.Taps(layers, weights, Float64.Input(image, LpipsVersion.V01)));
        var loss = Array.ConvertAll(taps, image => image.Select(tap => Random(random, tap.Values.Length)).ToList());
        var expected = inputs.Select(
            (image, i) => Float64.Backward(layers, weights, Float64.Input(image, LpipsVersion.V01), loss[i])).ToArray();

        float[][]? first = null;
        foreach (var threads in new[] { 1, 3 })
        {
            var trunk = new TrainableTrunk(network, weights, inputGradient: true, weightGradients: true);
            using var crew = new Crew(threads);
            var results = new List<float[]>();
            for (var round = 0; round < 2; round++) // the second time in memory that has been used, for more images
            {
                results.Clear();
                if (round == 0)
                    trunk.Forward([.. inputs.Append(inputs[0]).Select(image => image.OpenRows())], Lpips.Shift,
                        Lpips.Scale, crew, default);
                trunk.Forward([.. inputs.Select(image => image.OpenRows())], Lpips.Shift, Lpips.Scale, crew, default);
                trunk.Backward((tap, features, gradient) =>
                {
                    for (var image = 0; image < images; image++)
                        for (var i = 0; i < loss[image][tap].Length; i++)
                        {
                            var (c, y, x) = (i / (features.Height * features.Width),
                                i / features.Width % features.Height, i % features.Width);
                            gradient.Row(image, c / 16, y)[x * 16 + c % 16] += (float)loss[image][tap][i];
                        }
                }, crew, default);
                for (var image = 0; image < images; image++)
                {
                    results.Add(new float[3 * width * height]);
                    trunk.CopyInputGradient(image, [1, 1, 1], results[^1]);
                }
                results.AddRange(weights.Keys.Select(key => trunk.WeightGradients[key].ToArray()));
            }
            GC.KeepAlive(trunk);
            for (var image = 0; image < images; image++)
                Near(expected[image].Input, results[image], $"image {image}");
            foreach (var (key, i) in weights.Keys.Select((key, i) => (key, i)))
                Near(Enumerable.Range(0, expected[0].Weights[key].Length)
                    .Select(k => expected.Sum(each => each.Weights[key][k])).ToArray(), results[images + i], key);
            first ??= [.. results];
            Assert.Equal(first, results); // the same bits for any number of threads
        }
    }

    private static void Near(double[] expected, float[] actual, string name)
    {
        Assert.Equal(expected.Length, actual.Length);
        var error = Math.Sqrt(expected.Zip(actual, (e, a) => (e - a) * (e - a)).Sum() / expected.Sum(e => e * e));
        Assert.True(error <= 1e-4, $"{name}: off by {error} of its norm");
    }

    private static void Agree(double[] gradient, double[] along, Func<double, double> loss, double step = 1e-6)
    {
        var exact = gradient.Zip(along, (g, a) => g * a).Sum();
        var difference = (loss(step) - loss(-step)) / (2 * step);
        // relative to the terms of the sum, which may cancel
        var scale = Math.Sqrt(gradient.Zip(along, (g, a) => g * g * a * a).Sum());
        Assert.True(scale > 0 && Math.Abs(exact - difference) <= 1e-6 * Math.Max(scale, Math.Abs(exact)),
            $"{exact} is not {difference}");
    }

    private static double[] Random(
        Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextDouble() * 2 - 1)];
}
