using System.CommandLine;
using System.Globalization;

namespace Perceptual.Cli;

/// <summary><c>lpips dataset fetch bapps | check DIR</c></summary>
internal static class DatasetCommand
{
    public const string Help = """
        BAPPS is the judgements of the LPIPS paper: 2afc-val (1.1 GB, 36,344 triplets), 2afc-train (5.3 GB) and jnd (0.2 GB). A part is
        downloaded and unpacked in a folder beside its place, DIR/2afc/val.part for instance, and appears whole. A fetch that broke off
        or was killed goes on when it is run again: the download where it was, the unpacking from its start. For a while a part needs
        the space of its archive and of its files. A part that is there and complete is left alone. An archive got in another way is
        taken from that folder if it lies there under its published name, such as twoafc_val.tar.gz.

        What is checked. The authors publish no digests, so `fetch` relies on https, the length the server states, the check sum in the
        gzip file, and the names of what was unpacked: every triplet has its four files and every pair its three, and 2afc-val has
        exactly the published counts. Of 2afc-train and jnd only rounded counts are published, so nothing is held against them. Only
        images and judgements are unpacked; an archive with links, or with names that lead elsewhere or are there twice, is refused.
        `check` looks for folders that have p0, p1, judge or same in them, four levels down. It checks names and counts as `fetch` does,
        that a judgement is a readable .npy of one number in [0, 1], and that a PNG has every chunk whole by its check sum and the size of
        its partners. Pixels are not decoded, and images of other formats, in folders of your own, not read.

        Exit codes:
          0 fine, 1 failed, or something is missing or broken, 2 usage, 130 interrupted

        Examples:
          lpips dataset fetch bapps --part 2afc-val -o bapps
          lpips dataset fetch bapps --part 2afc-val --part jnd -o bapps
          lpips dataset fetch bapps -o bapps
          lpips dataset check bapps
          lpips dataset check bapps/2afc/val/cnn
        """;

    public static Command Create(App app)
    {
        var command = new Command("dataset",
            "Judgements people have made: fetch the published ones, check what is there.")
        {
            Fetch(app),
            Check(app),
        };
        return command;
    }

    private static Command Fetch(App app)
    {
        var command = new Command("fetch", "Fetch BAPPS, or parts of it, from where its authors publish it. Shows "
            + "every sub-set and how many triplets or pairs it has.");
        var name = new Argument<string>("NAME") { Description = "The data set." };
        name.AcceptOnlyFromAmong("bapps");
        var parts = new Option<string[]>("--part")
        {
            Description = "A part; may be given several times. Without it, all parts (6.6 GB).",
        };
        parts.AcceptOnlyFromAmong([.. BappsPart.All.Select(part => part.Name)]);
        var output = new Option<string>("--output", "-o")
        {
            Description = "The folder to put it into, made if it is not there.",
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
                    app.Output.WriteLine($"{folder.Path}\t{Count(folder)}");
            return ExitCode.Fine;
        });
        return command;
    }

    private static Command Check(App app)
    {
        var command = new Command("check", "List the folders of triplets and pairs that are there and what is broken "
            + "in them. Exit code 1 if anything is.");
        var directory = new Argument<string>("DIR")
        {
            Description = "A folder that holds such folders, as BAPPS or otherwise, or one of them.",
        };
        command.Add(directory);
        app.SetAction(command, (parsed, cancellation) =>
        {
            var folders = BappsFolder.Find(parsed.GetValue(directory)!);
            if (folders.Count == 0)
                throw new InvalidDataException($"{parsed.GetValue(directory)} holds no folders of triplets or pairs; "
                    + "`lpips dataset fetch bapps` gets some");
            var problems = Progress.Steps(app, "checking", folders.Sum(folder => folder.Count), step =>
                folders.Select<BappsFolder, string[]>(
                    folder => [.. folder.Problems, .. folder.Check(step, cancellation)]).ToArray());
            foreach (var (folder, wrong) in folders.Zip(problems))
                app.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{folder.Path}\t{Count(folder)}\t{(wrong.Length == 0 ? "ok" : $"problems: {wrong.Length}")}"));
            foreach (var problem in problems.SelectMany(wrong => wrong))
                app.Error.WriteLine($"lpips: {problem.ReplaceLineEndings(" ")}");
            return problems.All(wrong => wrong.Length == 0) ? ExitCode.Fine : ExitCode.Failed;
        });
        return command;
    }

    private static string Count(BappsFolder folder) =>
        string.Create(CultureInfo.InvariantCulture, $"{folder.Count} {(folder.IsJnd ? "pairs" : "triplets")}");
}
