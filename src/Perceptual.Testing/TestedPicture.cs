using System.Diagnostics;
using System.Globalization;

namespace Perceptual.Testing;

/// <summary>The picture of a name: its baseline, and where it is kept if it fails.</summary>
internal sealed class TestedPicture
{
    private static readonly DateTime Began = Process.GetCurrentProcess().StartTime.ToUniversalTime();

    private readonly string name; // with / between its parts
    private readonly string baseline;
    private readonly string artifacts;
    private readonly ImageReadOptions images;
    private readonly VisualGate gate;

    /// <exception cref="ArgumentException">The name is not that of a file on every platform.</exception>
    /// <exception cref="InvalidDataException"><c>perceptual.json</c> cannot be read.</exception>
    /// <inheritdoc cref="TestFolders.Of" path="/exception"/>
    public TestedPicture(string name, LookOptions? options)
    {
        options ??= new();
        this.name = PictureName.FileOf(name, options.ByPlatform);
        (var baselines, artifacts) = TestFolders.Of(options);
        baseline = VisualGate.PathOf(baselines, this.name);
        images = options.Images;
        var file = Path.Combine(baselines, GateSettings.FileName);
        var settings = File.Exists(file) ? GateSettings.Read(file) : new();
        gate = new(settings with { Ignore = [.. settings.Ignore, .. options.Ignore] }, baselines, images);
    }

    /// <summary>Compares a picture with the baseline, and writes what is to be written.</summary>
    /// <param name="file">The bytes of an image file.</param>
    /// <param name="cancellation">Stops it.</param>
    public LookResult Judge(byte[] file, CancellationToken cancellation)
    {
        var picture = Read(file);
        var result = Compare(file, picture, cancellation);
        if (result.Outcome == GateOutcome.Same)
        {
            DeleteOldArtifacts();
            return new(result, baseline);
        }
        using var turn = Turn(cancellation);
        if (result.Outcome == GateOutcome.New) // another test or process may have had its turn
            result = Compare(file, picture, cancellation);
        if (result.Outcome == GateOutcome.Same)
            return new(result, baseline);
        if (!IsSet("PERCEPTUAL_APPROVE") && (result.Outcome != GateOutcome.New || IsSet("CI")))
            return Fail(result, file, picture);
        Write(baseline, stream => stream.Write(file));
        DeleteArtifacts(_ => true);
        return new(result with { Baseline = baseline }, baseline) { IsTaken = true };
    }

    /// <summary>Whether two pictures are the same, but for what is ignored.</summary>
    public bool AreEqual(byte[] file, byte[] other)
    {
        if (file.AsSpan().SequenceEqual(other))
            return true;
        var (a, b) = (Read(file), Read(other));
        return (a.Width, a.Height) == (b.Width, b.Height) && ArePixelsEqual(a, gate.IgnoredIn(name).Fill(a, b));
    }

    /// <summary>What is said of a picture that does not hold still, of which the last is kept.</summary>
    public LookResult Restless(byte[] file, byte[] last, TimeSpan patience, CancellationToken cancellation)
    {
        using var turn = Turn(cancellation);
        return Fail(new(name, GateOutcome.Changed, File.Exists(baseline) ? baseline : null, null)
        {
            Problem = string.Create(CultureInfo.InvariantCulture,
                $"does not hold still: two in a row never agreed for {patience.TotalSeconds:G3} s"),
        }, last, Read(last), Read(file));
    }

    private RgbImage Read(byte[] file)
    {
        var image = ImageFile.Read(file, images, name);
        var isPng = file.AsSpan().StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G']);
        return isPng == Path.GetExtension(name).Equals(".png", StringComparison.OrdinalIgnoreCase)
            ? image
            : throw new ArgumentException($"{name} is {(isPng ? "" : "not ")}a PNG: give the picture a name with the "
                + "extension of its format, such as 'page.jpg'");
    }

    private GateResult Compare(byte[] file, RgbImage picture, CancellationToken cancellation)
    {
        if (!File.Exists(baseline))
            return new(name, GateOutcome.New, null, null);
        try
        {
            var before = ReadBytes(baseline);
            var result = before.AsSpan().SequenceEqual(file)
                ? new GateResult(name, GateOutcome.Same, null, null)
                : gate.Compare(name, ImageFile.Read(before, images, baseline), picture, cancellation);
            return result with { Baseline = baseline };
        }
        catch (Exception e) when (e is InvalidDataException or UnauthorizedAccessException
            || e is IOException and not WeightsUnavailableException)
        {
            return new(name, GateOutcome.Unreadable, baseline, null) { Problem = e.Message };
        }
    }

    // What is shown as the difference is that from the baseline, unless it is that of a picture taken before.
    private LookResult Fail(GateResult result, byte[] file, RgbImage picture, RgbImage? before = null)
    {
        DeleteArtifacts(_ => true);
        Write(Artifact("actual"), stream => stream.Write(file));
        if (result.Baseline is not null && result.Outcome != GateOutcome.Unreadable)
            Write(Artifact("reference"), stream => stream.Write(ReadBytes(baseline)));
        var failure = new LookResult(result with { Actual = Artifact("actual") }, baseline);
        before ??= result.Outcome == GateOutcome.Changed ? ImageFile.Read(baseline, images) : null;
        if (before is null || (before.Width, before.Height) != (picture.Width, picture.Height))
            return failure;
        var ignored = gate.IgnoredIn(name);
        Write(Artifact("difference"), stream => DifferencePicture.Write(
            stream, before, ignored.Fill(before, picture), ignored.All, result.Worst?.Place));
        return failure with { Difference = Artifact("difference") };
    }

    // Those of this run stay: two tests may have one name.
    private void DeleteOldArtifacts() => DeleteArtifacts(path => File.GetLastWriteTimeUtc(path) < Began);

    private void DeleteArtifacts(Func<string, bool> are)
    {
        foreach (var path in new[] { Artifact("actual"), Artifact("reference"), Artifact("difference") })
            if (File.Exists(path) && are(path))
                File.Delete(path);
    }

    // One test or process writes at a time.
    private FileStream Turn(CancellationToken cancellation)
    {
        Directory.CreateDirectory(artifacts);
        return LocalFile.Lock(Path.Combine(artifacts, ".lock"), cancellation);
    }

    private string Artifact(string kind)
    {
        var path = VisualGate.PathOf(Path.Combine(artifacts, kind), name);
        return kind == "difference" ? Path.ChangeExtension(path, ".png") : path;
    }

    private static void Write(string path, Action<Stream> write)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        AtomicFile.Write(path, write);
    }

    private static byte[] ReadBytes(string path)
    {
        using var file = LocalFile.OpenRead(path);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    private static bool ArePixelsEqual(RgbImage a, RgbImage b)
    {
        var (rowA, rowB) = (new float[a.Width], new float[a.Width]);
        for (var channel = 0; channel < 3; channel++)
            for (var y = 0; y < a.Height; y++)
            {
                a.CopyRow(channel, y, rowA);
                b.CopyRow(channel, y, rowB);
                if (!rowA.AsSpan().SequenceEqual(rowB))
                    return false;
            }
        return true;
    }

    private static bool IsSet(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value
        && value != "0" && !value.Equals("false", StringComparison.OrdinalIgnoreCase);
}
