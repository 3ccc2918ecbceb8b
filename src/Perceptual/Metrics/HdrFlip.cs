namespace Perceptual;

/// <summary>
/// FLIP of linear light (Andersson, Nilsson, Shirley, Akenine-Möller, "Visualizing Errors in Rendered High Dynamic
/// Range Images", 2021): the images are looked at with several exposures, from one with which the brightest pixel of
/// the reference is seen to one with which its median is, through a tone mapper. The error of a pixel is the largest of
/// all exposures; the value is the mean of these errors.
/// </summary>
internal sealed class HdrFlip : Metric
{
    private const double Seen = 0.85; // what the brightest pixel and the median become
    private const int FewestExposures = 2;

    private readonly double pixelsPerDegree;
    private readonly ToneMapper toneMapper;
    private readonly bool mapsExposures;
    private readonly Flip flip;

    /// <param name="toneMapper">One of <see cref="ToneMapper.All"/>.</param>
    /// <param name="pixelsPerDegree">Pixels of a degree of sight.</param>
    /// <param name="mapsExposures">Whether the map says with which exposure the error is largest.</param>
    /// <exception cref="ArgumentException">There is no such tone mapper, or they are not 1 to 1000.</exception>
    public HdrFlip(string toneMapper = "aces", double pixelsPerDegree = Flip.UsualPixelsPerDegree,
        bool mapsExposures = false)
        : base(new("hdr-flip", LargerIsCloser: false, "0 to 1, 0 = identical", 1, HasMap: true)
        {
            Source = "Andersson et al. 2021",
            ComparesLinearLight = true,
        })
    {
        ArgumentNullException.ThrowIfNull(toneMapper);
        (this.toneMapper, this.pixelsPerDegree) = (ToneMapper.Of(toneMapper), pixelsPerDegree);
        this.mapsExposures = mapsExposures;
        flip = new(pixelsPerDegree);
    }

    public override IReadOnlyList<string> DetailNames { get; } =
        ["pixelsPerDegree", .. FlipErrors.Names, "startExposure", "stopExposure", "exposures"];

    // What it holds besides the images: samples of floats in place of 16 bits, and half of the errors.
    public override long PreparedBytes(int width, int height) => 8L * width * height;

    protected internal override MetricValue Run(
        RgbRowReader reference, RgbRowReader distorted, bool withMap, CancellationToken cancellation)
    {
        var (a, b) = (RgbImage.FromBegunRows(reference), RgbImage.FromBegunRows(distorted));
        var (start, stop, count) = Exposures(a);
        var errors = new PixelMap(a.Width, a.Height);
        var exposures = withMap && mapsExposures ? new PixelMap(a.Width, a.Height) : null;
        for (var i = 0; i < count; i++)
        {
            var place = i / (float)(count - 1);
            flip.Compare(a.OpenRows(), b.OpenRows(),
                Colour.Exposed(toneMapper, start + i * (stop - start) / (count - 1)), Threads, (y, seen) =>
                {
                    var largest = errors.Row(y);
                    var exposure = exposures is null ? [] : exposures.Row(y);
                    for (var x = 0; x < largest.Length; x++)
                        if ((float)seen[x] > largest[x])
                        {
                            largest[x] = (float)seen[x];
                            if (exposure.Length > 0)
                                exposure[x] = place;
                        }
                }, cancellation);
        }
        var all = new FlipErrors(a.Width, a.Height);
        var row = new double[a.Width];
        for (var y = 0; y < a.Height; y++)
        {
            var largest = errors.Row(y);
            for (var x = 0; x < row.Length; x++)
                row[x] = largest[x];
            all.Add(y, row);
        }
        return new(all.Mean)
        {
            Map = withMap ? (exposures ?? errors).Scaled(1) : null,
            Details = [pixelsPerDegree, .. all.Details(), start, stop, count],
        };
    }

    // The authors' program has no answer where the median is black: here it is the median of what is not. A reference
    // without any light is looked at as one of luminance 1.
    private (double Start, double Stop, int Count) Exposures(RgbImage reference)
    {
        var luminances = Luminances(reference);
        Array.Sort(luminances);
        var black = Array.FindIndex(luminances, luminance => luminance > 0);
        if (black < 0)
            luminances = [1];
        var median = luminances[luminances.Length / 2] is > 0 and var middle ? middle
            : luminances[black + (luminances.Length - black) / 2];
        var light = toneMapper.LightOf(Seen);
        var (start, stop) = (Math.Log2(light / luminances[^1]), Math.Log2(light / median));
        return (start, stop, (int)Math.Max(FewestExposures, Math.Ceiling(stop - start)));
    }

    // In single precision, as the authors have them.
    private static float[] Luminances(RgbImage image)
    {
        var luminances = new float[image.Width * image.Height];
        float[][] row = [new float[image.Width], new float[image.Width], new float[image.Width]];
        for (var y = 0; y < image.Height; y++)
        {
            for (var c = 0; c < 3; c++)
                image.CopyStoredRow(c, y, row[c]);
            for (var x = 0; x < image.Width; x++)
                luminances[y * image.Width + x] = (float)ToneMapper.Luminance(
                    Math.Max(row[0][x], 0), Math.Max(row[1][x], 0), Math.Max(row[2][x], 0));
        }
        return luminances;
    }
}
