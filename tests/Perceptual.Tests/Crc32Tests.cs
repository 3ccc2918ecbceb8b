namespace Perceptual.Tests;

public class Crc32Tests
{
    [Fact]
    public void Nine_digits_have_the_published_check_value() =>
        Assert.Equal(0xCBF43926, ~Crc32.Append(uint.MaxValue, "123456789"u8));

    [Fact]
    public void Any_length_in_any_pieces_has_the_check_sum_of_the_loop_over_bits()
    {
        var bytes = new byte[70];
        new Random(1).NextBytes(bytes);
        for (var length = 0; length <= bytes.Length; length++)
        {
            var expected = uint.MaxValue;
            foreach (var b in bytes.AsSpan(0, length))
            {
                expected ^= b;
                for (var bit = 0; bit < 8; bit++)
                    expected = (expected & 1) == 0 ? expected >> 1 : expected >> 1 ^ 0xEDB88320;
            }
            for (var cut = 0; cut <= length; cut++)
            {
                var first = Crc32.Append(uint.MaxValue, bytes.AsSpan(0, cut));
                Assert.Equal(expected, Crc32.Append(first, bytes.AsSpan(cut, length - cut)));
            }
        }
    }
}
