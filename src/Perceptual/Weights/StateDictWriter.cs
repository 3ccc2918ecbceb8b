using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Perceptual;

/// <summary>Pickles a state dict, in the part of the language that <see cref="Pickle"/> reads.</summary>
internal sealed class StateDictWriter
{
    private readonly ArrayBufferWriter<byte> pickle = new();

    /// <summary>
    /// The bytes that <c>pickle.dumps</c> makes of <c>OrderedDict(name=tensor, ...)</c>. The tensors' storages
    /// are "0", "1", ...
    /// </summary>
    public static byte[] Write(IReadOnlyList<Tensor> tensors)
    {
        var writer = new StateDictWriter();
        writer.Op(0x80, 2);
        writer.EmptyDict();
        writer.Op('(');
        foreach (var (i, tensor) in tensors.Index())
        {
            writer.Text(tensor.Name);
            writer.Tensor(tensor, i.ToString(CultureInfo.InvariantCulture));
        }
        writer.Op('u', '.');
        return writer.pickle.WrittenSpan.ToArray();
    }

    private void Tensor(Tensor tensor, string key)
    {
        var (_, shape, values) = tensor;
        Global("torch._utils _rebuild_tensor_v2");
        Op('(', '(');
        Text("storage");
        Global("torch FloatStorage");
        Text(key);
        Text("cpu");
        Number(values.Length);
        Op('t', 'Q');
        Number(0); // offset
        Op('(');
        foreach (var length in shape)
            Number(length);
        Op('t', '(');
        for (var d = 0; d < shape.Count; d++)
            Number(shape.Skip(d + 1).Aggregate(1, (stride, length) => stride * length));
        Op('t', 0x89); // requires_grad false
        EmptyDict(); // hooks
        Op('t', 'R');
    }

    private void Op(params ReadOnlySpan<int> opcodes)
    {
        foreach (var opcode in opcodes)
            pickle.Write((ReadOnlySpan<byte>)[(byte)opcode]);
    }

    private void Global(string name)
    {
        Op('c');
        pickle.Write(Encoding.ASCII.GetBytes(name.Replace(' ', '\n') + "\n"));
    }

    private void EmptyDict()
    {
        Global("collections OrderedDict");
        Op(')', 'R');
    }

    private void Text(string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        Op('X');
        Int32(utf8.Length);
        pickle.Write(utf8);
    }

    private void Number(int number)
    {
        Op('J');
        Int32(number);
    }

    private void Int32(int number)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        pickle.Write(bytes);
    }
}
