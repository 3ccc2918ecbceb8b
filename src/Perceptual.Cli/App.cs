using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Reflection;
using System.Text.RegularExpressions;

namespace Perceptual.Cli;

/// <summary>The command <c>lpips</c>: its subcommands, its help and what becomes of errors.</summary>
/// <param name="output">Gets the results.</param>
/// <param name="error">Gets errors and progress.</param>
/// <param name="http">Fetches weights and data sets.</param>
internal sealed partial class App(TextWriter output, TextWriter error, HttpClient http)
{
    private const string Help = """
        `lpips help` lists topics, such as `lpips help models`, that explain what the options leave open.
        --version also says which vector instructions are used: avx512, avx2, sse, neon or none.
        Write numbers with a point before the decimals and nothing between the thousands: 0.05, 1e-3, 1000.

        Exit codes: 0 fine, 1 failed, 2 usage, 3 above --fail-above, 4 weights missing, 130 interrupted

        Examples:
          lpips compare reference.png distorted.png --net lite
        """;

    private const int HelpWidth = 120; // columns at most; a narrower terminal has less

    // The one list: how each command is made, and what its help says below the options.
    private static readonly (Func<App, Command> Create, string Help)[] Commands =
    [
        (CompareCommand.Create, CompareCommand.Help),
        (FoldersCommand.Create, FoldersCommand.Help),
        (PairsCommand.Create, PairsCommand.Help),
        (FigureCommand.Create, FigureCommand.Help),
        (MetricsCommand.Create, MetricsCommand.Help),
        (MergeCommand.Create, MergeCommand.Help),
        (GateCommand.Create, GateCommand.Help),
        (EvaluateCommand.Create, EvaluateCommand.Help),
        (ScaleCommand.Create, ScaleCommand.Help),
        (TrainCommand.Create, TrainCommand.Help),
        (DistillCommand.Create, DistillCommand.Help),
        (OptimizeCommand.Create, OptimizeCommand.Help),
        (DistortCommand.Create, DistortCommand.Help),
        (InitCommand.Create, InitCommand.Help),
        (ExportCommand.Create, ExportCommand.Help),
        (NetworkCommand.Create, NetworkCommand.Help),
        (WeightsCommand.Create, WeightsCommand.Help),
        (DatasetCommand.Create, DatasetCommand.Help),
        (HelpCommand.Create, HelpCommand.Help),
    ];

    /// <summary>
    /// How long a command may go on once it is interrupted. By default, a part of the two seconds in which it is to
    /// end: the system needs some to take back much memory.
    /// </summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How arguments are read. A file may be called @name or -n.png; neither response files nor bundled letters are
    /// wanted.
    /// </summary>
    public static ParserConfiguration Parsing { get; } = new()
    {
        ResponseFileTokenReplacer = null,
        EnablePosixBundling = false,
    };

    /// <summary>The version of the program.</summary>
    public static string Version { get; } =
        typeof(App).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    public TextWriter Output { get; } = output;

    public TextWriter Error { get; } = error;

    public HttpClient Http { get; } = http;

    /// <summary>The parts whose rows take the place of what a command computes; null but in <c>merge</c>.</summary>
    public Parts? Merged { get; set; }

    public async Task<int> RunAsync(string[] args)
    {
        var root = Root();
        var parsed = root.Parse(args, Parsing);
        if (FlagWithValue(parsed.CommandResult.Command, args) is var (flag, argument))
        {
            Say($"{flag} takes no value: write {flag}, not {argument}");
            return TryHelp(parsed.CommandResult.Command);
        }
        if (parsed.Errors.Count > 0 && parsed.Action is not LongHelp)
        {
            var problems = parsed.CommandResult.Command == root
                ? [parsed.UnmatchedTokens is [var name, ..] ? $"there is no command {name}" : "name a command"]
                : parsed.Errors.Select(Describe).Distinct();
            foreach (var problem in problems)
                Say(problem);
            return TryHelp(parsed.CommandResult.Command);
        }
        using var interruption = new Interruption(() => Patience);
        try
        {
            var run = InvokeAsync(parsed, interruption.Token);
            if (await Task.WhenAny(run, interruption.End) == run)
                return await run;
            Progress.Abandon(this);
            return Fail(ExitCode.Interrupted, "interrupted");
        }
        catch (IOException e) // of help and version; a command's own are told where they are
        {
            return Fail(ExitCode.Failed, e.Message);
        }
    }

    /// <summary>Runs what arguments ask for.</summary>
    public Task<int> InvokeAsync(ParseResult parsed, CancellationToken cancellation) => parsed.InvokeAsync(new()
    {
        Output = Output,
        Error = Error,
        EnableDefaultExceptionHandler = false,
        ProcessTerminationTimeout = null,
    }, cancellation);

    /// <summary>The command with all its subcommands.</summary>
    public RootCommand Root()
    {
        var root = new RootCommand(
            "How far apart two images look: LPIPS (Zhang et al., CVPR 2018) and the metrics it is compared with.");
        var help = new Dictionary<Command, string> { [root] = Help };
        foreach (var (create, text) in Commands)
        {
            var command = create(this);
            root.Add(command);
            help.Add(command, text);
        }
        root.Options.OfType<VersionOption>().Single().Action = new VersionAndVectors();
        var option = root.Options.OfType<HelpOption>().Single();
        var usual = (HelpAction)option.Action!;
        usual.MaxWidth = usual.MaxWidth > 0 ? Math.Min(usual.MaxWidth, HelpWidth) : HelpWidth; // some say they have 0
        option.Action = new LongHelp(usual, help);
        GuardValidators(root);
        return root;
    }

    /// <summary>
    /// Sets what a command does. Ctrl-C cancels it, and an exception becomes one line on stderr and an exit code.
    /// </summary>
    /// <param name="command">The command.</param>
    /// <param name="action">What it does; returns the exit code.</param>
    public void SetAction(Command command, Func<ParseResult, CancellationToken, int> action) =>
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            try
            {
                return action(parsed, cancellation);
            }
            catch (OperationCanceledException)
            {
                return Fail(ExitCode.Interrupted, "interrupted");
            }
            catch (WeightsUnavailableException e)
            {
                return Fail(ExitCode.WeightsMissing, e.Message);
            }
            catch (UsageException e)
            {
                Fail(ExitCode.Usage, e.Message);
                return TryHelp(command);
            }
            catch (OutOfMemoryException)
            {
                return Fail(ExitCode.Failed, "not enough memory for images of this size");
            }
            catch (Exception e) when (IsExpected(e))
            {
                return Fail(ExitCode.Failed, e.Message);
            }
#pragma warning disable CA1031 // the last line of defence: a user never sees a stack trace
            catch (Exception e)
            {
                return Fail(ExitCode.Failed, $"internal error, please report it: {e.GetType().Name}: {e.Message}");
            }
#pragma warning restore CA1031
        }, CancellationToken.None));

    /// <summary>Says something on stderr, in one line whatever names are in it.</summary>
    public void Say(string message) => Error.WriteLine($"lpips: {Printable.Escape(message)}");

    /// <summary>Writes a file beside the results, which do not depend on it.</summary>
    /// <param name="write">Writes it.</param>
    /// <param name="begin">Begins the message if it fails.</param>
    /// <returns>Whether it is written; if not, what is wrong was said, and the exit code is to be 1.</returns>
    public bool Try(Action write, string begin = "")
    {
        try
        {
            write();
            return true;
        }
        catch (Exception e) when (IsExpected(e))
        {
            Fail(ExitCode.Failed, begin + e.Message);
            return false;
        }
    }

    private static bool IsExpected(Exception e) =>
        e is IOException or InvalidDataException or UnauthorizedAccessException or ArgumentException;

    /// <summary>
    /// What is wrong, in one line: the library's message for a value that is not in a list has a line for each value,
    /// and not the option.
    /// </summary>
    public static string Describe(ParseError problem)
    {
        var lines = problem.Message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var name = problem.SymbolResult switch
        {
            OptionResult { Option.Name: var option } => option,
            ArgumentResult { Parent: OptionResult { Option.Name: var option } } => option,
            ArgumentResult { Argument.Name: var argument } => argument,
            _ => null,
        };
        if (lines.Length < 2 || name is null)
            return problem.Message;
        var given = string.Join(' ', problem.SymbolResult!.Tokens.Select(token => token.Value));
        return $"{name} {given}: it must be one of {string.Join(", ", lines[1..].Select(line => line.Trim('\'')))}";
    }

    // The parser takes what follows for a file.
    private static (string Flag, string Argument)? FlagWithValue(Command command, string[] args)
    {
        foreach (var argument in args.TakeWhile(argument => argument != "--"))
            if (argument.IndexOfAny(['=', ':']) is > 0 and var end
                && command.Options.OfType<Option<bool>>().Any(option => option.Name == argument[..end]))
                return (argument[..end], argument);
        return null;
    }

    private int TryHelp(Command command)
    {
        Error.WriteLine($"Try: {CommandLine(command)} --help");
        return ExitCode.Usage;
    }

    /// <summary>
    /// Options without a value, or with one that cannot be parsed, are reported first: a command's own validators run
    /// only if all its options are sound.
    /// </summary>
    public static void GuardValidators(Command command)
    {
        var validators = command.Validators.ToArray();
        command.Validators.Clear();
        command.Validators.Add(result =>
        {
            foreach (var option in result.Children.OfType<OptionResult>())
                try
                {
                    option.GetValueOrDefault<object>();
                }
                catch (InvalidOperationException e)
                {
                    result.AddError(e.Message);
                }
            // Where any number of files may follow, a mistyped option is taken for one.
            foreach (var files in command.Arguments.OfType<Argument<string[]>>())
                if (result.GetValue(files)?.FirstOrDefault(
                    path => path.StartsWith('-') && !Path.Exists(path)) is { } unknown)
                    result.AddError($"there is no option and no file {unknown}");
            if (result.Errors.Any())
                return;
            foreach (var validate in validators)
                validate(result);
        });
        foreach (var flag in command.Options.OfType<Option<bool>>())
            flag.Arity = ArgumentArity.Zero; // a file may be called true
        foreach (var subcommand in command.Subcommands)
            GuardValidators(subcommand);
    }

    // .NET adds it to the messages of its exceptions.
    [GeneratedRegex(@" \(Parameter '\w+'\)")]
    private static partial Regex ParameterName();

    private int Fail(int code, string message)
    {
        Say(ParameterName().Replace(LibraryTerms.Translate(message), ""));
        return code;
    }

    private static string CommandLine(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent
            ? $"{CommandLine(parent)} {command.Name}"
            : "lpips";

    /// <summary>The version and, in a second line, which vector instructions the kernels use here.</summary>
    private sealed class VersionAndVectors : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine($"lpips {Version}");
            output.WriteLine($"vectors: {Metric.VectorLevel}");
            return ExitCode.Fine;
        }
    }

    /// <summary>Where to read more, the exit codes and examples, after the usual help.</summary>
    private sealed class LongHelp(HelpAction help, Dictionary<Command, string> more) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            var command = parseResult.CommandResult.Command;
            // What a command takes without its subcommands is none of theirs.
            foreach (var argument in command.Parents.OfType<Command>().SelectMany(parent => parent.Arguments))
                argument.Hidden = true;
            var result = help.Invoke(parseResult);
            while (!more.ContainsKey(command))
                command = command.Parents.OfType<Command>().First();
            parseResult.InvocationConfiguration.Output.WriteLine(more[command].ReplaceLineEndings());
            return result;
        }
    }
}
