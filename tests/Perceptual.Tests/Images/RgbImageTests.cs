namespace Perceptual.Tests.Images;

[Trait("Category", "Numbers")]
public class RgbImageTests
{
    [Fact]
    public void Black_and_white_are_minus_one_and_one_in_every_kind_of_sample()
    {
        var row = new float[2];
        foreach (var image in new[]
        {
            RgbImage.FromInterleaved([0, 0, 0, 255, 255, 255], 2, 1),
            RgbImage.FromInterleaved(new ushort[] { 0, 0, 0, 65535, 65535, 65535 }, 2, 1),
            RgbImage.FromInterleaved([0f, 0, 0, 1, 1, 1], 2, 1, ValueRange.Unit),
            RgbImage.FromInterleaved([-1f, -1, -1, 1, 1, 1], 2, 1, ValueRange.Signed),
            RgbImage.FromPlanes(new byte[] { 0, 255 }, [0, 255], [0, 255], 2, 1),
            RgbImage.FromPlanes(new ushort[] { 0, 65535 }, [0, 65535], [0, 65535], 2, 1),
            RgbImage.FromPlanes([2f, 10], [2f, 10], [2f, 10], 2, 1, new(2, 10)),
        })
            for (var c = 0; c < 3; c++)
            {
                image.CopyRow(c, 0, row);
                Assert.Equal([-1f, 1f], row);
            }
    }

    [Fact]
    public void Every_byte_is_scaled_as_the_reference_implementation_scales_it()
    {
        byte[] bytes = [.. Enumerable.Range(0, 256).Select(value => (byte)value), 7]; // one more than vectors hold
        var image = RgbImage.FromPlanes(bytes, bytes, bytes, bytes.Length, 1);
        AssertBits([.. bytes.Select(value => value / 127.5f - 1)], image);
    }

    [Fact]
    [Trait("Category", "Numbers")]
    public unsafe void Every_8_bit_sample_reaches_the_networks_with_the_bits_that_divisions_give()
    {
        // some more than vectors hold
        byte[] samples = [.. Enumerable.Range(0, 259).Select(value => (byte)Math.Min(value, 255))];
        var planes = Array.ConvertAll(new int[3], _ => new float[samples.Length]);
        // version 0.1, version 0.0
        foreach (var (shift, scale) in new (float[], float[])[] { (Lpips.Shift, Lpips.Scale), ([0, 0, 0], [1, 1, 1]) })
        {
            using var reader = RgbImage.FromPlanes(samples, samples, samples, samples.Length, 1).OpenRows();
            fixed (float* red = planes[0], green = planes[1], blue = planes[2])
                reader.ReadRow(red, green, blue, shift, scale);
            for (var channel = 0; channel < 3; channel++)
                for (var x = 0; x < samples.Length; x++)
                    Assert.Equal((samples[x] / 127.5f - 1 - shift[channel]) / scale[channel], planes[channel][x]);
        }
    }

    [Fact]
    public void Every_16_bit_value_is_scaled_by_half_its_range()
    {
        ushort[] words = [.. Enumerable.Range(0, 65536).Select(value => (ushort)value), 7];
        var image = RgbImage.FromPlanes(words, words, words, words.Length, 1);
        AssertBits([.. words.Select(value => value / 32767.5f - 1)], image);
    }

    [Fact]
    public void Floats_are_scaled_by_half_the_stated_range()
    {
        float[] floats = [.. Enumerable.Range(0, 1003).Select(value => value * 0.0137f - 3.1f)];
        ValueRange range = new(-3.25f, 12.5f);
        var image = RgbImage.FromPlanes(floats, floats, floats, floats.Length, 1, range);
        AssertBits(
            [.. floats.Select(value => (value - range.Minimum) / ((range.Maximum - range.Minimum) / 2) - 1)], image);

        // Samples from -3.1 to 10.6 go beyond this range on both sides.
        range = new ValueRange(0, 7).WithOvershoot(7);
        AssertBits([.. floats.Select(value => value / 3.5f - 1)],
            RgbImage.FromPlanes(floats, floats, floats, floats.Length, 1, range));
    }

    private static void AssertBits(float[] expected, RgbImage image)
    {
        var row = new float[image.Width + 1];
        row[^1] = 5;
        for (var c = 0; c < 3; c++)
        {
            image.CopyRow(c, 0, row);
            Assert.Equal(expected.Select(BitConverter.SingleToInt32Bits),
                row[..^1].Select(BitConverter.SingleToInt32Bits));
        }
        Assert.Equal(5, row[^1]);
    }

    [Fact]
    public void Rows_read_to_the_end_are_the_image_in_every_kind_of_sample()
    {
        foreach (var image in new[]
        {
            RgbImage.FromInterleaved([0, 1, 2, 253, 254, 255], 2, 1),
            RgbImage.FromInterleaved(new ushort[] { 0, 1, 300, 65533, 65534, 65535 }, 1, 2),
            RgbImage.FromInterleaved([0.1f, 0, 0, 1, 0.3f, 1], 2, 1, ValueRange.Unit),
        })
        {
            var read = RgbImage.FromRows(new Relay(image));
            Assert.Equal((image.Width, image.Height, image.Range), (read.Width, read.Height, read.Range));
            var (a, b) = (new float[image.Width], new float[image.Width]);
            for (var c = 0; c < 3; c++)
                for (var y = 0; y < image.Height; y++)
                {
                    image.CopyStoredRow(c, y, a);
                    read.CopyStoredRow(c, y, b);
                    Assert.Equal(a, b);
                }
        }
    }

    private sealed class Relay(RgbImage image) : RgbRowReader(image.Width, image.Height, image.Range)
    {
        private readonly RgbRowReader rows = image.OpenRows();

        protected override void ReadStoredRow(int y, Span<float> red, Span<float> green, Span<float> blue) =>
            rows.ReadStoredRow(red, green, blue);
    }

    [Fact]
    public void Interleaved_pixels_and_planes_are_the_same_image()
    {
        var (interleaved, planar) = (RgbImage.FromInterleaved([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 2, 2),
            RgbImage.FromPlanes(new byte[] { 1, 4, 7, 10 }, [2, 5, 8, 11], [3, 6, 9, 12], 2, 2));
        var (a, b) = (new float[2], new float[2]);
        for (var c = 0; c < 3; c++)
            for (var y = 0; y < 2; y++)
            {
                interleaved.CopyStoredRow(c, y, a);
                planar.CopyStoredRow(c, y, b);
                Assert.Equal([6f * y + c + 1, 6 * y + c + 4], a);
                Assert.Equal(a, b);
            }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    [InlineData(1.0001f)]
    [InlineData(-0.0001f)]
    public void A_float_outside_the_stated_range_is_refused_naming_its_place(float bad)
    {
        var plane = new float[6];
        plane[5] = bad;
        var error = Assert.Throws<ArgumentException>(
            () => RgbImage.FromPlanes(new float[6], plane, new float[6], 3, 2, ValueRange.Unit));
        Assert.Contains("green", error.Message, StringComparison.Ordinal);
        Assert.Contains("x 2, y 1", error.Message, StringComparison.Ordinal);
        Assert.Contains("0..1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_lengths_and_sizes_are_refused()
    {
        Assert.Throws<ArgumentException>(() => RgbImage.FromInterleaved(new byte[11], 2, 2));
        Assert.Throws<ArgumentException>(() => RgbImage.FromPlanes(new byte[4], new byte[4], new byte[3], 2, 2));
        Assert.ThrowsAny<ArgumentException>(() => RgbImage.FromInterleaved(Array.Empty<byte>(), 0, 2));
        Assert.ThrowsAny<ArgumentException>(() => RgbImage.FromInterleaved(new byte[3], 1, -1));
        Assert.ThrowsAny<ArgumentException>(() => RgbImage.FromInterleaved(new byte[3], int.MaxValue, int.MaxValue));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 0)]
    [InlineData(float.NaN, 1)]
    [InlineData(0, float.PositiveInfinity)]
    public void A_range_needs_two_finite_numbers_in_ascending_order(float minimum, float maximum) =>
        Assert.Throws<ArgumentException>(() => new ValueRange(minimum, maximum));
}
