using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text;

namespace Perceptual.Cli;

/// <summary>
/// <c>lpips distort IMAGE --kind KIND --strength S -o OUT.png</c> and <c>lpips distort DIR --pairs N -o DIR</c>
/// </summary>
internal static class DistortCommand
{
    private static readonly string[] Versions = ["ref", "p0", "p1"];
    private const string Table = "triplets.csv", Claimed = ".lpips-distort"; // files in the folder

    /// <summary>The part of the table, in the folder of a part.</summary>
    public const string PartName = $"triplets{ShardOption.Ending}";

    /// <summary>Every kind of distortion, in the order in which --list shows them.</summary>
    public static IReadOnlyList<Distortion> Kinds { get; } = [.. Distortion.All, .. Codecs.All];

    public const string Help = """
        On clusters: --pairs with --shard K/N --vectors v3. See also: lpips help distortions, images, clusters
        Exit codes: 0 fine, 1 failed, 2 usage, 130 interrupted (nothing is written)

        Examples:
          lpips distort --list
          lpips distort photo.png --kind blur --strength 0.5 -o blurred.png
          lpips distort photo.png --kind blur:0.4,jpeg:0.7 -o both.png
          lpips distort photo.png --kind white-noise:0.3 --seed 7 -o noisy.png
          lpips distort photographs --pairs 1000 --seed 1 -o triplets
        """;

    public static Command Create(App app)
    {
        var command = new Command("distort",
            "Make an image worse in a known way, or make triplets for a study.");
        var options = new Options(command);
        app.SetAction(command, (parsed, cancellation) =>
        {
            var job = options.Parse(parsed);
            if (job.List)
                app.Output.Write(List());
            else if (job.Sequence is { } sequence)
                Distort(job, sequence, cancellation);
            else
                WriteTriplets(app, job, cancellation);
            return ExitCode.Fine;
        });
        return command;
    }

    private static void Distort(Job job, DistortionSequence sequence, CancellationToken cancellation)
    {
        ImageOptions.CheckThere(job.Inputs);
        OutputFiles.Check(job.Inputs, ("--output", job.Output));
        using var file = new AtomicFile(job.Output);
        var image = Read(job.Inputs[0], job.Images);
        cancellation.ThrowIfCancellationRequested();
        ImageFile.WritePng(file.Stream, sequence.Apply(image, job.Seed));
        cancellation.ThrowIfCancellationRequested();
        file.Commit();
    }

    private static string List()
    {
        var text = new StringBuilder();
        foreach (var family in Kinds.GroupBy(kind => kind.Family))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{family.Key}");
            foreach (var kind in family)
                text.AppendLine(CultureInfo.InvariantCulture,
                    $"  {kind.Name,-22}{kind.Description}; {kind.Unit}: {kind.From} to {kind.To}");
        }
        return text.ToString();
    }

    /// <summary>Reads an image, and refuses one that cannot be distorted.</summary>
    public static RgbImage Read(string path, ImageReadOptions? options = null)
    {
        var image = ImageFile.Read(path, options);
        return image.Range == ValueRange.Byte
            ? image
            : throw new InvalidDataException($"{path} has samples of 16 bits, which cannot be distorted");
    }

    private static IEnumerable<string> ImagesOf(App app, string path)
    {
        if (Directory.Exists(path))
        {
            PassedOver.Report(app, path);
            return ImageFile.InFolder(path);
        }
        ImageOptions.CheckThere([path]);
        return [path];
    }

    private static void WriteTriplets(App app, Job job, CancellationToken cancellation)
    {
        var folder = new DirectoryInfo(job.Output) is { LinkTarget: not null } link
            ? link.ResolveLinkTarget(returnFinalTarget: true)!.FullName
            : job.Output;
        string[] paths = [.. job.Inputs.SelectMany(path => ImagesOf(app, path))];
        if (job.Shard is { } shard)
        {
            WritePart(app, job, folder, paths, shard, cancellation);
            return;
        }
        CheckFree(folder);
        var temporary = LocalFile.Beside(folder, ".tmp");
        using var held = Claim(temporary);
        try
        {
            ClearTriplets(temporary);
            var rows = new string?[job.Triplets];
            if (app.Merged is { } parts)
                Merge(app, parts, job, temporary, paths, rows, cancellation);
            else
                Make(app, job, temporary, paths, rows, new(1, 1), (_, _) => { }, cancellation);
            File.WriteAllText(Path.Combine(temporary, Table),
                "reference,p0,p1,p0_kind,p0_seed,p1_kind,p1_seed,source,x,y\n" + string.Concat(rows));
            Settle(temporary, folder, held);
        }
        catch
        {
            if (Directory.Exists(temporary))
                Directory.Delete(temporary, recursive: true);
            throw;
        }
    }

    // Its triplets stay where they are made when the run is stopped, and the same command goes on.
    private static void WritePart(
        App app, Job job, string folder, string[] paths, Shard shard, CancellationToken cancellation)
    {
        var belongs = Part.Belongs(Purpose(job), paths);
        var whole = new Part(Path.Combine(folder, PartName), shard, job.Parsed, belongs);
        var count = Enumerable.Range(0, job.Triplets).Count(triplet => IsOf(shard, triplet, paths.Length));
        if (!File.Exists(Path.Combine(folder, PartName)))
        {
            CheckFree(folder);
            var temporary = LocalFile.Beside(folder, ".tmp");
            using var held = Claim(temporary);
            var part = new Part(Path.Combine(temporary, PartName), shard, job.Parsed, belongs);
            var hasRows = File.Exists(Path.Combine(temporary, PartName))
                || File.Exists(Journal.PathFor(Path.Combine(temporary, PartName)));
            if (!hasRows)
                ClearTriplets(temporary);
            using (var journal = part.Open())
                if (journal is not null)
                {
                    string[] stamps = [.. paths.Select(path => FileStamp.Text(FileStamp.Of(path)))];
                    var rows = new string?[job.Triplets];
                    journal.Resume(row => Take(row, rows, stamps));
                    Make(app, job, temporary, paths, rows, shard, (triplet, line) => journal.Add(
                        [$"{triplet},{stamps[triplet % paths.Length]},{Journal.Escape(line)}"]), cancellation);
                    part.Finish(journal);
                }
            Settle(temporary, folder, held);
        }
        whole.Open()?.Dispose(); // looks whether it is this part
        whole.Report(app, $"{count} of {job.Triplets} triplets");
    }

    private static IReadOnlyList<(string Name, string Value)> Purpose(Job job) => RowJournal.Purpose("distort",
        job.Images, ("--pairs", $"{job.Triplets}"), ("--size", $"{job.Size}"), ("--seed", $"{job.Seed}"));

    // Images take turns, and so that each is read in one shard only; if they are fewer than shards, triplets do.
    private static bool IsOf(Shard shard, int triplet, int images) =>
        Shard.InTurn(images < shard.Count ? triplet : triplet % images, shard.Count) == shard.Number;

    // A row of a part: the number of a triplet, the stamp of its image, its line of the table.
    private static bool Take(string row, string?[] rows, string[]? stamps)
    {
        if (row.Split(',') is not [var number, var stamp, var line] || !int.TryParse(
            number, NumberStyles.None, CultureInfo.InvariantCulture, out var triplet) || triplet >= rows.Length)
            return false;
        if (stamps is null || stamp == stamps[triplet % stamps.Length])
            rows[triplet] = Journal.Unescape(line);
        return true;
    }

    // Makes the triplets of a shard that are not there yet.
    private static void Make(App app, Job job, string folder, string[] paths, string?[] rows, Shard shard,
        Action<int, string> done, CancellationToken cancellation) =>
        Progress.Steps(app, "distorting", job.Triplets, step =>
        {
            // Each image is read once.
            ParallelLoop.Run(Math.Min(paths.Length, job.Triplets), Environment.ProcessorCount, i =>
            {
                cancellation.ThrowIfCancellationRequested();
                RgbImage? image = null;
                for (long next = i; next < job.Triplets; next += paths.Length)
                {
                    var triplet = (int)next;
                    if (rows[triplet] is not null || !IsOf(shard, triplet, paths.Length))
                        continue;
                    cancellation.ThrowIfCancellationRequested();
                    image ??= ReadFor(job, paths[i]);
                    var line = WriteTriplet(folder, triplet, image, paths[i], job.Size,
                        SplitMix64.Stream(job.Seed, (ulong)triplet));
                    done(triplet, line);
                    rows[triplet] = line;
                    step();
                }
            }, cancellation);
            return 0;
        });

    private static RgbImage ReadFor(Job job, string path)
    {
        var image = Read(path, job.Images);
        return Math.Min(image.Width, image.Height) >= job.Size ? image
            : throw new InvalidDataException($"{path} is {image}, too small for patches "
                + $"of {job.Size}x{job.Size}; --size sets a smaller side");
    }

    // Copies the triplets of all parts: a killed merge has changed none.
    private static void Merge(App app, Parts parts, Job job, string folder, string[] paths, string?[] rows,
        CancellationToken cancellation)
    {
        parts.Check(Part.Belongs(Purpose(job), paths));
        Progress.Steps(app, "merging", job.Triplets, step =>
        {
            foreach (var number in Enumerable.Range(1, parts.Count))
            {
                foreach (var row in parts.Rows(number))
                    if (!Take(row, rows, stamps: null))
                        throw parts.Foreign(number);
                var from = Path.GetDirectoryName(parts.Paths[number - 1])!;
                for (var triplet = 0; triplet < job.Triplets; triplet++)
                {
                    if (!IsOf(new(number, parts.Count), triplet, paths.Length))
                        continue;
                    cancellation.ThrowIfCancellationRequested();
                    if (rows[triplet] is null)
                        throw parts.Foreign(number);
                    foreach (var version in Versions)
                        File.Copy(Path.Combine(from, version, NameOf(triplet)),
                            Path.Combine(folder, version, NameOf(triplet)));
                    step();
                }
            }
            return 0;
        });
    }

    private static void CheckFree(string folder)
    {
        if (File.Exists(folder) || Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
            throw new IOException($"{folder} exists already; name a new folder");
        var parent = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        if (!Directory.Exists(parent))
            throw new DirectoryNotFoundException($"{folder} cannot be made: there is no folder {parent}");
    }

    // Gives the folder its name.
    private static void Settle(string temporary, string folder, FileStream held)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder); // it is empty
        if (OperatingSystem.IsWindows())
            held.Dispose(); // which moves no folder with an open file
        Directory.Move(temporary, folder); // with the claim, which another run could make anew were it gone
        File.Delete(Path.Combine(folder, Claimed));
    }

    // Makes the folder where triplets are made, or takes one that a killed run left.
    private static FileStream Claim(string folder)
    {
        var claimed = Path.Combine(folder, Claimed);
        if (Path.Exists(folder) && !(File.Exists(claimed) && Directory.EnumerateFileSystemEntries(folder)
            .Select(path => Path.GetFileName(path))
            .All(name => name is Table or Claimed or PartName or $"{PartName}.part" || Versions.Contains(name))))
            throw new IOException($"{folder}, where the triplets are made, exists already; move or delete it");
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new UnauthorizedAccessException(
                $"{folder} cannot be made: nothing may be written into the folder {Path.GetDirectoryName(folder)}", e);
        }
        var held = TryLock(claimed) ?? throw new IOException(
            $"another run makes triplets in {folder}; wait for its end, or name another folder");
        return held;
    }

    private static FileStream? TryLock(string claimed)
    {
        try
        {
            return LocalFile.TryLock(claimed);
        }
        catch (DirectoryNotFoundException)
        {
            return null; // the other run has just given the folder its name
        }
    }

    private static void ClearTriplets(string folder)
    {
        foreach (var file in new[] { PartName, $"{PartName}.part" })
            File.Delete(Path.Combine(folder, file));
        foreach (var version in Versions.Select(version => Path.Combine(folder, version)))
        {
            if (Directory.Exists(version))
                Directory.Delete(version, recursive: true);
            Directory.CreateDirectory(version);
        }
    }

    private static string NameOf(int triplet) => string.Create(CultureInfo.InvariantCulture, $"{triplet:D6}.png");

    // Returns its line of the table.
    private static string WriteTriplet(
        string folder, int number, RgbImage image, string path, int size, SplitMix64 random)
    {
        var name = NameOf(number);
        var (x, y) = (random.Next(image.Width - size + 1), random.Next(image.Height - size + 1));
        var patch = Patch(image, x, y, size);
        Write("ref", patch);
        var line = new StringBuilder($"ref/{name},p0/{name},p1/{name}");
        foreach (var part in Versions.Skip(1))
        {
            var (sequence, seed) = (DistortionSequence.Draw(Kinds, random.Next()), random.Next());
            Write(part, sequence.Apply(patch, seed));
            line.Append(CultureInfo.InvariantCulture, $",{CsvFile.Field(sequence.ToString())},{seed}");
        }
        return line.Append(CultureInfo.InvariantCulture, $",{CsvFile.Field(path)},{x},{y}\n").ToString();

        void Write(string part, RgbImage version)
        {
            using var file = File.Create(Path.Combine(folder, part, name));
            ImageFile.WritePng(file, version);
        }
    }

    /// <summary>Cuts a square out of an image of 8-bit samples.</summary>
    internal static RgbImage Patch(RgbImage image, int x, int y, int size)
    {
        var row = new float[image.Width];
        var pixels = new byte[3 * size * size];
        for (var c = 0; c < 3; c++)
            for (var dy = 0; dy < size; dy++)
            {
                image.CopyStoredRow(c, y + dy, row);
                for (var dx = 0; dx < size; dx++)
                    pixels[3 * (dy * size + dx) + c] = (byte)row[x + dx];
            }
        return RgbImage.FromInterleaved(pixels, size, size);
    }

    /// <param name="List">Whether to show the kinds, and do nothing else.</param>
    /// <param name="Inputs">The image, or the images and folders that patches come from.</param>
    /// <param name="Output">The picture or the folder to write.</param>
    /// <param name="Sequence">What to do to the image; null: make triplets.</param>
    /// <param name="Triplets">How many of them.</param>
    /// <param name="Size">The side of their patches, in pixels.</param>
    /// <param name="Seed">Decides what is random.</param>
    /// <param name="Images">How images are read.</param>
    private sealed record Job(
        bool List,
        string[] Inputs,
        string Output,
        DistortionSequence? Sequence,
        int Triplets,
        int Size,
        ulong Seed,
        ImageReadOptions Images)
    {
        /// <summary>Which part of the triplets is made, to be written as a part; null: all.</summary>
        public Shard? Shard { get; init; }

        /// <summary>The command line.</summary>
        public required ParseResult Parsed { get; init; }
    }

    private sealed class Options
    {
        private const int DefaultSize = 64; // of the patches that people judged for the paper
        private const int MostTriplets = 1_000_000; // have names of six digits

        private readonly Argument<string[]> inputs = new("IMAGE")
        {
            Description = "The image; with --pairs, images and folders of images.",
            Arity = ArgumentArity.ZeroOrMore,
        };

        private readonly Option<string> kind = new("--kind")
        {
            Description = "What to do: KIND or KIND:STRENGTH, several with commas between them.",
            HelpName = "KINDS",
        };

        private readonly Option<double?> strength = OptionChecks.OptionalNumber(
            "--strength", "How much, from 0 (nothing) to 1 (gross), for kinds without :STRENGTH.", 0.0, 1);

        private readonly Option<ulong> seed = OptionChecks.Seed("--seed", "Decides what is random.");

        private readonly Option<string> output = new("--output", "-o")
        {
            Description = "The picture to write (.png); with --pairs, the folder to make.",
            HelpName = "PATH",
        };

        private readonly Option<int?> pairs = OptionChecks.OptionalNumber(
            "--pairs", "Make N triplets of random patches and distortions.", 1, MostTriplets);

        private readonly Option<int?> size = OptionChecks.OptionalNumber(
            "--size", $"The side of the patches of --pairs, in pixels. [default: {DefaultSize}]", 1);

        private readonly Option<bool> list = new("--list")
        {
            Description = "Show every kind, and its amounts just above strength 0 and at 1.",
        };

        private readonly ImageOptions images;
        private readonly ShardOption shard;

        public Options(Command command)
        {
            strength.HelpName = "S";
            command.Add(inputs);
            foreach (var option in new Option[] { kind, strength, seed, output, pairs, size, list })
                command.Add(option);
            shard = new(command, output);
            images = new(command, canResize: false);
            command.Validators.Add(Validate);
        }

        public Job Parse(ParseResult parsed)
        {
            var isList = parsed.GetValue(list);
            var count = parsed.GetValue(pairs);
            return new(
                isList,
                parsed.GetValue(inputs) ?? [],
                parsed.GetValue(output) ?? "",
                isList || count is not null ? null : Sequence(parsed.GetValue(kind), parsed.GetValue(strength)),
                count ?? 0,
                parsed.GetValue(size) ?? DefaultSize,
                parsed.GetValue(seed),
                images.Options(parsed))
            {
                Shard = shard.Of(parsed),
                Parsed = parsed,
            };
        }

        private static DistortionSequence Sequence(string? kinds, double? strength) => DistortionSequence.Parse(
            kinds ?? throw new ArgumentException("--kind is missing; --list shows the kinds"), Kinds, strength);

        private void Validate(CommandResult result)
        {
            if (result.GetValue(list))
            {
                if (result.GetValue(inputs) is { Length: > 0 } || result.GetValue(output) is not null)
                    result.AddError("--list only shows the kinds: leave out the image and --output");
                return;
            }
            var count = result.GetValue(pairs);
            if (result.GetValue(inputs) is not { Length: > 0 } paths)
                result.AddError("name an image to distort, or give --list");
            else if (count is null && paths.Length > 1)
                result.AddError($"name one image, not {paths.Length}; only --pairs takes many");
            if (result.GetValue(output) is not { } path)
                result.AddError("--output is missing");
            else if (count is null && !Path.GetExtension(path).Equals(".png", StringComparison.OrdinalIgnoreCase))
                result.AddError($"--output {path}: the name must end in .png");
            if (count is null)
                try
                {
                    Sequence(result.GetValue(kind), result.GetValue(strength));
                }
                catch (ArgumentException e)
                {
                    result.AddError(e.Message);
                }
            else if (result.GetValue(kind) is not null || result.GetValue(strength) is not null)
                result.AddError("--pairs draws kinds and strengths itself: leave out --kind and --strength");
            if (result.GetValue(size) is not null && count is null)
                result.AddError("--size is for --pairs only");
            if (shard.IsGiven(result) && count is null)
                result.AddError("--shard is for --pairs only");
        }
    }
}
