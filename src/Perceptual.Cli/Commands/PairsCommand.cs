using System.CommandLine;

namespace Perceptual.Cli;

/// <summary><c>lpips pairs DIR [--consecutive]</c></summary>
internal static class PairsCommand
{
    public static string Help { get; } = $"""
        {MetricOptions.Help}

        All pairs say how diverse a set is, consecutive ones (in ordinal order of the names) how much frames change.
        Each image is decoded and passed through the network once if the features of all fit into --memory. Files that are not images by
        their extension are passed over.
        The standard deviation is that of a sample (n - 1), the standard error that of the mean.

        Exit codes:
          0 fine, 1 failed, 2 usage, 4 weights missing, 130 interrupted

        Examples:
          lpips pairs samples
          lpips pairs frames --consecutive
          lpips pairs samples --net vgg -o diversity.csv
          lpips pairs frames --consecutive --metric l2,ssim
        """;

    public static Command Create(App app)
    {
        var command = new Command("pairs", "The distances of all pairs of images within a folder, or of each image and the next, then their mean and spread.");
        var folderArgument = new Argument<string>("DIR") { Description = "The folder of images, all of one size." };
        var consecutive = new Option<bool>("--consecutive") { Description = "Compare each image with the next only." };
        var memory = OptionChecks.OptionalNumber(
            "--memory",
            "Megabytes for the features of images; of more images than fit, some pass through the network again. "
                + "[default: a quarter of the memory there is]",
            1);
        memory.HelpName = "MB";
        command.Add(folderArgument);
        command.Add(consecutive);
        command.Add(memory);
        var metrics = new MetricOptions(command);
        var many = new ManyPairs(command, metrics);
        var images = new ImageOptions(command, canResize: false);

        app.SetAction(command, (parsed, cancellation) =>
        {
            var folder = parsed.GetValue(folderArgument)!;
            string[] paths = [.. ImageFile.InFolder(folder)];
            if (paths.Length < 2)
                throw new InvalidDataException($"{folder} has one image only: a pair needs two");
            var columns = metrics.Load(app, parsed, cancellation);
            var rows = Progress.Steps(app, "comparing", paths.Length, step =>
            {
                int width, height;
                using (var first = images.Open(parsed, paths[0], columns.Set))
                    (width, height) = (first.Width, first.Height);
                return parsed.GetValue(consecutive) ? Consecutive() : All();

                PreparedImage[] Prepare(int from, int to) => ManyPairs.InParallel(to - from, columns.Set, (single, i) =>
                {
                    using var rows = images.Open(parsed, paths[from + i], columns.Set, paths[0], width, height);
                    var prepared = single.Prepare(RgbImage.FromRows(rows), cancellation);
                    step();
                    return prepared;
                }, cancellation);

                // A block of images is kept prepared, all if they fit; those after it come one block after the other.
                Row[] All()
                {
                    var block = BlockSize(parsed.GetValue(memory), columns.Set.PreparedBytes(width, height));
                    var rows = new List<(int I, int J, Row Row)>();
                    for (var start = 0; start < paths.Length; start += block)
                    {
                        var end = Math.Min(start + block, paths.Length);
                        var kept = Prepare(start, end);
                        rows.AddRange(Compare(start, kept, start, kept));
                        for (var other = end; other < paths.Length; other += block)
                            rows.AddRange(Compare(start, kept, other, Prepare(other, Math.Min(other + block, paths.Length))));
                    }
                    return [.. rows.OrderBy(row => row.I).ThenBy(row => row.J).Select(row => row.Row)];
                }

                Row[] Consecutive()
                {
                    var block = BlockSize(parsed.GetValue(memory), columns.Set.PreparedBytes(width, height));
                    var rows = new List<Row>();
                    PreparedImage? last = null;
                    for (var start = 0; start < paths.Length; start += block)
                    {
                        var prepared = Prepare(start, Math.Min(start + block, paths.Length));
                        for (var i = 0; i < prepared.Length; last = prepared[i++])
                            if (last is not null)
                                rows.Add(new(paths[start + i - 1], paths[start + i], columns.Set.Compare(last, prepared[i], cancellation)));
                    }
                    return [.. rows];
                }

                IEnumerable<(int I, int J, Row Row)> Compare(int firstA, PreparedImage[] a, int firstB, PreparedImage[] b)
                {
                    (int I, int J)[] pairs = [.. from i in Enumerable.Range(0, a.Length) from j in Enumerable.Range(0, b.Length) where firstA + i < firstB + j select (i, j)];
                    return ManyPairs.InParallel(pairs.Length, columns.Set, (single, k) =>
                    {
                        var (i, j) = pairs[k];
                        return (firstA + i, firstB + j, new Row(paths[firstA + i], paths[firstB + j], single.Compare(a[i], b[j], cancellation)));
                    }, cancellation);
                }
            });
            many.Write(app, parsed, columns, rows, bothPaths: true);
            return ExitCode.Fine;
        });
        return command;
    }

    // Two blocks at a time take at most a quarter of the memory there is.
    private static int BlockSize(int? megabytes, long preparedBytes)
    {
        var bytes = (long)megabytes.GetValueOrDefault() << 20;
        return (int)Math.Clamp((megabytes is null ? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4 : bytes) / 2 / preparedBytes, 1, 1 << 20); // two blocks are there
    }
}
