using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace Perceptual.Training;

/// <summary>
/// A trunk that has learnt from images without any label: each convolution's filters are the centroids of a k-means
/// clustering of what it reads, one layer after another. It is the k-means initialization of Krähenbühl, Doersch,
/// Donahue and Darrell, "Data-dependent Initializations of Convolutional Neural Networks", ICLR 2016, which is the row
/// "K-means" of the LPIPS paper's tables.
/// </summary>
/// <remarks>
/// <para>
/// For each convolution, from the first to the last (of a Fire module all three): patches are drawn from what the
/// layers below make of the images, rectified, at places of the output, padding included. Their principal subspace of
/// as many dimensions as there are filters is whitened, and each patch has length 1 there. The centroids, taken back
/// through the whitening, are the filters. A filter is then divided by the standard deviation of its response to the
/// patches and the bias set so that the mean is 0.1: each channel comes to ReLU with mean 0.1 and variance 1 (the
/// paper's within-layer normalization with the beta of the authors' program).
/// </para>
/// <para>
/// What differs from the authors' program: the subspace is found by a few steps of orthogonal iteration instead of a
/// full decomposition; Lloyd's k-means from k-means++ replaces mini-batches; patches are taken as they are and not
/// through random projections; images are cut and not squeezed into a square; there are no groups of channels and no
/// local response normalization, as in the networks here. The paper's scaling between layers is left out: it multiplies
/// all of a layer's output by one number, so that gradients are alike, and the normalization in LPIPS divides this out
/// again.
/// </para>
/// </remarks>
public sealed class KMeansInitialization
{
    /// <summary>No more images than this are used, drawn by the seed.</summary>
    public const int MaximumImages = 1000;

    /// <summary>
    /// No more patches than this are clustered for a convolution; of large ones fewer, so that they
    /// take 256 MB at most.
    /// </summary>
    public const int MaximumPatches = 20_000;

    /// <summary>
    /// An image's shorter side is made this long if it is longer, and the longer one cut to it, at a place
    /// the seed decides.
    /// </summary>
    public const int Side = 256;

    /// <summary>
    /// The mean of each channel before ReLU: as the authors' program has it, so that somewhat more than half of
    /// the responses pass.
    /// </summary>
    public const float Mean = 0.1f;

    private const int MaximumPatchValues = 1 << 26;
    private const int Iterations = 20; // of k-means: what changes later is little
    // each brings out what is large: a component of a tenth of the last one's variance is down to 1e-6
    private const int SubspaceSteps = 6;
    private const double Ridge = 1e-6; // of the mean variance, so that directions without any do not become noise

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

    /// <summary>The weights of a network from images.</summary>
    /// <param name="network">The network.</param>
    /// <param name="paths">The images, in an order that does not depend on chance.</param>
    /// <param name="read">Reads one; is called once for each image that is used.</param>
    /// <param name="seed">Decides which images, places and first centroids. The same seed and images give the same bits
    /// on the same machine.</param>
    /// <param name="threads">How many to use; the result is the same for any number.</param>
    /// <param name="progress">Is told what is being done, and how many of how many steps of it are.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>The weights, how many images were used, and the SHA-256 of their pixels as cut, in
    /// lower-case hex.</returns>
    /// <exception cref="InvalidDataException">There is no image, one is too small for the network, or they give too few
    /// different patches.</exception>
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
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        if (paths.Count == 0)
            throw new InvalidDataException("there are no images to learn from");
        var run = new KMeansInitialization(network, paths, read, seed, threads, progress ?? ((_, _, _) => { }),
            cancellation);
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
                    + $"the images have {centroids.Length}: take more or larger images");

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
    /// What a convolution reads at places drawn from all images: [patches, inputs * kernel * kernel].
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
                (rows, columns) = extracted.Size(0);
                input = extracted.ToArray(0);
            }
            foreach (var place in Drawn(Places(i), Share(i)))
            {
                var (top, left) = (place / width * convolution.Stride - convolution.Padding,
                    place % width * convolution.Stride - convolution.Padding);
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

    // What a part of the network gives, with the weights it has by now.
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

    /// <summary>Takes the mean off all patches and returns it.</summary>
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
            // else nothing but rounding
            patches.Values[i] = Math.Abs(rest) > 1e-6 * Math.Abs(mean[i % mean.Length]) ? (float)rest : 0;
        }
        return mean;
    }

    /// <summary>
    /// The map [dimensions, length] into the principal subspace in which the patches have a unit covariance. It is that
    /// of PCA but for a rotation, which changes no distance and so nothing of what follows.
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
        var variances = Array.ConvertAll(
            Matrix.Product(new(Matrix.Product(rows, covariance, threads), dimensions, length), rows.Transposed,
                threads), value => (double)value / patches.Rows);
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

    // Gram-Schmidt. What is left of a row that depends on those before is nothing but rounding, and becomes zero.
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
    /// The patches where they are whitened, each of length 1: [patches, dimensions]. Those without a
    /// direction are left out.
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

    /// <summary>So many different numbers below a bound, or all there are, in an order of chance.</summary>
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
