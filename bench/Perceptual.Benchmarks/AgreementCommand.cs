using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Perceptual.Cli;

namespace Perceptual.Benchmarks;

/// <summary>
/// <c>agreement</c>: how well a small network that was taught LPIPS tracks it, and PSNR and SSIM beside it, as Markdown
/// tables.
/// </summary>
internal static class AgreementCommand
{
    private const int KindsShare = 10; // of the mixed pairs, so many of each kind alone: a tenth
    private const int FewestPairs = 200; // ten crops of a kind
    private const int TiesShare = 10; // couples that are left out of the ordering as near-ties: a tenth

    private static readonly string[] Warps = ["shift", "affine", "homography", "linear-warp", "cubic-warp"];
    private static readonly (string Name, Func<AgreementPair, double> Of)[] Classic = [("psnr", pair => pair.Psnr),
        ("ssim", pair => pair.Ssim)];

    public static int Run(string[] args)
    {
        var images = new Option<string[]>("--images")
        {
            Description = "Folders of photographs of 8 bits a sample, none of which the student has seen.",
            HelpName = "DIR",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        var student = new Option<string>("--student")
        {
            Description = "A model file, or the name of a network.",
            HelpName = "FILE|NET",
            Required = true,
        };
        var weights = new Option<string>("--weights") { Description = "The published weights.", HelpName = "DIR" };
        var seed = OptionChecks.Number("--seed", "Decides the crops and distortions.", 1UL, 0UL);
        var sizes = new Option<string>("--sizes")
        {
            DefaultValueFactory = _ => "64,256",
            Description = "Sides of the crops.",
            HelpName = "N,...",
        };
        var pairs = new Option<string>("--pairs")
        {
            DefaultValueFactory = _ => "20000,4000",
            Description = "Pairs of mixed distortions, of each size or of all; of each kind alone there are "
                + $"1/{KindsShare} as many.",
            HelpName = "N,...",
        };
        var kinds = new Option<string>("--kinds")
        {
            Description = "Only these kinds of distortion: those left out of the student's training.",
            HelpName = "KIND,...",
        };
        var threads = OptionChecks.Number(
            "--threads", "Threads; the numbers do not depend on it.", Environment.ProcessorCount, 1);
        var output = new Option<string>("-o")
        {
            Description = "Also write the tables to this file.",
            HelpName = "FILE.md",
        };
        var command = new RootCommand("How well a student tracks LPIPS with AlexNet, v0.1.") { images, student, weights,
            seed, sizes, pairs, kinds, threads, output };
        command.SetAction(parsed => Run(new Job(parsed.GetValue(images)!, parsed.GetValue(student)!,
            parsed.GetValue(weights), parsed.GetValue(sizes)!, parsed.GetValue(pairs)!, parsed.GetValue(kinds),
            parsed.GetValue(seed), parsed.GetValue(threads), parsed.GetValue(output))));
        return command.Parse(args).Invoke();
    }

    private static int Run(Job job)
    {
        try
        {
            Report(job);
            return 0;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException
            or ArgumentException or WeightsUnavailableException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    private static void Report(Job job)
    {
        var sides = Numbers(job.Sizes, "--sizes", 1);
        var counts = Numbers(job.Pairs, "--pairs", FewestPairs);
        if (counts.Length != 1 && counts.Length != sides.Length)
            throw new ArgumentException($"--pairs has {counts.Length} numbers for {sides.Length} sizes; give "
                + "one for each, or one for all");
        var named = job.Kinds is { } names
            ? DistortionSequence.Parse(names, DistortCommand.Kinds, strength: 1).Steps.Select(step => step.Kind)
                .Distinct().ToList()
            : null;
        var store = job.Weights is { } folder ? new WeightStore(folder) : null;
        var teacher = Lpips.Load(Network.Alex, new() { Store = store });
        var taught = Load(job.Student, store);
        var photographs = Photographs(job.Folders, sides.Max(), job.Threads);
        var made = new AgreementPairs(photographs, teacher, taught, job.Seed, job.Threads);
        string[] head =
        [
            $"- student: {taught.Network.Name}, digest of the weights {taught.Digest[..16]}",
            $"- {photographs.Length} photographs, crops at scales from 1 to .25 where they are large enough, "
                + $"seed {job.Seed}",
            "- ordering: which of two versions of a crop is further; the tenth nearest to a tie by alex is left out",
            "- [low, high]: 95 % of the bootstrap over photographs",
            "",
        ];
        var tables = sides.SelectMany((side, i) => Measure(
            made, taught.Network.Name, side, counts[i % counts.Length] / 2, named, job.Seed));
        var report = new StringWriter();
        foreach (var line in head.Concat(tables))
        {
            Console.WriteLine(line);
            report.WriteLine(line);
        }
        if (job.Output is { } path)
            File.WriteAllText(path, report.ToString());
    }

    internal static int[] Numbers(string text, string option, int least) => Array.ConvertAll(text.Split(','), part =>
        int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least ? number
            : throw new ArgumentException($"{option} has '{part}', which is no number of at least {least}"));

    private static Lpips Load(string student, WeightStore? store)
    {
        if (Network.All.FirstOrDefault(network => network.Name == student) is { } network)
            return Lpips.Load(network, new() { Store = store });
        return File.Exists(student) ? Lpips.Load(null, new() { ModelFile = student })
            : throw new FileNotFoundException($"--student {student} is neither a file nor a network "
                + $"({string.Join(", ", Network.All.Select(known => known.Name))})");
    }

    private static RgbImage[] Photographs(string[] folders, int size, int threads)
    {
        var paths = folders.SelectMany(folder => ImageFile.InFolder(folder)).ToArray();
        if (paths.Length < 2)
            throw new ArgumentException("one photograph is not enough: crops are compared with those of another, too");
        var photographs = new RgbImage[paths.Length];
        ParallelLoop.Run(paths.Length, threads, i =>
        {
            photographs[i] = DistortCommand.Read(paths[i]);
            if (Math.Min(photographs[i].Width, photographs[i].Height) < size)
                throw new InvalidDataException($"{paths[i]} is {photographs[i]}, too small for crops of {size}x{size}");
        });
        return photographs;
    }

    /// <summary>The lines of Markdown tables, each as soon as it is known.</summary>
    private static IEnumerable<string> Measure(
        AgreementPairs pairs, string student, int size, int crops, List<Distortion>? named, ulong seed)
    {
        var kinds = named ?? DistortCommand.Kinds;
        var ofKind = crops / KindsShare;
        var mixed = Step($"{size}x{size} mixed", () => pairs.Mixed(size, crops, kinds));
        var alone = kinds.Select(kind => (kind.Name,
            Pairs: Step($"{size}x{size} {kind.Name}", () => pairs.Alone(size, ofKind, kind)))).ToList();
        if (named is null)
        {
            alone.Add(("shifts and warps",
                [.. alone.Where(kind => Warps.Contains(kind.Name)).SelectMany(kind => kind.Pairs)]));
            alone.Add(
                ("another picture", Step($"{size}x{size} another picture", () => pairs.OtherPictures(size, ofKind))));
        }

        yield return $"## {student} beside alex at {size}x{size}";
        yield return "";
        var which = named is null ? "all kinds" : string.Join(", ", named.Select(kind => kind.Name));
        yield return $"{mixed.Length} pairs of a crop and a version by one to three of {which}:";
        yield return "";
        foreach (var line in Overall(student, mixed, named is null ? alone[^2].Pairs : null,
            Aims.Of(size, leftOut: named is not null), seed))
            yield return line;
        foreach (var line in ByDistance(student, mixed))
            yield return line;
        foreach (var line in ByStrength(student, [.. alone.Take(kinds.Count).SelectMany(kind => kind.Pairs)]))
            yield return line;
        yield return $"Each kind alone, {2 * ofKind} pairs of each:";
        yield return "";
        yield return $"| kind | median alex | Spearman | ordering | median \\|{student} - alex\\| | strength to .25 | "
            + "to .5 | to .75 | to 1 | psnr | ssim |";
        yield return "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |";
        foreach (var (name, kindPairs) in alone)
            yield return KindRow(name, kindPairs, seed);
        yield return "";
    }

    private static IEnumerable<string> Overall(
        string student, AgreementPair[] mixed, AgreementPair[]? warps, Aims aims, ulong seed)
    {
        yield return $"| | {student} | aim | | psnr | ssim |";
        yield return "| --- | --- | --- | --- | --- | --- |";
        yield return SpearmanRow("Spearman", mixed, aims.Spearman);
        yield return Row("ordering", Ordering(mixed, pair => pair.Student), "", AtLeast(aims.Ordering),
            Classic.Select(metric => Number(Ordering(mixed, metric.Of))));
        if (warps is not null)
            yield return SpearmanRow("shifts and warps alone, Spearman", warps, aims.Warps);
        var errors = Errors(mixed);
        yield return Row($"median \\|{student} - alex\\|", Quantile(errors, .5), "",
            aims.Median is { } aim ? ("at most", aim) : null, ["", ""]);
        yield return Row("its 90th percentile", Quantile(errors, .9), "", null, ["", ""]);
        yield return Row($"mean {student} - alex", Bias(mixed), "", null, ["", ""]);
        yield return "";

        string SpearmanRow(string name, AgreementPair[] pairs, double? aim) => Row(
            name, Spearman(pairs, pair => pair.Student), IntervalText(pairs, seed), AtLeast(aim),
            Classic.Select(metric => Number(Spearman(pairs, metric.Of))));

        static (string, double)? AtLeast(double? aim) => aim is { } number ? ("at least", number) : null;

        static string Row(string name, double value, string interval, (string Side, double Number)? aim,
            IEnumerable<string> classic)
        {
            var verdict = aim is { } goal
                ? $"{goal.Side} {Number(goal.Number, ".000")} | {(IsMet(goal, value) ? "met" : "**missed**")}"
                : " | ";
            return $"| {name} | {Number(value)}{interval} | {verdict} | {string.Join(" | ", classic)} |";
        }

        static bool IsMet((string Side, double Number) goal, double value) =>
            goal.Side == "at least" ? value >= goal.Number : value <= goal.Number;
    }

    private static IEnumerable<string> ByDistance(string student, AgreementPair[] mixed)
    {
        var sorted = mixed.OrderBy(pair => pair.Teacher).ToArray();
        yield return "The same pairs in quarters by alex's distance:";
        yield return "";
        yield return $"| alex | Spearman | median \\|{student} - alex\\| | its 90th percentile | mean {student} - alex "
            + "| psnr | ssim |";
        yield return "| --- | --- | --- | --- | --- | --- | --- |";
        for (var quarter = 0; quarter < 4; quarter++)
        {
            var part = sorted[(quarter * sorted.Length / 4)..((quarter + 1) * sorted.Length / 4)];
            yield return $"| {Number(part[0].Teacher)} to {Number(part[^1].Teacher)} | {Cells(part)} |";
        }
        yield return "";
    }

    private static IEnumerable<string> ByStrength(string student, AgreementPair[] alone)
    {
        yield return $"All kinds, each alone, {alone.Length} pairs, by strength:";
        yield return "";
        yield return $"| strength | median alex | Spearman | median \\|{student} - alex\\| | its 90th percentile | "
            + $"mean {student} - alex | psnr | ssim |";
        yield return "| --- | --- | --- | --- | --- | --- | --- | --- |";
        for (var quarter = 0; quarter < 4; quarter++)
        {
            var part = Quarter(alone, quarter);
            yield return $"| {Number(quarter / 4.0, ".00")} to {Number((quarter + 1) / 4.0, ".00")} "
                + $"| {Number(MedianTeacher(part))} | {Cells(part)} |";
        }
        yield return "";
    }

    private static string Cells(AgreementPair[] pairs)
    {
        var errors = Errors(pairs);
        return string.Join(" | ",
            new[] { Spearman(pairs, pair => pair.Student), Quantile(errors, .5), Quantile(errors, .9), Bias(pairs) }
            .Concat(Classic.Select(metric => Spearman(pairs, metric.Of))).Select(value => Number(value)));
    }

    private static string KindRow(string name, AgreementPair[] pairs, ulong seed)
    {
        var quarters = Enumerable.Range(0, 4).Select(quarter => Quarter(pairs, quarter))
            .Select(part => part.Length == 0 ? "" : Number(Quantile(Errors(part), .5)));
        string[] cells =
        [
            name,
            Number(MedianTeacher(pairs)),
            Number(Spearman(pairs, pair => pair.Student)) + IntervalText(pairs, seed),
            Number(Ordering(pairs, pair => pair.Student)),
            Number(Quantile(Errors(pairs), .5)),
            .. quarters,
            .. Classic.Select(metric => Number(Spearman(pairs, metric.Of))),
        ];
        return $"| {string.Join(" | ", cells)} |";
    }

    private static AgreementPair[] Quarter(AgreementPair[] pairs, int quarter) =>
        [.. pairs.Where(pair => pair.Strength > quarter / 4.0 && pair.Strength <= (quarter + 1) / 4.0)];

    private static double Spearman(AgreementPair[] pairs, Func<AgreementPair, double> metric) =>
        Correlation.Spearman(Array.ConvertAll(pairs, pair => pair.Teacher),
            Array.ConvertAll(pairs, pair => metric(pair)));

    /// <summary>
    /// That of the student's Spearman. Photographs are drawn anew and not pairs: pairs of one photograph are alike.
    /// </summary>
    private static string IntervalText(AgreementPair[] pairs, ulong seed)
    {
        var photographs = pairs.GroupBy(pair => pair.Photograph).Select(group => group.ToArray()).ToArray();
        var replicates = Bootstrap.Replicates(photographs.Length, seed,
            drawn => Spearman([.. drawn.SelectMany(i => photographs[i])], pair => pair.Student));
        var interval = Bootstrap.Percentiles(replicates);
        return $" [{Number(interval.Low)}, {Number(interval.High)}]";
    }

    /// <summary>
    /// Of crops with two versions, the part where a metric says with the teacher which is further: without the tenth
    /// that is nearest to a tie by the teacher, and without its ties. Ties of the metric count half.
    /// </summary>
    private static double Ordering(AgreementPair[] pairs, Func<AgreementPair, double> metric)
    {
        var couples = pairs.Chunk(2).OrderBy(couple => Math.Abs(couple[0].Teacher - couple[1].Teacher))
            .Skip(pairs.Length / 2 / TiesShare).ToArray();
        // The teacher is the judge: 1 says that the second version is closer, a half (nobody knows) leaves the couple
        // out.
        return Scores.MajorityAccuracy(Array.ConvertAll(couples, couple => metric(couple[0])),
            Array.ConvertAll(couples, couple => metric(couple[1])),
            Array.ConvertAll(couples, couple => (1 + Math.Sign(couple[0].Teacher - couple[1].Teacher)) / 2.0));
    }

    private static double[] Errors(
        AgreementPair[] pairs) => [.. pairs.Select(pair => Math.Abs(pair.Student - pair.Teacher)).Order()];

    private static double Bias(AgreementPair[] pairs) => pairs.Average(pair => pair.Student - pair.Teacher);

    private static double MedianTeacher(
        AgreementPair[] pairs) => Quantile([.. pairs.Select(pair => pair.Teacher).Order()], .5);

    private static double Quantile(double[] sorted, double part) => sorted[(int)(part * (sorted.Length - 1) + 0.5)];

    // As docs/ writes scores: .9912
    private static string Number(double value, string format = ".0000") =>
        double.IsNaN(value) ? "-" : value.ToString(format, CultureInfo.InvariantCulture);

    private static T Step<T>(string what, Func<T> work)
    {
        var start = Stopwatch.GetTimestamp();
        var result = work();
        Console.Error.WriteLine($"{what}: {Number(Stopwatch.GetElapsedTime(start).TotalSeconds, "0.0")} s");
        return result;
    }

    private sealed record Job(string[] Folders, string Student, string? Weights, string Sizes, string Pairs,
        string? Kinds, ulong Seed, int Threads, string? Output);

    /// <summary>What a student is to reach, where anything is asked of it.</summary>
    private readonly record struct Aims(double? Spearman, double? Ordering, double? Warps, double? Median)
    {
        public static Aims Of(int size, bool leftOut) => (leftOut, size) switch
        {
            (true, _) => new(.985, null, null, null),
            (_, 64) => new(.990, .975, .975, .011),
            (_, 256) => new(.995, .975, .975, .008),
            _ => new(null, null, null, null),
        };
    }
}
