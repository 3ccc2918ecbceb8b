using System.Globalization;

namespace Perceptual.Imaging;

/// <summary>
/// Compares image files by metrics, as the commands <c>lpips compare</c>, <c>folders</c> and <c>pairs</c> do. Values
/// have the same bits as those of <see cref="Metric.Measure(RgbImage, RgbImage, CancellationToken)"/>, for any number
/// of threads. It may be used from several threads at a time.
/// </summary>
/// <remarks>
/// Rows come in their order as soon as they are ready, and are not kept: memory does not grow with their number. The
/// work is done while they are enumerated, again each time. A file that cannot be read or does not fit ends nothing:
/// its rows say what is wrong in <see cref="ComparedImages.Problems"/>, and throw it where their values are asked for.
///
/// Each file is opened and decoded once, if what is kept of the images takes no more than a quarter of the memory there
/// is. A pair by one metric needs to keep nothing: its rows are read in bands. Where it would take more, each file is
/// read once for each metric and pair.
/// </remarks>
/// <example>
/// <code>
/// var comparison = new ImageComparison(new MetricSet(Metric.Load(["lpips-lite", "psnr"])));
/// foreach (var row in comparison.Compare("reference.png", ["a.jpg", "b.jpg"]))
///     Console.WriteLine($"{row.Distorted} {row.Values[0].Value} {row.Values[1].Value}");
/// foreach (var row in comparison.Folders(FolderPairs.Of("originals", "compressed"))) // or several: ["a", "b"]
///     Console.WriteLine($"{row.Distorted} {row.Values[0].Value} {row.Values[1].Value}");
/// </code>
/// </example>
public sealed class ImageComparison
{
    private readonly MetricSet metrics;
    private readonly MetricInfo choosiest;
    private readonly bool ofLinearLight;
    private readonly ImageReadOptions options;
    private readonly IgnoredAreas? ignored;
    private readonly int border;

    /// <param name="metrics">What to compute; the first metric says on how many threads.</param>
    /// <param name="options">How to read files; the defaults of <see cref="ImageReadOptions"/> if null.</param>
    /// <param name="ignored">Areas that <see cref="Compare(string, IReadOnlyList{string}, ResizeFilter?, bool, bool,
    /// Action?, CancellationToken)"/> and <see cref="Folders"/> fill from the reference. All pairs of many images have
    /// no one reference: <see cref="Pairs"/> does not look at them.</param>
    /// <param name="cropBorder">How many pixels to leave out at each of the four edges of every image before anything
    /// is computed, and after an image is resized. Maps are of what is left.</param>
    /// <exception cref="ArgumentException">There are ignored areas and a border, too: whose pixels would they
    /// count? Or some metrics compare linear light, and some do not.</exception>
    public ImageComparison(
        MetricSet metrics, ImageReadOptions? options = null, IgnoredAreas? ignored = null, int cropBorder = 0)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        ArgumentOutOfRangeException.ThrowIfNegative(cropBorder);
        ofLinearLight = metrics.Metrics[0].Info.ComparesLinearLight;
        if (metrics.Metrics.FirstOrDefault(metric => metric.Info.ComparesLinearLight != ofLinearLight) is { } other)
            throw new ArgumentException($"of {metrics.Metrics[0].Info.Name} and {other.Info.Name} only one compares "
                + "linear light", nameof(metrics));
        (this.metrics, border) = (metrics, cropBorder);
        this.options = (options ?? new()) with { KeepLinearLight = ofLinearLight };
        this.ignored = ignored is { All.Count: > 0 } ? ignored : null;
        if (this.ignored is not null && border > 0)
            throw new ArgumentException("areas are ignored or borders cropped, not both", nameof(cropBorder));
        choosiest = metrics.Metrics.MaxBy(metric => metric.Info.MinimumSide)!.Info;
    }

    /// <summary>Compares images with one reference.</summary>
    /// <param name="reference">The file of the reference.</param>
    /// <param name="distorted">The files of the others.</param>
    /// <param name="resize">Resizes the others to the size of the reference; if null, another size is a
    /// problem.</param>
    /// <param name="map">Whether each value has its map; only the first metric counts then.</param>
    /// <param name="explain">Whether to find what is as far from the reference by the first metric.</param>
    /// <param name="step">Is called after each image, and for each of <see cref="Equivalents.Steps"/> of each.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>A row for each image, in their order.</returns>
    /// <exception cref="InvalidDataException">
    /// While enumerated: the reference cannot be read, or is too small for a metric or too large to be explained. The
    /// message begins with the path.
    /// </exception>
    /// <exception cref="NotSupportedException">The first metric has no map.</exception>
    /// <exception cref="ArgumentException">An image is too large to be compared or distorted.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    /// <inheritdoc cref="ImageFile.Read(string, ImageReadOptions?)"
    /// path="/exception[not(contains(@cref,'InvalidData'))]"/>
    public IEnumerable<ComparedImages> Compare(
        string reference,
        IReadOnlyList<string> distorted,
        ResizeFilter? resize = null,
        bool map = false,
        bool explain = false,
        Action? step = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(distorted);
        return Rows();

        IEnumerable<ComparedImages> Rows()
        {
            using var first = Open(reference);
            var equivalents = explain ? Explain(first, cancellation) : null;
            var keeps = !map && distorted.Count > 1
                && FitsInMemory(2 * metrics.PreparedBytes(first.Width, first.Height));
            var kept = equivalents?.Reference ?? (keeps ? metrics.Prepare(first.Whole(), cancellation) : null);
            foreach (var path in distorted)
                yield return OrProblems(reference, path, () =>
                {
                    using var image = Open(path, first, resize);
                    var values = map ? [Map(first, image)]
                        : kept is not null
                            ? metrics.Compare(kept, metrics.Prepare(image.Whole(), cancellation), cancellation)
                            : Compare(metrics, first, image, 1, cancellation);
                    step?.Invoke();
                    var meaning = equivalents?.Find(values[0].Value, step ?? (() => { }), cancellation);
                    return new(reference, path, values, meaning);
                });
        }

        MetricValue Map(Opened a, Opened b)
        {
            using var rowsOfA = a.Rows();
            using var rowsOfB = b.Rows();
            return metrics.CompareAndMap(rowsOfA, rowsOfB, cancellation);
        }
    }

    /// <summary>The rows of a reference and a distorted image as they are compared: resized, with what is ignored taken
    /// from the reference, without the border. The caller disposes both.</summary>
    /// <param name="reference">The file of the reference.</param>
    /// <param name="distorted">The file of the other image.</param>
    /// <param name="resize">Resizes the other to the size of the reference; if null, another size is refused.</param>
    /// <exception cref="InvalidDataException">A file cannot be read, or does not fit. The message begins with its
    /// path.</exception>
    /// <inheritdoc cref="ImageFile.Read(string, ImageReadOptions?)"
    /// path="/exception[not(contains(@cref,'InvalidData'))]"/>
    public (RgbRowReader Reference, RgbRowReader Distorted) OpenRows(
        string reference, string distorted, ResizeFilter? resize = null)
    {
        var first = Open(reference);
        try
        {
            using var other = Open(distorted, first, resize);
            return (first.Rows(), other.Rows());
        }
        catch
        {
            first.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The images of folders, several references side by side. A reference goes through the networks once, if what is
    /// kept of it fits into the memory.
    /// </summary>
    /// <param name="pairs">Which images.</param>
    /// <param name="resize">Resizes images to the size of their references; if null, another size is a
    /// problem.</param>
    /// <param name="skip">How many of the first pairs to leave out, because they are known already.</param>
    /// <param name="step">Is called after each pair, from several threads.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>A row for each pair, in their order.</returns>
    /// <exception cref="ArgumentException">An image is too large to be compared.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public IEnumerable<ComparedImages> Folders(
        FolderPairs pairs,
        ResizeFilter? resize = null,
        int skip = 0,
        Action? step = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        ArgumentOutOfRangeException.ThrowIfNegative(skip);
        var single = metrics.WithThreads(1);
        var references = Enumerable.Range(0, pairs.Pairs.Count).Skip(skip)
            .GroupBy(pair => pair / pairs.Folders, pair => pairs.Pairs[pair]);
        return ParallelLoop.InOrder(references, metrics.Threads,
            group => OfOneReference(single, [.. group], resize, step, cancellation), cancellation: cancellation)
            .SelectMany(rows => rows);
    }

    // Pairs with the same reference.
    private ComparedImages[] OfOneReference(MetricSet single, (string Reference, string Distorted)[] pairs,
        ResizeFilter? resize, Action? step, CancellationToken cancellation)
    {
        Opened? reference = null;
        PreparedImage? kept = null;
        try
        {
            return Array.ConvertAll(pairs, pair =>
            {
                var row = OrProblems(pair.Reference, pair.Distorted, () =>
                {
                    reference ??= Open(pair.Reference);
                    using var distorted = Open(pair.Distorted, reference, resize);
                    return InTurn(reference.BytesHeld + distorted.BytesHeld, () =>
                        new ComparedImages(pair.Reference, pair.Distorted, Values(reference, distorted)));
                });
                step?.Invoke();
                return row;
            });
        }
        finally
        {
            reference?.Dispose();
        }

        IReadOnlyList<MetricValue> Values(Opened reference, Opened distorted)
        {
            var bytes = metrics.PreparedBytes(reference.Width, reference.Height);
            if (pairs.Length == 1 || !FitsInMemory(2 * metrics.Threads * bytes))
                return Compare(single, reference, distorted, metrics.Threads, cancellation);
            kept ??= single.Prepare(reference.Whole(), cancellation);
            return single.Compare(kept, single.Prepare(distorted.Whole(), cancellation), cancellation);
        }
    }

    /// <summary>
    /// Compares all pairs of images, or each image with the next. Each image is decoded and goes through the networks
    /// once if all prepared images fit into the memory; otherwise this is repeated for some.
    /// </summary>
    /// <param name="paths">Files of one size, which is that of the first that can be read;
    /// <see cref="ImageFile.InFolder"/> lists those of a folder.</param>
    /// <param name="consecutive">Whether to compare each image with the next only.</param>
    /// <param name="memory">Bytes for what is kept; a quarter of the memory there is if null.</param>
    /// <param name="skip">How many of the first pairs to leave out, because they are known already.</param>
    /// <param name="step">Is called after each image that is read, from several threads.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>A row for each pair: all with the first image as the reference, then the second, and so on.</returns>
    /// <exception cref="ArgumentException">There are fewer than two paths, or an image is too large.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public IEnumerable<ComparedImages> Pairs(
        IReadOnlyList<string> paths,
        bool consecutive = false,
        long? memory = null,
        long skip = 0,
        Action? step = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentOutOfRangeException.ThrowIfNegative(skip);
        if (paths.Count < 2)
            throw new ArgumentException($"a pair needs two images, not {paths.Count}", nameof(paths));
        return Rows();

        IEnumerable<ComparedImages> Rows()
        {
            var (number, image) = FirstReadable(paths);
            using var first = image;
            var pairs = new PairsOfPaths(this, paths, number, first, memory ?? ImageFile.MemoryShare, step,
                cancellation);
            foreach (var row in consecutive ? pairs.Consecutive(skip) : pairs.All(skip))
                yield return row;
        }
    }

    /// <summary>
    /// Pairs of some images, of which two blocks are kept at a time; all are one block if they fit.
    /// </summary>
    private sealed class PairsOfPaths(
        ImageComparison comparison, IReadOnlyList<string> paths, int firstNumber, Opened? first, long memory,
        Action? step, CancellationToken cancellation)
    {
        private const int RowBytes = 256; // of a value that waits for its turn, at most
        private const int PixelsAtOnce = 1 << 16; // pairs of small images are a piece of work together
        private const int MostAtOnce = 256;

        private readonly MetricSet single = comparison.metrics.WithThreads(1);
        private readonly int threads = comparison.metrics.Threads;

        /// <summary>What is kept of an image, or what is wrong with its file.</summary>
        private readonly record struct Kept(PreparedImage? Image, string? Problem);

        // Where no image can be read, there is nothing to keep.
        private long ImageBytes => first is null ? 1 : comparison.metrics.PreparedBytes(first.Width, first.Height);

        private int AtOnce => first is null
            ? MostAtOnce
            : (int)Math.Clamp(PixelsAtOnce / ((long)first.Width * first.Height), 1, MostAtOnce);

        public IEnumerable<ComparedImages> All(long skip)
        {
            var start = 0;
            for (; start < paths.Count && skip >= paths.Count - 1 - start; start++)
                skip -= paths.Count - 1 - start;
            return (memory / 2 / ImageBytes >= paths.Count - start ? OfOneBlock(start) : OfBlocks(start))
                .Skip((int)skip); // fewer than there are images
        }

        public IEnumerable<ComparedImages> Consecutive(long skip)
        {
            var block = (int)Math.Clamp(memory / 2 / ImageBytes, 1, Math.Min(8L * threads, paths.Count));
            Kept? last = null;
            for (var start = (int)Math.Min(skip, paths.Count); start < paths.Count; start += block)
            {
                Kept[] kept = [.. last is { } before ? [before] : Array.Empty<Kept>(), .. Prepare(start, block)];
                var from = last is null ? start : start - 1;
                last = kept[^1];
                foreach (var row in ParallelLoop.InOrder(Enumerable.Range(0, kept.Length - 1), threads,
                    i => Row(from + i, kept[i], from + i + 1, kept[i + 1]), cancellation: cancellation))
                    yield return row;
            }
        }

        private IEnumerable<ComparedImages> OfOneBlock(int start)
        {
            var kept = Prepare(start, paths.Count);
            foreach (var row in Compare(start, kept, start, kept))
                yield return row;
        }

        // A row's turn comes when all blocks have been compared with that of its reference.
        private IEnumerable<ComparedImages> OfBlocks(int begin)
        {
            var rowBytes = (long)RowBytes * comparison.metrics.Metrics.Count * paths.Count; // of one reference
            var block = (int)Math.Clamp(memory / (2 * ImageBytes + rowBytes), 1, paths.Count);
            for (var start = begin; start < paths.Count; start += block)
            {
                var kept = Prepare(start, block);
                var waiting = Array.ConvertAll(kept, _ => new List<ComparedImages>());
                for (var other = start; other < paths.Count; other += block)
                {
                    var others = other == start ? kept : Prepare(other, block);
                    using var rows = Compare(start, kept, other, others).GetEnumerator();
                    for (var i = 0; i < kept.Length; i++)
                        for (var j = Math.Max(0, start + i + 1 - other); j < others.Length && rows.MoveNext(); j++)
                            waiting[i].Add(rows.Current);
                }
                foreach (var row in waiting.SelectMany(rows => rows))
                    yield return row;
            }
        }

        private Kept[] Prepare(int start, int block) => comparison.InParallel(
            Math.Min(block, paths.Count - start), (single, i) =>
        {
            var kept = Prepare(single, start + i);
            step?.Invoke();
            return kept;
        }, cancellation);

        private Kept Prepare(MetricSet single, int number)
        {
            try
            {
                using var image = number == firstNumber || first is null
                    ? first ?? comparison.Open(paths[number])
                    : comparison.OpenAlike(paths[number], first, "");
                return new(
                    single.Prepare(comparison.InTurn(image.BytesHeld, image.Whole), cancellation), null);
            }
            catch (Exception e) when (IsOfFile(e))
            {
                return new(null, Message(paths[number], e));
            }
        }

        // Those of each image of the first block with all that come after it in the second, in this order.
        private IEnumerable<ComparedImages> Compare(int firstA, Kept[] a, int firstB, Kept[] b)
        {
            return ParallelLoop.InOrder(Pieces(), threads, piece => Array.ConvertAll(
                Enumerable.Range(piece.J, Math.Min(AtOnce, b.Length - piece.J)).ToArray(),
                j => Row(firstA + piece.I, a[piece.I], firstB + j, b[j])), cancellation: cancellation)
                .SelectMany(rows => rows);

            IEnumerable<(int I, int J)> Pieces()
            {
                for (var i = 0; i < a.Length; i++)
                    for (var j = Math.Max(0, firstA + i + 1 - firstB); j < b.Length; j += AtOnce)
                        yield return (i, j);
            }
        }

        private ComparedImages Row(int i, Kept a, int j, Kept b) =>
            a.Image is not null && b.Image is not null
                ? new(paths[i], paths[j], single.Compare(a.Image, b.Image, cancellation))
                : new(paths[i], paths[j], [.. new[] { a.Problem, b.Problem }.OfType<string>()]);
    }

    // The row of a comparison, or what is wrong with the files.
    private ComparedImages OrProblems(string reference, string distorted, Func<ComparedImages> compare)
    {
        try
        {
            return compare();
        }
        catch (Exception e) when (IsOfFile(e))
        {
            // The first problem hides another: each file is looked at alone.
            string[] alone = [.. new[] { reference, distorted }.Select(Problem).OfType<string>()];
            return new(reference, distorted, alone.Length > 0 ? alone : [Message(distorted, e)]);
        }
    }

    /// <summary>What is wrong with a file, whatever it is compared with; null if nothing is.</summary>
    private string? Problem(string path)
    {
        try
        {
            using var image = Open(path);
            return InTurn(image.BytesHeld, () =>
            {
                using var rows = image.Rows();
                float[][] channels = [new float[rows.Width], new float[rows.Width], new float[rows.Width]];
                for (var y = 0; y < rows.Height; y++)
                    rows.ReadStoredRow(channels[0], channels[1], channels[2]);
                return (string?)null;
            });
        }
        catch (Exception e) when (IsOfFile(e))
        {
            return Message(path, e);
        }
    }

    private static bool IsOfFile(Exception e) =>
        e is InvalidDataException or IOException or UnauthorizedAccessException;

    private static string Message(string path, Exception e) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException when new FileInfo(path).LinkTarget is { } target =>
            $"{path}: is a link to {target}, which is not there",
        FileNotFoundException when path.Contains('\uFFFD', StringComparison.Ordinal) =>
            $"{path}: has a name that is not UTF-8, by which it cannot be opened; rename it",
        FileNotFoundException or DirectoryNotFoundException => $"{path}: there is no such file",
        _ => e.Message,
    };

    // Decides the size that all have to have; null if none can be read.
    private (int Number, Opened? Image) FirstReadable(IReadOnlyList<string> paths)
    {
        for (var i = 0; i < paths.Count; i++)
            try
            {
                return (i, Open(paths[i]));
            }
            catch (Exception e) when (IsOfFile(e))
            {
                // It is named when its turn comes.
            }
        return (-1, null);
    }

    private T InTurn<T>(double bytesHeld, Func<T> work) => ImageFile.InTurn(bytesHeld, metrics.Threads, work);

    private static bool FitsInMemory(long bytes) => bytes <= ImageFile.MemoryShare;

    // Compares one of several pairs that are compared in parallel. A single metric reads the rows in bands.
    private static IReadOnlyList<MetricValue> Compare(
        MetricSet metrics, Opened reference, Opened distorted, int sideBySide, CancellationToken cancellation)
    {
        var bytes = metrics.PreparedBytes(reference.Width, reference.Height);
        if (metrics.Metrics.Count == 1 || !FitsInMemory(2 * sideBySide * bytes))
            return metrics.Compare(reference.Rows, distorted.Rows, cancellation);
        var a = metrics.Prepare(reference.Whole(), cancellation);
        var b = metrics.Prepare(distorted.Whole(), cancellation);
        return metrics.Compare(a, b, cancellation);
    }

    /// <summary>
    /// Runs independent pieces of work in parallel, each on one thread: decoding and computing overlap, and no thread
    /// waits for another. If pieces fail, the exception of the first in their order is thrown.
    /// </summary>
    private T[] InParallel<T>(int count, Func<MetricSet, int, T> work, CancellationToken cancellation)
    {
        var single = metrics.WithThreads(1);
        var results = new T[count];
        ParallelLoop.Run(count, metrics.Threads, i => results[i] = work(single, i), cancellation);
        return results;
    }

    private Equivalents Explain(Opened reference, CancellationToken cancellation)
    {
        var bytes = Equivalents.Bytes(metrics, reference.Width, reference.Height);
        if (FitsInMemory(bytes))
            return new(metrics, reference.Whole(), cancellation);
        throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture,
            $"{reference.Path} is {reference.Width}x{reference.Height}, too large to be explained: it would take "
                + $"{bytes / 1e9:F1} GB, more than a quarter of this machine's memory"));
    }

    private Opened Open(string path) => new(path, options, () =>
    {
        var rows = ImageFile.OpenRows(path, options);
        var least = choosiest.MinimumSide + 2L * border;
        if (IsLight(rows.Range) && Math.Min(rows.Width, rows.Height) >= least)
            return Crop(rows);
        rows.Dispose();
        if (!IsLight(rows.Range))
            throw NoLight(path, rows.Range);
        throw new InvalidDataException($"{path} is {rows.Width}x{rows.Height}, too small for {choosiest.Name}"
            + $"{(border > 0 ? $" without a border of {border}" : "")}: each side must be at least {least} pixels");
    });

    private Opened Open(string path, Opened reference, ResizeFilter? resize)
    {
        if (resize is not { } filter)
            return Fill(reference, OpenAlike(path, reference, "; a ResizeFilter would resize the distorted one"));
        var (width, height) = WholeSize(reference);
        var image = ImageFile.Read(path, options);
        if (!IsLight(image.Range))
            throw NoLight(path, image.Range);
        image = image.Resize(width, height, filter);
        return Fill(reference, new(path, options, () => Crop(image.OpenRows())));
    }

    // Linear light where the metrics do not compare it has been refused by the reader.
    private bool IsLight(ValueRange range) => range.IsLinearLight || !ofLinearLight;

    private InvalidDataException NoLight(string path, ValueRange range) => new(
        $"{path}: has samples of {range}, but {choosiest.Name} compares linear light, which EXR, HDR and PFM files "
            + "hold");

    private Opened Fill(Opened reference, Opened image) =>
        ignored is null ? image : new(image.Path, options, () => ignored.Fill(reference.Rows(), image.Rows()));

    private RgbRowReader Crop(RgbRowReader rows) => border > 0 ? new CroppedRows(rows, border) : rows;

    // With the border.
    private (int Width, int Height) WholeSize(Opened image) => (image.Width + 2 * border, image.Height + 2 * border);

    private Opened OpenAlike(string path, Opened other, string advice)
    {
        var image = Open(path);
        if ((image.Width, image.Height) == (other.Width, other.Height))
            return image;
        image.Dispose();
        var (size, expected) = (WholeSize(image), WholeSize(other));
        throw new InvalidDataException($"{path} is {size.Width}x{size.Height} but {other.Path} is "
            + $"{expected.Width}x{expected.Height}{advice}");
    }

    /// <summary>
    /// An open image. The file is opened again only to read its rows a second time, and not if the image is in memory.
    /// </summary>
    private sealed class Opened : IDisposable
    {
        private Func<RgbRowReader> open;
        private readonly bool areFloats; // whatever their range
        private RgbRowReader? next;

        public Opened(string path, ImageReadOptions options, Func<RgbRowReader> open)
        {
            (Path, areFloats, this.open, next) = (path, options.ArrayRange is not null, open, open());
            (Width, Height) = (next.Width, next.Height);
            BytesHeld = ImageFile.BytesHeld(next is CroppedRows cropped ? cropped.Source : next);
        }

        /// <inheritdoc cref="StoredRows.BytesHeld"/>
        public double BytesHeld { get; }

        public string Path { get; }

        public int Width { get; }

        public int Height { get; }

        /// <summary>A reader of all rows, which the caller disposes.</summary>
        public RgbRowReader Rows()
        {
            var rows = next ?? open();
            next = null;
            return rows;
        }

        /// <summary>Reads the image into memory, where it stays.</summary>
        public RgbImage Whole()
        {
            using var rows = Rows();
            var image = areFloats ? ArrayRows.Whole(rows) : RgbImage.FromRows(rows);
            open = image.OpenRows;
            return image;
        }

        public void Dispose()
        {
            next?.Dispose();
            next = null;
        }
    }
}
