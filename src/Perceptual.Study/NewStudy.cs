using System.Security.Cryptography;

namespace Perceptual.Study;

/// <summary>Makes the folder of a study from a table of what is to be judged.</summary>
internal sealed class NewStudy
{
    private const int Gross = 6; // originals at most that sentinels are made of

    private readonly Method method;
    private readonly string images;
    private readonly string root;
    private readonly Dictionary<(string Path, string Reference), (string Name, int Width, int Height)> names = [];
    private readonly Dictionary<string, StudyImage> list = [];
    private readonly Dictionary<string, int> sources = [];
    private readonly Dictionary<int, int> levels = []; // the last one given, by source

    private (string Path, RgbImage Image)? reference; // the one that was read last

    private NewStudy(string folder, Method method, string root)
    {
        this.method = method;
        this.root = root;
        images = Directory.CreateDirectory(Path.Combine(folder, "images")).FullName;
    }

    /// <summary>
    /// Makes a study. The images are copied as PNG, in sRGB, so that every browser shows the same pixels.
    /// </summary>
    /// <param name="folder">Made, whole or not at all.</param>
    /// <param name="method">How people judge.</param>
    /// <param name="table">A table (CSV) with the columns reference,p0,p1, or p0,p1 where the method has no reference;
    /// the columns source, p0_codec, p0_level, p1_codec and p1_level are kept, if there are any.</param>
    /// <exception cref="IOException">The folder is there, or a file is missing.</exception>
    /// <exception cref="InvalidDataException">The table or an image is not sound.</exception>
    public static Definition Make(string folder, Method method, string table)
    {
        return NewFolder.Make(folder, part =>
        {
            var made = new NewStudy(part, method, Path.GetDirectoryName(Path.GetFullPath(table))!);
            var definition = made.Define(table);
            definition.Write(Path.Combine(part, Definition.FileName));
            Definition.Read(Path.Combine(part, Definition.FileName));
            return definition;
        });
    }

    private Definition Define(string table)
    {
        var items = ReadItems(table);
        var sentinels = items.Select(item => item.Reference ?? item.P0).Distinct().Take(Gross)
            .SelectMany(name => method.Sentinels(name, AddGross(name))).ToList();
        return new()
        {
            Title = "How alike do these images look?",
            Consent =
            [
                "You are invited to take part in a study of how people see images. It takes a few minutes. You can "
                    + "stop at any time by closing the page.",
                "Your answers, the times they took, and the size and refresh rate of your screen are kept, without "
                    + "your name. They may be published.",
            ],
            Instructions = method.Instructions,
            Method = method.Name,
            VotesPerItem = 5,
            TrialsPerSession = Math.Min(items.Count, 50),
            Practice = 3,
            SentinelsPerSession = 4,
            RepeatsPerSession = Math.Min(4, Math.Min(items.Count, 50) / 2),
            BreakEvery = 30,
            CalibrateScreen = true,
            ColourVision = true,
            CompletionCode = RandomNumberGenerator.GetString("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", 8),
            Exclusion = new(SentinelsRight: 0.75, FastestMs: 300, FastShare: 0.2, OneSideShare: 0.9, RepeatsAgree: 0.5,
                OutlierRejection: 0.3),
            Items = items,
            Sentinels = sentinels,
            Images = list,
        };
    }

    private List<Item> ReadItems(string table)
    {
        using var csv = new CsvFile(table);
        var first = csv.Column(method.HasReference ? "reference" : "p0");
        var (p0, p1) = (csv.Column("p0"), csv.Column("p1"));
        var items = new List<Item>();
        while (csv.Read())
        {
            var original = csv[first];
            var source = Source(csv, original);
            var name = Add(original, original, source, () => (0, 0));
            items.Add(new(method.HasReference ? name : null,
                Add(csv[p0], original, source, () => Made(csv, "p0", source)),
                Add(csv[p1], original, source, () => Made(csv, "p1", source))));
        }
        return items.Count > 0 ? items : throw new InvalidDataException($"{table}: has no line after its column names");
    }

    private int Source(CsvFile csv, string original)
    {
        if (csv.Has("source") && int.TryParse(csv[csv.Column("source")], out var given))
            return given;
        sources.TryAdd(original, sources.Count + 1);
        return sources[original];
    }

    // What the table says of an image, or codec 1 and the next level of its source.
    private (int Codec, int Level) Made(CsvFile csv, string image, int source) =>
        csv.Has($"{image}_codec") && csv.Has($"{image}_level")
            ? ((int)csv.Number(csv.Column($"{image}_codec"), 0, int.MaxValue),
                (int)csv.Number(csv.Column($"{image}_level"), 0, int.MaxValue))
            : (1, levels[source] = levels.GetValueOrDefault(source) + 1);

    private string Add(string path, string original, int source, Func<(int Codec, int Level)> made)
    {
        if (reference?.Path != original)
            reference = (original, Read(original));
        var (_, other) = reference!.Value;
        var key = (path, method.IsMade ? original : "");
        if (!names.TryGetValue(key, out var known))
        {
            var image = path == original ? other : Read(path);
            CheckSize(image.Width, image.Height);
            var name = Write(Name(path), method.Made(image, other), source, made());
            names[key] = known = (name, image.Width, image.Height);
        }
        CheckSize(known.Width, known.Height);
        return known.Name;

        void CheckSize(int width, int height)
        {
            if ((width, height) != (other.Width, other.Height))
                throw new InvalidDataException(FormattableString.Invariant(
                    $"{path} is {width}x{height} but {original} is {other}"));
        }
    }

    private RgbImage Read(string path) => ImageFile.Read(Path.Combine(root, path), new() { ConvertToSrgb = true });

    private string AddGross(string name)
    {
        var image = ImageFile.Read(Path.Combine(images, name));
        if (image.Range != ValueRange.Byte)
            image = RgbImage.FromInterleaved(EightBits(image), image.Width, image.Height);
        var gross = new DistortionSequence([(Kind("blur"), 0.75), (Kind("white-noise"), 0.6)]).Apply(image, 1);
        return Write(Name($"gross-{name}"), gross, list[name].Source, (99, 99));

        static Distortion Kind(string name) => Distortion.All.Single(kind => kind.Name == name);
    }

    private static byte[] EightBits(RgbImage image)
    {
        var pixels = new byte[3 * image.Width * image.Height];
        var row = new float[image.Width];
        for (var y = 0; y < image.Height; y++)
            for (var channel = 0; channel < 3; channel++)
            {
                image.CopyRow(channel, y, row); // in [-1, 1]
                for (var x = 0; x < row.Length; x++)
                    pixels[3 * (y * image.Width + x) + channel] = (byte)MathF.Round((row[x] + 1) * 127.5f);
            }
        return pixels;
    }

    private string Write(string name, RgbImage image, int source, (int Codec, int Level) made)
    {
        var path = Path.Combine(images, name);
        ImageFile.WritePng(path, image);
        list[name] = new(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))), source, made.Codec,
            made.Level);
        return name;
    }

    // Of the path of an image, what every system takes for a name.
    private string Name(string path)
    {
        var stem = string.Concat(Path.ChangeExtension(path, null).Select(c =>
            char.IsAsciiLetterOrDigit(c) || c is '_' or '.' ? c : '-')).Trim('-', '.');
        if (stem.Length is 0 or > 100)
            stem = "image";
        var name = $"{stem}.png";
        for (var i = 2; list.Keys.Contains(name, StringComparer.OrdinalIgnoreCase); i++)
            name = FormattableString.Invariant($"{stem}-{i}.png");
        return name;
    }
}
