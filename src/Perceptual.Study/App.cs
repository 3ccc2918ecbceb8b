using System.CommandLine;
using System.Net;
using System.Runtime.InteropServices;

namespace Perceptual.Study;

/// <summary>The command <c>perceptual-study</c>.</summary>
/// <param name="output">Gets the results.</param>
/// <param name="error">Gets errors.</param>
internal sealed class App(TextWriter output, TextWriter error)
{
    private const int Fine = 0, Failed = 1, Usage = 2, Interrupted = 130;

    public async Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand("Asks people how far apart images look, and keeps their answers: docs/study.md.")
        {
            New(), Plan(), Serve(), Export(), Report(),
        };
        var parsed = root.Parse(args, new() { ResponseFileTokenReplacer = null, EnablePosixBundling = false });
        if (parsed.Errors.Count > 0)
        {
            foreach (var problem in parsed.Errors.Select(problem => problem.Message).Distinct())
                Say(string.Join(' ', problem.Split(default(char[]), StringSplitOptions.RemoveEmptyEntries)));
            var command = parsed.CommandResult.Command;
            error.WriteLine($"Try: perceptual-study {(command == root ? "" : command.Name + " ")}--help");
            return Usage;
        }
        return await parsed.InvokeAsync(new()
        {
            Output = output,
            Error = error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        });
    }

    private static Argument<string> Folder() => new("STUDY_DIR") { Description = "The folder of the study" };

    private Command New()
    {
        var folder = Folder();
        var method = new Option<string>("--method")
        {
            Description = "How people judge: " + string.Join(", ", Method.All.Select(one => one.Name)),
            Required = true,
        };
        method.AcceptOnlyFromAmong([.. Method.All.Select(one => one.Name)]);
        var table = new Option<string>("--triplets")
        {
            Description = "A table (CSV) with the columns reference,p0,p1; for jnd p0,p1",
            Required = true,
        };
        var command = new Command("new", "Makes the folder of a study; edit its study.json before people begin")
        {
            folder, method, table,
        };
        SetWork(command, parsed =>
        {
            var path = parsed.GetRequiredValue(folder);
            var made = NewStudy.Make(
                path, Method.Find(parsed.GetRequiredValue(method))!, parsed.GetRequiredValue(table));
            output.WriteLine($"{path}: {made.Items.Count} items, {made.Images.Count} images; now edit "
                + $"{Path.Combine(path, Definition.FileName)}, then: perceptual-study serve {path}");
        });
        return command;
    }

    private Command Plan()
    {
        var distance = OptionChecks.Number(
            "--distance", "How far apart two versions are assumed to be, in JND.", 0.5, 0, 10);
        var lapses = OptionChecks.Number("--lapses", "The part of answers that is given at random.", 0.05, 0, 1);
        var distances = OptionChecks.Numbers("--distances", "Distances of several images from their reference, in JND: "
            + "simulates studies of all their pairs, and says how wide the intervals of their scale are.", [], 0.0, 10);
        var votes = OptionChecks.Numbers("--votes", "Votes of an item.", [5, 10, 20, 40, 80, 160], 1, 10_000);
        var seed = OptionChecks.Seed("--seed", "Decides what is random.");
        var command = new Command("plan", "Simulates judges, and says what so many votes tell")
        {
            distance, distances, lapses, votes, seed,
        };
        SetWork(command, parsed =>
        {
            var lines = parsed.GetValue(distances) is { Length: > 0 } several
                ? PowerPlan.ScaleLines(
                    several, parsed.GetValue(lapses), parsed.GetValue(votes)!, parsed.GetValue(seed))
                : PowerPlan.Lines(parsed.GetValue(distance), parsed.GetValue(lapses), parsed.GetValue(votes)!,
                    parsed.GetValue(seed));
            foreach (var line in lines)
                output.WriteLine(line);
        });
        return command;
    }

    private Command Serve()
    {
        var folder = Folder();
        var port = OptionChecks.Number("--port", "The port; 0: any that is free.", 8080, 0, 65535);
        var listen = new Option<IPAddress>("--listen")
        {
            Description = "The address to listen on; 0.0.0.0 without a proxy before it",
            DefaultValueFactory = _ => IPAddress.Loopback,
            CustomParser = result => IPAddress.TryParse(result.Tokens[0].Value, out var address) ? address
                : Refuse<IPAddress>(result, "--listen: give an IP address, such as 0.0.0.0"),
        };
        var pathBase = new Option<string>("--path-base")
        {
            Description = "The path it is served under, such as /study",
            DefaultValueFactory = _ => "",
        };
        pathBase.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>() is { Length: > 0 } path && (path[0] != '/' || path[^1] == '/'
                || !path.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '-' or '_')))
                result.AddError("--path-base: give a path such as /study, of letters, digits, - and _");
        });
        var command = new Command("serve", "Serves a study until it is interrupted") { folder, port, listen, pathBase };
        SetAction(command, async (parsed, cancellation) =>
        {
            using var study = new StudyFolder(parsed.GetRequiredValue(folder));
            await using var server = new Server(
                study, parsed.GetRequiredValue(listen), parsed.GetValue(port), parsed.GetValue(pathBase)!);
            await server.Start();
            output.WriteLine($"people: {server.Address}");
            output.WriteLine($"owner: {server.Address}owner");
            output.WriteLine($"token: {server.OwnerToken}");
            output.Flush();
            await Task.Delay(Timeout.Infinite, cancellation).ContinueWith(_ => { }, TaskScheduler.Default);
        });
        return command;
    }

    private Command Export()
    {
        var folder = Folder();
        var to = new Option<string>("-o") { Description = "The folder to write, which must be new", Required = true };
        var command = new Command("export", "Writes the answers as lpips reads them, the raw log and a manifest")
        {
            folder, to,
        };
        SetWork(command, parsed =>
        {
            var path = parsed.GetRequiredValue(to);
            output.WriteLine($"{path}: {Exporter.Write(parsed.GetRequiredValue(folder), path)}");
        });
        return command;
    }

    private Command Report()
    {
        var folder = Folder();
        var command = new Command("report", "Says how far a study is, how well people agree and who is left out")
        {
            folder,
        };
        SetWork(command, parsed =>
        {
            foreach (var line in Study.Report.Lines(parsed.GetRequiredValue(folder)))
                output.WriteLine(line);
        });
        return command;
    }

    private static T? Refuse<T>(System.CommandLine.Parsing.ArgumentResult result, string message)
    {
        result.AddError(message);
        return default;
    }

    // Nobody waits for work that is interrupted; what it made goes with the program.
    private void SetWork(Command command, Action<ParseResult> work) =>
        SetAction(command, (parsed, cancellation) => Task.Run(() => work(parsed), CancellationToken.None)
            .WaitAsync(cancellation));

    // An exception becomes one line on stderr and an exit code.
    private void SetAction(Command command, Func<ParseResult, CancellationToken, Task> action) =>
        command.SetAction(async (parsed, _) =>
        {
            using var end = new CancellationTokenSource();
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
            using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
            try
            {
                await action(parsed, end.Token);
                return Fine;
            }
            catch (OperationCanceledException)
            {
                Say("interrupted");
                return Interrupted;
            }
            catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException
                or ArgumentException or Microsoft.Data.Sqlite.SqliteException)
            {
                Say(e.Message);
                return Failed;
            }

            void Cancel(PosixSignalContext signal)
            {
                signal.Cancel = true;
                end.Cancel();
            }
        });

    private void Say(string message) => error.WriteLine($"perceptual-study: {UntrustedText.Printable(message)}");
}
