using System.Text;
using Perceptual.Tests.Imaging;
using Perceptual.Tests.Onnx;

namespace Perceptual.Tests.Fuzz;

/// <summary>Small files for each of <see cref="FuzzTargets"/>, from which damaged ones are made.</summary>
internal static class FuzzSeeds
{
    private const int W = 6, H = 5;

    public static IEnumerable<(string Target, byte[] Bytes)> All() =>
    [
        .. Of("png", Pngs()), .. Of("bmp", Bmps()), .. Of("tga", Tgas()), .. Of("pnm", Pnms()),
        .. Of("array", Arrays()),
        .. Of("gif", Gifs()), .. Of("exr", Lights(".exr")), .. Of("hdr", Lights(".hdr")), .. Of("pfm", Lights(".pfm")),
        .. Of("tiff", Tiffs()),
        .. Of("jpeg", Jpegs()), .. Of("vips", Foreign()), .. Of("weights", Weights()), .. Of("pickle", Pickles()),
        .. Of("checkpoint", Texts("0\00\00\0", "0\0NaN\00.5\00,0,0.1,,,\n",
            "1\01.5\00.5\00,0,0.1,,,\n1,1,0.1,0.7,0.5,\n")),
        .. Of("csv", Texts("reference,p0,p1,judge\na.png,a.png,a.png,0.5\n",
            "votes_p0,votes_p1,reference,p0,p1\r\n1,4,a.png,\"a.png\",a.png", "reference,distorted,mos,note\n"
            + "a.png,a.png,-1e3,\"a \"\"b\"\", c\r\n\"\n", "d0,d1,judge\r0.25,1,0\r\r1,0,1\r",
            "observer,reference,p0,p1,answer,trap\n1,r,a,r,p0,1\n", "reference,distorted,jnd,low,high\nr,a,1,0.5,2\n",
            "worker,source,left_codec,left_level,right,pivot,response\n1,2,6,1,o,o,left\n1,2,6,2,o,o,notsure\n",
            "source,codec,level,jnd\n2,1,3,0.5\n")),
        .. Of("fit", Texts("""
            {"format":"perceptual-jnd-fit","metric":"l2","weights":"a","images":20,"knots":[
            {"value":1,"jnd":1,"low":0,"high":2},{"value":2,"jnd":1.5,"low":1,"high":2}]}
            """)),
        .. Of("csv", [[0xFF, 0xFE, .. Encoding.Unicode.GetBytes("d0,d1,judge\n0,1,0\n")]]),
        .. Of("npy", [TestArchive.Judge, TestArchive.Npy("<f4", "(2, 3)", new byte[24]), Npy2()]),
        .. Of("journal", Texts("perceptual-journal-1,metrics=psnr", "perceptual-journal-1,metrics=psnr\n1,2\n3",
            "perceptual-journal-1,metrics=psnr\n1,2\n!3\n4", "perceptual-journal-1,metrics=l2%2C,--icc=no\n1,2\n3")),
        .. Of("archive", Archives()),
        .. Of("folder", [TestArchive.Png, .. Pngs()]),
        .. Of("onnx", Networks()),
        .. Of("preprocessing", Texts("""{"channels":"bgr","range":[0,1],"mean":[1,2,3],"deviation":[4,5,6]}""",
            """{"channels":"rgb","range":[0,1],"layout":"nhwc","size":"multiple of 8","taps":["a"],"lin":"b"}""")),
    ];

    private static IEnumerable<(string, byte[])> Of(string target, IEnumerable<byte[]> files) =>
        files.Select(file => (target, file));

    private static IEnumerable<byte[]> Texts(params IEnumerable<string> texts) => texts.Select(Encoding.UTF8.GetBytes);

    private static IEnumerable<byte[]> Pngs()
    {
        foreach (var (colour, channels) in new[] { (0, 1), (2, 3), (4, 2), (6, 4) })
            foreach (var bits in new[] { 8, 16 })
                yield return Samples.Png(W, H, bits, colour, Samples.Pattern(W * bits / 8, H, channels));
        byte[] exif = [.. "MM\0*"u8, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0];
        var early = Samples.Png(W, H, 8, 2, Samples.Pattern(W, H), ("eXIf", exif), ("iCCP", [1, 0, 0, 2]));
        var late = Samples.Png(W, H, 8, 2, Samples.Pattern(W, H));
        yield return early;
        yield return [.. late[..^12], .. early[33..(33 + 12 + exif.Length)], .. late[^12..]];
    }

    private static IEnumerable<byte[]> Lights(string extension) => Samples.Light(9, H)
        .Where(sample => sample.Name.EndsWith(extension, StringComparison.Ordinal)).Select(sample => sample.Bytes);

    private static IEnumerable<byte[]> Bmps()
    {
        foreach (var bits in new[] { 1, 4, 8 })
            yield return Samples.Bmp(W, H, bits, Samples.Pattern(1 << bits, 1, 4),
                Samples.Rows(Samples.Pattern((W * bits + 7) / 8, H, 1), H));
        foreach (var bits in new[] { 16, 24, 32 })
            yield return Samples.Bmp(W, -H, bits, [], Samples.Rows(Samples.Pattern(W, H, bits / 8), H));
        yield return Samples.Bmp(W, H, 16, [], Samples.Rows(Samples.Pattern(W, H, 2), H), [0xF800, 0x7E0, 0x1F]);
        yield return Samples.Bmp(W, H, 32, [], Samples.Rows(Samples.Pattern(W, H, 4), H), [0xFF, 0xFF00, 0xFF0000, 1]);
        yield return [.. "BM"u8, .. new byte[8], 32, 0, 0, 0, 12, 0, 0, 0, W, 0, H, 0, 1, 0, 1, 0,
            .. new byte[6 + 4 * H]];
    }

    private static IEnumerable<byte[]> Tgas()
    {
        foreach (var (type, bits) in new[] { (1, 8), (2, 16), (2, 24), (2, 32), (3, 8), (3, 16) })
            foreach (var coded in new[] { false, true })
            {
                byte[] pixels = [.. Samples.Pattern(W, H, bits / 8).Select(v => (byte)(type == 1 ? v % 4 : v))];
                yield return Samples.Tga(type + (coded ? 8 : 0), W, H, bits, coded ? 0x20 : bits == 32 ? 8 : 0x10,
                    coded ? Samples.TgaPackets(pixels, bits / 8) : pixels,
                    type == 1 ? Samples.Pattern(4, 1) : null, type == 1 ? 24 : 0);
            }
    }

    private static IEnumerable<byte[]> Pnms() => Samples.All()
        .Where(sample => Path.GetExtension(sample.Name) is ".ppm" or ".pgm" or ".pbm" or ".pam")
        .Select(sample => sample.Bytes);

    private static IEnumerable<byte[]> Arrays()
    {
        foreach (var (type, size) in new[] { ("|u1", 1), (">u2", 2), ("<f2", 2), (">f4", 4), ("<f8", 8) })
            foreach (var fortran in new[] { false, true })
                yield return Samples.Npy(type, $"({H}, {W}, 3)", new byte[3 * W * H * size], fortran);
        yield return Samples.Npy("|u1", $"(3, {H}, {W})", Samples.Pattern(W, H));
        yield return Samples.Npy("|u1", $"({H}, {W})", Samples.Pattern(W, H, 1));
        yield return Samples.Npz(("a.npy", Samples.Npy("|u1", $"({H}, {W})", Samples.Pattern(W, H, 1))));
    }

    private static IEnumerable<byte[]> Gifs()
    {
        byte[] indices = [.. Samples.Pattern(W, H, 1).Select(v => (byte)(v % 4))];
        yield return Kinds.Gif(W, H, (0, 0, W, H), 2, Samples.Pattern(4, 1), indices);
        yield return Kinds.Gif(W + 2, H + 3, (1, 2, W, H), 2, Samples.Pattern(4, 1), indices, true, true, 1);
        yield return Kinds.Gif(30, 20, (0, 0, 30, 20), 8, Samples.Pattern(256, 1), Samples.Pattern(30, 20, 1));
    }

    private static IEnumerable<byte[]> Tiffs()
    {
        var plain = new TiffWriter { Width = W, Height = H, ChunkHeight = 2 };
        var tiled = plain with { TileWidth = 4, ChunkHeight = 4 };
        foreach (var tiff in new[]
        {
            plain,
            plain with { Compression = 5, Predictor = true },
            plain with { Compression = 32773, BigEndian = true },
            plain with { Compression = 8, Bits = 16, Predictor = true },
            tiled,
            tiled with { Planar = true },
            tiled with { Photometric = 1, Bits = 16, Extra = 1, BigEndian = true },
            plain with { Photometric = 0, Bits = 1 },
            plain with { Photometric = 1, Bits = 2, Extra = 2 },
            plain with { Photometric = 3, Bits = 4, BigTiff = true, Compression = 5 },
            plain with { Photometric = 5, Tags = [(274, 3, [6])] },
            plain with { Photometric = 6, Subsampling = (2, 2), Tags = [(529, 5, [299, 587, 114])] },
            tiled with { Photometric = 6, Subsampling = (4, 1), Compression = 32773 },
            plain with { Photometric = 2, Extra = 1, Planar = true, Compression = 32946 },
        })
            yield return tiff.Write(
                [.. Samples.Pattern16(W, H, tiff.Samples).Select(v => (ushort)(v >> 16 - tiff.Bits))]);
    }

    private static IEnumerable<byte[]> Jpegs()
    {
        foreach (var colour in new[] { JpegColour.Gray, JpegColour.YCbCr, JpegColour.Cmyk })
            yield return new JpegWriter { Colour = colour }
                .Write(Samples.Pattern(W, H, colour == JpegColour.Gray ? 1 : colour == JpegColour.Cmyk ? 4 : 3), W, H);
        yield return [0xFF, 0xD8, 0xFF, 0xE0, 0, 16, .. "JFIF\0"u8, 2, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0,
            0xFF, 0xC0, 0, 11, 8, 0, H, 0, W, 1, 1, 0x11, 0, 0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 0, 0, 1, 2, 3, 0xFF, 0xD9];
    }

    private static IEnumerable<byte[]> Foreign() => Samples.All()
        .Where(sample => sample.Name is "interlaced.png" or "palette.png" or "plain.jpg" or "progressive.jpg"
            or "lossless.webp" or "lossy.webp" or "jpeg.tif" or "jpeg-tiles.tif" or "lossless.avif"
            or "deep.avif")
        .Select(sample => sample.Bytes)
        .Concat(Jpegs());

    private static IEnumerable<byte[]> Weights()
    {
        Tensor[] tensors = [new("features.0.weight", [2, 3], new float[6]), new("0.bias", [1], [1])];
        yield return Tiny.Safetensors(tensors, ("source", "here"));
        foreach (var type in new[] { ElementType.F32, ElementType.F16 })
        {
            var file = new MemoryStream();
            Safetensors.WriteWithDigest(file, tensors, new Dictionary<string, string> { ["version"] = "0.1" }, type);
            yield return file.ToArray();
        }
        SavedTensor[] saved = [.. Saved()];
        yield return TorchWriter.Zip(saved);
        yield return TorchWriter.Legacy(saved);
        yield return Tiny.Lin;
    }

    private static IEnumerable<byte[]> Pickles()
    {
        yield return TorchWriter.StateDict(Saved());
        yield return StateDictWriter.Write([new("a", [2, 3], new float[6])]);
        yield return new PickleWriter().Global("collections", "OrderedDict")
            .Op(']', '(', ']', '(').Text("a").Op('N', 'e').Op(']', '(').Text("b").Op(0x88, 'e', 'e', 0x85, 'R').End();
    }

    // Two storages as the target for pickles has them: 24 and 6 bytes.
    private static IEnumerable<SavedTensor> Saved()
    {
        var (first, second) = (SavedStorage.Of("0", "Float", 1, 2, 3, 4, 5, 6), SavedStorage.Of("1", "Half", 1, 2, 3));
        return [new("a", first, 0, [2, 3], [3, 1]), new("b", first, 1, [2, 2], [1, 2]), new("c", second, 0, [3], [1])];
    }

    private static IEnumerable<byte[]> Networks()
    {
        var plain = new OnnxGraph("plain");
        plain.Input("image", "N", 3, "H", "W");
        plain.Block("map", "image", 3, 1);
        yield return OnnxGraphs.File(plain);
        var inner = new ProtobufMessage().Add(1, new ProtobufMessage().Add(1, "one").Add(2, "two").Add(4, "Relu"))
            .Add(12, new ProtobufMessage().Add(1, "two"));
        var rich = new OnnxGraph("rich");
        rich.Input("image", 1, 3, 8, 8);
        rich.Message.Add(5, new ProtobufMessage().Add(1, [2, 1]).Add(2, 1).Add(8, "w").Add(14, 1)
            .Add(13, new ProtobufMessage().Add(1, "location").Add(2, "missing.bin")));
        rich.Node("Relu", ["image"], ["one"]);
        rich.Node("If", ["image"], ["result"], new ProtobufMessage().Add(1, "then_branch").Add(6, inner));
        yield return OnnxGraphs.File(rich);
    }

    private static byte[] Npy2()
    {
        var first = TestArchive.Npy("<f4", "()", [0, 0, 128, 63]);
        return [.. first[..6], 2, 0, .. first[8..10], 0, 0, .. first[10..]];
    }

    private static IEnumerable<byte[]> Archives()
    {
        yield return TestArchive.Tar(
            TestArchive.File("val/cnn/ref/0.png", [1]), TestArchive.File("val/cnn/judge/0.npy"));
        yield return TestArchive.Tar(TestArchive.File($"x/{new string('y', 100)}/val/cnn/p0/1.png", [1, 2]));
        yield return TestArchive.Gzip(TestArchive.Tar(TestArchive.File("val/color/p1/0.png", [1])));
    }
}
