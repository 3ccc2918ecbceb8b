using System.CommandLine;

namespace Perceptual.Cli;

/// <summary><c>lpips pairs DIR [--consecutive]</c></summary>
internal static class PairsCommand
{
    public const string Help = """
        All pairs say how diverse a set is, consecutive ones (in ordinal order of the names) how much frames change.
        Each image is decoded and passed through the network once. Files that are not images by their extension are passed over.
        The standard deviation is that of a sample (n - 1), the standard error that of the mean.

        Exit codes:
          0 fine, 1 failed, 2 usage, 4 weights missing, 130 interrupted

        Examples:
          lpips pairs samples
          lpips pairs frames --consecutive
          lpips pairs samples --net vgg -o diversity.csv
        """;

    public static Command Create(App app)
    {
        var command = new Command("pairs", "The distances of all pairs of images within a folder, or of each image and the next, then their mean and spread.");
        var folderArgument = new Argument<string>("DIR") { Description = "The folder of images, all of one size." };
        var consecutive = new Option<bool>("--consecutive") { Description = "Compare each image with the next only." };
        command.Add(folderArgument);
        command.Add(consecutive);
        var model = new ModelOptions(command);
        var many = new ManyPairs(command);
        var images = new ImageOptions(command, canResize: false);

        app.SetAction(command, (parsed, cancellation) =>
        {
            var folder = parsed.GetValue(folderArgument)!;
            string[] paths = [.. ManyPairs.ImageNames(folder).Select(name => Path.Combine(folder, name))];
            if (paths.Length < 2)
                throw new InvalidDataException($"{folder} has one image only: a pair needs two");
            var lpips = model.Load(app, parsed, cancellation);
            var rows = Progress.Steps(app, "comparing", paths.Length, step =>
            {
                var first = Extract(paths[0]);
                var earlier = new List<(string Path, LpipsFeatures Features)> { (paths[0], first) };
                var rows = new List<(int First, Row Row)>();
                for (var i = 1; i < paths.Length; i++)
                {
                    var features = Extract(paths[i], first.Width, first.Height);
                    rows.AddRange(earlier.Select((other, k) => (k, new Row(other.Path, paths[i], lpips.Compare(other.Features, features, cancellation)))));
                    if (parsed.GetValue(consecutive))
                        earlier.Clear();
                    earlier.Add((paths[i], features));
                }
                return rows.OrderBy(pair => pair.First).Select(pair => pair.Row).ToArray();

                LpipsFeatures Extract(string path, int? width = null, int? height = null)
                {
                    var image = width is null ? images.Read(parsed, path, lpips) : images.Read(parsed, path, lpips, paths[0], width.Value, height!.Value);
                    step();
                    return lpips.Extract(image, cancellation);
                }
            });
            many.Write(app, parsed, lpips, rows, bothPaths: true);
            return ExitCode.Fine;
        });
        return command;
    }
}
