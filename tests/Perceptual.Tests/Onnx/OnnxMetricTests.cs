using Perceptual.Tests.Metrics;
using static Perceptual.OnnxGraph;

namespace Perceptual.Tests.Onnx;

public sealed class OnnxMetricTests : IDisposable
{
    private static readonly OnnxPreprocessing Signed = new() { Black = -1, White = 1 };
    private static readonly RgbImage A = TestImages.Waves(64, 48, 1), B = TestImages.Waves(64, 48, 2);

    private readonly TempFolder folder = new();

    public OnnxMetricTests() => OnnxGraphs.NeedRuntime();

    public void Dispose() => folder.Dispose();

    // Both compute in float32, in other orders. Either is within 1e-6 to 6e-6 of the float64 value.
    [Theory]
    [InlineData("alex", false)]
    [InlineData("squeeze", true)]
    [InlineData("lite", true)]
    public void A_network_of_ours_read_back_has_our_distance_and_layers(string net, bool calibrated)
    {
        var network = Network.All.Single(network => network.Name == net);
        var trunk = network.IsBuiltIn
            ? Lpips.LoadWeights(network, new(), default).Trunk : RandomTrunk.Of(network);
        var (graph, taps) = OnnxGraphs.Trunk(trunk);
        var path = folder.Write($"{net}.onnx", OnnxGraphs.File(graph));
        var lin = calibrated ? WriteLin(network, taps, path) : null;
        (Signed with
        {
            Mean = [.. Lpips.Shift.Select(value => (double)value)],
            Deviation = [.. Lpips.Scale.Select(value => (double)value)],
            Taps = taps,
            LinFile = calibrated ? "lin.safetensors" : null,
        }).Write(OnnxPreprocessing.PathFor(path));

        var metric = Assert.IsType<OnnxMetric>(Metric.Load([$"onnx:{path}"], families: OnnxMetric.Families())[0]);
        var ours = new Lpips(trunk, lin, new());
        Assert.Equal((calibrated, null), (metric.Calibrated, metric.ResizesTo));
        Assert.InRange(metric.Info.MinimumSide, 1, network.MinimumSide); // its pools take a part of a window
        foreach (var (width, height) in new[] { (75, 61), (64, 64), (40, 90) })
        {
            var (a, b) = (TestImages.Waves(width, height, 1), TestImages.Waves(width, height, 2));
            var (expected, expectedMap) = ours.CompareAndMap(a.OpenRows(), b.OpenRows());
            var actual = metric.RunChecked(a.OpenRows(), b.OpenRows(), withMap: true, default);
            Numbers.AssertClose([expected.Distance], [actual.Value], relative: 1e-5);
            Numbers.AssertClose(expected.Layers, actual.Layers, relative: 1e-5);
            Numbers.AssertClose(expectedMap.ToArray(), actual.Map!.ToArray(), absolute: 1e-5 * expected.Distance,
                relative: 1e-4); // a pixel is no mean of many
        }
    }

    [Fact]
    public void The_same_images_have_the_same_bits_with_any_threads_alone_together_and_prepared()
    {
        var metric = Load("residual", OnnxGraphs.Residual(OnnxTensor.Float, "N", 3, "H", "W"), Signed);
        var images = Enumerable.Range(0, 12).Select(i => TestImages.Waves(64, 48, i)).ToArray();
        var expected = Enumerable.Range(0, 11).Select(i => metric.WithThreads(1).Measure(images[i], images[i + 1]))
            .ToArray();
        Assert.All(expected, distance => Assert.InRange(distance, 1e-3, 10));
        foreach (var threads in new[] { 1, 2, 8 })
        {
            var prepared = metric.WithThreads(threads).Prepare(images);
            Assert.Equal(expected, Enumerable.Range(0, 11).Select(i => metric.Compare(prepared[i], prepared[i + 1])));
            var together = new double[11];
            ParallelLoop.Run(11, threads, i => together[i] = metric.WithThreads(threads).Measure(images[i],
                images[i + 1]));
            Assert.Equal(expected, together);
        }
        var (value, map) = metric.MeasureAndMap(images[0].OpenRows(), images[1].OpenRows());
        Assert.Equal(expected[0], value);
        Assert.Equal((64, 48), (map.Width, map.Height));
        Assert.Equal(0, metric.Measure(images[0], images[0]));
        Assert.Equal(expected[0], metric.Measure(images[1], images[0]));
        Assert.InRange(metric.PreparedBytes(64, 48), 1000, 1_000_000);
    }

    [Fact]
    public void A_network_is_not_run_once_it_is_cancelled()
    {
        var metric = Load("residual", OnnxGraphs.Residual(OnnxTensor.Float, "N", 3, "H", "W"), Signed);
        using var stopped = new CancellationTokenSource();
        stopped.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => metric.Measure(A, B, stopped.Token));
        Assert.ThrowsAny<OperationCanceledException>(() => metric.Prepare(A, stopped.Token));
    }

    [Fact]
    public void Layout_and_type_of_the_input_change_nothing()
    {
        var levels = new OnnxPreprocessing { White = 255 };
        var expected = Load("nchw", OnnxGraphs.Residual(OnnxTensor.Float, "N", 3, "H", "W"), levels).Measure(A, B);
        var last = Load("nhwc", OnnxGraphs.Residual(OnnxTensor.Float, "N", "H", "W", 3), levels);
        Assert.True(last.Network.ChannelsLast);
        Assert.Equal(expected, last.Measure(A, B));
        // The levels of 8 bits are whole in every type.
        foreach (var type in new[] { OnnxTensor.UInt8, OnnxTensor.Float16 })
            Assert.Equal(
                expected, Load($"type{type}", OnnxGraphs.Residual(type, 1, 3, "H", "W"), levels).Measure(A, B));
    }

    [Fact]
    public void Channels_range_mean_and_deviation_are_what_the_network_gets()
    {
        var graph = new OnnxGraph("first");
        graph.Input("image", "N", 3, "H", "W");
        // Each channel is 1 more, so that none is the zero vector.
        graph.Node("Conv", ["image", graph.Constant(new("pass", [3, 3, 1, 1], [1, 0, 0, 0, 1, 0, 0, 0, 1])),
            graph.Constant(new("one", [3], [1, 1, 1]))], ["map"]);
        var image = RgbImage.FromInterleaved((byte[])[10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120], 2, 2);
        var metric = Load("first", graph, new()
        {
            BlueFirst = true,
            Black = 0,
            White = 1,
            Mean = [0.1, 0.2, 0.3],
            Deviation = [0.5, 0.25, 2],
        });
        var features = Assert.IsType<LpipsFeatures>(metric.Prepare(image));
        double[] expected =
        [
            .. new[] { (30, .1, .5), (60, .1, .5), (90, .1, .5), (120, .1, .5), (20, .2, .25), (50, .2, .25),
                (80, .2, .25), (110, .2, .25), (10, .3, 2), (40, .3, 2), (70, .3, 2), (100, .3, 2) }
                .Select(sample => (sample.Item1 / 255.0 - sample.Item2) / sample.Item3 + 1),
        ];
        Numbers.AssertClose(expected, features.ToArray(0), relative: 1e-6); // float32
    }

    [Fact]
    public void Half_precision_is_near_single_precision()
    {
        double Distance(int type)
        {
            var graph = new OnnxGraph("half");
            graph.TypedInput("image", type, "N", 3, "H", "W");
            var weights = graph.Node("Cast", [graph.Weights("weights", 16, 3, 3, 3)], Attribute("to", type));
            graph.Node("Relu", [graph.Node("Conv", ["image", weights], Attribute("strides", [2, 2]))], ["map"]);
            return Load($"half{type}", graph, Signed).Measure(A, B);
        }
        var single = Distance(OnnxTensor.Float);
        Assert.InRange(single, 0.1, 10);
        Assert.Equal(single, Distance(OnnxTensor.Float16), 5e-3 * single); // 11 bits, of weights and sums
    }

    [Fact]
    public void Maps_with_channels_last_and_tokens_are_read_as_the_map_that_they_hold()
    {
        var file = OnnxGraphs.File(Transformer("H", "W"));
        double Distance(string tap) => Load("transformer", file, Signed with { Taps = [tap] }).Measure(A, B);
        var expected = Distance("patches");
        Assert.InRange(expected, 0.1, 10);
        Assert.Equal(expected, Distance("last"));
        Assert.Equal(expected, Distance("tokens"));
    }

    [Fact]
    public void Tokens_are_found_and_attention_is_not_taken_for_a_map()
    {
        foreach (var isPlaced in new[] { false, true })
        {
            var network = Load("transformer", Transformer(64, 64, isPlaced), Signed).Network;
            Assert.Equal(["patches", "last", "tokens", "attended", "normed"],
                network.Maps.Select(map => map.Name).Where(name => !name.Contains('_', StringComparison.Ordinal)));
            Assert.Contains("normed", network.Taps.Select(tap => tap.Name));
            var tokens = network.Maps.Single(map => map.Name == "tokens");
            Assert.Equal((MapLayout.Tokens, 16, 2, 8), (tokens.Layout, tokens.Channels, tokens.Extra, tokens.Patch));
            Assert.Equal(isPlaced ? "64x64" : "multiple of 8", network.SizeRule);
        }
        // Not a multiple of 8: resized to the closest, 64x48.
        var metric = Load("transformer", Transformer("H", "W"), Signed);
        Assert.Equal("a multiple of 8", metric.ResizesTo);
        var (a, b) = (TestImages.Waves(66, 45, 1), TestImages.Waves(66, 45, 2));
        Assert.Equal(metric.Measure(a.Resize(64, 48, ResizeFilter.Bilinear), b.Resize(64, 48, ResizeFilter.Bilinear)),
            metric.Measure(a, b), 1e-3); // there the pixels are rounded to 8 bits
    }

    [Fact]
    public void A_network_of_one_size_takes_others_once_what_needs_it_is_left_out()
    {
        var expected = Load("free", OnnxGraphs.Residual(OnnxTensor.Float, "N", 3, "H", "W"), Signed).Measure(A, B);
        var graph = Fixed();
        var metric = Load("fixed", graph, Signed);
        Assert.Equal(("any", null), (metric.Network.SizeRule, metric.ResizesTo));
        Assert.Equal(["block1", "block2"], metric.Network.Taps.Select(tap => tap.Name));
        Assert.Equal(expected, metric.Measure(A, B));

        // What reads as many values as one size has is left out, and so is its stored shape of another value.
        static OnnxGraph Fixed()
        {
            var graph = OnnxGraphs.Residual(OnnxTensor.Float, 1, 3, 32, 32);
            OnnxGraphs.Classifier(graph, graph.Node("Identity", ["block2"]), 16, 8 * 8);
            graph.Message.Add(13, new ProtobufMessage().Add(1, "stem").Add(2, new ProtobufMessage().Add(1,
                new ProtobufMessage().Add(1, 1).Add(2, new ProtobufMessage().Add(1, new ProtobufMessage().Add(1, 1))
                    .Add(1, new ProtobufMessage().Add(1, 16)).Add(1, new ProtobufMessage().Add(1, 16))
                    .Add(1, new ProtobufMessage().Add(1, 16))))));
            return graph;
        }
    }

    // Of odd sides, the sums would be of maps of two sizes.
    [Fact]
    public void A_network_that_halves_even_sides_twice_takes_multiples_of_four()
    {
        var graph = new OnnxGraph("even");
        graph.Input("image", "N", 3, "H", "W");
        var current = "image";
        foreach (var (output, inputs) in new[] { ("half", 3), ("quarter", 8) })
        {
            var wide = graph.Node("Conv", [current, graph.Weights($"{output} wide", 8, inputs, 3, 3)],
                Attribute("strides", [2, 2]), Attribute("pads", [0, 0, 1, 1]));
            var narrow = graph.Node("Conv", [current, graph.Weights($"{output} narrow", 8, inputs, 1, 1)],
                Attribute("strides", [2, 2]));
            graph.Node("Add", [wide, narrow], [output]);
            current = output;
        }
        var metric = Load("even", graph, Signed);
        Assert.Equal(("multiple of 4", 4), (metric.Network.SizeRule, metric.Info.MinimumSide));
        Assert.InRange(metric.Measure(TestImages.Waves(61, 46, 1), TestImages.Waves(61, 46, 2)), 0.01, 10);
    }

    [Fact]
    public void Where_the_size_cannot_be_freed_images_are_resized_to_it()
    {
        var graph = new OnnxGraph("position");
        graph.Input("image", 1, 3, 32, 24);
        graph.Node("Add", [graph.Block("map", "image", 3, 16, stride: 2), graph.Weights("position", 1, 16, 16, 12)],
            ["placed"]);
        var metric = Load("position", graph, Signed with { Taps = ["placed"] });
        Assert.Equal(("24x32", "24x32"), (metric.Network.SizeRule, metric.ResizesTo));
        Assert.InRange(metric.Measure(A, B), 0.01, 10);
        var (value, map) = metric.MeasureAndMap(A.OpenRows(), B.OpenRows());
        Assert.Equal((metric.Measure(A, B), 64, 48), (value, map.Width, map.Height));
        Assert.Equal(value, metric.Compare(metric.Prepare(A), metric.Prepare(B)));
    }

    [Fact]
    public void Data_beside_the_file_is_used_and_belongs_to_the_digest()
    {
        float[] weights = [.. Enumerable.Range(0, 16 * 27).Select(i => MathF.Sin(i))];
        var bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(weights.AsSpan()).ToArray();
        OnnxGraph Graph(ProtobufMessage tensor)
        {
            var graph = new OnnxGraph("data");
            graph.Input("image", "N", 3, "H", "W");
            graph.Message.Add(5, tensor);
            graph.Node("Relu", [graph.Node("Conv", ["image", "weights"], Attribute("strides", [2, 2]))], ["map"]);
            return graph;
        }
        var inside = Load("inside", Graph(Tensor().Add(9, bytes)), Signed);
        folder.Write("data/weights.bin", [.. new byte[64], .. bytes]);
        var outside = Load("outside", Graph(External("data/weights.bin", 64)), Signed);
        Assert.Equal(inside.Measure(A, B), outside.Measure(A, B));
        folder.Write("data/weights.bin", [.. new byte[63], 1, .. bytes]);
        Assert.NotEqual(outside.Digest, OnnxMetric.Load(folder["outside.onnx"], Signed).Digest);

        foreach (var (location, problem) in new[] { ("../weights.bin", "outside of its folder"),
            ("/etc/weights.bin", "outside of its folder"), (@"C:\weights.bin", "outside of its folder"),
            ("data/../../weights.bin", "outside of its folder"), ("", "outside of its folder"),
            ("missing.bin", "which is not there") })
            AssertRefused("bad", OnnxGraphs.File(Graph(External(location, 0))), problem);
        if (!OperatingSystem.IsWindows())
        {
            File.CreateSymbolicLink(folder["link.bin"], folder["data/weights.bin"]);
            AssertRefused("bad", OnnxGraphs.File(Graph(External("link.bin", 64))), "link.bin", "behind a link");
            Directory.CreateSymbolicLink(folder["linked"], folder["data"]);
            AssertRefused("bad", OnnxGraphs.File(Graph(External("linked/weights.bin", 64))), "behind a link");
        }

        static ProtobufMessage Tensor() =>
            new ProtobufMessage().Add(1, 16).Add(1, 3).Add(1, 3).Add(1, 3).Add(2, 1).Add(8, "weights");

        static ProtobufMessage External(string location, int offset) => Tensor()
            .Add(13, new ProtobufMessage().Add(1, "location").Add(2, location))
            .Add(13, new ProtobufMessage().Add(1, "offset").Add(2, $"{offset}")).Add(14, 1);
    }

    [Fact]
    public void What_is_no_network_of_an_image_is_refused_in_one_line()
    {
        var scores = new OnnxGraph("scores");
        scores.Input("image", "N", 3, "H", "W");
        scores.Node("GlobalAveragePool", ["image"], ["mean"]);
        AssertRefused("scores", OnnxGraphs.File(scores), "no feature maps");

        var two = new OnnxGraph("two");
        two.Input("left", "N", 3, "H", "W");
        two.Input("right", "N", 3, "H", "W");
        AssertRefused("two", OnnxGraphs.File(two), "left, right", "one image");

        AssertRefused("gray", OnnxGraphs.File(OnnxGraphs.Residual(OnnxTensor.Float, "N", 1, "H", "W")), "[?, 1, ?, ?]");
        AssertRefused("layout", OnnxGraphs.File(OnnxGraphs.Residual(OnnxTensor.Float, "N", "C", "H", "W")),
            "\"layout\"");
        AssertRefused("rank", OnnxGraphs.File(OnnxGraphs.Residual(OnnxTensor.Float, 3, "H", "W")), "3 dimensions");
        var rankless = new OnnxGraph("rankless");
        rankless.Message.Add(11, new ProtobufMessage().Add(1, "image").Add(2, new ProtobufMessage()
            .Add(1, new ProtobufMessage().Add(1, OnnxTensor.Float)))); // a type without a shape
        rankless.Block("map", "image", 3, 16);
        AssertRefused("rankless", OnnxGraphs.File(rankless), "an unknown number of dimensions");
        AssertRefused("type", OnnxGraphs.File(OnnxGraphs.Residual(9, "N", 3, "H", "W")), "type 9");

        var unknown = new OnnxGraph("unknown");
        unknown.Input("image", "N", 3, "H", "W");
        unknown.Node("Frobnicate", ["image"], ["map"]);
        AssertRefused("unknown", OnnxGraphs.File(unknown), "ONNX Runtime", "Frobnicate");
        AssertRefused("truncated", OnnxGraphs.File(scores)[..^9], "is damaged");
        AssertRefused("empty", [], "no graph");
        var missing = Assert.Throws<FileNotFoundException>(() => OnnxMetric.Load(folder["none.onnx"], Signed));
        Assert.Contains("none.onnx", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Taps_that_are_none_are_refused_with_names_that_are_close()
    {
        var file = OnnxGraphs.File(OnnxGraphs.Residual(OnnxTensor.Float, 1, 3, "H", "W"));
        AssertRefused("residual", file, Signed with { Taps = ["block3"] }, "no value block3", "block1, block2");
        AssertRefused("residual", file, Signed with { Taps = ["scores1"] }, "scores1 is no feature map");
        AssertRefused("residual", file, Signed with { ChannelsLast = true }, "[1, 3, ?, ?]");
        AssertRefused("transformer", OnnxGraphs.File(Transformer("H", "W")), Signed with { Multiple = 12 },
            "every multiple of 12");
    }

    [Fact]
    public void Images_that_are_too_small_are_refused()
    {
        var graph = new OnnxGraph("valid");
        graph.Input("image", "N", 3, "H", "W");
        graph.Node("Relu", [graph.Node("Conv", ["image", graph.Weights("weights", 16, 3, 7, 7)])], ["map"]);
        var metric = Load("valid", graph, Signed);
        Assert.Equal(7, metric.Info.MinimumSide);
        var small = TestImages.Waves(6, 9, 1);
        var error = Assert.Throws<ArgumentException>(() => metric.Measure(small, small));
        Assert.Contains("at least 7 pixels", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, metric.Measure(TestImages.Waves(7, 7, 1), TestImages.Waves(7, 7, 1)));
    }

    // The embedding is the mean colour, so both distances are known.
    [Fact]
    public void Embeddings_are_compared_by_their_angle_or_their_difference()
    {
        var unit = new OnnxPreprocessing { White = 1 };
        var graph = new OnnxGraph("colour");
        graph.Input("image", "N", 3, "H", "W");
        var mean = graph.Node("Flatten", [graph.Node("GlobalAveragePool", ["image"])]);
        graph.Node("MatMul", [mean, graph.Constant(new("pass", [3, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1]))], ["colour"]);
        graph.Output("colour", "N", 3);
        var path = folder.Write("colour.onnx", OnnxGraphs.File(graph));
        var cosine = OnnxMetric.Load(path, unit, OnnxDistance.Cosine);
        var l2 = OnnxMetric.Load(path, unit, OnnxDistance.L2);
        var (red, yellow, dark, black) = (Of(255, 0, 0), Of(255, 255, 0), Of(51, 0, 0), Of(0, 0, 0));
        Assert.Equal(1 - Math.Sqrt(0.5), cosine.Measure(red, yellow), 1e-6); // float32
        Assert.Equal(0, cosine.Measure(red, dark), 1e-6);
        Assert.Equal((0, 1), (cosine.Measure(black, black), cosine.Measure(black, red)));
        Assert.Equal(1, l2.Measure(red, yellow), 1e-6);
        Assert.Equal(0.8, l2.Measure(red, dark), 1e-6);
        Assert.Equal((0, 0), (cosine.Measure(A, A), l2.Measure(A, A)));
        Assert.Equal(cosine.Measure(A, B), cosine.Compare(cosine.Prepare(A), cosine.Prepare(B)));
        Assert.Equal(($"onnx-cosine:{path}", false, false, "any", null), (cosine.Info.Name, cosine.Info.HasMap,
            cosine.HasLayers, cosine.Network.SizeRule, cosine.ResizesTo));
        Assert.Empty(cosine.RunChecked(A.OpenRows(), B.OpenRows(), withMap: false, default).Layers);
        Assert.NotEqual(cosine.Digest, l2.Digest);
        Assert.Throws<ArgumentException>(
            () => OnnxMetric.Load(path, unit, OnnxDistance.Cosine, linFile: "lin.safetensors"));

        static RgbImage Of(byte red, byte green, byte blue) => RgbImage.FromInterleaved(
            Enumerable.Repeat((byte[])[red, green, blue], 8 * 6).SelectMany(pixel => pixel).ToArray(), 8, 6);
    }

    [Fact]
    public void The_size_of_an_embedding_is_what_the_graph_says()
    {
        var file = OnnxGraphs.File(OnnxGraphs.Residual(OnnxTensor.Float, 1, 3, 32, 24));
        var metric = OnnxMetric.Load(folder.Write("fixed.onnx", file), Signed, OnnxDistance.Cosine);
        Assert.Equal(("scores1", 10), (metric.Network.Taps[0].Name, metric.Network.Taps[0].Channels));
        Assert.Equal("24x32", metric.ResizesTo);
        Assert.InRange(metric.Measure(A, B), 1e-6, 2);
        var free = OnnxMetric.Load(folder["fixed.onnx"], Signed with { Multiple = 1 }, OnnxDistance.Cosine);
        Assert.Null(free.ResizesTo);
        Assert.Equal(metric.Measure(A.Resize(24, 32, ResizeFilter.Bilinear), B.Resize(24, 32, ResizeFilter.Bilinear)),
            free.Measure(A.Resize(24, 32, ResizeFilter.Bilinear), B.Resize(24, 32, ResizeFilter.Bilinear)), 1e-6);
    }

    [Fact]
    public void Where_it_is_not_clear_what_the_embedding_is_it_is_asked()
    {
        var graph = Transformer(64, 64);
        graph.Output("normed", 1, 66, 16);
        graph.Node("Softmax", [graph.Node("Flatten", ["normed"])], ["shares"]);
        graph.Output("shares", 1, 66 * 16);
        var file = OnnxGraphs.File(graph);
        Refused("no output is an embedding", "normed [1, 66, 16]", "\"embedding\": \"NAME\"", "vectors.json");
        RefusedAs("patches", "patches is no embedding [1, 16, 8, 8]");
        RefusedAs("nowhere", "no value nowhere");
        // The first token is the class.
        var metric = OnnxMetric.Load(folder["vectors.onnx"], Signed with { Embedding = "normed" }, OnnxDistance.L2);
        Assert.Equal((16, "64x64"), (metric.Network.Taps[0].Channels, metric.ResizesTo));
        Assert.InRange(metric.Measure(A, B), 1e-6, 100);

        graph = OnnxGraphs.Residual(OnnxTensor.Float, "N", 3, "H", "W");
        graph.Node("Flatten", [graph.Node("GlobalAveragePool", ["block1"])], ["pooled"]);
        graph.Output("pooled", "N", 16);
        file = OnnxGraphs.File(graph);
        Refused("several outputs are vectors", "scores1 [1, 10], pooled [1, 16]");

        void Refused(params string[] parts) => RefusedAs(null, parts);

        void RefusedAs(string? embedding, params string[] parts)
        {
            var path = folder.Write("vectors.onnx", file);
            var error = Assert.Throws<InvalidDataException>(
                () => OnnxMetric.Load(path, Signed with { Embedding = embedding }, OnnxDistance.Cosine));
            Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', error.Message);
            Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Without_a_word_on_how_it_takes_images_a_network_is_not_guessed_at()
    {
        var path = folder.Write("bare.onnx", OnnxGraphs.File(OnnxGraphs.Residual(OnnxTensor.Float, 1, 3, "H", "W")));
        var error = Assert.Throws<InvalidDataException>(() => OnnxMetric.Load(path));
        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        Assert.All(OnnxPreprocessing.Presets,
            preset => Assert.Contains(preset.Name, error.Message, StringComparison.Ordinal));
        Assert.Contains("bare.json", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Lin_weights_of_another_network_or_other_taps_are_refused()
    {
        var (graph, taps) = OnnxGraphs.Trunk(RandomTrunk.Of(Network.Lite));
        var path = folder.Write("lite.onnx", OnnxGraphs.File(graph));
        WriteLin(Network.Lite, taps, path);
        var preprocessing = Signed with { Taps = taps, LinFile = "lin.safetensors" };
        Assert.True(OnnxMetric.Load(path, preprocessing).Calibrated);
        var other = Assert.Throws<InvalidDataException>(
            () => OnnxMetric.Load(path, preprocessing with { Taps = taps[..1] }));
        Assert.Contains("other taps", other.Message, StringComparison.Ordinal);
        folder.Write("other.onnx", OnnxGraphs.File(graph, operatorSet: 16));
        other = Assert.Throws<InvalidDataException>(() => OnnxMetric.Load(folder["other.onnx"], preprocessing));
        Assert.Contains("do not belong to", other.Message, StringComparison.Ordinal);
    }

    // Patches of 8 pixels as tokens after two others, placed where there are 64; attention of one head; layer norm.
    private static OnnxGraph Transformer(object height, object width, bool isPlaced = false)
    {
        var graph = new OnnxGraph("transformer");
        graph.Input("image", 1, 3, height, width);
        graph.Node("Conv", ["image", graph.Weights("embed", 16, 3, 8, 8)], ["patches"], Attribute("strides", [8, 8]));
        graph.Node("Transpose", ["patches"], ["last"], Attribute("perm", [0, 2, 3, 1]));
        var shape = graph.Node("Concat", [graph.Constant("one", 1), graph.Constant("all", -1),
            graph.Constant("channels", 16)], Attribute("axis", 0));
        var grid = graph.Node("Reshape", ["last", shape]);
        if (isPlaced)
            grid = graph.Node("Add", [grid, graph.Weights("places", 1, 64, 16)]);
        graph.Node("Concat", [graph.Weights("extra", 1, 2, 16), grid], ["tokens"], Attribute("axis", 1));
        var turned = graph.Node("Transpose", ["tokens"], Attribute("perm", [0, 2, 1]));
        graph.Node("Softmax", [graph.Node("MatMul", ["tokens", turned])], ["attention"]);
        var heads = graph.Node("Unsqueeze", ["attention", graph.Constant("axis", 1)]); // [1, 1, tokens, tokens]
        graph.Node("Squeeze", [heads, "axis"], ["weights"]);
        graph.Node("Add", ["tokens", graph.Node("MatMul", ["weights", "tokens"])], ["attended"]);
        graph.Node("LayerNormalization", ["attended", graph.Weights("gain", 16), graph.Weights("offset", 16)],
            ["normed"]);
        return graph;
    }

    private OnnxMetric Load(string name, OnnxGraph graph, OnnxPreprocessing preprocessing) =>
        Load(name, OnnxGraphs.File(graph), preprocessing);

    private OnnxMetric Load(string name, byte[] file, OnnxPreprocessing preprocessing) =>
        OnnxMetric.Load(folder.Write($"{name}.onnx", file), preprocessing);

    private void AssertRefused(string name, byte[] file, params ReadOnlySpan<string> parts) =>
        AssertRefused(name, file, Signed, parts);

    private void AssertRefused(
        string name, byte[] file, OnnxPreprocessing preprocessing, params ReadOnlySpan<string> parts)
    {
        var error = Assert.Throws<InvalidDataException>(() => Load(name, file, preprocessing));
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        foreach (var part in parts)
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    private LinWeights WriteLin(Network network, string[] taps, string model)
    {
        var random = new Random(3);
        Tensor[] tensors = [.. network.TapChannels.Select((channels, k) => new Tensor(LinWeights.Key(k),
            [1, channels, 1, 1], [.. Enumerable.Range(0, channels).Select(_ => random.NextSingle())]))];
        using (var stream = File.Create(folder["lin.safetensors"]))
            Safetensors.WriteWithDigest(stream, tensors, new Dictionary<string, string>
            {
                [OnnxLin.NetworkKey] = OnnxModel.Read(model).Digest(),
                [OnnxLin.TapsKey] = string.Join('\n', taps),
            });
        return LinWeights.From(network, tensors.ToDictionary(tensor => tensor.Name), "lin");
    }
}
