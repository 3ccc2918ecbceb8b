using System.Text.Json;
using Perceptual.Tests.Onnx;

namespace Perceptual.Cli.Tests;

public sealed class NetworkTests : IDisposable
{
    private readonly CommandLine lpips = new();
    private readonly string a, b, model;

    public NetworkTests()
    {
        OnnxGraphs.NeedRuntime();
        (a, b) = (lpips.Image("set/a.png", 64, 48), lpips.Image("set/b.png", 64, 48, seed: 2));
        model = lpips.PathOf("residual.onnx");
        File.WriteAllBytes(model, OnnxGraphs.File(OnnxGraphs.Residual(1, "N", 3, "H", "W")));
    }

    public void Dispose() => lpips.Dispose();

    [Fact]
    public void A_network_is_looked_at_described_and_compared_with_in_every_command()
    {
        var inspected = CommandLine.Run("network", "inspect", model);
        Assert.Equal(0, inspected.Code);
        Assert.Contains("nothing says how", inspected.Error, StringComparison.Ordinal);
        Assert.StartsWith("input  image, float32, nchw; sizes: any, ", inspected.Output, StringComparison.Ordinal);
        Assert.Contains("* block1\tRelu\tnchw\t16 x 112 x 112", inspected.Lines);
        Assert.Contains("stem\tRelu\tnchw\t16 x 112 x 112", inspected.Lines);

        CommandLine.Run("compare", a, b, "--metric", $"onnx:{model}")
            .ShouldFail(1, "residual.json", "`lpips network describe FILE --preset NAME`", "imagenet");
        var described = CommandLine.Run("network", "describe", model, "--preset imagenet --taps stem,block2");
        Assert.Equal((0, ""), (described.Code, described.Error));
        Assert.Contains("* stem\tRelu\tnchw\t16 x 112 x 112", described.Lines);
        Assert.Contains("* stem\tRelu\tnchw\t16 x 112 x 112", CommandLine.Run("network", "inspect", model).Lines);

        var expected = OnnxMetric.Load(model).Measure(ImageFile.Read(a), ImageFile.Read(b));
        var text = CommandLine.Run("compare", a, b, "--layers --metric", $"onnx:{model}");
        Assert.Equal((0, "", 4), (text.Code, text.Error, text.Lines[0].Split('\t').Length));
        Assert.StartsWith($"{Report.Number(expected)}\t", text.Output, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(
            CommandLine.Run("compare", a, b, "--format json --metric", $"onnx:{model}").Output);
        Assert.Equal((model, "any", OnnxMetric.Load(model).Digest), (Of("net"), Of("size"), Of("digest")));
        var result = json.RootElement.GetProperty("results")[0];
        Assert.Equal((expected, 2),
            (result.GetProperty("distance").GetDouble(), result.GetProperty("layers").GetArrayLength()));

        var (folder, map, csv) = (lpips.PathOf("set"), lpips.PathOf("map.png"), lpips.PathOf("out.csv"));
        Assert.Equal(0, CommandLine.Run("compare", a, b, "--map", map, "--metric", $"onnx:{model}").Code);
        Assert.True(File.Exists(map));
        Assert.Equal(0, CommandLine.Run("folders", folder, folder, "--metric", $"psnr,onnx:{model}").Code);
        Assert.Equal(0, CommandLine.Run("pairs", folder, "--metric", $"onnx:{model}", "-o", csv).Code);
        Assert.Contains(Report.Every(expected), File.ReadAllText(csv), StringComparison.Ordinal);
        File.WriteAllLines(lpips.PathOf("t.csv"), ["reference,p0,p1,judge", "a.png,a.png,b.png,0.2"]);
        var scores = CommandLine.Run("evaluate", "2afc", lpips.PathOf("t.csv"), "--root", folder,
            "--load-size 0 --metric", $"lpips-lite,onnx:{model}");
        Assert.Contains("residual.onnx", scores.Output, StringComparison.Ordinal);

        string? Of(string key) => json.RootElement.GetProperty("model").GetProperty(key).GetString();
    }

    [Fact]
    public void A_network_is_a_row_of_the_table_of_the_paper_with_its_layers()
    {
        Assert.Equal(0, CommandLine.Run("network", "describe", model, "--preset imagenet --taps stem,block2").Code);
        File.WriteAllText(lpips.PathOf("list.json"),
            """[{ "name": "residual", "group": "self-supervised", "metric": "onnx:residual.onnx" }]""");
        File.WriteAllLines(lpips.PathOf("t.csv"), ["reference,p0,p1,judge", "a.png,a.png,b.png,0.2"]);
        var run = CommandLine.Run("evaluate", "2afc", lpips.PathOf("t.csv"), "--root", lpips.PathOf("set"),
            "--format csv --metrics-file", lpips.PathOf("list.json"));
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("2AFC,self-supervised,residual,t,0.8,0.8,0.8,triplet,1,,", run.Lines);
        foreach (var tap in new[] { "1", "2" })
            Assert.Contains(run.Lines, line => line.StartsWith(
                $"\"layers alone, 2AFC\",self-supervised,residual,{tap},0.8,0.8,0.8,", StringComparison.Ordinal));
        Assert.DoesNotContain("residual,3,", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_network_beside_the_baselines_is_a_witness_of_the_gate()
    {
        lpips.Image("base/p.png", 64, 48);
        lpips.Image("new/p.png", 64, 48, seed: 2);
        var (network, file) = (lpips.PathOf("base/of ours.onnx"), lpips.PathOf("base/perceptual.json"));
        File.Copy(model, network);
        Assert.Equal(0, CommandLine.Run("network", "describe", network, "--preset imagenet --taps stem,block2").Code);
        var metric = OnnxMetric.Load(network);
        var (value, map) = metric.MeasureAndMap(ImageFile.Read(a).OpenRows(), ImageFile.Read(b).OpenRows());
        File.WriteAllText(file, """
            { "limits": { "onnx:of ours.onnx": 0, "onnx:of ours.onnx patch:16": 0 } }
            """);
        var gate = CommandLine.Run("gate", lpips.PathOf("base"), lpips.PathOf("new"), "--format json");
        Assert.Equal((3, ""), (gate.Code, gate.Error));
        using var json = JsonDocument.Parse(gate.Output);
        var findings = json.RootElement.GetProperty("results")[0].GetProperty("findings").EnumerateArray().ToArray();
        Assert.Equal(["onnx:of ours.onnx", "onnx:of ours.onnx patch:16"],
            findings.Select(finding => finding.GetProperty("witness").GetString()));
        Assert.Equal([value, map.Pool("patch:16").Value],
            findings.Select(finding => finding.GetProperty("value").GetDouble()));

        // What cannot be a witness is said at once, and not of a picture.
        Refuse("onnx:nowhere.onnx", 1, "nowhere.onnx");
        Refuse("onnx-cosine:of ours.onnx max", 1, "of ours.onnx", "has no map");
        Refuse("coco:of ours.onnx", 1, "perceptual.json", "no witness");

        void Refuse(string witness, int code, params string[] parts)
        {
            File.WriteAllText(file, $$"""{ "limits": { "{{witness}}": 0 } }""");
            var run = CommandLine.Run("gate", lpips.PathOf("base"), lpips.PathOf("new"));
            run.ShouldFail(code, parts);
            Assert.Equal("", run.Output);
        }
    }

    [Fact]
    public void Mistakes_are_told_in_one_line()
    {
        CommandLine.Run("compare", a, b, "--metric onnx:").ShouldBeUsage("no metric onnx:", "onnx:FILE");
        CommandLine.Run("compare", a, b, "--metric onnx:nowhere.onnx").ShouldFail(1, "there is no file nowhere.onnx");
        CommandLine.Run("network", "describe", model).ShouldBeUsage("--preset");
        CommandLine.Run("network", "describe", model, "--preset nonsense").ShouldBeUsage("imagenet", "caffe-bgr");
        CommandLine.Run("network", "describe", model, "--preset 01 --taps blok1").ShouldFail(1, "blok1", "block1");
        Assert.False(File.Exists(lpips.PathOf("residual.json")));
        File.WriteAllText(lpips.PathOf("residual.json"), "{\"name\":\"something else\"}");
        CommandLine.Run("network", "describe", model, "--preset 01").ShouldFail(1, "residual.json", "'name'");
        Assert.Equal("{\"name\":\"something else\"}", File.ReadAllText(lpips.PathOf("residual.json")));
        File.Delete(lpips.PathOf("residual.json"));
        CommandLine.Run("network", "describe", model, "--preset 01");
        CommandLine.Run("pairs", lpips.PathOf("set"), "--metric", $"onnx:{model}", "-o", lpips.PathOf("residual.json"))
            .ShouldBeUsage("would overwrite");
    }

    [Fact]
    public void Lin_weights_are_trained_for_a_network_and_used_for_no_other()
    {
        CommandLine.Run("network", "describe", model, "--preset 01");
        File.WriteAllLines(lpips.PathOf("t.csv"),
            ["reference,p0,p1,judge", "a.png,a.png,b.png,0.2", "b.png,a.png,b.png,1"]);
        var (folder, lin) = (lpips.PathOf("set"), lpips.PathOf("out/residual-lin.safetensors"));
        string[] train = ["train", lpips.PathOf("t.csv"), "--root", folder,
            "--load-size 0 --batch 1 --lr 0.1 --epochs 2", "-o", lpips.PathOf("out"), "--net", $"onnx:{model}"];
        var run = CommandLine.Run(train);
        Assert.Equal((0, lin), (run.Code, run.Lines[^1]));
        var again = CommandLine.Run([.. train, "--resume"]);
        Assert.Equal(run.Output, again.Output);

        var expected = OnnxMetric.Load(model, linFile: lin).Measure(ImageFile.Read(a), ImageFile.Read(b));
        var plain = OnnxMetric.Load(model).Measure(ImageFile.Read(a), ImageFile.Read(b));
        Assert.NotEqual(expected, plain);
        Assert.StartsWith($"{Report.Number(expected)}\t",
            CommandLine.Run("compare", a, b, "--metric", $"onnx:{model}", "--lin", lin).Output,
            StringComparison.Ordinal);
        var both = CommandLine.Run(
            "compare", a, b, "--metric", $"onnx-baseline:{model},onnx:{model}", "--lin", lin);
        Assert.Equal([Report.Number(plain), Report.Number(expected)],
            both.Lines[1].Split('\t')[..2].Select(value => value.Trim()));

        var other = lpips.PathOf("other.onnx");
        File.WriteAllBytes(other, OnnxGraphs.File(OnnxGraphs.Residual(1, "N", 3, "H", "W"), operatorSet: 16));
        CommandLine.Run("network", "describe", other, "--preset 01");
        CommandLine.Run("compare", a, b, "--metric", $"onnx:{other}", "--lin", lin)
            .ShouldFail(1, lin, "do not belong to", other);
        CommandLine.Run("compare", a, b, "--metric", $"onnx-baseline:{model}", "--lin", lin).ShouldBeUsage("--lin");
        CommandLine.Run("compare", a, b, "--metric", $"onnx:{model},onnx:{other}", "--lin", lin).ShouldBeUsage("--lin");
        CommandLine.Run([.. train, "--mode tune"]).ShouldBeUsage("--mode tune", "only lin weights learn");
        CommandLine.Run([.. train, "--format pth"]).ShouldBeUsage("--format pth");
        CommandLine.Run([.. train, "--trunk", lin]).ShouldBeUsage("--trunk");
        CommandLine.Run([.. train[..^1], "resnet"]).ShouldBeUsage("no network resnet", "alex", "onnx:FILE");
        CommandLine.Run([.. train[..^1], "onnx:nowhere.onnx", "--resume"]).ShouldFail(1, "nowhere.onnx");
    }

    [Fact]
    public void Embeddings_are_compared_without_layers_or_map()
    {
        CommandLine.Run("network", "describe", model, "--preset 01");
        Assert.Contains("scores1\tMatMul\tvector\t10", CommandLine.Run("network", "inspect", model).Lines);
        var expected = OnnxMetric.Load(model, distance: OnnxDistance.Cosine)
            .Measure(ImageFile.Read(a), ImageFile.Read(b));
        var metric = $"onnx-cosine:{model}";
        Assert.Equal($"{Report.Number(expected)}\t{b}", CommandLine.Run("compare", a, b, "--metric", metric).Lines[0]);
        using var json = JsonDocument.Parse(CommandLine.Run("compare", a, b, "--format json --metric", metric).Output);
        Assert.Equal(expected, json.RootElement.GetProperty("results")[0].GetProperty("values").GetProperty(metric)
            .GetDouble());
        CommandLine.Run("compare", a, b, "--layers --metric", metric).ShouldBeUsage("--layers");
        CommandLine.Run("compare", a, b, "--map", lpips.PathOf("m.png"), "--metric", metric)
            .ShouldBeUsage(metric, "has no map");
        Assert.Equal(0, CommandLine.Run("pairs", lpips.PathOf("set"), "-o", lpips.PathOf("out.json"), "--metric",
            $"{metric},onnx-l2:{model},onnx:{model}").Code);
    }

    [Fact]
    public void That_images_are_resized_is_said()
    {
        CommandLine.Run("network", "describe", model, "--preset 01");
        var file = lpips.PathOf("residual.json");
        File.WriteAllText(file, File.ReadAllText(file).Replace("\"taps\"", "\"size\": \"40x32\", \"taps\"",
            StringComparison.Ordinal));
        var run = CommandLine.Run("compare", a, b, "--metric", $"onnx:{model}");
        Assert.Equal((0, $"lpips: {model}: images are resized to 40x32"), (run.Code, run.Error.TrimEnd()));
    }
}
