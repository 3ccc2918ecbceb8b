using System.Buffers.Binary;
using NetVips;
using static Perceptual.Tests.Imaging.ImageFileTests;
using static Perceptual.Tests.Imaging.Samples;

namespace Perceptual.Tests.Imaging;

public class ImageErrorTests
{
    public static TheoryData<string> Names => [.. All().Select(sample => sample.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_file_cut_short_is_refused_unless_all_its_pixels_are_there(string name)
    {
        var bytes = All().First(sample => sample.Name == name).Bytes;
        var whole = Interleaved16(Read(bytes, name));
        using var folder = new TempFolder();
        for (var length = 0; length < bytes.Length; length += length < bytes.Length - 60 ? 7 : 1)
        {
            var path = folder.Write(name, bytes.AsSpan(0, length));
            try
            {
                Assert.Equal(whole, Interleaved16(ImageFile.Read(path)));
                Assert.False(name.EndsWith("png", StringComparison.Ordinal));
                Assert.True(length > bytes.Length - 30, $"{name} needs only {length} of its {bytes.Length} bytes");
            }
            catch (InvalidDataException problem)
            {
                Assert.StartsWith(path + ": ", problem.Message, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("jpg")]
    [InlineData("webp")]
    [InlineData("tif")]
    [InlineData("png")]
    [InlineData("gif")]
    public void Large_files_cut_in_the_middle_are_refused(string format)
    {
        const int Side = 1200;
        using var image = Vips(Pattern(Side, Side), Side, Side);
        var bytes = format switch
        {
            "jpg" => image.JpegsaveBuffer(),
            "webp" => image.WebpsaveBuffer(effort: 0),
            "tif" => image.TiffsaveBuffer(compression: Enums.ForeignTiffCompression.Deflate),
            "gif" => image.GifsaveBuffer(effort: 1),
            _ => image.PngsaveBuffer(compression: 1),
        };
        Read(bytes);
        foreach (var part in new[] { 0.1, 0.5, 0.9, 0.99 })
            Assert.Contains("cut short", Problem(bytes[..(int)(part * bytes.Length)]).Message,
                StringComparison.Ordinal);
    }

    /// <summary>The two bytes of zlib's header, whose check sum is right.</summary>
    [Fact]
    public void Pixels_that_zlib_needs_a_dictionary_for_are_refused()
    {
        var png = Png(9, 7, 8, 2, Pattern(9, 7));
        var tiff = new TiffWriter { Width = 9, Height = 7, Compression = 8 }
            .Write([.. Pattern(9, 7).Select(v => (ushort)v)]);
        foreach (var (file, start) in new[] { (png, png.AsSpan().IndexOf("IDAT"u8) + 4), (tiff, 8) })
        {
            Read(file);
            Assert.Equal(0x78, file[start]);
            file[start + 1] = 0x20; // says so; a multiple of 31 with the byte before
            if (file == png)
                RepairPng(file);
            Assert.Contains("damaged", Problem(file).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_changed_bit_in_a_PNG_is_noticed()
    {
        var png = All().First().Bytes;
        var whole = Interleaved(Read(png));
        var harmless = new List<int>();
        using var folder = new TempFolder();
        for (var i = 8; i < png.Length - 12; i++)
        {
            byte[] changed = [.. png];
            changed[i] ^= 0x20; // in a chunk's name: another kind of chunk
            var path = folder.Write("a.png", changed);
            try
            {
                Assert.Equal(whole, Interleaved(ImageFile.Read(path)));
                harmless.Add(i);
            }
            catch (InvalidDataException problem)
            {
                Assert.StartsWith(path + ": ", problem.Message, StringComparison.Ordinal);
            }
        }
        Assert.Equal(OutsideThePixels(png), harmless);
    }

    // Of chunks that a reader may pass over all but the length, the letter of the name that says so and the one that
    // later versions may use.
    private static IEnumerable<int> OutsideThePixels(byte[] png)
    {
        for (int at = 8, length; at < png.Length; at += 12 + length)
        {
            length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(at));
            if (!char.IsAsciiLetterLower((char)png[at + 4]))
                continue;
            for (var i = at + 5; i < at + 12 + length; i++)
                if (i != at + 6)
                    yield return i;
        }
    }

    [Fact]
    public void The_limit_on_pixels_holds_for_every_format()
    {
        foreach (var (name, bytes) in All())
        {
            Assert.Contains("limit of 246", Problem(bytes, name, new() { MaxPixels = 246 }).Message,
                StringComparison.Ordinal);
            Read(bytes, name, new() { MaxPixels = 247 });
        }
    }

    [Fact]
    public void A_PNG_that_claims_to_be_huge_is_refused_before_decoding() =>
        Assert.Contains("9000000x9000000", Problem(Png(9_000_000, 9_000_000, 8, 2, new byte[9_000_000])).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData("GIF")]
    [InlineData("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>")]
    [InlineData("%PDF-1.7")]
    [InlineData("P8 1 1 255\nabc")]
    [InlineData("\0\0\0\x18ftypisom\0\0\0\0")]
    [InlineData("0 0\n1 1\n")]
    [InlineData("RIFF....WAVEfmt ")]
    public void What_is_not_an_image_is_refused(string text)
    {
        foreach (var name in new[] { "a.png", "a.svg", "a.csv", "a.tga" })
            Assert.Contains(text.Length == 0 ? "is empty" : "is not an image",
                Problem([.. text.Select(c => (byte)c)], name).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\xFF\n\0\0", "JPEG XL")]
    [InlineData("\0\0\0\x0CJXL \r\n\x87\n\0\0", "JPEG XL")]
    [InlineData("\xFFO\xFFQ\0\0", "JPEG 2000")]
    [InlineData("\0\0\0\x0CjP  \r\n\x87\n\0\0", "JPEG 2000")]
    public void Formats_without_a_decoder_are_refused_by_name(string start, string name) =>
        Assert.Contains($"is {name}, for which there is no decoder here",
            Problem([.. start.Select(c => (byte)c)]).Message, StringComparison.Ordinal);

    [Fact]
    public void Float_samples_are_refused_by_name()
    {
        using var image = Vips(Pattern(3, 3), 3, 3).Cast(Enums.BandFormat.Float);
        Assert.Contains("float samples", Problem(image.TiffsaveBuffer()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Channels_without_a_meaning_are_refused()
    {
        using var image = Vips(Pattern(3, 3, 6), 3, 3, Enums.Interpretation.Multiband);
        Assert.Contains("6 channels", Problem(image.TiffsaveBuffer()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_profile_that_is_none_is_an_error_only_when_asked_for()
    {
        using var image = Vips(Pattern(3, 3), 3, 3);
        var plain = image.JpegsaveBuffer();
        byte[] profile = [.. "ICC_PROFILE\0"u8, 1, 1, .. new byte[500]];
        byte[] jpeg = [.. plain[..2], 0xFF, 0xE2, (byte)((profile.Length + 2) >> 8), (byte)(profile.Length + 2),
            .. profile, .. plain[2..]];
        AssertPixels(Interleaved(Read(plain)), jpeg);
        Assert.Contains("profile", Problem(jpeg, options: new() { ConvertToSrgb = true }).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_is_refused_and_what_is_missing_is_missing()
    {
        using var folder = new TempFolder();
        Assert.Contains("is a folder", Assert.Throws<InvalidDataException>(() => ImageFile.Read(folder["."])).Message,
            StringComparison.Ordinal);
        Assert.Throws<FileNotFoundException>(() => ImageFile.Read(folder["none.png"]));
        Assert.Throws<DirectoryNotFoundException>(() => ImageFile.Read(folder[Path.Combine("none", "none.png")]));
    }
}
