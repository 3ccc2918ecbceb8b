namespace Perceptual.Judgements;

/// <summary>A published sub-set of BAPPS, such as 2afc/val/cnn.</summary>
/// <param name="Name">The name of its folder, such as "cnn".</param>
/// <param name="Count">The number of its triplets, or of pairs in JND.</param>
/// <param name="IsExact">Whether <paramref name="Count"/> is exact; otherwise its authors give it only
/// in hundreds.</param>
public sealed record BappsSubset(string Name, int Count, bool IsExact);

/// <summary>
/// A part of BAPPS, the judgements of the LPIPS paper (Zhang et al., CVPR 2018, section 2), as its authors publish it:
/// an archive (https://github.com/richzhang/PerceptualSimilarity, scripts/download_dataset.sh).
/// </summary>
public sealed record BappsPart
{
    internal BappsPart()
    {
    }

    /// <summary>Every part.</summary>
    public static IReadOnlyList<BappsPart> All { get; } =
    [
        new()
        {
            Name = "2afc-val",
            Folder = "2afc/val",
            Address = Published("twoafc_val.tar.gz"),
            Subsets = // counted in recorded distances of all 36,344 triplets
            [
                new("traditional", 4720, true), new("cnn", 4720, true), new("superres", 10856, true),
                new("deblur", 9440, true), new("color", 4720, true), new("frameinterp", 1888, true),
            ],
            MaximumLength = 3_000_000_000, // 1.1 GB, its authors say
            MaximumUnpacked = 9_000_000_000,
            MaximumEntries = 300_000, // 4 files a triplet
        },
        new()
        {
            Name = "2afc-train",
            Folder = "2afc/train",
            Address = Published("twoafc_train.tar.gz"),
            Subsets = [new("traditional", 56_600, false), new("cnn", 38_100, false), new("mix", 56_600, false)],
            MaximumLength = 12_000_000_000, // 5.3 GB, its authors say
            MaximumUnpacked = 36_000_000_000,
            MaximumEntries = 1_200_000,
        },
        new()
        {
            Name = "jnd",
            Folder = "jnd/val",
            Address = Published("jnd.tar.gz"),
            Subsets = [new("traditional", 4_800, false), new("cnn", 4_800, false)],
            MaximumLength = 1_000_000_000, // 0.2 GB, its authors say
            MaximumUnpacked = 3_000_000_000,
            MaximumEntries = 60_000, // 3 files a pair
        },
    ];

    /// <summary>The name: "2afc-val", "2afc-train" or "jnd".</summary>
    public required string Name { get; init; }

    /// <summary>
    /// Its folder within the data set, with '/' between names: "2afc/val", "2afc/train" or "jnd/val".
    /// </summary>
    public required string Folder { get; init; }

    /// <summary>Where its authors publish it.</summary>
    public required Uri Address { get; init; }

    /// <summary>The folders in <see cref="Folder"/>.</summary>
    public required IReadOnlyList<BappsSubset> Subsets { get; init; }

    /// <summary>The most bytes that the archive may have: a longer download is given up.</summary>
    internal long MaximumLength { get; init; }

    /// <summary>The most bytes that the decompressed archive may have: unpacking more is given up.</summary>
    internal long MaximumUnpacked { get; init; }

    /// <summary>The most files and folders that the archive may have: unpacking more is given up.</summary>
    internal int MaximumEntries { get; init; }

    /// <summary>The archive's name at <see cref="Address"/>.</summary>
    internal string Archive => Path.GetFileName(Address.AbsolutePath);

    internal bool IsJnd => Folder.StartsWith("jnd/", StringComparison.Ordinal);

    internal string PathIn(string directory) => Path.Combine([directory, .. Folder.Split('/')]);

    private static Uri Published(string archive) =>
        new($"https://perceptual-similarity.s3.us-west-2.amazonaws.com/dataset/{archive}");
}
