using System.CommandLine;
using System.Globalization;
using System.Text;

namespace Perceptual.Cli;

/// <summary>
/// <c>lpips distort IMAGE --kind KIND --strength S -o OUT.png</c> and <c>lpips distort DIR --pairs N -o DIR</c>
/// </summary>
internal static class DistortCommand
{
    private const int DefaultSize = 64; // of the patches that people judged for the paper

    private static readonly string[] Parts = ["ref", "p0", "p1"];
    /// <summary>Every kind of distortion, in the order in which --list shows them.</summary>
    public static IReadOnlyList<Distortion> Kinds { get; } = [.. Distortion.All, .. Codecs.All];

    public const string Help = """
        See also: lpips help distortions, images
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
        var inputs = new Argument<string[]>("IMAGE")
        {
            Description = "The image; with --pairs, images and folders of images.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var kind = new Option<string>("--kind")
        {
            Description = "What to do: KIND or KIND:STRENGTH, several with commas between them.",
            HelpName = "KINDS",
        };
        var strength = OptionChecks.OptionalNumber(
            "--strength", "How much, from 0 (nothing) to 1 (gross), for kinds without :STRENGTH.", 0.0, 1);
        strength.HelpName = "S";
        var seed = OptionChecks.Seed("--seed", "Decides what is random.");
        var output = new Option<string>("--output", "-o")
        {
            Description = "The picture to write (.png); with --pairs, the folder to make.",
            HelpName = "PATH",
        };
        var pairs = OptionChecks.OptionalNumber(
            "--pairs", "Make N triplets of random patches and distortions.", 1);
        var size = OptionChecks.OptionalNumber(
            "--size", $"The side of the patches of --pairs, in pixels. [default: {DefaultSize}]", 1);
        var list = new Option<bool>("--list")
        {
            Description = "Show every kind, and its amounts just above strength 0 and at 1.",
        };
        command.Add(inputs);
        foreach (var option in new Option[] { kind, strength, seed, output, pairs, size, list })
            command.Add(option);
        var images = new ImageOptions(command, canResize: false);
        command.Validators.Add(result =>
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
                Try(
                    () => DistortionSequence.Parse(
                        result.GetValue(kind) ?? throw new ArgumentException(
                            "--kind is missing; --list shows the kinds"), Kinds, result.GetValue(strength)));
            else if (result.GetValue(kind) is not null || result.GetValue(strength) is not null)
                result.AddError("--pairs draws kinds and strengths itself: leave out --kind and --strength");
            if (result.GetValue(size) is not null && count is null)
                result.AddError("--size is for --pairs only");

            void Try(Action parse)
            {
                try
                {
                    parse();
                }
                catch (ArgumentException e)
                {
                    result.AddError(e.Message);
                }
            }
        });

        app.SetAction(command, (parsed, cancellation) =>
        {
            if (parsed.GetValue(list))
            {
                app.Output.Write(List());
                return ExitCode.Fine;
            }
            var (paths, target, options) = (parsed.GetValue(inputs)!, parsed.GetValue(output)!, images.Options(parsed));
            if (parsed.GetValue(pairs) is { } count)
            {
                WriteTriplets(app, [.. paths.SelectMany(path => ImagesOf(app, path))], options, target, count,
                    parsed.GetValue(size) ?? DefaultSize, parsed.GetValue(seed), cancellation);
                return ExitCode.Fine;
            }
            ImageOptions.CheckThere(paths);
            using var file = new AtomicFile(target);
            var image = Read(paths[0], options);
            cancellation.ThrowIfCancellationRequested();
            ImageFile.WritePng(file.Stream,
                DistortionSequence.Parse(parsed.GetValue(kind)!, Kinds, parsed.GetValue(strength))
                    .Apply(image, parsed.GetValue(seed)));
            cancellation.ThrowIfCancellationRequested();
            file.Commit();
            return ExitCode.Fine;
        });
        return command;
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
            : throw new InvalidDataException($"{path} has 16 bits a sample; only images of 8 bits can be distorted");
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

    private static void WriteTriplets(
        App app, string[] paths, ImageReadOptions options, string folder, int count, int size, ulong seed,
        CancellationToken cancellation)
    {
        if (File.Exists(folder) || Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
            throw new IOException($"{folder} exists already; name a new folder");
        var parent = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        if (!Directory.Exists(parent))
            throw new DirectoryNotFoundException($"{folder} cannot be made: there is no folder {parent}");
        var temporary = Path.TrimEndingDirectorySeparator(folder) + ".tmp";
        if (Path.Exists(temporary))
            throw new IOException($"{temporary}, where the triplets are made, exists already; if no other run "
                + "uses it, delete it");
        try
        {
            foreach (var part in Parts)
                Directory.CreateDirectory(Path.Combine(temporary, part));
            var rows = new string[count];
            Progress.Steps(app, "distorting", count, step =>
            {
                // Each image is read once.
                ParallelLoop.Run(Math.Min(paths.Length, count), Environment.ProcessorCount, i =>
                {
                    cancellation.ThrowIfCancellationRequested();
                    var image = Read(paths[i], options);
                    if (Math.Min(image.Width, image.Height) < size)
                        throw new InvalidDataException($"{paths[i]} is {image}, too small for patches "
                            + $"of {size}x{size}; --size sets a smaller side");
                    for (long triplet = i; triplet < count; triplet += paths.Length)
                    {
                        cancellation.ThrowIfCancellationRequested();
                        rows[triplet] = WriteTriplet(temporary, (int)triplet, image, paths[i], size,
                            SplitMix64.Stream(seed, (ulong)triplet));
                        step();
                    }
                });
                return 0;
            });
            File.WriteAllText(Path.Combine(temporary, "triplets.csv"),
                "reference,p0,p1,p0_kind,p0_seed,p1_kind,p1_seed,source,x,y\n" + string.Concat(rows));
            if (Directory.Exists(folder))
                Directory.Delete(folder); // it is empty
            Directory.Move(temporary, folder);
        }
        catch
        {
            if (Directory.Exists(temporary))
                Directory.Delete(temporary, recursive: true);
            throw;
        }
    }

    // Returns its line of the table.
    private static string WriteTriplet(
        string folder, int number, RgbImage image, string path, int size, SplitMix64 random)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{number:D6}.png");
        var (x, y) = (random.Next(image.Width - size + 1), random.Next(image.Height - size + 1));
        var patch = Patch(image, x, y, size);
        Write("ref", patch);
        var line = new StringBuilder($"ref/{name},p0/{name},p1/{name}");
        foreach (var part in Parts.Skip(1))
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
}
