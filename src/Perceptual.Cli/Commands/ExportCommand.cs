using System.CommandLine;

namespace Perceptual.Cli;

/// <summary><c>lpips export -o FILE.onnx</c></summary>
internal static class ExportCommand
{
    public const string Help = """
        See also: lpips help onnx, models
        Exit codes: 0 fine, 1 failed, 2 usage, 4 weights missing, 130 interrupted

        Examples:
          lpips export -o lpips.onnx
          lpips export --net vgg --version 0.0 -o lpips-vgg.onnx
          lpips export --net squeeze --lin tuned.safetensors -o tuned.onnx
        """;

    public static Command Create(App app)
    {
        var command = new Command("export", "Write the metric as one ONNX model: two images in, distance out.");
        var output = new Option<string>("--output", "-o")
        {
            Description = "The file to write (.onnx).",
            HelpName = "FILE",
            Required = true,
        };
        var model = new ModelOptions(command, runs: false);
        command.Add(output);
        output.RequireEnding(".onnx");

        app.SetAction(command, (parsed, cancellation) =>
        {
            var choice = model.Parse(parsed);
            OutputFiles.Check(choice.Files, (output.Name, parsed.GetValue(output)));
            using var file = new AtomicFile(parsed.GetValue(output)!);
            var (trunk, lin) = choice.LoadWeights(app, cancellation);
            OnnxFile.Write(file.Stream, trunk, lin, choice.Options.Version);
            file.Commit();
            return ExitCode.Fine;
        });
        return command;
    }
}
