using System.Globalization;

namespace Perceptual.Imaging;

/// <summary>Two image files and what metrics say of them.</summary>
/// <param name="Reference">The path of the reference.</param>
/// <param name="Distorted">The path of the other image.</param>
/// <param name="Values">A value of each metric, in their order.</param>
/// <param name="Equivalents">
/// What the first value means: see <see cref="Imaging.Equivalents"/>; null if that was not asked for.
/// </param>
public sealed record ComparedImages(
    string Reference,
    string Distorted,
    IReadOnlyList<MetricValue> Values,
    IReadOnlyList<Equivalent>? Equivalents = null);

/// <summary>
/// Compares image files by metrics: what the commands <c>lpips compare</c>, <c>folders</c> and <c>pairs</c> do. Values
/// have the same bits as those of <see cref="Metric.Measure(RgbImage, RgbImage, CancellationToken)"/>, for any number
/// of threads. It may be used from several threads at a time.
/// </summary>
/// <remarks>
/// Each file is opened and decoded once, if what is kept of the images takes no more than a quarter of the memory there
/// is. A pair by one metric needs to keep nothing: its rows are read in bands. Where it would take more, each file is
/// read once for each metric and pair.
/// </remarks>
/// <example>
/// <code>
/// var comparison = new ImageComparison(new MetricSet(Metric.Load(["lpips-lite", "psnr"])));
/// foreach (var row in comparison.Compare("reference.png", ["a.jpg", "b.jpg"]))
///     Console.WriteLine($"{row.Distorted} {row.Values[0].Value} {row.Values[1].Value}");
/// foreach (var row in comparison.Folders(FolderPairs.Of("originals", "compressed")))
///     Console.WriteLine($"{row.Distorted} {row.Values[0].Value} {row.Values[1].Value}");
/// </code>
/// </example>
public sealed class ImageComparison
{
    private readonly MetricSet metrics;
    private readonly MetricInfo choosiest;
    private readonly ImageReadOptions options;

    /// <param name="metrics">What to compute, on how many threads.</param>
    /// <param name="options">How to read files; the defaults of <see cref="ImageReadOptions"/> if null.</param>
    public ImageComparison(MetricSet metrics, ImageReadOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        (this.metrics, this.options) = (metrics, options ?? new());
        choosiest = metrics.Metrics.MaxBy(metric => metric.Info.MinimumSide)!.Info;
    }

    /// <summary>Images against one reference.</summary>
    /// <param name="reference">The file of the reference.</param>
    /// <param name="distorted">The files of the others.</param>
    /// <param name="resize">Resizes the others to the size of the reference; if null, another size is an error.</param>
    /// <param name="map">Whether each value has its map; only the first metric counts then.</param>
    /// <param name="explain">Whether to find what is as far from the reference by the first metric.</param>
    /// <param name="step">Is called after each image, and for each of <see cref="Equivalents.Steps"/> of each.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>A row for each image, in their order.</returns>
    /// <exception cref="InvalidDataException">
    /// A file cannot be read, its size is another than that of the reference or too small for a metric, or the
    /// reference is too large to be explained. The message begins with the path.
    /// </exception>
    /// <exception cref="NotSupportedException">The first metric has no map.</exception>
    /// <exception cref="ArgumentException">An image is too large to be compared or distorted.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    /// <inheritdoc cref="ImageFile.Read(string, ImageReadOptions?)"
    /// path="/exception[not(contains(@cref,'InvalidData'))]"/>
    public IReadOnlyList<ComparedImages> Compare(
        string reference,
        IReadOnlyList<string> distorted,
        ResizeFilter? resize = null,
        bool map = false,
        bool explain = false,
        Action? step = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(distorted);
        using var first = Open(reference);
        var equivalents = explain ? Explain(first, cancellation) : null;
        var keeps = !map && distorted.Count > 1 && FitsInMemory(2 * metrics.PreparedBytes(first.Width, first.Height));
        var kept = equivalents?.Reference ?? (keeps ? metrics.Prepare(first.Whole(), cancellation) : null);
        return [.. distorted.Select(path =>
        {
            using var image = Open(path, first, resize);
            var values = map ? [Map(first, image)]
                : kept is not null ? metrics.Compare(kept, metrics.Prepare(image.Whole(), cancellation), cancellation)
                : Compare(metrics, first, image, 1, cancellation);
            step?.Invoke();
            var meaning = equivalents?.Find(values[0].Value, step ?? (() => { }), cancellation);
            return new ComparedImages(reference, path, values, meaning);
        })];

        MetricValue Map(Opened a, Opened b)
        {
            using var rowsOfA = a.Rows();
            using var rowsOfB = b.Rows();
            return metrics.CompareAndMap(rowsOfA, rowsOfB, cancellation);
        }
    }

    /// <summary>The images of two folders, several pairs side by side.</summary>
    /// <param name="pairs">Which images.</param>
    /// <param name="resize">Resizes images to the size of their references; if null, another size is an error.</param>
    /// <param name="step">Is called after each pair, from several threads.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>A row for each pair, in their order.</returns>
    /// <exception cref="InvalidDataException">
    /// A file cannot be read, its size is another than that of its reference or too small for a metric. The message
    /// begins with the path; of several files it is the first.
    /// </exception>
    /// <exception cref="ArgumentException">An image is too large to be compared.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    /// <inheritdoc cref="ImageFile.Read(string, ImageReadOptions?)"
    /// path="/exception[not(contains(@cref,'InvalidData'))]"/>
    public IReadOnlyList<ComparedImages> Folders(
        FolderPairs pairs,
        ResizeFilter? resize = null,
        Action? step = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        return InParallel(pairs.Pairs.Count, (single, i) =>
        {
            var (referencePath, distortedPath) = pairs.Pairs[i];
            using var reference = Open(referencePath);
            using var distorted = Open(distortedPath, reference, resize);
            var values = Compare(single, reference, distorted, metrics.Threads, cancellation);
            step?.Invoke();
            return new ComparedImages(referencePath, distortedPath, values);
        }, cancellation);
    }

    /// <summary>
    /// All pairs of images, or each and the next. Each image is decoded and goes through the networks once if what is
    /// kept of all fits into the memory; else some do so again.
    /// </summary>
    /// <param name="paths">Files of one size; <see cref="ImageFile.InFolder"/> lists those of a folder.</param>
    /// <param name="consecutive">Whether to compare each image with the next only.</param>
    /// <param name="memory">Bytes for what is kept; a quarter of the memory there is if null.</param>
    /// <param name="step">Is called after each image that is read, from several threads.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>A row for each pair: all with the first image as the reference, then the second, and so on.</returns>
    /// <exception cref="InvalidDataException">
    /// A file cannot be read, its size is another than that of the first or too small for a metric. The message begins
    /// with the path.
    /// </exception>
    /// <exception cref="ArgumentException">There are fewer than two paths, or an image is too large.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    /// <inheritdoc cref="ImageFile.Read(string, ImageReadOptions?)"
    /// path="/exception[not(contains(@cref,'InvalidData'))]"/>
    public IReadOnlyList<ComparedImages> Pairs(
        IReadOnlyList<string> paths,
        bool consecutive = false,
        long? memory = null,
        Action? step = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(paths);
        if (paths.Count < 2)
            throw new ArgumentException($"a pair needs two images, not {paths.Count}", nameof(paths));
        using var first = Open(paths[0]);
        // Two blocks of images are kept at a time; all are one block if they fit.
        var bytes = metrics.PreparedBytes(first.Width, first.Height);
        var block = (int)Math.Clamp((memory ?? ImageFile.MemoryShare) / 2 / bytes, 1, 1 << 20);
        var pairs = new PairsOfPaths(this, paths, first, block, step, cancellation);
        return consecutive ? pairs.Consecutive() : pairs.All();
    }

    /// <summary>Pairs of some images, of which two blocks are kept at a time.</summary>
    private sealed class PairsOfPaths(
        ImageComparison comparison, IReadOnlyList<string> paths, Opened first, int block, Action? step,
        CancellationToken cancellation)
    {
        public IReadOnlyList<ComparedImages> All()
        {
            var rows = new List<(int I, int J, ComparedImages Row)>();
            for (var start = 0; start < paths.Count; start += block)
            {
                var kept = Prepare(start);
                rows.AddRange(Compare(start, kept, start, kept));
                for (var other = start + block; other < paths.Count; other += block)
                    rows.AddRange(Compare(start, kept, other, Prepare(other)));
            }
            return [.. rows.OrderBy(row => row.I).ThenBy(row => row.J).Select(row => row.Row)];
        }

        public List<ComparedImages> Consecutive()
        {
            var rows = new List<ComparedImages>();
            PreparedImage? last = null;
            for (var start = 0; start < paths.Count; start += block)
            {
                var prepared = Prepare(start);
                foreach (var (i, image) in prepared.Index())
                {
                    var (path, before) = (paths[start + i], last);
                    last = image;
                    if (before is not null)
                        rows.Add(
                            new(paths[start + i - 1], path, comparison.metrics.Compare(before, image, cancellation)));
                }
            }
            return rows;
        }

        private PreparedImage[] Prepare(
            int start) => comparison.InParallel(Math.Min(block, paths.Count - start), (single, i) =>
        {
            using var image = start + i == 0 ? first : comparison.OpenAlike(paths[start + i], first, "");
            var prepared = single.Prepare(image.Whole(), cancellation);
            step?.Invoke();
            return prepared;
        }, cancellation);

        private (int I, int J, ComparedImages Row)[] Compare(
            int firstA, PreparedImage[] a, int firstB, PreparedImage[] b)
        {
            (int I, int J)[] pairs =
            [
                .. from i in Enumerable.Range(0, a.Length)
                   from j in Enumerable.Range(0, b.Length)
                   where firstA + i < firstB + j
                   select (i, j),
            ];
            return comparison.InParallel(pairs.Length, (single, k) =>
            {
                var (i, j) = pairs[k];
                var values = single.Compare(a[i], b[j], cancellation);
                return (firstA + i, firstB + j, new ComparedImages(paths[firstA + i], paths[firstB + j], values));
            }, cancellation);
        }
    }

    private static bool FitsInMemory(long bytes) => bytes <= ImageFile.MemoryShare;

    // One of so many pairs that are compared side by side. One metric takes the rows as they come.
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
    /// Runs independent pieces of work side by side, each on one thread: decoding and computing overlap, and no thread
    /// waits for another. What went wrong first in the order of the pieces is thrown.
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
        throw new InvalidDataException(string.Create(
            CultureInfo.InvariantCulture,
            $"{reference.Path} is {reference.Width}x{reference.Height}, too large to be explained: it would take "
                + $"{bytes / 1e9:F1} GB, more than a quarter of this machine's memory"));
    }

    private Opened Open(string path) => new(path, () =>
    {
        var rows = ImageFile.OpenRows(path, options);
        if (Math.Min(rows.Width, rows.Height) >= choosiest.MinimumSide)
            return rows;
        rows.Dispose();
        throw new InvalidDataException($"{path} is {rows.Width}x{rows.Height}, too small for {choosiest.Name}: each "
            + $"side must be at least {choosiest.MinimumSide} pixels");
    });

    private Opened Open(string path, Opened reference, ResizeFilter? resize)
    {
        if (resize is not { } filter)
            return OpenAlike(path, reference, "; a ResizeFilter would resize the distorted one");
        var image = ImageFile.Read(path, options).Resize(reference.Width, reference.Height, filter);
        return new(path, image.OpenRows);
    }

    private Opened OpenAlike(string path, Opened other, string advice)
    {
        var image = Open(path);
        if ((image.Width, image.Height) == (other.Width, other.Height))
            return image;
        image.Dispose();
        throw new InvalidDataException(
            $"{path} is {image.Width}x{image.Height} but {other.Path} is {other.Width}x{other.Height}{advice}");
    }

    /// <summary>
    /// An open image. Its file is opened again only to read rows a second time, and not once the image is in memory.
    /// </summary>
    private sealed class Opened : IDisposable
    {
        private Func<RgbRowReader> open;
        private RgbRowReader? next;

        public Opened(string path, Func<RgbRowReader> open)
        {
            (Path, this.open, next) = (path, open, open());
            (Width, Height) = (next.Width, next.Height);
        }

        public string Path { get; }

        public int Width { get; }

        public int Height { get; }

        /// <summary>All rows from the first on, for the caller to dispose.</summary>
        public RgbRowReader Rows()
        {
            var rows = next ?? open();
            next = null;
            return rows;
        }

        /// <summary>The image in memory, where it stays.</summary>
        public RgbImage Whole()
        {
            using var rows = Rows();
            var image = RgbImage.FromRows(rows);
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
