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
    /// number of threads. Those of bad files are null.
    /// </summary>
    /// <param name="metrics">What to compute, on how many threads.</param>
    /// <param name="read">Decodes an image file.</param>
    /// <param name="known">The values of pairs that were measured before, null of the others; filled, and
    /// returned.</param>
    /// <param name="done">Is called with pairs that are new, from several threads.</param>
    /// <param name="memory">Bytes for images and features that are kept.</param>
    /// <param name="step">Is called with the number of pairs that are new.</param>
    /// <param name="problems">Gets what is wrong with each bad file, in the order of the pairs; if it is null, the
    /// first to be found is thrown.</param>
    /// <param name="withLayers">Whether the values of a pair end with what each layer of each metric adds: those of the
    /// first metric that has layers, then those of the next.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="InvalidDataException">A file is bad, and <paramref name="problems"/> is null.</exception>
    public double[]?[] Measure(MetricSet metrics, Func<string, RgbImage> read, double[]?[]? known,
        Action<IReadOnlyList<(int Pair, double[] Values)>>? done, long memory, Action<int> step,
        ICollection<string>? problems = null, bool withLayers = false, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        ArgumentNullException.ThrowIfNull(read);
        ArgumentNullException.ThrowIfNull(step);
        var values = known ?? new double[]?[pairs.Count];
        int[] open = [.. Enumerable.Range(0, pairs.Count).Where(pair => values[pair] is null)];
        step(pairs.Count - open.Length);
        if (open.Length == 0)
            return values;

        var first = open.Select(pair => Load(pairs[pair].Reference).Image).FirstOrDefault(image => image is not null);
        var plan = Plan.Of(metrics, first, images.Count, memory);
        var shared = metrics.WithThreads(metrics.Threads / plan.Workers);
        var measurement = new Measurement(this, shared, Load, plan.Most, withLayers, cancellation);
        var found = new string[pairs.Count][]; // problems of each pair
        var tasks = Tasks(open, plan.Block, plan.AtOnce);
        var cache = new LoadedImages(images.Count, memory, measurement.Prepare);
        foreach (var task in tasks)
            cache.Announce(ImagesOf(task));
        ParallelLoop.Run(tasks.Count, plan.Workers, number =>
        {
            var task = tasks[number];
            var numbers = ImagesOf(task);
            var prepared = cache.Take(numbers);
            var results = new List<(int Pair, double[] Values)>();
            foreach (var pair in task)
            {
                var (a, b) = (Prepared(pairs[pair].Reference), Prepared(pairs[pair].Distorted));
                found[pair] = measurement.Problems(pair, a, b);
                if (found[pair].Length > 0 && problems is null)
                    throw new InvalidDataException(found[pair][0]);
                if (found[pair].Length == 0)
                    results.Add((pair, measurement.Measure(pair, a, b)));
            }
            cache.Return(numbers);
            done?.Invoke(results);
            foreach (var (pair, result) in results)
                values[pair] = result;
            step(task.Length);

            LoadedImage Prepared(int image) => prepared[Array.IndexOf(numbers, image)];
        }, cancellation);
        foreach (var problem in found.SelectMany(each => each ?? []).Distinct())
            problems?.Add(problem);
        return values;

        LoadedImage Load(int number)
        {
            cancellation.ThrowIfCancellationRequested();
            return LoadOrProblem(number, metrics, read, goesOn: problems is not null);
        }
    }

    private LoadedImage LoadOrProblem(int number, MetricSet metrics, Func<string, RgbImage> read, bool goesOn)
    {
        try
        {
            return Load(number, metrics, read);
        }
        catch (Exception e) when (goesOn && e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return new(null, 0) { Problem = e.Message };
        }
    }

    /// <summary>Reads an image as judgements take it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="loadSize">The length in pixels that its shorter side is resized to; 0: it is not.</param>
    /// <param name="read">Decodes it.</param>
    /// <exception cref="InvalidDataException">It would be too large.</exception>
    public static RgbImage Load(string path, int loadSize, Func<string, RgbImage> read)
    {
        ArgumentNullException.ThrowIfNull(read);
        var image = read(path) ?? throw new ArgumentException($"there is no image of {path}", nameof(read));
        try
        {
            return loadSize > 0 ? image.ResizeShorterSide(loadSize, ResizeFilter.Bilinear) : image;
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException(
                $"{path} is {image}, too large with its shorter side {loadSize} pixels long: {e.Message}", e);
        }
    }

    // Not prepared yet.
    private LoadedImage Load(int number, MetricSet metrics, Func<string, RgbImage> read)
    {
        var (path, loadSize) = images[number];
        var image = Load(path, loadSize, read);
        var choosiest = metrics.Metrics.MaxBy(metric => metric.Info.MinimumSide)!.Info;
        return Math.Min(image.Width, image.Height) >= choosiest.MinimumSide
            ? new(image, metrics.PreparedBytes(image.Width, image.Height))
            : throw new InvalidDataException($"{path} is {image}, too small for {choosiest.Name}: each side must be at "
                + $"least {choosiest.MinimumSide} pixels");
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
        public static Plan Of(MetricSet metrics, RgbImage? first, int images, long memory)
        {
            var bytes = first is null ? 1 : metrics.PreparedBytes(first.Width, first.Height);
            var block = (int)Math.Clamp(memory / 2 / bytes, 1, images);
            if (2 * bytes > memory)
                return new(1, 1, block, 0);
            var workers = (int)Math.Clamp(memory / 2 / (2 * bytes), 1, metrics.Threads);
            var atOnce = (int)Math.Clamp(memory / 2 / (workers * 2 * bytes), 1, PairsAtOnce);
            return new(workers, atOnce, block, 2 * Math.Max(bytes, memory / 2 / (workers * 2 * atOnce)));
        }
    }

    private sealed class Measurement(ImagePairs all, MetricSet metrics, Func<int, LoadedImage> load, long most,
        bool withLayers, CancellationToken cancellation)
    {
        public LoadedImage[] Prepare(IReadOnlyList<int> numbers)
        {
            LoadedImage[] loaded = [.. numbers.Select(load)];
            int[] small = [.. loaded.Index().Where(each => each.Item.Problem is null && each.Item.Bytes <= most)
                .Select(each => each.Index)];
            var prepared = metrics.Prepare([.. small.Select(i => loaded[i].Image!)], cancellation);
            foreach (var (i, image) in small.Zip(prepared))
                loaded[i] = loaded[i] with { Prepared = image };
            return loaded;
        }

        /// <summary>Why a pair cannot be measured; nothing if it can.</summary>
        public string[] Problems(int pair, LoadedImage reference, LoadedImage distorted)
        {
            string[] alone = [.. new[] { reference.Problem, distorted.Problem }.OfType<string>()];
            if (alone.Length > 0)
                return alone;
            var (a, b) = (reference.Image!, distorted.Image!);
            var (first, second) = (all.images[all.pairs[pair].Reference], all.images[all.pairs[pair].Distorted]);
            return (a.Width, a.Height) == (b.Width, b.Height) ? []
                : [$"{second.Path} is {b} but {first.Path} is {a}"
                    + (first.LoadSize > 0 ? $" with the shorter side {first.LoadSize}" : "")];
        }

        public double[] Measure(int pair, LoadedImage reference, LoadedImage distorted)
        {
            var (first, second) = (all.images[all.pairs[pair].Reference], all.images[all.pairs[pair].Distorted]);
            IReadOnlyList<MetricValue> measured = reference.Prepared is { } p && distorted.Prepared is { } q
                ? metrics.Compare(p, q, cancellation)
                : metrics.Compare(reference.Image!.OpenRows, distorted.Image!.OpenRows, cancellation);
            double[] values = [.. measured.Select(value => value.Value)];
            // NaN would count as a tie.
            if (Array.FindIndex(values, double.IsNaN) is >= 0 and var bad)
                throw new InvalidDataException($"{metrics.Metrics[bad].Info.Name} of {first.Path} and {second.Path} is "
                    + "not a number; leave this metric out");
            return withLayers ? [.. values, .. metrics.Metrics.SelectMany((metric, m) => Layers(metric, measured[m]))]
                : values;
        }

        private static IReadOnlyList<double> Layers(Metric metric, MetricValue value) =>
            value.Layers.Count == metric.LayerCount ? value.Layers
                : throw new InvalidOperationException($"{metric.Info.Name} has {metric.LayerCount} layers, but a value "
                    + $"of it has {value.Layers.Count}");
    }
}
