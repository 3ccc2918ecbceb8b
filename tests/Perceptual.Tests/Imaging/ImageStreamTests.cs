namespace Perceptual.Tests.Imaging;

public class ImageStreamTests
{
    public static TheoryData<string> Names => [.. Samples.All().Select(sample => sample.Name)];

    [Theory, MemberData(nameof(Names))]
    public void Bytes_and_streams_are_read_as_files_are(string name)
    {
        var bytes = Samples.All().First(sample => sample.Name == name).Bytes;
        var file = ImageFileTests.Read(bytes, name);
        Assert.Equal(Pixels(file), Pixels(ImageFile.Read(bytes, name: name)));
        // From where the stream stands, in pieces, without a length; a part of an array.
        byte[] surrounded = [1, 2, 3, .. bytes];
        using var stream = new Trickle(surrounded);
        stream.ReadExactly(new byte[3]);
        Assert.Equal(Pixels(file), Pixels(ImageFile.Read(stream, name: name)));
        Assert.Equal(Pixels(file), Pixels(ImageFile.Read(surrounded.AsMemory(3), name: name)));
    }

    [Fact]
    public void What_is_wrong_is_told_with_the_name_that_is_given()
    {
        var png = Samples.Png(4, 4, 8, 2, Samples.Pattern(4, 4));
        Told("upload 7: ", () => ImageFile.Read(png.AsMemory(0, png.Length - 30), name: "upload 7"));
        Told("upload 7: is empty", () => ImageFile.Read(Stream.Null, name: "upload 7"));
        Told("the image: is not an image", () => ImageFile.Read("<svg/>"u8.ToArray()));
        var tga = Samples.All().First(sample => sample.Name.EndsWith(".tga", StringComparison.Ordinal)).Bytes;
        Told("the image: is not an image", () => ImageFile.Read(tga));
        Assert.Throws<ArgumentNullException>(() => ImageFile.Read((Stream)null!));

        static void Told(string start, Action read) =>
            Assert.StartsWith(start, Assert.Throws<InvalidDataException>(read).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_count_for_streams_too()
    {
        var rgba = Samples.Png(2, 2, 8, 6, [.. Enumerable.Repeat((byte)100, 16)]);
        Assert.Throws<InvalidDataException>(() => ImageFile.Read(rgba));
        Assert.Equal(100, Pixels(ImageFile.Read(rgba, new() { Alpha = AlphaMode.Drop }))[2]);
        Assert.Throws<InvalidDataException>(
            () => ImageFile.Read(rgba, new() { Alpha = AlphaMode.Drop, MaxPixels = 3 }));
    }

    private static float[] Pixels(RgbImage image)
    {
        var samples = new float[3 * image.Width * image.Height];
        for (var i = 0; i < 3 * image.Height; i++)
            image.CopyStoredRow(i / image.Height, i % image.Height, samples.AsSpan(i * image.Width, image.Width));
        return [image.Width, image.Height, .. samples];
    }

    /// <summary>A stream as from a network: no length, and few bytes at a time.</summary>
    private sealed class Trickle(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override int Read(byte[] buffer, int offset, int count) =>
            base.Read(buffer, offset, Math.Min(count, 7));

        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, 7)]);
    }
}
