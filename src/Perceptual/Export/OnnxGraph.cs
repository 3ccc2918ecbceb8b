using System.Buffers.Binary;
using System.Globalization;

namespace Perceptual;

/// <summary>
/// A graph of ONNX operators under construction. Field numbers are those of onnx.proto (https://github.com/onnx/onnx).
/// </summary>
internal sealed class OnnxGraph
{
    private const int Float = 1, Int64 = 7; // TensorProto.DataType

    private int values;

    public OnnxGraph(string name) => Message.Add(2, name);

    /// <summary>The GraphProto.</summary>
    public ProtobufMessage Message { get; } = new();

    /// <summary>A float32 input; a dimension is a number or a name.</summary>
    public void Input(string name, params ReadOnlySpan<object> shape) => Message.Add(11, Value(name, shape));

    /// <summary>A float32 output; a dimension is a number or a name.</summary>
    public void Output(string name, params ReadOnlySpan<object> shape) => Message.Add(12, Value(name, shape));

    /// <summary>Adds a tensor under its name, which is returned.</summary>
    public string Constant(Tensor tensor)
    {
        // TensorProto: dims, data_type, name, raw_data
        var message = new ProtobufMessage();
        foreach (var length in tensor.Shape)
            message.Add(1, length);
        Message.Add(5, message.Add(2, Float).Add(8, tensor.Name).Add(9, tensor.Values));
        return tensor.Name;
    }

    /// <summary>Adds a list of one whole number under its name, which is returned.</summary>
    public string Constant(string name, long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        Message.Add(5, new ProtobufMessage().Add(1, 1).Add(2, Int64).Add(8, name).Add(9, bytes));
        return name;
    }

    /// <summary>Adds an operator and returns the name of its output.</summary>
    public string Node(string type, IEnumerable<string> inputs, params ReadOnlySpan<ProtobufMessage> attributes)
    {
        var output = string.Create(CultureInfo.InvariantCulture, $"{type}_{values++}");
        Node(type, inputs, [output], attributes);
        return output;
    }

    /// <summary>Adds an operator with named outputs.</summary>
    public void Node(string type, IEnumerable<string> inputs, IReadOnlyList<string> outputs,
        params ReadOnlySpan<ProtobufMessage> attributes)
    {
        // NodeProto: input, output, name, op_type, attribute
        var message = new ProtobufMessage();
        foreach (var input in inputs)
            message.Add(1, input);
        foreach (var output in outputs)
            message.Add(2, output);
        message.Add(3, outputs[0]).Add(4, type);
        foreach (var attribute in attributes)
            message.Add(5, attribute);
        Message.Add(1, message);
    }

    // AttributeProto: name, i, ints, type

    public static ProtobufMessage Attribute(string name, long value) =>
        new ProtobufMessage().Add(1, name).Add(3, value).Add(20, 2);

    public static ProtobufMessage Attribute(string name, long[] values)
    {
        var message = new ProtobufMessage().Add(1, name);
        foreach (var value in values)
            message.Add(8, value);
        return message.Add(20, 7);
    }

    // ValueInfoProto: name, type; TypeProto: tensor_type; TypeProto.Tensor: elem_type, shape; TensorShapeProto: dim;
    // Dimension: dim_value, dim_param
    private static ProtobufMessage Value(string name, ReadOnlySpan<object> dimensions)
    {
        var shape = new ProtobufMessage();
        foreach (var dimension in dimensions)
            shape.Add(1, dimension is int length
                ? new ProtobufMessage().Add(1, length)
                : new ProtobufMessage().Add(2, (string)dimension));
        return new ProtobufMessage().Add(1, name)
            .Add(2, new ProtobufMessage().Add(1, new ProtobufMessage().Add(1, Float).Add(2, shape)));
    }
}
