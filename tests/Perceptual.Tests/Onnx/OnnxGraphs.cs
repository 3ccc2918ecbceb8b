using System.Runtime.InteropServices;
using static Perceptual.OnnxGraph;

namespace Perceptual.Tests.Onnx;

/// <summary>Small networks as ONNX files, made by our own writer.</summary>
internal static class OnnxGraphs
{
    /// <summary>Skips a test where the package of ONNX Runtime has no library.</summary>
    public static void NeedRuntime() =>
        Assert.SkipWhen(RuntimeInformation.OSArchitecture is not (Architecture.X64 or Architecture.Arm64)
            || RuntimeInformation.RuntimeIdentifier is "osx-x64" or "linux-musl-x64" or "linux-musl-arm64",
            $"the package of ONNX Runtime has no native library for {RuntimeInformation.RuntimeIdentifier}");

    /// <summary>The file of a graph: ModelProto with ir_version, graph and opset_import.</summary>
    public static byte[] File(OnnxGraph graph, long operatorSet = 17)
    {
        var stream = new MemoryStream();
        new ProtobufMessage().Add(1, 8).Add(7, graph.Message)
            .Add(8, new ProtobufMessage().Add(1, "").Add(2, operatorSet)).WriteTo(stream);
        return stream.ToArray();
    }

    /// <summary>An input of any type; a dimension is a number or a name.</summary>
    public static void TypedInput(this OnnxGraph graph, string name, int type, params ReadOnlySpan<object> dimensions)
    {
        var shape = new ProtobufMessage();
        foreach (var dimension in dimensions)
            shape.Add(1, dimension is int length
                ? new ProtobufMessage().Add(1, length) : new ProtobufMessage().Add(2, (string)dimension));
        graph.Message.Add(11, new ProtobufMessage().Add(1, name).Add(2, new ProtobufMessage()
            .Add(1, new ProtobufMessage().Add(1, type).Add(2, shape))));
    }

    /// <summary>A tensor of random values around 0, the same for the same name.</summary>
    public static string Weights(this OnnxGraph graph, string name, params int[] shape)
    {
        var random = new Random(name.Sum(c => c));
        return graph.Constant(new Tensor(name, shape,
            [.. Enumerable.Range(0, shape.Aggregate(1, (a, b) => a * b)).Select(_ => random.NextSingle() - 0.5f)]));
    }

    /// <summary>A convolution with a kernel of three and its ReLU, whose output has the given name.</summary>
    public static string Block(this OnnxGraph graph, string output, string input, int inputs, int outputs,
        int stride = 1, int groups = 1)
    {
        var convolved = graph.Node("Conv",
            [input, graph.Weights(output + ".weight", outputs, inputs / groups, 3, 3)],
            Attribute("strides", [stride, stride]), Attribute("pads", [1, 1, 1, 1]), Attribute("group", groups));
        graph.Node("Relu", [convolved], [output]);
        return output;
    }

    /// <summary>
    /// A little residual network: a stem at half the size; a block with batch norm and a sum; a depthwise and a grouped
    /// convolution at a quarter; a classifier.
    /// </summary>
    /// <param name="type">The type of the input as onnx.proto numbers it.</param>
    /// <param name="shape">The dimensions of the input.</param>
    public static OnnxGraph Residual(int type, params ReadOnlySpan<object> shape)
    {
        var graph = new OnnxGraph("residual");
        graph.TypedInput("image", type, shape);
        var image = type == OnnxTensor.Float ? "image" : graph.Node("Cast", ["image"], Attribute("to", 1));
        if (shape[^1] is 3)
            image = graph.Node("Transpose", [image], Attribute("perm", [0, 3, 1, 2]));
        graph.Block("stem", image, 3, 16, stride: 2);
        var branch = graph.Block("branch", "stem", 16, 16);
        var normed = graph.Node("BatchNormalization",
            [branch, graph.Weights("scale", 16), graph.Weights("bias", 16), graph.Weights("mean", 16),
                graph.Constant(new("variance", [16], [.. Enumerable.Repeat(0.7f, 16)]))]);
        graph.Node("Relu", [graph.Node("Add", [normed, "stem"])], ["block1"]);
        graph.Block("depthwise", "block1", 16, 16, stride: 2, groups: 16);
        var grouped = graph.Block("grouped", "depthwise", 16, 16, groups: 4);
        graph.Node("Add", [grouped, "depthwise"], ["block2"]);
        Classifier(graph, "block2", 16);
        return graph;
    }

    /// <summary>Class scores of a map, which only one size of images has: what follows is as many values.</summary>
    public static void Classifier(OnnxGraph graph, string map, int channels, int pixels = 0)
    {
        if (pixels == 0)
        {
            map = graph.Node("GlobalAveragePool", [map]);
            pixels = 1;
        }
        var flat = graph.Node("Flatten", [map]);
        graph.Node("MatMul", [flat, graph.Weights($"classifier{pixels}", channels * pixels, 10)],
            [$"scores{pixels}"]);
        graph.Output($"scores{pixels}", "N", 10);
    }

    /// <summary>The trunk of a network of ours, and the names of its taps.</summary>
    public static (OnnxGraph Graph, string[] Taps) Trunk(TrunkWeights trunk)
    {
        var graph = new OnnxGraph("trunk");
        graph.Input("image", "N", 3, "H", "W");
        foreach (var tensor in trunk.Tensors.Values)
            graph.Constant(tensor);
        var (current, taps) = ("image", new List<string>());
        foreach (var stage in trunk.Network.Stages)
        {
            var input = current;
            string[] parts = [.. stage.Convolutions.Select(layer => graph.Node("Relu",
                [graph.Node("Conv", [input, layer.Name + ".weight", layer.Name + ".bias"],
                    Attribute("strides", [layer.Stride, layer.Stride]),
                    Attribute("pads", [layer.Padding, layer.Padding, layer.Padding, layer.Padding]))]))];
            current = stage.Pool is { } pool
                ? graph.Node("MaxPool", [input], Attribute("kernel_shape", [pool.Kernel, pool.Kernel]),
                    Attribute("strides", [pool.Stride, pool.Stride]), Attribute("ceil_mode", pool.CeilMode ? 1 : 0))
                : parts is [var one] ? one : graph.Node("Concat", parts, Attribute("axis", 1));
            if (stage.Tap)
                taps.Add(current);
        }
        Classifier(graph, current, trunk.Network.TapChannels[^1]);
        return (graph, [.. taps]);
    }
}
