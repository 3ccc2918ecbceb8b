namespace Perceptual.Distortions;

/// <summary>
/// Distorts samples on [0, 1] in place by an amount in the unit of the kind. Samples outside the range are
/// clamped afterwards.
/// </summary>
public delegate void DistortionFunction(Planes image, double amount, ulong seed);

/// <summary>
/// One way to make an image worse, from barely to grossly: the families of Zhang et al. (CVPR 2018, table 2) and other
/// effects of cameras, files and networks. Strength 0 leaves every sample as it is. Random choices depend on the seed
/// only, so a greater strength gives more of the same distortion.
/// </summary>
/// <remarks>
/// May be called from many threads; one call uses one. The bytes are the same on every platform, because only
/// additions, multiplications, divisions and square roots are used; exceptions are the noises with a spectrum and
/// resampling by Lanczos (sines of the system's library), and codecs. Beyond its edges an image continues as its
/// reflection, with the pixels at the edge repeated.
/// </remarks>
/// <example>
/// <code>
/// foreach (var kind in Distortion.All)
/// {
///     var distance = lpips.Distance(image, kind.Apply(image, 0.5));
///     Console.WriteLine($"{kind.Name} {distance} ({kind.Unit} {kind.Amount(0.5)})");
/// }
/// </code>
/// </example>
public sealed class Distortion
{
    private readonly DistortionFunction function;

    /// <summary>For a kind of your own.</summary>
    /// <param name="name">The name people call it by.</param>
    /// <param name="family">The family of similar kinds, such as "blur".</param>
    /// <param name="description">What it does to an image.</param>
    /// <param name="unit">The meaning of an amount, in words. Samples are on [0, 1].</param>
    /// <param name="from">The amount next to strength 0.</param>
    /// <param name="to">The amount at strength 1.</param>
    /// <param name="isSeeded">Whether the seed matters.</param>
    /// <param name="function">Distorts samples in place.</param>
    public Distortion(string name, string family, string description, string unit, double from, double to,
        bool isSeeded, DistortionFunction function)
    {
        (Name, Family, Description, Unit, From, To, IsSeeded) = (name, family, description, unit, from, to, isSeeded);
        this.function = function;
    }

    /// <summary>
    /// Every kind that needs no encoder, in the order they are listed to people. The kinds that need one are
    /// in <c>Perceptual.Imaging.Codecs</c>.
    /// </summary>
    public static IReadOnlyList<Distortion> All { get; } =
    [
        new("lightness", "tone", "brighter or darker", "added to or taken off every sample", 0.01, 0.5, true,
            Tones.Lightness),
        new("colour-shift", "tone", "towards a random hue, the luma kept", "length of the shift in RGB", 0.02, 0.6,
            true, Tones.ColourShift),
        new("contrast", "tone", "more or less contrast, the mean luma kept", "factor or divisor", 1, 5, true,
            Tones.Contrast),
        new("saturation", "tone", "more or less colour, the luma kept", "factor or divisor", 1, 16, true,
            Tones.Saturation),
        new("quantisation", "tone", "few levels a channel", "levels", 128, 2, false, Tones.Quantisation),

        new("uniform-noise", "noise", "white noise, uniform", "largest deviation", 0.01, 0.6, true, Noises.Uniform),
        new("white-noise", "noise", "white noise, Gaussian", "standard deviation", 0.005, 0.4, true, Noises.White),
        new("pink-noise", "noise", "Gaussian noise whose power falls as 1 / frequency", "standard deviation", 0.005,
            0.4, true, Noises.Pink),
        new("blue-noise", "noise", "Gaussian noise whose power grows as the frequency", "standard deviation", 0.005,
            0.4, true, Noises.Blue),
        new("coloured-noise", "noise", "Gaussian noise of a random colour between violet and brown, power as "
            + "frequency^2 to frequency^-2", "standard deviation", 0.005, 0.4, true, Noises.Coloured),
        new("impulse-noise", "noise", "some pixels black or white", "part of the pixels", 0.001, 0.5, true,
            Noises.Impulse),
        new("checkerboard", "noise", "the pattern of strided deconvolutions, squares of 1, 2 or 4 pixels",
            "added to or taken off each square", 0.005, 0.4, true, Noises.Checkerboard),

        new("blur", "blur", "Gaussian blur", "standard deviation in pixels", 0.3, 8, false, Blurs.Gaussian),
        new("bilateral", "blur", "bilateral filter: smooths, edges kept",
            "standard deviation in pixels, of colours a tenth of it", 0.5, 5, false, Blurs.Bilateral),
        new("motion", "blur", "moved in a random direction", "length in pixels", 1.5, 40, true, Blurs.Motion),
        new("defocus", "blur", "a disc, as of a lens out of focus", "radius in pixels", 0.6, 10, false, Blurs.Defocus),
        new("median", "blur", "medians along rows, then along columns", "radius in pixels", 1, 10, false, Blurs.Median),
        new("sharpen", "blur", "unsharp mask of 1 pixel", "amount", 0.2, 12, false, Blurs.Sharpen),

        new("shift", "spatial", "moved by whole pixels in a random direction", "pixels", 1, 16, true, Warps.Shift),
        new("affine", "spatial", "a random affine map about the centre", "how far the corners go, of the shorter side",
            0.004, 0.2, true, Warps.Affine),
        new("homography", "spatial", "each corner moved somewhere", "how far at most, of the shorter side", 0.004, 0.2,
            true, Warps.Homography),
        new("linear-warp", "spatial", "nodes a quarter of the shorter side apart moved, linear between them",
            "how far at most, of the shorter side", 0.004, 0.12, true, Warps.Linear),
        new("cubic-warp", "spatial", "the same with cubic splines between the nodes",
            "how far at most, of the shorter side", 0.006, 0.2, true, Warps.Cubic),
        new("ghosting", "spatial", "a faint copy beside it, 3 to 15 % of the shorter side away", "opacity of the copy",
            0.04, 0.6, true, Warps.Ghosting),
        new("chromatic-aberration", "spatial", "red and blue moved in opposite directions", "pixels", 0.3, 8, true,
            Warps.ChromaticAberration),

        new("resample-nearest", "resampling", "shrunk and enlarged, nearest pixels", "factor", 1.1, 10, false,
            Resampling.By(ResizeFilter.Nearest)),
        new("resample-box", "resampling", "shrunk and enlarged, box filter", "factor", 1.1, 10, false,
            Resampling.By(ResizeFilter.Box)),
        new("resample-bilinear", "resampling", "shrunk and enlarged, bilinear filter", "factor", 1.1, 10, false,
            Resampling.By(ResizeFilter.Bilinear)),
        new("resample-bicubic", "resampling", "shrunk and enlarged, bicubic filter", "factor", 1.1, 10, false,
            Resampling.By(ResizeFilter.Bicubic)),
        new("resample-lanczos", "resampling", "shrunk and enlarged, Lanczos filter", "factor", 1.1, 10, false,
            Resampling.By(ResizeFilter.Lanczos)),

        new("dropout", "damage", "blocks of 8x8 pixels lost: black", "part of the blocks, at least one", 0.02, 0.6,
            true, Damage.Dropout),
        new("concealment", "damage", "blocks of 8x8 pixels lost and filled from elsewhere in the image",
            "part of the blocks, at least one", 0.02, 0.6, true, Damage.Concealment),
    ];

    /// <summary>The name people call it by, such as "blur".</summary>
    public string Name { get; }

    /// <summary>The family of similar kinds: tone, noise, blur, spatial, resampling, damage or compression.</summary>
    public string Family { get; }

    /// <summary>What it does to an image.</summary>
    public string Description { get; }

    /// <summary>The meaning of <see cref="Amount"/>, in words. Samples are on [0, 1].</summary>
    public string Unit { get; }

    /// <summary>The amount next to strength 0.</summary>
    public double From { get; }

    /// <summary>The amount at strength 1.</summary>
    public double To { get; }

    /// <summary>Whether the seed matters.</summary>
    public bool IsSeeded { get; }

    /// <summary>
    /// The amount of a strength, in <see cref="Unit"/>: <c>From * (To / From)^strength</c>, so that equal steps of
    /// strength are equal ratios.
    /// </summary>
    /// <param name="strength">On (0, 1].</param>
    public double Amount(double strength) => Exact.LogUniform(From, To, strength);

    /// <summary>The image, distorted; rounded to 8 bits once, at the end.</summary>
    /// <param name="image">An image of 8-bit samples, of any size.</param>
    /// <param name="strength">0 (the image itself) to 1 (gross).</param>
    /// <param name="seed">Decides the random choices.</param>
    /// <exception cref="ArgumentException">The samples are not of 8 bits, or there are too many of them.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The strength is not on [0, 1].</exception>
    public RgbImage Apply(RgbImage image, double strength, ulong seed = 0) =>
        new DistortionSequence([(this, strength)]).Apply(image, seed);

    /// <summary>Distorts samples in place, without making an image; for many images.</summary>
    /// <param name="samples">[3, height, width], RGB on [0, 1] before and after.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="strength">0 (no change) to 1 (gross).</param>
    /// <param name="seed">Decides the random choices.</param>
    /// <exception cref="ArgumentException">There are not 3 * width * height samples.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The strength is not on [0, 1].</exception>
    public void Apply(Span<float> samples, int width, int height, double strength, ulong seed)
    {
        CheckStrength(strength);
        var image = new Planes(samples, width, height);
        if (strength == 0)
            return;
        function(image, Amount(strength), seed);
        foreach (ref var sample in samples)
            sample = Math.Clamp(sample, 0, 1);
    }

    /// <summary>
    /// Distorts samples in place by an amount, which may lie beyond <see cref="From"/> and <see cref="To"/>.
    /// Nothing is clamped.
    /// </summary>
    /// <param name="image">Samples on [0, 1].</param>
    /// <param name="amount">In <see cref="Unit"/>.</param>
    /// <param name="seed">Decides the random choices.</param>
    public void ApplyAmount(Planes image, double amount, ulong seed = 0) => function(image, amount, seed);

    /// <exception cref="ArgumentOutOfRangeException">The strength is not on [0, 1].</exception>
    internal static void CheckStrength(double strength)
    {
        if (strength is not (>= 0 and <= 1)) // catches NaN too
            throw new ArgumentOutOfRangeException(nameof(strength), strength, "a strength must be on [0, 1]");
    }
}
