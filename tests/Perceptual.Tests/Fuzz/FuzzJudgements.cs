using System.IO.Compression;

namespace Perceptual.Tests.Fuzz;

/// <summary>Tables, arrays, journals and archives of judgements.</summary>
internal sealed class FuzzJudgements(FuzzTargets targets)
{
    private const long Bound = 8 << 20;

    private static readonly (string Name, string Value)[] Purpose = [("metrics", "psnr")];

    /// <summary>A table, for every kind of judgement, with an image a.png beside it.</summary>
    public void Tables(byte[] bytes)
    {
        var path = targets.Write("table.csv", bytes);
        targets.Write("a.png", TestArchive.Png);
        FuzzTargets.Attempt(path, Bound, () =>
        {
            using var csv = new CsvFile(path);
            while (csv.Read())
                FuzzTargets.Check(csv.Line > 0 && csv[0].Length <= 1 << 20, "is no record");
            return csv;
        });
        FuzzTargets.Attempt(path, Bound, () => JudgementFiles.ReadTriplets(path));
        FuzzTargets.Attempt(path, Bound, () => JudgementFiles.ReadJnd(path));
        FuzzTargets.Attempt(path, Bound, () => JudgementFiles.ReadOpinions(path));
        FuzzTargets.Attempt(path, Bound, () => JudgementFiles.ReadRecorded(path));
        FuzzTargets.Attempt(path, Bound, () => ComparisonFile.Read(path));
        FuzzTargets.Attempt(path, Bound, () => ScaleFile.Read(path));
    }

    /// <summary>A metric mapped to JND.</summary>
    public void Fit(byte[] bytes)
    {
        var path = targets.Write("fit.json", bytes);
        if (FuzzTargets.Attempt(path, Bound, () => JndFit.Read(path)) is { } fit)
            FuzzTargets.Check(fit.Knots.All(knot => fit.Estimate(knot.Value) is { } estimate
                && double.IsFinite(estimate.Jnd) && estimate.Discerning is >= 0 and <= 1), "has no meaning at a knot");
    }

    /// <summary>An array; if it has one value, that is the scalar.</summary>
    public void Npy(byte[] bytes)
    {
        var path = targets.Write("array.npy", bytes);
        var array = FuzzTargets.Attempt(path, Bound, () => NpyFile.ReadFloat32(path) is var (values, shape)
            ? new { Values = values, Shape = shape } : null!);
        var scalar = FuzzTargets.Attempt(path, Bound, () => new { Value = NpyFile.ReadScalar(path) });
        if (array is not null)
            FuzzTargets.Check(array.Values.Length == array.Shape.Aggregate(1L, (count, side) => count * side),
                "has more or fewer values than its shape says");
        var isScalar = array?.Shape.All(side => side == 1) ?? false;
        FuzzTargets.Check((scalar is not null) == isScalar, "is no scalar, or is one");
        if (scalar is not null)
            FuzzTargets.Check(array!.Values[0].Equals((float)scalar.Value), "is another scalar");
    }

    /// <summary>A journal whose lines have check sums that are right, but for those that begin with '!'.</summary>
    public void Journal(byte[] bytes)
    {
        var path = targets.Write("out.csv.part", FuzzTargets.SealLines(bytes));
        var rows = FuzzTargets.Attempt(path, Bound, () => Rows(path, "next"));
        if (rows is not null)
            FuzzTargets.Check(Rows(path, "last").SequenceEqual([.. rows, "next"]), "has other rows later");
        FuzzTargets.Attempt(path, Bound, () => new JournalReader(path).Rows().ToList());
        File.Delete(path);
    }

    /// <summary>An archive of BAPPS before it is compressed, or after.</summary>
    public void Archive(byte[] bytes)
    {
        var archive = targets.Write("archive.tar.gz", bytes.AsSpan().StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B])
            ? bytes : Compressed(bytes));
        var unpacked = targets.PathOf("unpacked");
        var before = targets.Files.ToHashSet();
        // TarReader makes room for as long a name as a header claims before it reads it, but no more than an array.
        FuzzTargets.Attempt(TinyBapps.Part.Archive, Bound + Array.MaxLength, () =>
        {
            new BappsArchive(TinyBapps.Part, archive, unpacked, null, default).Unpack();
            return unpacked;
        });
        FuzzTargets.Check(targets.Files.All(file => before.Contains(file)
            || file.StartsWith("unpacked/", StringComparison.Ordinal) && file.Split('/').Length == 4),
            "left its folder");
        Directory.Delete(unpacked, recursive: true);
    }

    /// <summary>Images of a folder of judgements. Check sums are made right first.</summary>
    public void Folder(byte[] bytes)
    {
        Imaging.Samples.RepairPng(bytes);
        foreach (var name in new[] { "set/p0/0.png", "set/p1/0.png" })
            targets.Write(name, bytes);
        targets.Write("set/same/0.npy", TestArchive.Judge);
        var found = Assert.Single(BappsFolder.Find(targets.PathOf("set")));
        Assert.Empty(found.Problems);
        FuzzTargets.Check(found.Check().All(problem => problem.Length < 1000), "is no short line");
    }

    private static List<string> Rows(string path, string next)
    {
        using var journal = new Journal(path, Purpose);
        var rows = new List<string>();
        journal.Resume(row =>
        {
            rows.Add(row);
            return true;
        });
        FuzzTargets.Check(journal.Count == rows.Count, "counts other rows");
        journal.Add([next]);
        return rows;
    }

    private static byte[] Compressed(byte[] bytes)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest))
            gzip.Write(bytes);
        return stream.ToArray();
    }
}
