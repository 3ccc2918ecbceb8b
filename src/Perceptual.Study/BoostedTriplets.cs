namespace Perceptual.Study;

/// <summary>
/// Boosted triplet comparison of ISO/IEC 29170-3: which of two versions flickers more against the original, with what
/// differs doubled, the images enlarged twice, and ten changes a second.
/// </summary>
internal sealed class BoostedTriplets : Method
{
    private const int Zoom = 2;
    private const float Amplification = 2;

    public override string Name => "btc";

    public override string Description => "two versions, enlarged, amplified and flickering: which flickers more?";

    public override string Question => "Which one flickers more?";

    public override IReadOnlyList<string> Instructions =>
    [
        "You will see two images side by side. Each changes ten times a second between an original and a version of "
            + "it, so that what differs flickers.",
        "Choose the one that flickers more. If you cannot tell, choose “Not sure”.",
    ];

    public override IReadOnlyList<string> Answers => ["p0", "p1", "notsure"];

    public override IReadOnlyList<string> Choices => ["left", "right", "notsure"];

    public override bool IsMade => true;

    public override string? Warning => "The images of this study flicker ten times a second. If you, or anyone in your "
        + "family, ever had an epileptic seizure, or if flickering light makes you unwell, do not take part. Stop at "
        + "once if you feel dizzy or unwell.";

    public override bool HasTraps => true;

    public override IEnumerable<Item> Sentinels(string reference, string gross) =>
        [new(reference, gross, reference, "p0"), new(reference, reference, gross, "p1")];

    /// <summary>What differs from the reference, doubled; then both twice as large, by Lanczos.</summary>
    public override RgbImage Made(RgbImage image, RgbImage reference)
    {
        var (width, height) = (image.Width, image.Height);
        var pixels = new byte[3 * width * height];
        var (row, original) = (new float[width], new float[width]);
        for (var y = 0; y < height; y++)
            for (var channel = 0; channel < 3; channel++)
            {
                image.CopyRow(channel, y, row); // in [-1, 1]
                reference.CopyRow(channel, y, original);
                for (var x = 0; x < width; x++)
                    pixels[3 * (y * width + x) + channel] = (byte)MathF.Round(127.5f
                        * (1 + Math.Clamp(original[x] + Amplification * (row[x] - original[x]), -1, 1)));
            }
        return RgbImage.FromInterleaved(pixels, width, height)
            .Resize(Zoom * width, Zoom * height, ResizeFilter.Lanczos);
    }

    public override void Export(string folder, Definition definition, IReadOnlyList<Answer> answers) =>
        AnswerFiles.WriteTripletComparisons(folder, definition, answers);
}
