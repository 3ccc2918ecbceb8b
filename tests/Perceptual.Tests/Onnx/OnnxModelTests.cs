using CsCheck;

namespace Perceptual.Tests.Onnx;

public class OnnxModelTests
{
    private static readonly byte[] Good =
        OnnxGraphs.File(OnnxGraphs.Residual(OnnxTensor.Float, "N", 3, "H", "W"), operatorSet: 13);

    [Fact]
    public void A_graph_is_read_without_the_values_of_its_tensors()
    {
        var model = OnnxModel.Read(Good, "x");
        var input = Assert.Single(model.Inputs);
        Assert.Equal(("image", OnnxTensor.Float, 13), (input.Name, input.Type, model.OperatorSet));
        Assert.Equal([-1, 3, -1, -1], input.Shape);
        Assert.Equal([16, 1, 3, 3], model.Tensors["depthwise.weight"].Shape);
        Assert.Equal(15, model.Nodes.Count);
        Assert.Equal(["BatchNormalization_2", "stem"], model.Nodes.First(node => node.Operator == "Add").Inputs);
        Assert.Empty(model.ExternalFiles);
    }

    [Fact]
    public void Other_outputs_leave_out_what_they_do_not_need()
    {
        var model = OnnxModel.Read(Good, "x");
        var stem = OnnxModel.Read(model.With(["stem"], model.Inputs.Single(), [1, 3, 20, -1]), "x");
        Assert.Equal(["Conv", "Relu"], stem.Nodes.Select(node => node.Operator));
        Assert.Equal(["stem.weight"], stem.Tensors.Keys);
        Assert.Equal([1, 3, 20, -1], stem.Inputs.Single().Shape);
        Assert.Equal(13, stem.OperatorSet);
    }

    [Fact]
    public void What_an_inner_graph_reads_is_needed()
    {
        var inner = new ProtobufMessage().Add(1, new ProtobufMessage().Add(1, "outer").Add(2, "inner").Add(4, "Relu"))
            .Add(12, new ProtobufMessage().Add(1, "inner"));
        var graph = new OnnxGraph("if");
        graph.Input("image", "N", 3, "H", "W");
        graph.Node("Relu", ["image"], ["outer"]);
        graph.Node("If", ["image"], ["result"], new ProtobufMessage().Add(1, "then_branch").Add(6, inner).Add(20, 5));
        var model = OnnxModel.Read(OnnxGraphs.File(graph), "x");
        var kept = OnnxModel.Read(model.With(["result"], model.Inputs.Single(), [1, 3, -1, -1]), "x");
        Assert.Equal(["Relu", "If"], kept.Nodes.Select(node => node.Operator));
    }

    [Fact]
    public void Graphs_that_break_a_rule_are_refused_by_name()
    {
        Refused("made twice", graph => Nodes(graph, ("a", "image"), ("a", "image")));
        Refused("read before it is made", graph => Nodes(graph, ("a", "b"), ("b", "a"))); // a cycle
        Refused("two tensors 'w'", graph => graph.Weights(graph.Weights("w", 1), 2));
        Refused("deep in each other", graph => graph.Node("If", ["image"], ["a"], Nested(20)));
        Refused("more than 64 dimensions", graph => graph.Weights("w", [.. Enumerable.Repeat(1, 65)]));
        Refused("a name has 5000 bytes", graph => Nodes(graph, (new string('n', 5000), "image")));
        Refused("not UTF-8", graph => graph.Message.Add(1, new ProtobufMessage().Add(1, [0xFF])));
        Refused("wire type 3", graph => graph.Message.Add(1, [0x0B]));
        Refused("claims 100 bytes", graph => graph.Message.Add(1, [0x0A, 100, 1]));
        Refused("no end", graph => graph.Message.Add(1, [0x80, 0x80]));
        Refused("no valid number", graph => graph.Message.Add(1, [0x02, 0]));
        Refused("is a number", graph => graph.Message.Add(5, 3));
        Refused("more than 1048576", graph =>
        {
            var many = new ProtobufMessage();
            for (var i = 0; i <= 1 << 20; i++)
                many.Add(2, "");
            graph.Message.Add(1, many);
        });

        static void Refused(string problem, Action<OnnxGraph> damage)
        {
            var graph = new OnnxGraph("bad");
            graph.Input("image", "N", 3, "H", "W");
            damage(graph);
            var error = Assert.Throws<InvalidDataException>(() => OnnxModel.Read(OnnxGraphs.File(graph), "x"));
            Assert.StartsWith("x: is damaged", error.Message, StringComparison.Ordinal);
            Assert.Contains(problem, error.Message, StringComparison.Ordinal);
        }

        static void Nodes(OnnxGraph graph, params (string Output, string Input)[] nodes)
        {
            foreach (var (output, input) in nodes)
                graph.Node("Relu", [input], [output]);
        }

        static ProtobufMessage Nested(int depth)
        {
            var graph = new ProtobufMessage();
            if (depth > 0)
                graph.Add(1, new ProtobufMessage().Add(4, "If").Add(5, Nested(depth - 1)));
            return new ProtobufMessage().Add(1, "then_branch").Add(6, graph);
        }
    }

    [Fact]
    public void Damaged_files_are_read_or_refused_and_nothing_else()
    {
        var small = Good.Take(400).Concat(Good.TakeLast(200)).ToArray();
        Gen.Select(Gen.Int[0, small.Length - 1], Gen.Byte, Gen.Int[0, small.Length])
            .Sample((place, value, length) =>
            {
                var bytes = small[..length];
                if (place < length)
                    bytes[place] = value;
                try
                {
                    OnnxModel.Read(bytes, "x");
                }
                catch (InvalidDataException e)
                {
                    Assert.StartsWith("x: ", e.Message, StringComparison.Ordinal);
                }
            }, iter: 3000, threads: 1);
    }
}
