using System.CommandLine;
using System.Globalization;
using NetVips;
using Perceptual.Cli;

namespace Perceptual.Benchmarks;

/// <summary>
/// <c>folders</c>: what <c>lpips folders</c> does with files beside the same pairs in memory, in batches on all threads
/// and side by side on one thread each. The faster of the two is what the files are held against.
/// </summary>
internal static class FoldersCommand
{
    private static readonly string[] Formats = ["png", "jpg"];

    public static int Run(string[] args)
    {
        var pairs = OptionChecks.Number("--pairs", "Pairs to make, in a temporary folder.", 500, 1);
        var side = OptionChecks.Number("--side", "Columns and rows of each image.", 256, Network.Alex.MinimumSide);
        var runs = OptionChecks.Number("--runs", "Runs of either side, in turn; medians count.", 9, 1);
        var threads = OptionChecks.Number("--threads", "Threads of either side.", Environment.ProcessorCount, 1);
        var images = new Option<string>("--images")
        {
            Description = "A folder of photographs to make the pairs of; without it, pictures are drawn.",
            HelpName = "DIR",
        };
        var command = new RootCommand("lpips folders on PNG and JPEG files, and the same pairs in memory.") { pairs,
            side, runs, threads, images };
        command.SetAction(parsed =>
        {
            var folder = Directory.CreateTempSubdirectory("perceptual-folders-").FullName;
            try
            {
                Console.WriteLine($"- CPU: {Machine.Cpu}, {Vectors.Level}; {parsed.GetValue(threads)} threads");
                foreach (var format in Formats)
                {
                    var photographs = parsed.GetValue(images) is { } own ? ImageFile.InFolder(own) : null;
                    WritePairs(folder, format, parsed.GetValue(pairs), parsed.GetValue(side), photographs);
                    foreach (var network in new[] { Network.Alex, Network.Squeeze, Network.Lite })
                        Measure(Path.Combine(folder, format), network, parsed.GetValue(runs), parsed.GetValue(threads));
                }
                return 0;
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        });
        return command.Parse(args).Invoke();
    }

    private static void Measure(string folder, Network network, int runs, int threads)
    {
        var lpips = Lpips.Load(network, new() { RandomSeed = 0, Threads = threads });
        var files = FolderPairs.Of(Path.Combine(folder, "ref"), Path.Combine(folder, "dist"));
        (RgbImage, RgbImage)[] pairs = [.. files.Pairs.Select(
            pair => (ImageFile.Read(pair.Reference), ImageFile.Read(pair.Distorted)))];
        var comparison = new ImageComparison(new([lpips]));
        var single = lpips.WithThreads(1);
        Side[] sides =
        [
            new("in batches", () => lpips.Compare(pairs)),
            new("side by side", () => ParallelLoop.Run(pairs.Length, threads, i => _ = single.Compare([pairs[i]]))),
            new("files", () => _ = comparison.Folders(files).Count()),
        ];
        foreach (var side in sides)
            side.WarmUp();
        for (var run = 0; run < runs; run++)
            foreach (var side in sides)
                side.Measure(1);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"- {Path.GetFileName(folder)} {network.Name}: {string.Join(", ", sides.Select(side =>
                $"{side.Name} {side.Median / pairs.Length:F2} ({side.LowestDecile / pairs.Length:F2}) ms a pair"))}, "
                + $"{100 * Math.Min(sides[0].Median, sides[1].Median) / sides[2].Median:F0} %"));
    }

    // The reference, and the same with noise; PNGs with filters, as most programs write them.
    private static void WritePairs(
        string folder, string format, int count, int side, IReadOnlyList<string>? photographs)
    {
        foreach (var part in new[] { "ref", "dist" })
            Directory.CreateDirectory(Path.Combine(folder, format, part));
        Parallel.For(0, count, i =>
        {
            using var reference = photographs is null
                ? Drawn(side, (ulong)i)
                : Image.Thumbnail(photographs[i % photographs.Count], side, side, crop: Enums.Interesting.Centre);
            using var noise = Image.Gaussnoise(side, side, sigma: 2 + i % 8, seed: i);
            using var noisy = (reference + noise).Cast(Enums.BandFormat.Uchar);
            foreach (var (part, image) in new[] { ("ref", reference), ("dist", noisy) })
            {
                var path = Path.Combine(folder, format, part, string.Create(
                    CultureInfo.InvariantCulture, $"{i:D6}.{format}"));
                if (format == "png")
                    image.Pngsave(path, filter: Enums.ForeignPngFilter.All, keep: Enums.ForeignKeep.None);
                else
                    image.Jpegsave(path, q: 90, keep: Enums.ForeignKeep.None);
            }
        });
    }

    private static Image Drawn(int side, ulong seed)
    {
        var pixels = new byte[3 * side * side];
        ProceduralImages.Draw(pixels, side, side, seed);
        using var image = Image.NewFromMemoryCopy(pixels, side, side, 3, Enums.BandFormat.Uchar);
        return image.Copy(interpretation: Enums.Interpretation.Srgb);
    }
}
