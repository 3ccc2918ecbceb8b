using System.CommandLine;
using System.Globalization;

namespace Perceptual.Cli;

/// <summary><c>lpips metrics</c></summary>
internal static class MetricsCommand
{
    public const string Help = """
        Of each: whether a larger value is closer or further, its range, the smallest side of an image, whether it has a
        map, whether files of weights must be fetched, and who published it.

        These are the names that --metric takes in compare, folders, pairs and evaluate. Besides them it takes lpips,
        the model of --net and its kin, and onnx:FILE, any network in an ONNX file.

        Weights are fetched the first time. docs/metrics.md says of each what its numbers depend on, how long it takes,
        and what it is good for.

        See also: lpips help models, networks

        Exit codes: 0 fine, 2 usage

        Examples:
          lpips metrics
          lpips compare a.png b.png --metric ssimulacra2,flip,psnr
        """;

    public static Command Create(App app)
    {
        var command = new Command("metrics", "List the metrics: direction, range, what they need, source.");
        app.SetAction(command, (_, _) =>
        {
            string[][] rows =
            [
                ["name", "larger", "range", "side", "map", "files", "source"],
                .. Metric.All.Select(info => new[]
                {
                    info.Name, info.LargerIsCloser ? "closer" : "further", info.Range,
                    info.MinimumSide.ToString(CultureInfo.InvariantCulture), info.HasMap ? "yes" : "no",
                    Metric.NeedsStore(info.Name) ? "fetch" : "none", info.Source,
                }),
            ];
            var widths = Enumerable.Range(0, rows[0].Length).Select(i => rows.Max(row => row[i].Length)).ToArray();
            foreach (var row in rows)
                app.Output.WriteLine(string.Join("  ", row.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd());
            return ExitCode.Fine;
        });
        return command;
    }
}
