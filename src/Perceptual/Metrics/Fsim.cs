namespace Perceptual;

/// <summary>
/// FSIM and, with colour, FSIMc (Zhang, Zhang, Mou, Zhang, "FSIM: a feature similarity index for image quality
/// assessment", 2011): the similarity of gradients and of phase congruency, weighted by the phase congruency, of images
/// shrunk until their shorter side is about 256 pixels.
/// </summary>
internal sealed class Fsim : Metric
{
    // The constants of the paper, for Y, I and Q of samples on [0, 255]. Where the paper has means over the pixels, its
    // authors' code has sums, and so has this code.
    private const double T1 = 0.85; // phase congruency
    private const double T2 = 160; // gradients
    private const double T3 = 200; // I and Q
    private const double Lambda = 0.03;

    private static PhaseCongruency? Latest; // its filters take longer to make than to use

    private readonly bool colour;

    private Fsim(string name, bool colour)
        : base(new(name, LargerIsCloser: true, "0 to 1, 1 = identical", 2, HasMap: true)
        {
            Source = "L. Zhang et al. 2011",
        }) => this.colour = colour;

    /// <summary>FSIM: luma only.</summary>
    public static Fsim Luma { get; } = new("fsim", colour: false);

    /// <summary>FSIMc: luma and chroma.</summary>
    public static Fsim Chroma { get; } = new("fsimc", colour: true);

    /// <summary>FSIM and FSIMc share this: FSIM can compare images that FSIMc prepared.</summary>
    public override string Preparation => "fsim";

    /// <inheritdoc/>
    public override long PreparedBytes(int width, int height)
    {
        var factor = Factor(width, height);
        return (colour ? 4L : 2L) * sizeof(double) * Shrunk(width, factor) * Shrunk(height, factor);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<PreparedImage> Prepare(
        IReadOnlyList<RgbImage> images, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        return [.. images.Select(image =>
        {
            CheckSize(image.Width, image.Height);
            CheckRange(image.Range);
            return Extract([image.OpenRows()], cancellation)[0];
        })];
    }

    protected internal override MetricValue Run(
        PreparedImage reference, PreparedImage distorted, bool withMap, CancellationToken cancellation)
    {
        var (a, b) = (Prepared<Features>(reference), Prepared<Features>(distorted));
        CheckSizes(a.Width, a.Height, b.Width, b.Height);
        if (colour && (a.Chroma.Length == 0 || b.Chroma.Length == 0))
            throw new ArgumentException("fsimc cannot compare images that fsim prepared: they have no chroma");
        return Compare(a, b, withMap);
    }

    protected internal override MetricValue Run(
        RgbRowReader reference, RgbRowReader distorted, bool withMap, CancellationToken cancellation)
    {
        var features = Extract([reference, distorted], cancellation);
        return Compare(features[0], features[1], withMap);
    }

    private Features[] Extract(RgbRowReader[] images, CancellationToken cancellation)
    {
        var factor = Factor(images[0].Width, images[0].Height);
        var (width, height) = (Shrunk(images[0].Width, factor), Shrunk(images[0].Height, factor));
        var planes = Array.ConvertAll(images,
            _ => (Luma: new double[width * height], Gradient: new double[width * height],
                Chroma: new double[colour ? 2 * width * height : 0]));
        var bands = new RowBands(images, Colour.Yiq, 0);
        bands.Shrink(factor, zeros: true, reach: 3, border: 1);
        bands.Run(Threads, (_, rows, y) =>
        {
            for (var image = 0; image < images.Length; image++)
            {
                var (luma, gradient, chroma) = planes[image];
                rows.Inner(image, 0, y + 1).CopyTo(luma.AsSpan((y + 1) * width));
                for (var x = 0; x < width; x++)
                    gradient[(y + 1) * width + x] = Gradient(rows, image, y, x);
                for (var plane = 0; plane < chroma.Length / (width * height); plane++)
                    rows.Inner(image, 1 + plane, y + 1).CopyTo(chroma.AsSpan((plane * height + y + 1) * width));
            }
        }, cancellation);

        var filters = Volatile.Read(ref Latest);
        if (filters is null || (filters.Width, filters.Height) != (width, height))
            Volatile.Write(ref Latest, filters = new(width, height));
        using var crew = new Crew(Threads);
        return Array.ConvertAll(planes, image => new Features(
            images[0].Width, images[0].Height, width, height, image.Gradient, image.Chroma,
            filters.Of(image.Luma, crew, cancellation)));
    }

    private MetricValue Compare(Features reference, Features distorted, bool withMap)
    {
        var (width, height) = (reference.Columns, reference.Rows);
        var (similarity, weight) = (new double[width * height], new double[width * height]);
        using (var crew = new Crew(Threads))
            crew.Run(height, (y, _) => Compare(reference, distorted, y, similarity, weight));
        double sum = 0, weights = 0;
        for (var i = 0; i < weight.Length; i++)
        {
            sum += similarity[i] * weight[i];
            weights += weight[i];
        }
        if (weights == 0) // neither image has an edge: every pixel counts the same
        {
            Array.Fill(weight, 1);
            (sum, weights) = (similarity.Sum(), similarity.Length);
        }
        return new(sum / weights) { Map = withMap ? Map() : null };

        // What each pixel subtracts from 1: the mean of the map is 1 - FSIM.
        DistanceMap Map()
        {
            var map = new PixelMap(width, height);
            for (var y = 0; y < height; y++)
                for (var x = 0; x < width; x++)
                    map.Row(y)[x] = (float)((1 - similarity[y * width + x]) * weight[y * width + x]
                        * (similarity.Length / weights));
            return map.Scaled(1, reference.Width, reference.Height);
        }
    }

    private void Compare(Features reference, Features distorted, int y, double[] similarity, double[] weight)
    {
        var chroma = similarity.Length; // where Q begins
        for (var i = y * reference.Columns; i < (y + 1) * reference.Columns; i++)
        {
            similarity[i] = Similarity(reference.Gradient[i], distorted.Gradient[i], T2);
            if (colour)
            {
                var hue = Similarity(reference.Chroma[i], distorted.Chroma[i], T3)
                    * Similarity(reference.Chroma[chroma + i], distorted.Chroma[chroma + i], T3);
                // The real part of the power: the product is negative where hues are opposite.
                similarity[i] *= hue >= 0 ? Math.Pow(hue, Lambda) : Math.Pow(-hue, Lambda) * Math.Cos(Math.PI * Lambda);
            }
            var (a, b) = (reference.Congruency[i], distorted.Congruency[i]);
            similarity[i] *= Similarity(a, b, T1);
            weight[i] = Math.Max(a, b);
        }
    }

    // By how much images are shrunk.
    private static int Factor(int width, int height) =>
        Math.Max(1, (int)Math.Round(Math.Min(width, height) / 256.0, MidpointRounding.AwayFromZero));

    private static int Shrunk(int side, int factor) => (side + factor - 1) / factor;

    private static double Similarity(double a, double b, double constant) =>
        (2 * a * b + constant) / (a * a + b * b + constant);

    // Scharr's gradient, with zeros outside the image.
    private static double Gradient(RowWindow rows, int image, int y, int x)
    {
        var above = rows.Row(image, 0, y)[x..];
        var here = rows.Row(image, 0, y + 1)[x..];
        var below = rows.Row(image, 0, y + 2)[x..];
        var across = 3 * (above[2] - above[0]) + 10 * (here[2] - here[0]) + 3 * (below[2] - below[0]);
        var down = 3 * (below[0] - above[0]) + 10 * (below[1] - above[1]) + 3 * (below[2] - above[2]);
        return Math.Sqrt(across * across + down * down) / 16;
    }

    /// <summary>The planes by which an image is compared, at the smaller size.</summary>
    /// <param name="width">Columns of the image.</param>
    /// <param name="height">Rows of the image.</param>
    /// <param name="columns">Columns of the planes.</param>
    /// <param name="rows">Rows of the planes.</param>
    /// <param name="gradient">Gradient of Y, [rows, columns].</param>
    /// <param name="chroma">I and Q, [2, rows, columns]; empty for FSIM.</param>
    /// <param name="congruency">Phase congruency of Y, [rows, columns].</param>
    internal sealed class Features(
        int width, int height, int columns, int rows, double[] gradient, double[] chroma, double[] congruency)
        : PreparedImage(width, height)
    {
        public int Columns => columns;

        public int Rows => rows;

        public double[] Gradient => gradient;

        public double[] Chroma => chroma;

        public double[] Congruency => congruency;
    }
}
