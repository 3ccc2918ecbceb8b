namespace Perceptual.Judgements;

/// <summary>
/// Pairs of image files, and the values of several metrics for them. Each pair is measured once, however often it was
/// added. Each image is decoded once and goes through each network once, as long as the memory suffices to keep it.
/// </summary>
public sealed class ImagePairs
{
    // Pairs that a thread measures together: the images of eight triplets, for judgements 64x64 pixels large, go
    // through a network together.
    private const int PairsAtOnce = 16;

    private readonly List<ImageSource> images = [];
    private readonly Dictionary<ImageSource, int> imageNumbers = [];
    private readonly List<(int Reference, int Distorted)> pairs = [];
    private readonly Dictionary<(int, int), int> pairNumbers = [];

    /// <summary>
    /// An image file, and the length in pixels that its shorter side is resized to, or 0 for no resizing.
    /// </summary>
    public sealed record ImageSource(string Path, int LoadSize);

    /// <summary>The number of different pairs.</summary>
    public int Count => pairs.Count;

    /// <summary>The images of all pairs, each once.</summary>
    public IReadOnlyList<ImageSource> Images => images;

    /// <summary>The pairs, as indices into <see cref="Images"/>.</summary>
    public IReadOnlyList<(int Reference, int Distorted)> Pairs => pairs;

    /// <summary>Adds a pair if it is new, and returns its number.</summary>
    public int Add(string reference, string distorted, int loadSize)
    {
        var pair = (Number(reference), Number(distorted));
        if (pairNumbers.TryAdd(pair, pairs.Count))
            pairs.Add(pair);
        return pairNumbers[pair];

        int Number(string path)
        {
            var image = new ImageSource(path, loadSize);
            if (imageNumbers.TryAdd(image, images.Count))
                images.Add(image);
            return imageNumbers[image];
        }
    }

    /// <summary>
    /// Computes the values of all pairs, [pair][metric], several pairs in parallel. They do not depend on the
    /// number of threads.
    /// </summary>
    /// <param name="metrics">What to compute, on how many threads.</param>
    /// <param name="read">Decodes an image file.</param>
    /// <param name="known">The values of pairs that were measured before, null of the others; filled, and
    /// returned.</param>
    /// <param name="done">Is called with pairs that are new, from several threads.</param>
    /// <param name="memory">Bytes for images and features that are kept.</param>
    /// <param name="step">Is called with the number of pairs that are new.</param>
    /// <param name="cancellation">Stops the work.</param>
    public double[][] Measure(MetricSet metrics, Func<string, RgbImage> read, double[]?[]? known,
        Action<IReadOnlyList<(int Pair, double[] Values)>>? done, long memory, Action<int> step,
        CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        ArgumentNullException.ThrowIfNull(read);
        ArgumentNullException.ThrowIfNull(step);
        var values = known ?? new double[]?[pairs.Count];
        int[] open = [.. Enumerable.Range(0, pairs.Count).Where(pair => values[pair] is null)];
        step(pairs.Count - open.Length);
        if (open.Length == 0)
            return values!;

        var plan = Plan.Of(metrics, Load(pairs[open[0]].Reference, read, cancellation), images.Count, memory);
        var shared = metrics.WithThreads(metrics.Threads / plan.Workers);
        var measurement = new Measurement(this, shared, read, plan.Most, cancellation);
        var tasks = Tasks(open, plan.Block, plan.AtOnce);
        var cache = new LoadedImages(images.Count, memory, measurement.Prepare);
        foreach (var task in tasks)
            cache.Announce(ImagesOf(task));
        ParallelLoop.Run(tasks.Count, plan.Workers, number =>
        {
            var task = tasks[number];
            var numbers = ImagesOf(task);
            var prepared = cache.Take(numbers);
            var results = Array.ConvertAll(task, pair =>
                (pair, measurement.Measure(pair, Prepared(pairs[pair].Reference), Prepared(pairs[pair].Distorted))));
            cache.Return(numbers);
            done?.Invoke(results);
            foreach (var (pair, result) in results)
                values[pair] = result;
            step(results.Length);

            LoadedImage Prepared(int image) => prepared[Array.IndexOf(numbers, image)];
        }, cancellation);
        return values!;
    }

    private RgbImage Load(int number, Func<string, RgbImage> read, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var (path, loadSize) = images[number];
        var image = read(path);
        return loadSize > 0 ? image.ResizeShorterSide(loadSize, ResizeFilter.Bilinear) : image;
    }

    // Pairs are sorted by their references; where not all images fit into the memory, within each block of distorted
    // images that fits.
    private List<int[]> Tasks(IEnumerable<int> open, int block, int size) =>
    [
        .. open.OrderBy(pair => pairs[pair].Distorted / block)
            .ThenBy(pair => pairs[pair].Reference).ThenBy(pair => pairs[pair].Distorted).Chunk(size),
    ];

    private int[] ImagesOf(int[] task) =>
        [.. task.SelectMany(pair => new[] { pairs[pair].Reference, pairs[pair].Distorted }).Distinct()];

    /// <summary>
    /// How the work is divided. Small images are measured in parallel, on one thread each; of large images, only as
    /// many at a time as fit into half the memory.
    /// </summary>
    /// <param name="Workers">The number of tasks that run at a time.</param>
    /// <param name="AtOnce">The number of pairs of a task.</param>
    /// <param name="Block">The number of images that fit into half the memory.</param>
    /// <param name="Most">
    /// The most bytes of an image that is prepared; pairs of larger images are compared in bands of rows.
    /// </param>
    private sealed record Plan(int Workers, int AtOnce, int Block, long Most)
    {
        // All images are assumed to be as large as the first.
        public static Plan Of(MetricSet metrics, RgbImage first, int images, long memory)
        {
            var bytes = metrics.PreparedBytes(first.Width, first.Height);
            var block = (int)Math.Clamp(memory / 2 / bytes, 1, images);
            if (2 * bytes > memory)
                return new(1, 1, block, 0);
            var workers = (int)Math.Clamp(memory / 2 / (2 * bytes), 1, metrics.Threads);
            var atOnce = (int)Math.Clamp(memory / 2 / (workers * 2 * bytes), 1, PairsAtOnce);
            return new(workers, atOnce, block, 2 * Math.Max(bytes, memory / 2 / (workers * 2 * atOnce)));
        }
    }

    private sealed class Measurement(
        ImagePairs all, MetricSet metrics, Func<string, RgbImage> read, long most, CancellationToken cancellation)
    {
        private readonly MetricInfo choosiest = metrics.Metrics.MaxBy(metric => metric.Info.MinimumSide)!.Info;

        public LoadedImage[] Prepare(IReadOnlyList<int> numbers)
        {
            RgbImage[] loaded = [.. numbers.Select(number => all.Load(number, read, cancellation))];
            for (var i = 0; i < loaded.Length; i++)
                if (Math.Min(loaded[i].Width, loaded[i].Height) < choosiest.MinimumSide)
                    throw new InvalidDataException($"{all.images[numbers[i]].Path} is {loaded[i]}, too small for "
                        + $"{choosiest.Name}: each side must be at least {choosiest.MinimumSide} pixels");
            var sizes = Array.ConvertAll(loaded, image => metrics.PreparedBytes(image.Width, image.Height));
            var prepared = new Queue<PreparedImage>(
                metrics.Prepare([.. loaded.Where((_, i) => sizes[i] <= most)], cancellation));
            return [.. loaded.Select((image, i) =>
                new LoadedImage(image, sizes[i] <= most ? prepared.Dequeue() : null, sizes[i]))];
        }

        public double[] Measure(int pair, LoadedImage reference, LoadedImage distorted)
        {
            var (a, b) = (reference.Image, distorted.Image);
            var (first, second) = (all.images[all.pairs[pair].Reference], all.images[all.pairs[pair].Distorted]);
            if ((a.Width, a.Height) != (b.Width, b.Height))
                throw new InvalidDataException($"{second.Path} is {b} but {first.Path} is {a}"
                    + (first.LoadSize > 0 ? $" with the shorter side {first.LoadSize}" : ""));
            IReadOnlyList<MetricValue> measured = reference.Prepared is { } p && distorted.Prepared is { } q
                ? metrics.Compare(p, q, cancellation)
                : metrics.Compare(a.OpenRows, b.OpenRows, cancellation);
            double[] values = [.. measured.Select(value => value.Value)];
            // NaN would count as a tie.
            if (Array.FindIndex(values, double.IsNaN) is >= 0 and var bad)
                throw new InvalidDataException($"{metrics.Metrics[bad].Info.Name} of {first.Path} and {second.Path} is "
                    + "not a number; leave this metric out");
            return values;
        }
    }
}
