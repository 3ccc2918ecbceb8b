using System.CommandLine;
using System.Globalization;

namespace Perceptual.Cli;

/// <summary><c>lpips dataset fetch bapps | check DIR</c></summary>
internal static class DatasetCommand
{
    public const string Help = """
        See also: lpips help bapps
        Exit codes: 0 fine, 1 failed, or something is missing or damaged, 2 usage, 130 interrupted

        Examples:
          lpips dataset fetch bapps --part 2afc-val --part jnd -o bapps
          lpips dataset fetch bapps -o bapps
          lpips dataset check bapps
          lpips dataset check bapps/2afc/val/cnn
        """;

    public static Command Create(App app)
    {
        var command = new Command("dataset",
            "Fetch the published judgements of people, or check those in a folder.")
        {
            Fetch(app),
            Check(app),
        };
        return command;
    }

    private static Command Fetch(App app)
    {
        var command = new Command("fetch",
            "Fetch BAPPS, or parts of it, from its authors, and show how many judgements there are.");
        var name = new Argument<string>("NAME") { Description = "The data set." };
        name.AcceptOnlyFromAmong("bapps");
        var parts = new Option<string[]>("--part")
        {
            Description = "A part; may be given several times. [default: all parts, 6.6 GB]",
        };
        parts.AcceptOnlyFromAmong([.. BappsPart.All.Select(part => part.Name)]);
        var output = new Option<string>("--output", "-o")
        {
            Description = "The folder to put it into. It is made if it does not exist.",
            HelpName = "DIR",
            Required = true,
        };
        command.Add(name);
        command.Add(parts);
        command.Add(output);
        app.SetAction(command, (parsed, cancellation) =>
        {
            var wanted = parsed.GetValue(parts) ?? [];
            foreach (var part in BappsPart.All.Where(part => wanted.Length == 0 || wanted.Contains(part.Name)))
                foreach (var folder in Progress.Downloads(app,
                    progress => new BappsStore(parsed.GetValue(output)!, app.Http, progress).Fetch(part, cancellation)))
                    app.Output.WriteLine($"{Printable.Escape(folder.Path)}\t{Count(folder)}");
            return ExitCode.Fine;
        });
        return command;
    }

    private static Command Check(App app)
    {
        var command = new Command("check",
            "List folders of triplets and pairs, and what is damaged in them. Exit code 1 if anything is.");
        var directory = new Argument<string>("DIR")
        {
            Description = "A folder of such folders, as in BAPPS or in another order, or one of them.",
        };
        command.Add(directory);
        app.SetAction(command, (parsed, cancellation) =>
        {
            var folders = BappsFolder.Find(parsed.GetValue(directory)!);
            if (folders.Count == 0)
                throw new InvalidDataException($"{parsed.GetValue(directory)} holds no folders of triplets or pairs; "
                    + "`lpips dataset fetch bapps` fetches BAPPS");
            var problems = Progress.Steps(app, "checking", folders.Sum(folder => folder.Count), step =>
                folders.Select<BappsFolder, string[]>(
                    folder => [.. folder.Problems, .. folder.Check(step, cancellation)]).ToArray());
            foreach (var (folder, wrong) in folders.Zip(problems))
                app.Output.WriteLine(Printable.Escape(folder.Path) + string.Create(CultureInfo.InvariantCulture,
                    $"\t{Count(folder)}\t{(wrong.Length == 0 ? "ok" : $"problems: {wrong.Length}")}"));
            foreach (var problem in problems.SelectMany(wrong => wrong))
                app.Say(problem);
            return problems.All(wrong => wrong.Length == 0) ? ExitCode.Fine : ExitCode.Failed;
        });
        return command;
    }

    private static string Count(BappsFolder folder) =>
        string.Create(CultureInfo.InvariantCulture, $"{folder.Count} {(folder.IsJnd ? "pairs" : "triplets")}");
}
