using static Perceptual.OnnxGraph;

namespace Perceptual;

/// <summary>
/// LPIPS as an ONNX model (https://onnx.ai), for other runtimes: operator set 17, IR version 8. Inputs <c>reference</c>
/// and <c>distorted</c>: float32 [N, 3, H, W], RGB on [-1, 1]; H and W are at least <see cref="Network.MinimumSide"/>.
/// Outputs <c>distance</c>: float32 [N], 0 for identical images, larger for images further apart; <c>layers</c>:
/// float32 [N, taps], what each tap adds to the distance.
/// </summary>
public static class OnnxFile
{
    private const int OperatorSet = 17;
    private const int IrVersion = 8;

    /// <summary>Writes the model of a metric.</summary>
    /// <param name="stream">Receives the file.</param>
    /// <param name="trunk">The network and its weights.</param>
    /// <param name="lin">The weights of its channels, or null for a baseline.</param>
    /// <param name="version">How the input is scaled.</param>
    /// <exception cref="ArgumentException">The lin weights are another network's.</exception>
    public static void Write(Stream stream, TrunkWeights trunk, LinWeights? lin, LpipsVersion version)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(trunk);
        if (lin is not null && lin.Network != trunk.Network)
            throw new ArgumentException($"the trunk is {trunk.Network.Name}'s but the lin weights are "
                + $"{lin.Network.Name}'s");

        var graph = new OnnxGraph("lpips");
        graph.Input("reference", "N", 3, "H", "W");
        graph.Input("distorted", "N", 3, "H", "W");
        Metric(graph, trunk, lin, version);
        graph.Output("distance", "N");
        graph.Output("layers", "N", trunk.Network.TapChannels.Count);

        // ModelProto: ir_version, producer_name, doc_string, graph, opset_import (domain, version)
        var number = version == LpipsVersion.V01 ? "0.1" : "0.0";
        var description = $"LPIPS {number}, {trunk.Network.Name}, {(lin is null ? "baseline" : "calibrated")}; "
            + "images are RGB on [-1, 1], distance 0 is identical, larger is further apart";
        new ProtobufMessage()
            .Add(1, IrVersion)
            .Add(2, "Perceptual")
            .Add(6, description)
            .Add(7, graph.Message)
            .Add(8, new ProtobufMessage().Add(1, "").Add(2, OperatorSet))
            .WriteTo(stream);
    }

    // Both inputs go through the network as one batch, which ONNX Runtime computes up to a tenth faster than two runs.
    // Split takes the batch apart by the two counts. Different counts are then an error of the runtime or, where one of
    // them is 1, that image against each of the others; they never make wrong pairs.
    private static void Metric(OnnxGraph graph, TrunkWeights trunk, LinWeights? lin, LpipsVersion version)
    {
        foreach (var tensor in trunk.Tensors.Values)
            graph.Constant(tensor);
        var epsilon = graph.Constant(new("epsilon", [], [LpipsHead.Epsilon]));
        var two = graph.Constant(new("two", [], [2]));
        var channels = graph.Constant("channel_axis", 1);

        var counts = graph.Node("Concat", [Count("reference"), Count("distorted")], Attribute("axis", 0));
        var current = graph.Node("Concat", ["reference", "distorted"], Attribute("axis", 0));
        if (version == LpipsVersion.V01)
        {
            current = graph.Node("Sub", [current, graph.Constant(new("shift", [1, 3, 1, 1], Lpips.Shift))]);
            current = graph.Node("Div", [current, graph.Constant(new("scale", [1, 3, 1, 1], Lpips.Scale))]);
        }
        var distances = new List<string>();
        foreach (var stage in trunk.Network.Stages)
        {
            var input = current;
            current = stage.Pool is { } pool ? Pool(pool, input)
                : Stack([.. stage.Convolutions.Select(convolution => Convolve(convolution, input))]);
            if (stage.Tap)
                distances.Add(Distance(current, lin?.Layers[distances.Count]));
        }
        graph.Node("Concat", distances, ["layers"], Attribute("axis", 1));
        graph.Node("ReduceSum", ["layers", channels], ["distance"], Attribute("keepdims", 0));

        string Count(string input) => graph.Node("Shape", [input], Attribute("end", 1));

        string Convolve(Convolution layer, string input) => graph.Node("Relu",
        [
            graph.Node("Conv", [input, layer.Name + ".weight", layer.Name + ".bias"],
                Attribute("strides", [layer.Stride, layer.Stride]),
                Attribute("pads", [layer.Padding, layer.Padding, layer.Padding, layer.Padding])),
        ]);

        string Pool(MaxPool layer, string input) => graph.Node("MaxPool", [input],
            Attribute("kernel_shape", [layer.Kernel, layer.Kernel]), Attribute("strides", [layer.Stride, layer.Stride]),
            Attribute("ceil_mode", layer.CeilMode ? 1 : 0));

        string Stack(string[] all) => all is [var one] ? one : graph.Node("Concat", all, Attribute("axis", 1));

        // Shape [N, 1]. The mean over the pixels comes before the weighted sum over the channels, so that both run over
        // adjacent values. The square is a Pow and not a Mul because ONNX Runtime would compute a Mul in the
        // convolutions' layout and then convert its result too.
        string Distance(string features, float[]? weights)
        {
            var norms = graph.Node("Sqrt", [graph.Node("ReduceSum", [graph.Node("Pow", [features, two]), channels])]);
            var unit = graph.Node("Div", [features, graph.Node("Add", [norms, epsilon])]);
            var (reference, distorted) = (unit + "_reference", unit + "_distorted");
            graph.Node("Split", [unit, counts], [reference, distorted], Attribute("axis", 0));
            var difference = graph.Node("Sub", [reference, distorted]);
            // [N, C]
            var means = graph.Node("ReduceMean", [graph.Node("Mul", [difference, difference])],
                Attribute("axes", [2, 3]), Attribute("keepdims", 0));
            return weights is null
                ? graph.Node("ReduceSum", [means, channels])
                : graph.Node("MatMul", [means, graph.Constant(new(features + "_lin", [weights.Length, 1], weights))]);
        }
    }
}
