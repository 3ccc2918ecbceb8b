using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Perceptual.Judgements;

namespace Perceptual.Training;

/// <summary>
/// Triplets to learn from, triplets for validation, and their images, which are kept in memory as far as it suffices.
/// </summary>
public sealed class TrainingData
{
    private readonly List<string> paths = [];
    private readonly Dictionary<string, int> numbers = [];
    private readonly RgbImage?[] kept;
    private readonly Func<string, RgbImage> read;
    private readonly int loadSize;
    private long room;

    /// <param name="training">Triplets to learn from.</param>
    /// <param name="validation">Triplets for validation only; may be empty.</param>
    /// <param name="read">Decodes an image file. Is called from several threads.</param>
    /// <param name="loadSize">The length in pixels that the shorter side of images is resized to, antialiased and
    /// bilinear; 0 for no resizing.</param>
    /// <param name="memory">Bytes for keeping decoded images; by default an eighth of the machine's memory.</param>
    /// <exception cref="InvalidDataException">There is no triplet to learn from.</exception>
    public TrainingData(IReadOnlyList<Triplet> training, IReadOnlyList<Triplet> validation, Func<string, RgbImage> read,
        int loadSize = 64, long? memory = null)
    {
        ArgumentNullException.ThrowIfNull(training);
        ArgumentNullException.ThrowIfNull(validation);
        ArgumentOutOfRangeException.ThrowIfNegative(loadSize);
        if (training.Count == 0)
            throw new InvalidDataException("there is no triplet to train with");
        this.read = read;
        this.loadSize = loadSize;
        Training = [.. training.Select(Numbered)];
        Validation = [.. validation.Select(Numbered)];
        kept = new RgbImage?[paths.Count];
        room = memory ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8;

        NumberedTriplet Numbered(Triplet triplet) =>
            new(Number(triplet.Reference), Number(triplet.P0), Number(triplet.P1), triplet.Judge);

        int Number(string path)
        {
            if (numbers.TryAdd(path, paths.Count))
                paths.Add(path);
            return numbers[path];
        }
    }

    /// <summary>A triplet with the numbers of its images.</summary>
    internal readonly record struct NumberedTriplet(int Reference, int P0, int P1, double Judge)
    {
        /// <summary>P0 for side 0, P1 for side 1.</summary>
        public int Image(int side) => side == 0 ? P0 : P1;
    }

    internal NumberedTriplet[] Training { get; }

    internal NumberedTriplet[] Validation { get; }

    /// <summary>The number of different image files.</summary>
    public int ImageCount => paths.Count;

    internal string Path(int image) => paths[image];

    /// <summary>
    /// Holds out all triplets of some randomly drawn references, to validate on references that were not learned from.
    /// </summary>
    /// <param name="triplets">All triplets.</param>
    /// <param name="references">The number of references to draw.</param>
    /// <param name="seed">Decides which references are drawn.</param>
    /// <exception cref="InvalidDataException">There are not more references than that.</exception>
    public static (IReadOnlyList<Triplet> Training, IReadOnlyList<Triplet> HeldOut) HoldOut(
        IReadOnlyList<Triplet> triplets, int references, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(triplets);
        ArgumentOutOfRangeException.ThrowIfLessThan(references, 1);
        string[] all = [.. triplets.Select(triplet => triplet.Reference).Distinct().Order(StringComparer.Ordinal)];
        if (references >= all.Length)
            throw new InvalidDataException(
                $"{references} of {all.Length} reference images cannot be held out: none would be left to train with");
        Trainer.Random(seed, Trainer.Purpose.HoldOut).Shuffle<string>(all);
        var drawn = all.Take(references).ToHashSet();
        return ([.. triplets.Where(triplet => !drawn.Contains(triplet.Reference))],
            [.. triplets.Where(triplet => drawn.Contains(triplet.Reference))]);
    }

    /// <summary>Loads images by their numbers, resized as they are compared.</summary>
    /// <exception cref="InvalidDataException">An image is smaller than <paramref name="minimumSide"/>.</exception>
    internal RgbImage[] Load(IReadOnlyList<int> images, int minimumSide, int threads, CancellationToken cancellation)
    {
        var loaded = new RgbImage[images.Count];
        ParallelLoop.Run(loaded.Length, threads, i => loaded[i] = kept[images[i]] ?? LoadOne(paths[images[i]]),
            cancellation);
        for (var i = 0; i < loaded.Length; i++)
            if (kept[images[i]] is null && Bytes(loaded[i]) <= room)
            {
                kept[images[i]] = loaded[i];
                room -= Bytes(loaded[i]);
            }
        return loaded;

        static long Bytes(RgbImage image) => 3L * sizeof(ushort) * image.Width * image.Height;

        RgbImage LoadOne(string path)
        {
            var image = ImagePairs.Load(path, loadSize, read);
            return Math.Min(image.Width, image.Height) >= minimumSide ? image
                : throw new InvalidDataException(
                    $"{path} is {image}, too small for this network: each side must be at least {minimumSide} pixels");
        }
    }

    /// <summary>
    /// Everything that the result depends on besides the recipe, by name: the triplets, their image files and how
    /// they are loaded.
    /// </summary>
    internal IEnumerable<(string Name, string Value)> Describe(int threads, CancellationToken cancellation)
    {
        var files = new byte[paths.Count][];
        ParallelLoop.Run(files.Length, threads, i =>
        {
            using var file = LocalFile.OpenRead(paths[i]);
            files[i] = SHA256.HashData(file);
        }, cancellation);
        return
        [
            ("load size", loadSize.ToString(CultureInfo.InvariantCulture)),
            ("training data", Digest(Training)),
            ("validation data", Validation.Length > 0 ? Digest(Validation) : "none"),
        ];

        // For each triplet: the digests of the files of reference, p0 and p1, and the judgement in 8 bytes.
        string Digest(NumberedTriplet[] triplets)
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            Span<byte> judge = stackalloc byte[8];
            foreach (var triplet in triplets)
            {
                hash.AppendData(files[triplet.Reference]);
                hash.AppendData(files[triplet.P0]);
                hash.AppendData(files[triplet.P1]);
                BinaryPrimitives.WriteDoubleLittleEndian(judge, triplet.Judge);
                hash.AppendData(judge);
            }
            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
    }
}
