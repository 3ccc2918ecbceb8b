using System.Buffers.Binary;
using NetVips;
using static Perceptual.Tests.Imaging.ImageFileTests;
using static Perceptual.Tests.Imaging.Samples;

namespace Perceptual.Tests.Imaging;

public class HeifTests
{
    private const int W = 19, H = 13;

    [Theory]
    [InlineData(10)]
    [InlineData(12)]
    public void Samples_of_more_than_8_bits_become_16_and_white_is_white(int bits)
    {
        // libvips drops the lower bits when it writes.
        ushort[] samples = [.. Pattern16(W, H).Select((v, i) => i < 6 ? ushort.MaxValue : v)];
        var max = (1 << bits) - 1;
        ushort[] expected =
            [.. samples.Select(v => (ushort)Math.Round((v >> (16 - bits)) * 65535.0 / max))];
        using var image = Vips(samples, W, H);
        var read = Read(image.HeifsaveBuffer(compression: Enums.ForeignHeifCompression.Av1, bitdepth: bits,
            lossless: true, effort: 0));
        Assert.Equal(ValueRange.UInt16, read.Range);
        Assert.Equal(expected, Interleaved16(read));
        Assert.Equal(ushort.MaxValue, Interleaved16(read)[0]);
    }

    [Fact]
    public void Alpha_is_treated_as_that_of_a_PNG()
    {
        var avif = Avif(Pattern(W, H, 4));
        Assert.Contains("AlphaMode", Problem(avif).Message, StringComparison.Ordinal);
        foreach (var mode in new[] { AlphaMode.Drop, AlphaMode.White, AlphaMode.Black })
            AssertPixels(Interleaved(Read(Png(W, H, 8, 6, Pattern(W, H, 4)), options: new() { Alpha = mode })), avif,
                options: new() { Alpha = mode });
        AssertPixels(Pattern(W, H), Avif([.. Pattern(W, H).Chunk(3).SelectMany(p => p.Append(byte.MaxValue))]));
    }

    [Fact]
    public void A_profile_is_applied_only_when_asked_for()
    {
        using var image = Vips(Pattern(W, H), W, H);
        using var wide = image.IccTransform("p3", inputProfile: "srgb", embedded: false);
        var avif = wide.HeifsaveBuffer(compression: Enums.ForeignHeifCompression.Av1, lossless: true, effort: 0,
            keep: Enums.ForeignKeep.Icc);
        AssertPixels([.. wide.WriteToMemory<byte>()], avif);
        Numbers.AssertClose(Pattern(W, H), Interleaved(Read(avif, options: new() { ConvertToSrgb = true })), 4);
    }

    /// <summary>libvips reads them as if they were not.</summary>
    [Fact]
    public void Colours_that_were_multiplied_by_alpha_are_refused_by_name()
    {
        var avif = Avif(Pattern(W, H, 4));
        "prem"u8.CopyTo(avif.AsSpan(avif.AsSpan().IndexOf("auxl"u8)));
        Assert.Contains("multiplied by alpha", Problem(avif, options: new() { Alpha = AlphaMode.Drop }).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(16)]
    [InlineData(18)]
    public void Transfers_of_HDR_are_refused_by_name(int transfer)
    {
        var avif = Avif(Pattern(W, H));
        BinaryPrimitives.WriteUInt16BigEndian(avif.AsSpan(avif.AsSpan().IndexOf("nclx"u8) + 6), (ushort)transfer);
        Assert.Contains("is HDR", Problem(avif).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Other_codecs_are_refused_by_name()
    {
        var heic = Avif(Pattern(W, H));
        "heic"u8.CopyTo(heic.AsSpan(8));
        "hvc1"u8.CopyTo(heic.AsSpan(heic.AsSpan().IndexOf("av01"u8)));
        Assert.Contains("the HEIF is coded by HEVC, for which there is no decoder", Problem(heic).Message,
            StringComparison.Ordinal);
    }

    private static byte[] Avif(byte[] pixels)
    {
        using var image = Vips(pixels, W, H);
        return image.HeifsaveBuffer(compression: Enums.ForeignHeifCompression.Av1, lossless: true, effort: 0);
    }
}
