using System.IO.Compression;

namespace Perceptual.Tests;

public class TorchFileTests
{
    public static TheoryData<bool> Layouts => [true, false];

    [Theory, MemberData(nameof(Layouts))]
    public void All_four_storage_types_become_float32(bool zip)
    {
        float[] values = [1, -2.5f, 0.125f, 384];
        var tensors = Read(zip,
            [.. new[] { "Float", "Half", "BFloat16", "Double" }.Select(
                type => new SavedTensor(type, SavedStorage.Of(type, type, values), 0, [2, 2], [2, 1]))]);
        Assert.Equal(["Float", "Half", "BFloat16", "Double"], tensors.Keys);
        Assert.All(tensors.Values, tensor => Assert.Equal(values, tensor.Values));
        Assert.All(tensors.Values, tensor => Assert.Equal([2, 2], tensor.Shape));
    }

    [Theory, MemberData(nameof(Layouts))]
    public void Views_with_strides_and_offsets_are_gathered_from_a_shared_storage(bool zip)
    {
        var storage = SavedStorage.Of("0", "Float", [.. Enumerable.Range(0, 12).Select(i => (float)i)]);
        var tensors = Read(zip,
            new("plain", storage, 0, [3, 4], [4, 1]),
            new("transposed", storage, 0, [4, 3], [1, 4]),
            new("inner", storage, 5, [2, 2], [4, 2]),
            new("expanded", storage, 3, [2, 3], [0, 1]),
            new("scalar", storage, 11, [], []),
            new("none", storage, 12, [0, 3], [3, 1]));
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], tensors["plain"].Values);
        Assert.Equal([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11], tensors["transposed"].Values);
        Assert.Equal([5, 7, 9, 11], tensors["inner"].Values);
        Assert.Equal([3, 4, 5, 3, 4, 5], tensors["expanded"].Values);
        Assert.Equal([11], tensors["scalar"].Values);
        Assert.Empty(tensors["none"].Values);
    }

    [Theory]
    [InlineData(0L, new[] { 5L }, new[] { 1L }, "more values")]
    [InlineData(0L, new[] { 1_000_000L, 1_000_000L }, new[] { 0L, 0L }, "more values")]
    [InlineData(0L, new[] { 2_147_483_647L, 2_147_483_647L, 2_147_483_647L, 2_147_483_647L }, new[] { 0L, 0L, 0L, 0L },
        "more values")]
    [InlineData(1L, new[] { 4L }, new[] { 1L }, "reaches to value 5")]
    [InlineData(0L, new[] { 2L }, new[] { 4L }, "reaches to value 5")]
    [InlineData(0L, new[] { 2L, 2L }, new[] { long.MaxValue, long.MaxValue }, "reaches")]
    [InlineData(long.MaxValue, new[] { 2L }, new[] { 1L }, "reaches")]
    [InlineData(-1L, new[] { 2L }, new[] { 1L }, "negative")]
    [InlineData(3L, new[] { 2L }, new[] { -1L }, "negative")]
    [InlineData(0L, new[] { -2L }, new[] { 1L }, "negative")]
    [InlineData(0L, new[] { 2L, 1L }, new[] { 1L }, "1 strides")]
    [InlineData(0L, new[] { 0L, long.MaxValue }, new[] { 1L, 1L }, "out of range")]
    public void A_view_that_leaves_its_storage_is_refused_by_name(
        long offset, long[] shape, long[] strides, string expected)
    {
        foreach (var zip in new[] { true, false })
        {
            var error = Assert.Throws<InvalidDataException>(
                () => Read(zip,
                    new SavedTensor("bad.weight", SavedStorage.Of("0", "Float", 1, 2, 3, 4), offset, shape, strides)));
            Assert.Contains("'bad.weight'", error.Message, StringComparison.Ordinal);
            Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Many_views_of_one_storage_cannot_make_much_out_of_little()
    {
        var storage = SavedStorage.Of("0", "Float", new float[10_000]);
        var views = Enumerable.Range(0, 100).Select(i => new SavedTensor($"t{i}", storage, 1, [9_999], [1]));
        var error = Assert.Throws<InvalidDataException>(() => Read(true, [.. views]));
        Assert.Contains("more values than the file has bytes", error.Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// A shape of 100,000 items, and a list of 50,000 pairs, that are stored once and named a thousand times.
    /// </summary>
    [Fact]
    public void What_a_pickle_names_again_and_again_cannot_make_much_out_of_little()
    {
        var shape = Begin().Global("torch._utils", "_rebuild_tensor_v2").Op('q', 0, '(').Text("storage")
            .Global("torch", "FloatStorage").Text("0").Text("cpu").Number(0).Op('t', 'Q', 'q', 1, '(');
        for (var i = 0; i < 100_000; i++)
            shape.Op('K', 1);
        shape.Op('t', 'q', 2);
        for (var i = 0; i < 1000; i++)
            shape.Op('h', 0, '(', 'h', 1, 'K', 0, 'h', 2, 'h', 2, 0x89, 'N', 't', 'R');

        var pairs = Begin().Global("collections", "OrderedDict").Op('q', 0, ']', '(');
        for (var i = 0; i < 50_000; i++)
            pairs.Op(']', '(').Text($"{i}").Op('N', 'e');
        pairs.Op('e', 'q', 2);
        for (var i = 0; i < 1000; i++)
            pairs.Op('h', 0, 'h', 2, 0x85, 'R');

        foreach (var pickle in new[] { shape, pairs })
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            AssertRefused(pickle.End(), "makes more than 1048576 copies");
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 200 << 20);
        }

        static PickleWriter Begin() => new PickleWriter().Op('(');
    }

    [Theory]
    [InlineData("os", "system")]
    [InlineData("builtins", "eval")]
    [InlineData("__builtin__", "exec")]
    [InlineData("torch", "LongStorage")]
    [InlineData("torch._utils", "_rebuild_tensor_v3")]
    [InlineData("collections", "OrderedDict.__init__")]
    public void A_global_no_state_dict_needs_is_refused_by_name(string module, string name)
    {
        var pickle = new PickleWriter().Global(module, name).Text("echo harm").Op(0x85, 'R').End();
        foreach (var file in new[] { TorchWriter.Zip(pickle, []), TorchWriter.Legacy(pickle, []) })
        {
            var error = Assert.Throws<InvalidDataException>(() => Read(file));
            Assert.StartsWith("x.pth: ", error.Message, StringComparison.Ordinal);
            Assert.Contains($"{module}.{name}", error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(0x93, "STACK_GLOBAL")]
    [InlineData(0x81, "NEWOBJ")]
    [InlineData('i', "INST")]
    [InlineData('o', "OBJ")]
    [InlineData('G', "BINFLOAT")]
    [InlineData(0x82, "EXT1")]
    [InlineData(0xff, "0xff")]
    public void An_opcode_no_state_dict_needs_is_refused_by_name(int opcode, string expected) =>
        AssertRefused(new PickleWriter().Op(opcode).End(), expected);

    [Fact]
    public void A_pickle_that_does_not_add_up_is_refused()
    {
        AssertRefused(new PickleWriter().End(), "not there");
        AssertRefused(new PickleWriter().Op('(').End(), "not there");
        AssertRefused(new PickleWriter().Op('t').End(), "mark");
        AssertRefused(new PickleWriter().Op('N', 'N').End(), "more than one");
        AssertRefused(new PickleWriter().Op('h', 3).End(), "value 3");
        AssertRefused(new PickleWriter().Op('N', 'N', 'a').End(), "not a list");
        AssertRefused(new PickleWriter().Op('}', 'N', 'N', 's').End(), "not text");
        AssertRefused(new PickleWriter().Op('}').Text("k").Op('N', 's').Text("k").Op('N', 's').End(), "'k' twice");
        AssertRefused(new PickleWriter().Op('}', '}').Text("x").Op('N', 's', 'b').End(), "BUILD");
        AssertRefused(new PickleWriter().Op('N', ')', 'R').End(), "REDUCE");
        AssertRefused(new PickleWriter().Global("torch._utils", "_rebuild_tensor_v2").Op(')', 'R').End(),
            "RebuildTensorV2");
        AssertRefused(new PickleWriter().Op('N', 'Q').End(), "BINPERSID");
        AssertRefused(new PickleWriter().Op(0x8a, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1).End(), "9 bytes");
        AssertRefused(new PickleWriter().Op('X', 255, 255, 255, 255).End(), "longer than");
        AssertRefused([0x80, 4, (byte)'N', (byte)'.'], "protocol 4");
        AssertRefused(new PickleWriter().Op(']').End(), "not of a state dict");
        AssertRefused(new PickleWriter().Op('}').Text("epoch").Number(3).Op('s').End(), "'epoch' is not a tensor");
    }

    [Fact]
    public void A_list_within_itself_does_no_harm() =>
        AssertRefused(new PickleWriter().Op('}').Text("k").Op(']', 'q', 0, 'h', 0, 'a', 's').End(),
            "'k' is not a tensor");

    [Fact]
    public void An_endless_pickle_is_given_up()
    {
        byte[] pickle = [0x80, 2, .. Enumerable.Repeat((byte)']', 2_000_000)];
        AssertRefused(pickle, "longer than 1048576");
    }

    [Fact]
    public void Storages_that_do_not_match_the_pickle_are_refused()
    {
        SavedTensor tensor = new("t", SavedStorage.Of("0", "Float", 1, 2), 0, [2], [1]);
        var pickle = TorchWriter.StateDict(tensor);
        AssertMessage(TorchWriter.Zip(pickle, []), "'0' is missing");
        AssertMessage(TorchWriter.Zip(pickle, [new("0", "Float", new byte[12])]), "12 bytes");
        AssertMessage(TorchWriter.Zip(pickle, [tensor.Storage, tensor.Storage]), "twice");
        AssertMessage(TorchWriter.Zip(pickle, [tensor.Storage], byteOrder: "big"), "little-endian");
        AssertMessage(TorchWriter.Legacy(pickle, [tensor.Storage], littleEndian: false), "little-endian");
        AssertMessage(TorchWriter.Legacy(pickle, []), "is missing");
        AssertMessage(TorchWriter.Legacy(pickle, [new("0", "Float", new byte[12])]), "3 values");
        AssertMessage(TorchWriter.Legacy(pickle, [tensor.Storage, new("1", "Float", [])]), "'1' belongs to no tensor");
        AssertMessage([.. TorchWriter.Legacy(tensor), 0], "1 bytes follow");
        AssertMessage(TorchWriter.Legacy(tensor)[..^1], "cut off within");
        AssertMessage(TorchWriter.Zip(tensor)[..^1], "broken zip");
        var huge = tensor with { Storage = tensor.Storage with { Bytes = [] }, Shape = [0] };
        AssertMessage(TorchWriter.Zip(TorchWriter.StateDict(huge), [tensor.Storage]), "not 0 values");
    }

    [Fact]
    public void A_zip_bomb_is_refused_before_it_unpacks()
    {
        SavedTensor tensor = new("t", new("0", "Float", new byte[40_000_000]), 0, [10_000_000], [1]);
        var bomb = TorchWriter.Zip(TorchWriter.StateDict(tensor), [tensor.Storage],
            level: CompressionLevel.SmallestSize);
        Assert.True(bomb.Length < 100_000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        AssertMessage(bomb, "is compressed");
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
    }

    [Fact]
    public void An_ordinary_zip_archive_is_said_to_be_no_torch_file()
    {
        using var file = new MemoryStream();
        using (var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
            zip.CreateEntry("a.txt");
        AssertMessage(file.ToArray(), "not a torch file");
    }

    [Theory]
    [InlineData("model/data.pkl")]
    [InlineData("model/byteorder")]
    [InlineData("model/data/0")]
    public void An_entry_with_another_check_sum_is_refused_by_name(string entry)
    {
        var file = TorchWriter.Zip(new SavedTensor("t", SavedStorage.Of("0", "Float", 1, 2), 0, [2], [1]));
        var name = file.AsSpan().LastIndexOf(System.Text.Encoding.ASCII.GetBytes(entry)); // in the directory
        file.AsSpan(name - 30, 4).Clear(); // as where torch is told to write none
        AssertMessage(file, $"the entry '{entry}' has the check sum ");
        AssertMessage(file, "the archive says 00000000; ");
        AssertMessage(file, "torch.serialization.set_crc32_options(False)");
    }

    [Fact]
    public void A_parameter_is_read_as_its_tensor()
    {
        SavedTensor tensor = new("t", SavedStorage.Of("0", "Float", 1, 2), 0, [2], [1]);
        var pickle = new PickleWriter().Op('}').Text("t").Global("torch._utils", "_rebuild_parameter").Op('(')
            .Tensor(tensor)
            .Op(0x88).Global("collections", "OrderedDict").Op(')', 'R', 't', 'R', 's').End();
        Assert.Equal([1, 2], Read(TorchWriter.Zip(pickle, [tensor.Storage]))["t"].Values);
    }

    [Fact]
    public void The_real_legacy_file_equals_the_safetensors_bit_for_bit()
    {
        var legacy = TrunkWeights.Read(Network.Squeeze, Shared.Path("weights/squeezenet1_1_features.legacy.pth"));
        var safetensors = TrunkWeights.Read(Network.Squeeze, Shared.Path("weights/squeezenet1_1.safetensors"));
        Assert.Equal(safetensors.Digest, legacy.Digest);
        foreach (var (key, tensor) in safetensors.Tensors)
            Assert.True(tensor.Values.AsSpan().SequenceEqual(legacy.Tensors[key].Values), key);
    }

    [Fact]
    public void What_is_written_is_read_back_and_laid_out_as_torch_does()
    {
        Tensor[] tensors = [new("lin0.model.1.weight", [1, 3, 1, 1], [1, -2, float.Epsilon]), new("a.scalar", [], [7]),
            new("b.bias", [100], [.. Enumerable.Range(0, 100).Select(i => i / 7f)])];
        var file = Written(tensors);
        Assert.Equal(file, Written(tensors));
        var read = Read(file);
        Assert.Equal(tensors.Select(tensor => tensor.Name), read.Keys);
        Assert.All(tensors, tensor => Assert.Equal(tensor.Values, read[tensor.Name].Values));
        Assert.All(tensors, tensor => Assert.Equal(tensor.Shape, read[tensor.Name].Shape));

        using var zip = new ZipArchive(new MemoryStream(file));
        Assert.Equal(["model/data.pkl", "model/byteorder", "model/data/0", "model/data/1", "model/data/2",
            "model/version"], zip.Entries.Select(entry => entry.FullName));
        foreach (var entry in zip.Entries)
        {
            using var content = new MemoryStream();
            using (var stream = entry.Open())
                stream.CopyTo(content); // checks the check sum
            Assert.Equal(entry.Length, entry.CompressedLength);
            Assert.Contains(Enumerable.Range(0, file.Length / 64),
                block => file.AsSpan(64 * block).StartsWith(content.ToArray()));
            if (entry.Name == "version")
                Assert.Equal("3\n"u8, content.ToArray());
        }

        static byte[] Written(Tensor[] tensors)
        {
            var stream = new MemoryStream();
            TorchFile.Write(stream, tensors, "model");
            return stream.ToArray();
        }
    }

    [Theory]
    [InlineData("alex", "net.slice1.0 net.slice2.3 net.slice3.6 net.slice4.8 net.slice5.10")]
    [InlineData("vgg", "net.slice1.0 net.slice1.2 net.slice2.5 net.slice2.7 net.slice3.10 net.slice3.12 net.slice3.14 "
        + "net.slice4.17 net.slice4.19 net.slice4.21 net.slice5.24 net.slice5.26 net.slice5.28")]
    [InlineData("squeeze", "net.slice1.0 net.slice2.3 net.slice2.4 net.slice3.6 net.slice3.7 net.slice4.9 "
        + "net.slice5.10 net.slice6.11 net.slice7.12")]
    public void A_model_has_the_keys_of_the_lpips_package(string name, string layers)
    {
        var network = Network.All.Single(network => network.Name == name);
        var lin = LinWeights.From(network,
            network.TapChannels.Select((channels, k) => new Tensor(LinWeights.Key(k), [1, channels, 1, 1],
                new float[channels])).ToDictionary(tensor => tensor.Name), "");
        var trunk = TrunkWeights.From(network, network.Convolutions.SelectMany(convolution => new Tensor[]
        {
            new($"{convolution.Name}.weight", convolution.WeightShape, new float[convolution.WeightCount]),
            new($"{convolution.Name}.bias", [convolution.Outputs], new float[convolution.Outputs]),
        }).ToDictionary(tensor => tensor.Name), "");
        using var stream = new MemoryStream();
        ModelFile.WriteTorch(stream, trunk, lin);
        var read = Read(stream.ToArray());
        var keys = read.Keys.Where(key => key.StartsWith("net.", StringComparison.Ordinal))
            .Select(key => string.Join('.', key.Split('.')[..3])).Distinct();
        Assert.Equal(layers.Split(' '), keys);
        Assert.Equal(network.TapChannels.Count,
            read.Keys.Count(key => key.StartsWith("lin", StringComparison.Ordinal)));
        Assert.Equal(trunk.Digest, TrunkWeights.From(network, read, "").Digest);
        Assert.Equal(lin.Digest, LinWeights.From(network, read, "").Digest);
    }

    private static IReadOnlyDictionary<string, Tensor> Read(
        bool zip, params SavedTensor[] tensors) => Read(zip ? TorchWriter.Zip(tensors) : TorchWriter.Legacy(tensors));

    private static IReadOnlyDictionary<string, Tensor> Read(
        byte[] file) => WeightFile.Read(new MemoryStream(file), "x.pth");

    private static void AssertRefused(byte[] pickle, string expected)
    {
        AssertMessage(TorchWriter.Zip(pickle, []), expected);
        AssertMessage(TorchWriter.Legacy(pickle, []), expected);
    }

    private static void AssertMessage(byte[] file, string expected)
    {
        var error = Assert.Throws<InvalidDataException>(() => Read(file));
        Assert.StartsWith("x.pth: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }
}
