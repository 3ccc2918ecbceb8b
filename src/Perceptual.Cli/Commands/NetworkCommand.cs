using System.CommandLine;
using System.Globalization;

namespace Perceptual.Cli;

/// <summary><c>lpips network inspect | describe FILE</c></summary>
internal static class NetworkCommand
{
    public const string Help = """
        See also: lpips help networks
        Exit codes: 0 fine, 1 failed, 2 usage, 130 interrupted

        Examples:
          lpips network inspect resnet18.onnx
          lpips network describe resnet18.onnx --preset imagenet
          lpips compare reference.png distorted.png --metric onnx:resnet18.onnx
        """;

    public static Command Create(App app) =>
        new("network", "Look at a network in an ONNX file, and say how it takes images.")
        {
            Inspect(app), Describe(app),
        };

    private static Command Inspect(App app)
    {
        var command = new Command("inspect", "Show a network's input, its feature maps, and which are compared (*).");
        var file = FileArgument(command);
        app.SetAction(command, (parsed, cancellation) =>
        {
            var path = parsed.GetValue(file)!;
            var beside = OnnxPreprocessing.PathFor(path);
            var preprocessing = File.Exists(beside) ? OnnxPreprocessing.Read(beside) : null;
            // Its own taps are marked, and all other maps are shown.
            var network = OnnxNetwork.Measure(path, preprocessing is null ? null : preprocessing with { Taps = null },
                cancellation);
            Show(app, network, preprocessing?.Taps ?? [.. network.Taps.Select(tap => tap.Name)]);
            if (preprocessing is null)
                app.Say($"there is no {beside}, so nothing says how the network takes images: `lpips help networks`");
            return ExitCode.Fine;
        });
        return command;
    }

    private static Command Describe(App app)
    {
        var command = new Command(
            "describe", "Write how a network takes images, and its taps, to FILE.json beside it.");
        var file = FileArgument(command);
        var preset = new Option<string>("--preset")
        {
            Description = "How it takes images; see lpips help networks.",
            HelpName = "NAME",
            Required = true,
        };
        preset.AcceptOnlyFromAmong([.. OnnxPreprocessing.Presets.Select(known => known.Name)]);
        var taps = new Option<string>("--taps")
        {
            Description = "The values that are compared, with commas between them. [default: chosen]",
            HelpName = "LIST",
        };
        var layout = new Option<string>("--layout")
        {
            Description = "Where the channels of the input are, if the graph does not say.",
        };
        layout.AcceptOnlyFromAmong("nchw", "nhwc");
        foreach (var option in new Option[] { preset, taps, layout })
            command.Add(option);
        app.SetAction(command, (parsed, cancellation) =>
        {
            var path = parsed.GetValue(file)!;
            var beside = OnnxPreprocessing.PathFor(path);
            if (File.Exists(beside))
                _ = OnnxPreprocessing.Read(beside); // a file of another kind is not replaced
            OutputFiles.Check([path], ("the file beside it,", beside));
            var chosen = OnnxPreprocessing.Presets.Single(known => known.Name == parsed.GetValue(preset)).Value with
            {
                Taps = parsed.GetValue(taps)?.Split(','),
                ChannelsLast = parsed.GetValue(layout) is { } said ? said == "nhwc" : null,
            };
            var network = OnnxNetwork.Measure(path, chosen, cancellation);
            (chosen with { Taps = [.. network.Taps.Select(tap => tap.Name)] }).Write(beside);
            Show(app, network, [.. network.Taps.Select(tap => tap.Name)]);
            return ExitCode.Fine;
        });
        return command;
    }

    private static Argument<string> FileArgument(Command command)
    {
        var file = new Argument<string>("FILE") { Description = "The network (.onnx)." };
        command.Add(file);
        return file;
    }

    private static void Show(App app, OnnxNetwork network, IReadOnlyList<string> taps)
    {
        var sizes = network.Size is not null ? $"{network.SizeRule} only"
            : $"{network.SizeRule}, {network.MinimumSide} pixels or more";
        app.Output.WriteLine($"input  {Printable.Escape(network.InputName)}, {network.InputType}, "
            + $"{(network.ChannelsLast ? "nhwc" : "nchw")}; sizes: {sizes}");
        app.Output.WriteLine($"maps   of an image of {network.MeasuredWidth}x{network.MeasuredHeight}, "
            + "as channels x height x width:");
        foreach (var map in network.Maps)
            app.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{(taps.Contains(map.Name) ? '*' : ' ')} {Printable.Escape(map.Name)}\t{map.Operator}\t"
                    + $"{map.LayoutName}\t{map.Channels} x {map.Height} x {map.Width}"));
        foreach (var vector in network.Vectors)
            app.Output.WriteLine($"  {Printable.Escape(vector.Name)}\t{vector.Operator}\t{vector.LayoutName}\t"
                + $"{vector.Channels}");
    }
}
