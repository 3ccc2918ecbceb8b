using CsCheck;

namespace Perceptual.Tests;

/// <summary>Thousands of damaged files for each reader, the same ones in each run.</summary>
public class WeightFuzzTests
{
    private const int Files = 6000;

    private static readonly SavedStorage Storage = SavedStorage.Of("0", "Half",
        [.. Enumerable.Range(0, 12).Select(i => (float)i)]);
    private static readonly SavedTensor[] Tensors =
    [
        new("features.0.weight", Storage, 0, [3, 4], [4, 1]),
        new("features.0.bias", SavedStorage.Of("1", "Float", 1, 2, 3), 0, [3], [1]),
        new("classifier.weight", Storage, 1, [2, 5], [5, 1]),
    ];

    private static readonly byte[] Meaningful = [.. " 0129{}[]\",:.(ecXqhjtuRQb"u8, 0x80, 0x85, 0x8a, 0xff];

    // Bytes overwritten, mostly with values that mean something to one of the formats; a piece cut out or doubled.
    private static readonly Gen<(double Where, int Kind, byte Value)> Edit =
        Gen.Select(Gen.Double[0, 1], Gen.Int[0, 9],
            Gen.OneOf(Gen.Byte, Gen.Int[0, Meaningful.Length - 1].Select(i => Meaningful[i])));

    [Fact]
    public void A_damaged_safetensors_file_fails_with_InvalidDataException() =>
        Fuzz(Tiny.Safetensors([new("a", [2, 3], new float[6]), new("b", [1], [1])], ("source", "here")), 1);

    [Fact]
    public void A_damaged_safetensors_file_of_float16_fails_with_InvalidDataException()
    {
        var file = new MemoryStream();
        Safetensors.Write(file, [new("a", [2, 3], new float[6]), new("b", [1], [1])],
            new Dictionary<string, string> { ["source"] = "here" }, ElementType.F16);
        Fuzz(file.ToArray(), 4);
    }

    [Fact]
    public void A_damaged_torch_zip_fails_with_InvalidDataException() => Fuzz(TorchWriter.Zip(Tensors), 2);

    [Fact]
    public void A_damaged_legacy_torch_file_fails_with_InvalidDataException() => Fuzz(TorchWriter.Legacy(Tensors), 3);

    private static void Fuzz(byte[] good, uint seed)
    {
        var random = new PCG(1, seed);
        var edits = Edit.Array[1, 6];
        var (passed, refused) = (0, 0);
        for (var i = 0; i < Files; i++)
        {
            var file = good.ToList();
            foreach (var (where, kind, value) in edits.Generate(random, null, out _))
            {
                var position = (int)(where * (file.Count - 1));
                if (kind < 7)
                    file[position] = value;
                else if (kind == 7)
                    file[position] ^= (byte)(1 << value % 8);
                else if (kind == 8 && file.Count > 50)
                    file.RemoveRange(position, Math.Min(value % 20, file.Count - position));
                else
                    file.InsertRange(position, file.GetRange(position, Math.Min(value % 20, file.Count - position)));
            }
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                WeightFile.Read(new MemoryStream([.. file]), "x");
                passed++;
            }
            catch (InvalidDataException e)
            {
                Assert.StartsWith("x: ", e.Message, StringComparison.Ordinal);
                refused++;
            }
            // A pickle may be 1 MiB and zip buffers some 100 KiB, but no number in a 2 KB file may ask for more.
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 4 << 20);
        }
        Assert.True(refused > Files / 2, $"{refused} of {Files} refused"); // the damage is damage
        Assert.True(passed > 0, "a changed value is no damage a reader can see");
    }
}
