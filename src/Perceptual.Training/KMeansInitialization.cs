using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace Perceptual.Training;

/// <summary>
/// A trunk learned from images without labels: each convolution's filters are the centroids of a k-means clustering of
/// patches of its input, one layer after another. It is the k-means initialization of Krähenbühl, Doersch, Donahue and
/// Darrell, "Data-dependent Initializations of Convolutional Neural Networks", ICLR 2016, which is the row "K-means" of
/// the LPIPS paper's tables.
/// </summary>
/// <remarks>
/// <para>
/// For each convolution, from the first to the last (all three of a Fire module), patches are drawn from its input:
/// the images as the layers below transform them, after ReLU, with padding. The principal subspace of the patches,
/// with as many dimensions as there are filters, is whitened, and each patch is scaled to length 1 there. The
/// centroids, mapped back through the whitening, are the filters. Each filter is then divided by the standard
/// deviation of its response to the patches, and the bias is set so that the mean response is 0.1: each channel has
/// mean 0.1 and variance 1 before ReLU (the paper's within-layer normalization with the beta of the authors' program).
/// </para>
/// <para>
/// Differences from the authors' program: the subspace is found by a few steps of orthogonal iteration instead of a
/// full decomposition; Lloyd's k-means seeded by k-means++ replaces mini-batches; patches are used without random
/// projections; images are cut to a square and not squeezed; there are no groups of channels and no local response
/// normalization, because the networks here have none. The paper's scaling between layers is left out: it multiplies
/// the whole output of a layer by one number to balance gradients, and the normalization in LPIPS divides by it again.
/// </para>
/// </remarks>
public sealed class KMeansInitialization
{
    /// <summary>The most images that are used; the seed decides which.</summary>
    public const int MaximumImages = 1000;

    /// <summary>
    /// The most patches that are clustered for a convolution; of large patches there are fewer, so that they
    /// take at most 256 MB.
    /// </summary>
    public const int MaximumPatches = 20_000;

    /// <summary>
    /// An image whose shorter side is longer than this is resized so that it has this length, in pixels; the longer
    /// side is then cut to this length, at a place that the seed decides.
    /// </summary>
    public const int Side = 256;

    /// <summary>
    /// The mean of each channel before ReLU: as in the authors' program, so that a little more than half of the
    /// responses are positive.
    /// </summary>
    public const float Mean = 0.1f;

    private const int MaximumPatchValues = 1 << 26;
    private const int Iterations = 20; // of k-means; later ones change little
    // After these steps, a component with a tenth of the variance of the last one wanted has a share of 1e-6.
    private const int SubspaceSteps = 6;
    // Added to the variances, as a part of their mean, so that directions without variance do not become noise.
    private const double Ridge = 1e-6;

    private readonly Network network;
    private readonly int threads;
    private readonly Action<string, int, int> progress;
    private readonly CancellationToken cancellation;
    private readonly Dictionary<string, Tensor> tensors = [];
    private readonly RgbImage[] images;
    private SplitMix64 random;

    private KMeansInitialization(
        Network network, IReadOnlyList<string> paths, Func<string, RgbImage> read, ulong seed, int threads,
        Action<string, int, int> progress, CancellationToken cancellation)
    {
        this.network = network;
        this.threads = threads;
        this.progress = progress;
        this.cancellation = cancellation;
        random = new(seed);
        int[] chosen = [.. Drawn(paths.Count, MaximumImages).Order()];
        images = new RgbImage[chosen.Length];
        for (var i = 0; i < chosen.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            images[i] = Cut(read(paths[chosen[i]]), paths[chosen[i]]);
            progress("reading images", i + 1, chosen.Length);
        }
    }

    /// <summary>Computes the weights of a network from images.</summary>
    /// <param name="network">The network.</param>
    /// <param name="paths">The image files, in a fixed order: the result depends on it.</param>
    /// <param name="read">Reads a file; is called once for each image that is used.</param>
    /// <param name="seed">Decides which images, places and first centroids. The same seed and images give the same bits
    /// on the same machine.</param>
    /// <param name="threads">Number of threads to use; the result does not depend on it.</param>
    /// <param name="progress">Is called with the name of the current work, the number of its steps done, and of all
    /// its steps.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>The weights, the number of images used, and the SHA-256 of their pixels after cutting, in
    /// lower-case hex.</returns>
    /// <exception cref="InvalidDataException">There is no image, an image is too small for the network, or the images
    /// give too few different patches.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public static (TrunkWeights Weights, int Images, string ImagesDigest) Run(
        Network network,
        IReadOnlyList<string> paths,
        Func<string, RgbImage> read,
        ulong seed,
        int threads,
        Action<string, int, int>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentNullException.ThrowIfNull(read);
        Crew.CheckThreads(threads);
        if (paths.Count == 0)
            throw new InvalidDataException("there are no images to learn from");
        var run = new KMeansInitialization(
            network, paths, read, seed, threads, progress ?? ((_, _, _) => { }), cancellation);
        foreach (var convolution in network.Convolutions)
            run.Learn(convolution);
        return (TrunkWeights.From(network, run.tensors, "k-means"), run.images.Length, run.Digest());
    }

    private void Learn(Convolution convolution)
    {
        var outputs = convolution.Outputs;
        var patches = Sample(convolution);
        var mean = Centre(patches);
        var whitening = Whitening(patches, Math.Min(outputs, patches.Columns));
        var directions = Directions(patches, whitening);
        var step = images.Length;
        var centroids = directions.Rows == 0
            ? []
            : KMeans.Run(directions, outputs, Iterations, ref random, threads, () =>
            {
                cancellation.ThrowIfCancellationRequested();
                progress(convolution.Name, ++step, images.Length + Iterations);
            });
        if (centroids.Length < outputs)
            throw new InvalidDataException(
                $"{convolution.Name} of {network.Name} needs {outputs} different patches for its {outputs} filters, "
                + $"but the images have {centroids.Length}: take more or larger images");

        // [outputs, inputs, kernel, kernel]
        var weight = Matrix.Product(new([.. centroids.SelectMany(centroid => centroid)], outputs, whitening.Rows),
            whitening, threads);
        var bias = new float[outputs];
        var filters = new Matrix(weight, outputs, patches.Columns);
        var responses = new Matrix(Matrix.Product(patches, filters.Transposed, threads), patches.Rows, outputs);
        for (var o = 0; o < outputs; o++)
        {
            var filter = weight.AsSpan(o * patches.Columns, patches.Columns);
            var (centre, deviation) = Moments(responses, o);
            if (!(deviation > 0))
                throw new InvalidDataException(
                    $"filter {o} of {convolution.Name} does not respond to any patch: take more images");
            for (var i = 0; i < filter.Length; i++)
            {
                centre += filter[i] * mean[i];
                filter[i] = (float)(filter[i] / deviation);
            }
            bias[o] = (float)(Mean - centre / deviation);
        }
        tensors[convolution.Name + ".weight"] = new(convolution.Name + ".weight", convolution.WeightShape, weight);
        tensors[convolution.Name + ".bias"] = new(convolution.Name + ".bias", [outputs], bias);
    }

    /// <summary>
    /// Draws patches of a convolution's input at random places of all images: [patches, inputs * kernel * kernel].
    /// </summary>
    private Matrix Sample(Convolution convolution)
    {
        var below = network.Below(convolution);
        var length = convolution.WeightCount / convolution.Outputs;
        var wanted = Math.Min(MaximumPatches, MaximumPatchValues / length);
        int Side(int side) => convolution.OutputLength(
            below?.Layers.Aggregate(side, (length, layer) => layer.OutputLength(length)) ?? side);
        int Places(int image) => Side(images[image].Width) * Side(images[image].Height);
        int Share(int image) => Math.Min(Places(image),
            (int)((image + 1L) * wanted / images.Length - (long)image * wanted / images.Length));
        var patches = new float[Enumerable.Range(0, images.Length).Sum(Share) * length];

        var features = below is null ? null : Features(below);
        var next = 0;
        for (var i = 0; i < images.Length; i++)
        {
            var (image, width) = (images[i], Side(images[i].Width));
            var (channels, rows, columns) = (convolution.Inputs, image.Height, image.Width);
            float[] input; // [channels, rows, columns]
            if (features is null)
                input = Scaled(image);
            else
            {
                var extracted = features.Extract(image, cancellation);
                (_, rows, columns) = extracted.Sizes[0];
                input = extracted.ToArray(0);
            }
            foreach (var place in Drawn(Places(i), Share(i)))
            {
                var top = place / width * convolution.Stride - convolution.Padding;
                var left = place % width * convolution.Stride - convolution.Padding;
                for (var c = 0; c < channels; c++)
                    for (var y = top; y < top + convolution.Kernel; y++)
                        for (var x = left; x < left + convolution.Kernel; x++)
                            patches[next++] = y >= 0 && y < rows && x >= 0 && x < columns
                                ? input[(c * rows + y) * columns + x]
                                : 0;
            }
            progress(convolution.Name, i + 1, images.Length + Iterations);
        }
        return new(patches, patches.Length / length, length);
    }

    // A model of a part of the network, with the weights learned so far.
    private Lpips Features(Network part)
    {
        var names = part.Convolutions.SelectMany(
            convolution => new[] { convolution.Name + ".weight", convolution.Name + ".bias" });
        return Lpips.From(TrunkWeights.From(part, names.ToDictionary(name => name, name => tensors[name]), "k-means"),
            null, new() { Threads = threads });
    }

    private static float[] Scaled(RgbImage image)
    {
        var values = new float[3 * image.Width * image.Height];
        for (var c = 0; c < 3; c++)
            for (var y = 0; y < image.Height; y++)
            {
                var row = values.AsSpan((c * image.Height + y) * image.Width, image.Width);
                image.CopyRow(c, y, row);
                foreach (ref var value in row)
                    value = Lpips.ScaleInput(value, c);
            }
        return values;
    }

    /// <summary>Subtracts the mean of the patches from each of them, and returns it.</summary>
    private static double[] Centre(Matrix patches)
    {
        var mean = new double[patches.Columns];
        for (var i = 0; i < patches.Values.Length; i++)
            mean[i % mean.Length] += patches.Values[i];
        for (var d = 0; d < mean.Length; d++)
            mean[d] /= patches.Rows;
        for (var i = 0; i < patches.Values.Length; i++)
        {
            var rest = patches.Values[i] - mean[i % mean.Length];
            // otherwise the rest is only rounding errors
            patches.Values[i] = Math.Abs(rest) > 1e-6 * Math.Abs(mean[i % mean.Length]) ? (float)rest : 0;
        }
        return mean;
    }

    /// <summary>
    /// The whitening map, [dimensions, length], to the principal subspace, where the patches have unit covariance. It
    /// differs from that of PCA by a rotation, which changes no distances and so has no effect on the clusters.
    /// </summary>
    private Matrix Whitening(Matrix patches, int dimensions)
    {
        var length = patches.Columns;
        var covariance = new Matrix(Matrix.Product(patches.Transposed, patches, threads, symmetric: true),
            length, length);
        var gaussian = new GaussianRandom(random.Next());
        var basis = new float[dimensions * length]; // [dimensions, length], the rows orthonormal
        foreach (ref var value in basis.AsSpan())
            value = (float)gaussian.Next();
        for (var i = 0; i < SubspaceSteps; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            basis = Matrix.Product(new(basis, dimensions, length), covariance, threads);
            Orthonormalize(basis, length);
        }
        var rows = new Matrix(basis, dimensions, length);
        var half = new Matrix(Matrix.Product(rows, covariance, threads), dimensions, length);
        var variances = Array.ConvertAll(
            Matrix.Product(half, rows.Transposed, threads), value => (double)value / patches.Rows);
        var trace = Enumerable.Range(0, dimensions).Sum(d => variances[d * dimensions + d]);
        if (trace == 0)
            return new(new float[basis.Length], dimensions, length); // all patches are the same

        // With variances + ridge = L L^T, the map is L^-1 times the basis.
        for (var i = 0; i < dimensions; i++)
        {
            var row = basis.AsSpan(i * length, length);
            for (var j = 0; j <= i; j++)
            {
                var sum = variances[i * dimensions + j] + (i == j ? Ridge * trace / dimensions : 0);
                for (var k = 0; k < j; k++)
                    sum -= variances[i * dimensions + k] * variances[j * dimensions + k];
                variances[i * dimensions + j] = i == j
                    ? Math.Sqrt(Math.Max(sum, Ridge * trace / dimensions))
                    : sum / variances[j * dimensions + j];
                if (i != j)
                    Subtract(row, basis.AsSpan(j * length, length), (float)variances[i * dimensions + j]);
            }
            Multiply(row, (float)(1 / variances[i * dimensions + i]));
        }
        return rows;
    }

    // Gram-Schmidt. A row that depends linearly on the rows before leaves only rounding errors, and becomes zero.
    private static void Orthonormalize(float[] rows, int length)
    {
        for (var i = 0; i < rows.Length; i += length)
        {
            var row = rows.AsSpan(i, length);
            var whole = KMeans.Dot(row, row);
            if (whole > 0)
                Multiply(row, 1 / MathF.Sqrt(whole)); // so that no square overflows
            for (var j = 0; j < i; j += length)
            {
                var other = rows.AsSpan(j, length);
                Subtract(row, other, KMeans.Dot(row, other));
            }
            var rest = KMeans.Dot(row, row);
            Multiply(row, rest > 1e-12f ? 1 / MathF.Sqrt(rest) : 0);
        }
    }

    private static void Subtract(Span<float> row, ReadOnlySpan<float> other, float factor)
    {
        var i = 0;
        for (; i <= row.Length - Vector<float>.Count; i += Vector<float>.Count)
            (new Vector<float>(row[i..]) - factor * new Vector<float>(other[i..])).CopyTo(row[i..]);
        for (; i < row.Length; i++)
            row[i] -= factor * other[i];
    }

    private static void Multiply(Span<float> row, float factor)
    {
        foreach (ref var value in row)
            value *= factor;
    }

    /// <summary>
    /// The whitened patches, each scaled to length 1: [patches, dimensions]. Patches that are zero are left out.
    /// </summary>
    private Matrix Directions(Matrix patches, Matrix whitening)
    {
        var points = Matrix.Product(patches, whitening.Transposed, threads);
        var (dimensions, kept) = (whitening.Rows, 0);
        for (var i = 0; i < patches.Rows; i++)
        {
            var point = points.AsSpan(i * dimensions, dimensions);
            var square = KMeans.Dot(point, point); // on average the number of dimensions
            if (square < 1e-8f * dimensions)
                continue;
            Multiply(point, 1 / MathF.Sqrt(square));
            point.CopyTo(points.AsSpan(kept++ * dimensions));
        }
        return new(points, kept, dimensions);
    }

    private static (double Mean, double Deviation) Moments(Matrix responses, int column)
    {
        var (sum, squares) = (0.0, 0.0);
        for (var i = column; i < responses.Values.Length; i += responses.Columns)
            sum += responses.Values[i];
        var mean = sum / responses.Rows;
        for (var i = column; i < responses.Values.Length; i += responses.Columns)
            squares += (responses.Values[i] - mean) * (responses.Values[i] - mean);
        return (mean, Math.Sqrt(squares / responses.Rows));
    }

    /// <summary>
    /// Draws this many different numbers below a bound, or all if there are fewer, in a random order.
    /// </summary>
    private IEnumerable<int> Drawn(int bound, int count)
    {
        int[] numbers = [.. Enumerable.Range(0, bound)];
        for (var i = 0; i < Math.Min(bound, count); i++)
        {
            var other = i + random.Next(bound - i);
            (numbers[i], numbers[other]) = (numbers[other], numbers[i]);
        }
        return numbers.Take(count);
    }

    private RgbImage Cut(RgbImage image, string path)
    {
        if (Math.Min(image.Width, image.Height) < network.MinimumSide)
            throw new InvalidDataException($"{path} is {image}, too small for {network.Name}: each side must be at "
                + $"least {network.MinimumSide} pixels");
        if (Math.Min(image.Width, image.Height) > Side)
            image = image.ResizeShorterSide(Side, ResizeFilter.Bilinear);
        var (width, height) = (Math.Min(image.Width, Side), Math.Min(image.Height, Side));
        var (left, top) = (random.Next(image.Width - width + 1), random.Next(image.Height - height + 1));
        if ((width, height) == (image.Width, image.Height))
            return image;
        using var part = new Window(image.OpenRows(), left, top, width, height);
        return RgbImage.FromRows(part);
    }

    private string Digest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var image in images)
        {
            var (row, bytes) = (new float[image.Width], new byte[sizeof(float) * image.Width]);
            hash.AppendData(Encoding.ASCII.GetBytes($"{image} {image.Range}\n"));
            for (var c = 0; c < 3; c++)
                for (var y = 0; y < image.Height; y++)
                {
                    image.CopyStoredRow(c, y, row);
                    for (var x = 0; x < row.Length; x++)
                        BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(sizeof(float) * x), row[x]);
                    hash.AppendData(bytes);
                }
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>A part of an image.</summary>
    private sealed class Window(RgbRowReader image, int left, int top, int width, int height)
        : RgbRowReader(width, height, image.Range)
    {
        private readonly float[][] row = [new float[image.Width], new float[image.Width], new float[image.Width]];
        private int skip = top;

        protected override void ReadStoredRow(int y, Span<float> red, Span<float> green, Span<float> blue)
        {
            for (; skip >= 0; skip--)
                image.ReadStoredRow(row[0], row[1], row[2]);
            skip = 0;
            row[0].AsSpan(left, Width).CopyTo(red);
            row[1].AsSpan(left, Width).CopyTo(green);
            row[2].AsSpan(left, Width).CopyTo(blue);
        }

        protected override void Dispose(bool disposing)
        {
            image.Dispose();
            base.Dispose(disposing);
        }
    }
}
