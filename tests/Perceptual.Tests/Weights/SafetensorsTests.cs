using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Perceptual.Tests;

public class SafetensorsTests
{
    [Fact]
    public void What_is_written_is_read_back_with_its_metadata()
    {
        Tensor[] tensors = [new("b", [2, 3], [1, 2, 3, 4, 5, float.MinValue]), new("a", [], [7]),
            new("none", [0, 4], []), new("é\"", [1], [float.Epsilon])];
        var read = Safetensors.Read(
            new MemoryStream(Tiny.Safetensors(tensors, ("source", "https://example.org/?a=b&c=\"é\""))), "x");
        Assert.Equal("https://example.org/?a=b&c=\"é\"", read.Metadata["source"]);
        Assert.Equal(tensors.Select(t => t.Name).Order(), read.Tensors.Keys.Order());
        foreach (var tensor in tensors)
        {
            Assert.Equal(tensor.Shape, read.Tensors[tensor.Name].Shape);
            Assert.Equal(tensor.Values, read.Tensors[tensor.Name].Values);
        }
    }

    [Fact]
    public void All_four_types_become_float32()
    {
        byte[] values =
        [
            0, 0, 0xC0, 0x3F, /* 1.5 */ 0, 0x3E, /* 1.5 as half */ 0xC0, 0x3F, /* 1.5 as bfloat16 */
            0, 0, 0, 0, 0, 0, 0xF8, 0x3F, // 1.5 as a double
        ];
        var tensors = Read("""
            {"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"b":{"dtype":"F16","shape":[1],"data_offsets":[4,6]},
             "c":{"dtype":"BF16","shape":[1,1],"data_offsets":[6,8]},
             "d":{"dtype":"F64","shape":[1],"data_offsets":[8,16]}}
            """, values);
        Assert.Equal(["a", "b", "c", "d"], tensors.Keys.Order());
        Assert.All(tensors.Values, tensor => Assert.Equal([1.5f], tensor.Values));
    }

    [Fact]
    public void Every_finite_float16_is_read_and_written_back_to_the_same_bits()
    {
        var halves = Enumerable.Range(0, 1 << 16).Select(bits => BitConverter.UInt16BitsToHalf((ushort)bits))
            .Where(Half.IsFinite).ToArray();
        Tensor[] tensors = [new("one", [], [(float)halves[1]]),
            new("all", [halves.Length], Array.ConvertAll(halves, half => (float)half)), new("none", [0], [])];
        var file = Half16(tensors);
        Assert.Equal(Array.ConvertAll(halves, BitConverter.HalfToUInt16Bits),
            MemoryMarshal.Cast<byte, ushort>(file.AsSpan(^(2 * halves.Length)..)).ToArray());
        var read = Safetensors.Read(new MemoryStream(file), "x");
        Assert.Equal("here", read.Metadata["source"]);
        foreach (var tensor in tensors)
        {
            Assert.Equal(tensor.Shape, read.Tensors[tensor.Name].Shape);
            Assert.Equal(tensor.Values.Select(BitConverter.SingleToInt32Bits),
                read.Tensors[tensor.Name].Values.Select(BitConverter.SingleToInt32Bits));
        }
    }

    // Between neighbouring float16 the nearest, in the middle the one with an even last bit: around 1 they are 2^-10
    // apart, near 0 2^-24.
    [Theory]
    [InlineData(1 + 1 / 2048f, 1)]
    [InlineData(1 + 1.001f / 2048, 1 + 1 / 1024f)]
    [InlineData(1 + 3 / 2048f, 1 + 2 / 1024f)]
    [InlineData(-1 - 3 / 2048f, -1 - 2 / 1024f)]
    [InlineData(1 / 33554432f, 0)]
    [InlineData(1.001f / 33554432, 1 / 16777216f)]
    [InlineData(65519.9f, 65504)]
    public void Float16_is_rounded_to_nearest_and_to_even(float value, float expected) =>
        Assert.Equal([expected],
            Safetensors.Read(new MemoryStream(Half16([new("a", [1], [value])])), "x").Tensors["a"].Values);

    [Theory]
    [InlineData(65520, "65520")]
    [InlineData(-1e9f, "-1E+09")]
    [InlineData(float.PositiveInfinity, "Infinity")]
    [InlineData(float.NaN, "NaN")]
    public void What_float16_cannot_hold_is_refused_by_name_before_anything_is_written(float value, string said)
    {
        var file = new MemoryStream();
        var error = Assert.Throws<ArgumentException>(
            () => Safetensors.Write(file, [new("good", [1], [1]), new("bad", [2], [0, value])],
                new Dictionary<string, string>(), ElementType.F16));
        Assert.Equal($"bad has the value {said}, which float16 cannot hold: its largest is 65500", error.Message);
        Assert.Equal(0, file.Length);
        Assert.Throws<NotSupportedException>(() => ElementType.BF16.Write([1], _ => { }));
    }

    [Fact]
    public void A_header_of_a_hundred_thousand_tensors_is_refused_before_it_is_taken_apart()
    {
        var tensors = Enumerable.Range(0, 100_000)
            .Select(i => $$"""'{{i}}':{'dtype':'F32','shape':[0],'data_offsets':[0,0]}""".Replace('\'', '"'));
        byte[] header = [.. System.Text.Encoding.ASCII.GetBytes($"{{{string.Join(',', tensors)}}}")];
        using var stream = new MemoryStream([.. BitConverter.GetBytes((long)header.Length), .. header]);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var problem = Assert.Throws<InvalidDataException>(() => Safetensors.Read(stream, "a.safetensors"));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, header.Length, header.Length + 200_000);
        Assert.Contains("a.safetensors: the safetensors header has more than", problem.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Header_of_two_gigabytes_is_refused_before_it_is_read()
    {
        var file = new byte[64];
        BinaryPrimitives.WriteUInt64LittleEndian(file, 1UL << 31);
        file[8] = (byte)'{';
        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<InvalidDataException>(
            () => WeightFile.Read(new MemoryStream(file), "big.safetensors"));
        Assert.StartsWith("big.safetensors: ", error.Message, StringComparison.Ordinal);
        Assert.Contains("2147483648", error.Message, StringComparison.Ordinal);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}""", "I64")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", "8 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2147483647,2147483647,2147483647],"data_offsets":[0,8]}}""", "8 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296],"data_offsets":[0,8]}}""", "too long")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", "whole numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", "whole numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":"2","data_offsets":[0,8]}}""", "whole numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}""", "0 to 16 of 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "8 to 0")]
    [InlineData("""
        {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}
        """, "overlaps")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "hole")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "end at 4")]
    [InlineData("""
        {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}
        """, "not valid JSON")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":1}}""", "more")]
    [InlineData("""{"a":{"shape":[2],"data_offsets":[0,8]}}""", "needs a dtype")]
    [InlineData("""{"a":{"dtype":1,"shape":[2],"data_offsets":[0,8]}}""", "not valid")]
    [InlineData("""{"a":5}""", "'a'")]
    [InlineData("""{"__metadata__":{"n":1},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "'n'")]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "not valid")]
    [InlineData("""{"a":{"dtype":"F32" """, "not valid JSON")]
    public void A_header_that_breaks_a_rule_is_refused_with_the_rule(string header, string expected)
    {
        var error = Assert.Throws<InvalidDataException>(() => Read(header, new byte[8]));
        Assert.StartsWith("x.safetensors: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("<!DOCTYPE html><html>404</html>")]
    public void What_is_no_weights_file_is_said_to_be_none(string content)
    {
        var error = Assert.Throws<InvalidDataException>(
            () => WeightFile.Read(new MemoryStream(Encoding.ASCII.GetBytes(content)), "x"));
        Assert.Equal("x: is neither a safetensors file nor a torch file", error.Message);
    }

    private static byte[] Half16(Tensor[] tensors)
    {
        var file = new MemoryStream();
        Safetensors.Write(file, tensors, new Dictionary<string, string> { ["source"] = "here" }, ElementType.F16);
        return file.ToArray();
    }

    private static IReadOnlyDictionary<string, Tensor> Read(string header, byte[] values)
    {
        var json = Encoding.UTF8.GetBytes(header);
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        return WeightFile.Read(new MemoryStream([.. length, .. json, .. values]), "x.safetensors");
    }
}
