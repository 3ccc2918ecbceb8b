namespace Perceptual.Tests;

public class FileDigestTests
{
    private static readonly LinWeights Lin =
        LinWeights.From(Tiny.Network, WeightFile.Read(new MemoryStream(Tiny.Lin), "lin"), "lin");

    private static readonly Dictionary<string, string> Metadata = new()
    {
        ["network"] = "tiny",
        ["version"] = "0.1",
        ["first trunk"] = Tiny.Trunk.Digest,
        ["kinds"] = "blur, \"Krähen\"",
    };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_flipped_bit_of_a_model_is_seen(bool half) =>
        FlippedBits.AreSeen(Model(half), FlippedBits.Content);

    [Fact]
    public void Flipped_bits_of_a_torch_model_are_seen()
    {
        var file = new MemoryStream();
        ModelFile.WriteTorch(file, Tiny.Trunk, Lin);
        FlippedBits.AreSeen(file.ToArray(), FlippedBits.Content, step: 3);
    }

    [Theory]
    [InlineData("first trunk")]
    [InlineData("teacher trunk")]
    [InlineData("images.sha256")]
    public void A_file_of_ours_without_a_digest_is_refused_on_every_path(string key)
    {
        using var folder = new TempFolder();
        Tensor[] tensors = [.. Lin.Tensors, .. Tiny.Trunk.Tensors.Values];
        var path = folder.Write("x.safetensors", Tiny.Safetensors(tensors, (key, "0123"), ("version", "0.1")));
        AssertRefused(path, "lacks the digest of its content");
    }

    [Fact]
    public void A_model_with_another_value_name_or_recipe_is_refused_on_every_path()
    {
        using var folder = new TempFolder();
        var text = System.Text.Encoding.Latin1.GetString(Model());
        (string Old, string New)[] changes =
        [
            ("\"version\":\"0.1\"", "\"version\":\"0.0\""),
            ("features.2.squeeze", "features.3.squeeze"),
            ("\0\0\u0080?", "\0\0\u0080>"), // 1 becomes 1/4
        ];
        foreach (var (old, changed) in changes)
        {
            Assert.Contains(old, text, StringComparison.Ordinal);
            var file = System.Text.Encoding.Latin1.GetBytes(text.Replace(old, changed, StringComparison.Ordinal));
            AssertRefused(folder.Write("x.safetensors", file), "damaged: its content has the SHA-256 ");
        }
    }

    [Fact]
    public void Files_of_others_need_none()
    {
        var file = Tiny.Safetensors(Tiny.Trunk.Tensors.Values, ("format", "pt"), ("version", "0.1"), ("step", "3"));
        Assert.Equal(Tiny.Trunk.Digest, TensorDigest.Of(WeightFile.Read(new MemoryStream(file), "x").Values));
    }

    private static void AssertRefused(string path, string message)
    {
        Action[] paths =
        [
            () => WeightFile.Read(path),
            () => TrunkWeights.Read(Tiny.Network, path),
            () => LinWeights.Read(Tiny.Network, path),
            () => ModelFile.Read(Tiny.Network, path, LpipsVersion.V00, baseline: false),
            () => Checkpoint.Read(path, [], [], _ => { }),
        ];
        foreach (var read in paths)
        {
            var error = Assert.Throws<InvalidDataException>(read).Message;
            Assert.StartsWith($"{path}: {message}", error, StringComparison.Ordinal);
        }
    }

    private static byte[] Model(bool half = false)
    {
        var file = new MemoryStream();
        ModelFile.Write(file, Tiny.Trunk, Lin, Metadata, half ? ElementType.F16 : ElementType.F32);
        return file.ToArray();
    }
}
