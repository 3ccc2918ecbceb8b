using System.CommandLine;
using System.Globalization;

namespace Perceptual.Cli;

/// <summary><c>lpips init kmeans --images DIR -o FILE</c></summary>
internal static class InitCommand
{
    public const string Help = """
        See also: lpips help unsupervised, models, images
        Exit codes: 0 fine, 1 failed, 2 usage, 130 interrupted

        Examples:
          lpips init kmeans --net alex --images photographs --seed 1 -o kmeans.safetensors
          lpips compare reference.png distorted.png --net alex --trunk kmeans.safetensors --baseline
        """;

    public static Command Create(App app) => new("init", "Make the trunk of a network without labels.") { KMeans(app) };

    private static Command KMeans(App app)
    {
        var command = new Command("kmeans",
            "Make the trunk of a network from a folder of images, by k-means, layer after layer.");
        var net = new Option<string>("--net")
        {
            Description = "The network.",
            DefaultValueFactory = _ => Network.Alex.Name,
        };
        net.AcceptOnlyFromAmong([.. Network.All.Select(network => network.Name)]);
        var folder = new Option<string>("--images")
        {
            Description = "The folder of images.",
            HelpName = "DIR",
            Required = true,
        };
        var seed = OptionChecks.Seed("--seed", "Decides which images, which patches, and where the clustering starts.");
        var output = new Option<string>("--output", "-o")
        {
            Description = "The file to write (.safetensors).",
            HelpName = "FILE",
            Required = true,
        };
        var threads = ModelOptions.ThreadsOption();
        foreach (var option in new Option[] { net, folder, seed, output, threads })
            command.Add(option);
        var images = new ImageOptions(command, canResize: false);
        output.RequireEnding(".safetensors");

        app.SetAction(command, (parsed, cancellation) =>
        {
            var network = Network.All.Single(network => network.Name == parsed.GetValue(net));
            string[] paths = [.. ImageFile.InFolder(parsed.GetValue(folder)!)];
            PassedOver.Report(app, parsed.GetValue(folder)!);
            var options = images.Options(parsed);
            OutputFiles.Check(paths, (output.Name, parsed.GetValue(output)));
            using var file = new AtomicFile(parsed.GetValue(output)!);
            var (weights, count, digest) = Progress.Phases(app, progress => KMeansInitialization.Run(
                network, paths, path => ImageFile.Read(path, options), parsed.GetValue(seed),
                parsed.GetValue(threads) ?? Environment.ProcessorCount, progress, cancellation));
            Safetensors.WriteWithDigest(file.Stream, [.. weights.Tensors.Values], new Dictionary<string, string>
            {
                ["method"] = "k-means, stacked (Krähenbühl et al., ICLR 2016)",
                ["network"] = network.Name,
                ["seed"] = parsed.GetValue(seed).ToString(CultureInfo.InvariantCulture),
                ["images"] = count.ToString(CultureInfo.InvariantCulture),
                ["images.sha256"] = digest,
            });
            file.Commit();
            return ExitCode.Fine;
        });
        return command;
    }
}
