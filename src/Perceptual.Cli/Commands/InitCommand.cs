using System.CommandLine;
using System.Globalization;

namespace Perceptual.Cli;

/// <summary><c>lpips init kmeans --images DIR -o FILE</c></summary>
internal static class InitCommand
{
    public static string Help { get; } = $"""
        Trunks that were trained without labels, for the comparison of the paper: does it matter what a network has learnt?
        kmeans: the filters of each layer are the centroids of what it reads (Krähenbühl et al., ICLR 2016), the paper's row "K-means".
        The networks with random weights, random-alex and its like, need no file.

        A folder of a few hundred photographs is enough: at most {KMeansInitialization.MaximumImages} of them, drawn by the seed, and {KMeansInitialization.MaximumPatches} patches a layer are used.
        Images with a shorter side of more than {KMeansInitialization.Side} pixels are made smaller, and all are cut to {KMeansInitialization.Side}x{KMeansInitialization.Side}. Files that are not
        images by their extension are passed over. The same seed and images give the same file on the same machine.

        The file is a trunk for --trunk in every command. There are no lin weights for it: give --baseline too, or train some.

        Exit codes:
          0 fine, 1 failed, 2 usage, 130 interrupted

        Examples:
          lpips init kmeans --net alex --images photographs --seed 1 -o kmeans.safetensors
          lpips compare reference.png distorted.png --net alex --trunk kmeans.safetensors --baseline
          lpips evaluate 2afc bapps/2afc/val --net alex --trunk kmeans.safetensors --baseline
        """;

    public static Command Create(App app) => new("init", "Trunks without training on labels.") { KMeans(app) };

    private static Command KMeans(App app)
    {
        var command = new Command("kmeans",
            "Make the weights of a network from a folder of images, without labels, by k-means layer after layer.");
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
            var options = images.Options(parsed);
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
