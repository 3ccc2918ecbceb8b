using System.Text;

namespace Perceptual.Tests.Imaging;

public class NpyFileTests
{
    [Theory]
    [InlineData(3, 5)]
    [InlineData(1, 1)]
    [InlineData(0, 7)]
    [InlineData(300, 200)]
    public void What_was_written_is_read(int height, int width)
    {
        float[] map = [.. Enumerable.Range(0, height * width).Select(i => i * 0.37f - 3)];
        using var folder = new TempFolder();
        NpyFile.Write(folder["map.npy"], map, height, width);
        Assert.Equal(["map.npy"], folder.Files);
        var (values, shape) = NpyFile.ReadFloat32(folder["map.npy"]);
        Assert.Equal(map, values);
        Assert.Equal([height, width], shape);

        NpyFile.Write(folder["rows.npy"], height, width, (y, row) => map.AsSpan(y * width, width).CopyTo(row));
        Assert.Equal(File.ReadAllBytes(folder["map.npy"]), File.ReadAllBytes(folder["rows.npy"]));
    }

    [Fact]
    public void A_map_is_written_without_being_in_memory()
    {
        using var folder = new TempFolder();
        var map = new DistanceMap([([0, 1, 2, 3], 2, 2)], 64, 20_000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        NpyFile.Write(folder["map.npy"], map.Height, map.Width, map.CopyRow);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 200_000); // the map has 5,120,000
        Assert.Equal(map.ToArray(), NpyFile.ReadFloat32(folder["map.npy"]).Values);
    }

    [Fact]
    public void The_bytes_are_those_that_NumPy_writes()
    {
        using var folder = new TempFolder();
        NpyFile.Write(folder["map.npy"], [1, 2], 1, 2);
        byte[] expected = [0x93, .. "NUMPY"u8, 1, 0, 118, 0,
            .. Encoding.ASCII.GetBytes("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }".PadRight(117)
                + "\n"), 0, 0, 0x80, 0x3F, 0, 0, 0, 0x40];
        Assert.Equal(expected, File.ReadAllBytes(folder["map.npy"]));
    }

    [Theory]
    [InlineData("(2,)", "<f8", new[] { 2 })]
    [InlineData("()", "<f4", new int[0])]
    [InlineData("(1, 2, 1)", "<f4", new[] { 1, 2, 1 })]
    public void Other_shapes_and_float64_are_read(string shape, string type, int[] expected)
    {
        var count = expected.Aggregate(1, (a, b) => a * b);
        var values = Enumerable.Range(1, count)
            .SelectMany(i => type == "<f8" ? BitConverter.GetBytes((double)i) : BitConverter.GetBytes((float)i));
        var read = Read([.. Npy(shape, type), .. values]);
        Assert.Equal(expected, read.Shape);
        Assert.Equal(Enumerable.Range(1, count).Select(i => (float)i), read.Values);
    }

    [Theory]
    [InlineData("(2,)", "<f4", 7)]
    [InlineData("(2,)", "<f4", 9)]
    [InlineData("(2,)", ">f4", 8)]
    [InlineData("(2,)", "<i4", 8)]
    [InlineData("(-2,)", "<f4", 8)]
    [InlineData("(2, x)", "<f4", 8)]
    [InlineData("(99999, 99999, 99999, 99999)", "<f4", 8)]
    [InlineData("(0, 99999999999999999999)", "<f4", 0)]
    public void Anything_else_is_refused(string shape, string type, int bytes) =>
        Assert.Throws<InvalidDataException>(() => Read([.. Npy(shape, type), .. new byte[bytes]]));

    [Fact]
    public void A_file_cut_short_is_refused()
    {
        byte[] whole = [.. Npy("(2,)", "<f4"), .. new byte[8]];
        Read(whole);
        for (var length = 0; length < whole.Length; length++)
            Assert.Throws<InvalidDataException>(() => Read(whole[..length]));
    }

    [Fact]
    public void The_maps_of_the_reference_are_read()
    {
        var (values, shape) = NpyFile.ReadFloat32(Shared.Path("golden/map-alex-pair1.npy"));
        Assert.Equal([127, 191], shape);
        Assert.Equal(127 * 191, values.Length);
        Assert.All(values, value => Assert.InRange(value, 0f, 10f));
    }

    private static byte[] Npy(string shape, string type)
    {
        var header = Encoding.ASCII.GetBytes($"{{'descr': '{type}', 'fortran_order': False, 'shape': {shape}, }}\n");
        return [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0, .. header];
    }

    private static (float[] Values, int[] Shape) Read(byte[] bytes)
    {
        using var folder = new TempFolder();
        return NpyFile.ReadFloat32(folder.Write("a.npy", bytes));
    }
}
