using System.CommandLine;
using System.Diagnostics;
using System.Globalization;

namespace Perceptual.Cli;

/// <summary><c>lpips metrics</c></summary>
internal static class MetricsCommand
{
    public const string Help = """
        Of each: whether a larger value is closer or further, its range, the smallest side of an image, whether it has a
        map, whether files of weights must be fetched, and who published it. With --time, also how many milliseconds a
        pair of images of one megapixel takes here; LPIPS is measured with random weights.

        These are the names that --metric takes in compare, folders, pairs and evaluate. Besides them it takes lpips,
        the model of --net and its kin, and onnx:FILE, any network in an ONNX file.

        Weights are fetched the first time. docs/metrics.md says of each what its numbers depend on, how long it takes,
        and what it is good for.

        See also: lpips help models, networks

        Exit codes: 0 fine, 2 usage

        Examples:
          lpips metrics
          lpips metrics --time
          lpips compare a.png b.png --metric ssimulacra2,flip,psnr
        """;

    public static Command Create(App app)
    {
        var command = new Command("metrics", "List the metrics: direction, range, what they need, source.");
        var time = new Option<bool>("--time") { Description = "Measure each: milliseconds for a megapixel." };
        command.Add(time);
        app.SetAction(command, (parsed, cancellation) =>
        {
            var timed = parsed.GetValue(time);
            string[][] rows =
            [
                ["name", "larger", "range", "side", "map", "files", .. Time(() => "ms"), "source"],
                .. Metric.All.Select(info => (string[])
                [
                    info.Name, info.LargerIsCloser ? "closer" : "further", info.Range,
                    info.MinimumSide.ToString(CultureInfo.InvariantCulture), info.HasMap ? "yes" : "no",
                    Metric.NeedsStore(info.Name) ? "fetch" : "none",
                    .. Time(() => Milliseconds(info, cancellation)), info.Source,
                ]),
            ];
            var widths = Enumerable.Range(0, rows[0].Length).Select(i => rows.Max(row => row[i].Length)).ToArray();
            foreach (var row in rows)
                app.Output.WriteLine(string.Join("  ", row.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd());
            return ExitCode.Fine;

            string[] Time(Func<string> cell) => timed ? [cell()] : [];
        });
        return command;
    }

    /// <summary>The least time of three runs for a megapixel. Weights do not change it.</summary>
    internal static string Milliseconds(MetricInfo info, CancellationToken cancellation)
    {
        const int Side = 1000, Runs = 3;
        var name = Metric.NeedsStore(info.Name)
            ? info.Name.Replace("lpips-", "lpips-random-", StringComparison.Ordinal)
                .Replace("-baseline", "", StringComparison.Ordinal)
            : info.Name;
        var metric = Metric.Load([name], cancellation: cancellation)[0];
        var images = Enumerable.Range(1, 2).Select(seed =>
        {
            var samples = new float[3 * Side * Side];
            for (var i = 0; i < samples.Length; i++)
                samples[i] = (i / 3 % Side * seed + i / (3 * Side)) % 256 / 255f;
            return RgbImage.FromInterleaved(
                samples, Side, Side, info.ComparesLinearLight ? ValueRange.LinearLight : ValueRange.Unit);
        }).ToArray();
        var least = double.PositiveInfinity; // of all but the first, which compiles
        for (var run = 0; run <= Runs; run++)
        {
            var start = Stopwatch.GetTimestamp();
            metric.Measure(images[0], images[1], cancellation);
            if (run > 0)
                least = Math.Min(least, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
        return least.ToString(least < 10 ? "F1" : "F0", CultureInfo.InvariantCulture);
    }
}
