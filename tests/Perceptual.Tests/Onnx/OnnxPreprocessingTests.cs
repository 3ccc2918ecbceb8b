using System.Text;

namespace Perceptual.Tests.Onnx;

public sealed class OnnxPreprocessingTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void What_is_written_is_read()
    {
        OnnxPreprocessing[] all =
        [
            .. OnnxPreprocessing.Presets.Select(preset => preset.Value),
            new() { White = 1, BlueFirst = true, ChannelsLast = true, Multiple = 14, Taps = ["a", "b/\"c\""] },
            new() { White = 1, ChannelsLast = false, Size = (224, 196), LinFile = "lin.safetensors" },
            new() { White = 1, Embedding = "pooled" },
            new() { White = 1, Multiple = 1 },
        ];
        foreach (var preprocessing in all)
        {
            preprocessing.Write(folder["x.json"]);
            var read = OnnxPreprocessing.Read(folder["x.json"]);
            Assert.Equal(preprocessing.Mean, read.Mean);
            Assert.Equal(preprocessing.Deviation, read.Deviation);
            Assert.Equal(preprocessing.Taps, read.Taps);
            Assert.Equal(preprocessing with { Mean = [], Deviation = [], Taps = null },
                read with { Mean = [], Deviation = [], Taps = null });
        }
        Assert.Contains("\"size\": \"any\"", File.ReadAllText(folder["x.json"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "valid JSON")]
    [InlineData("[]", "JSON object")]
    [InlineData("""{"channels":"rgb","range":[0,1],"scale":1}""", "no key 'scale'")]
    [InlineData("""{"channels":"rgb"}""", "'range'")]
    [InlineData("""{"range":[0,1]}""", "'channels' must be rgb or bgr")]
    [InlineData("""{"channels":"gray","range":[0,1]}""", "'channels'")]
    [InlineData("""{"channels":"rgb","range":[1,1]}""", "two different")]
    [InlineData("""{"channels":"rgb","range":[0,1e9]}""", "at most a million")]
    [InlineData("""{"channels":"rgb","range":[0,1],"mean":[1,2]}""", "'mean' must be 3 numbers")]
    [InlineData("""{"channels":"rgb","range":[0,1],"deviation":[1,0,1]}""", "not 0")]
    [InlineData("""{"channels":"rgb","range":[0,1],"layout":"chwn"}""", "'layout'")]
    [InlineData("""{"channels":"rgb","range":[0,1],"size":"224"}""", "'size'")]
    [InlineData("""{"channels":"rgb","range":[0,1],"size":"0x9"}""", "'size'")]
    [InlineData("""{"channels":"rgb","range":[0,1],"taps":[]}""", "'taps'")]
    [InlineData("""{"channels":"rgb","range":[0,1],"taps":["a","a"]}""", "'taps'")]
    [InlineData("""{"channels":"rgb","range":[0,1],"embedding":""}""", "'embedding' must be a name")]
    [InlineData("""{"channels":"rgb","range":[0,1],"lin":"../lin.safetensors"}""", "same folder")]
    public void What_cannot_be_meant_is_refused_by_name(string text, string problem)
    {
        var error = Assert.Throws<InvalidDataException>(
            () => OnnxPreprocessing.Read(folder.Write("x.json", Encoding.UTF8.GetBytes(text))));
        Assert.StartsWith(folder["x.json"], error.Message, StringComparison.Ordinal);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_description_is_small()
    {
        var path = folder.Write("x.json", new byte[(1 << 20) + 1]);
        Assert.Contains("too many", Assert.Throws<InvalidDataException>(() => OnnxPreprocessing.Read(path)).Message,
            StringComparison.Ordinal);
    }
}
