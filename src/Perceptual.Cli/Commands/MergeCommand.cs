using System.CommandLine;
using System.CommandLine.Parsing;

namespace Perceptual.Cli;

/// <summary><c>lpips merge PARTS... -o FILE</c></summary>
internal static class MergeCommand
{
    public const string Help = """
        See also: lpips help clusters
        Run it in the folder where the parts were made: it reads lists, tables and weights again, but no images.
        Exit codes: those of the command that made the parts

        Examples:
          lpips folders a b --net lite --shard 1/2 -o 1.shard
          lpips folders a b --net lite --shard 2/2 -o 2.shard
          lpips merge 1.shard 2.shard -o values.csv
        """;

    public static Command Create(App app)
    {
        var command = new Command("merge", "Join the parts that --shard made: the results of one run over all.");
        var parts = new Argument<string[]>("PARTS")
        {
            Description = "All parts of a run, in any order.",
            Arity = ArgumentArity.OneOrMore,
        };
        var output = new Option<string>("--output", "-o")
        {
            Description = "What -o of the command writes: .csv or .json; of `distort`, the folder to make.",
            HelpName = "FILE",
        };
        var format = new Option<string>("--format")
        {
            Description = "The form of the results, as the command has it.",
            HelpName = "FORM",
        };
        command.Add(parts);
        command.Add(output);
        command.Add(format);
        app.SetAction(command, (parsed, cancellation) =>
        {
            var all = Parts.Read([.. parsed.GetValue(parts)!.Select(path => Directory.Exists(path)
                ? Path.Combine(path, DistortCommand.PartName) : path)]);
            var file = parsed.GetValue(output);
            if (file is not null)
                OutputFiles.Check(all.Paths, (output.Name, Directory.Exists(file) ? null : file));
            CheckCommand(app, all);
            var run = app.Root().Parse(WithOptions(app, all.Arguments,
            [
                .. parsed.GetValue(format) is { } form ? new[] { "--format", form } : [],
                .. file is null ? Array.Empty<string>() : ["-o", file],
            ]), App.Parsing);
            if (run.Errors is [var first, ..])
                throw new UsageException(App.Describe(first));
            app.Merged = all;
            return app.InvokeAsync(run, cancellation).GetAwaiter().GetResult();
        });
        return command;
    }

    // Anybody may have written a part: it is no way to have another command run, or another file written.
    private static void CheckCommand(App app, Parts parts)
    {
        var asked = app.Root().Parse(WithOptions(
            app, parts.Arguments, ["--shard", "1/1", "-o", $"1{ShardOption.Ending}"]), App.Parsing);
        if (asked.Errors is [var first, ..])
            throw new InvalidDataException(
                $"{parts.Paths[0]} is of no command that makes parts: {App.Describe(first)}");
    }

    // After the words of the command: what follows -- is no option.
    private static string[] WithOptions(App app, string[] arguments, string[] options)
    {
        var words = app.Root().Parse(arguments, App.Parsing).Tokens
            .TakeWhile(token => token.Type == TokenType.Command).Count();
        return [.. arguments[..words], .. options, .. arguments[words..]];
    }
}
