namespace Perceptual.Gate;

/// <summary>Which share of planted defects of a kind a gate finds.</summary>
/// <param name="Defect">The kind, such as "shift of 1 px".</param>
/// <param name="Found">How many were found.</param>
/// <param name="Planted">How many were planted, each on another picture.</param>
public sealed record GatePower(string Defect, int Found, int Planted)
{
    private const int MostPictures = 60;

    /// <summary>The share.</summary>
    public double Share => Planted == 0 ? 0 : Found / (double)Planted;

    /// <summary>Wilson's 95 % interval of the share.</summary>
    public (double Low, double High) Interval
    {
        get
        {
            const double Z = 1.959963984540054;
            if (Planted == 0)
                return (0, 1);
            var n = (double)Planted;
            var middle = (Share + Z * Z / (2 * n)) / (1 + Z * Z / n);
            var half = Z / (1 + Z * Z / n) * Math.Sqrt(Share * (1 - Share) / n + Z * Z / (4 * n * n));
            return (Math.Max(0, middle - half), Math.Min(1, middle + half));
        }
    }

    /// <summary>
    /// Plants each kind of defect on pictures of the second run, at most one of a kind on a picture and on at most 60
    /// pictures, and compares with the first run. So the noise of the program is in them too.
    /// </summary>
    /// <param name="gate">The gate.</param>
    /// <param name="baseline">The folder of the first run.</param>
    /// <param name="run">The folder of the second.</param>
    /// <param name="options">How to read files; the defaults of <see cref="ImageReadOptions"/> if null.</param>
    /// <param name="threads">How many pictures are worked on at a time; one for each processor if null.</param>
    /// <param name="step">Is called after each picture, from several threads.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>A share for each kind. Pictures in which no place for a defect was found do not count.</returns>
    /// <inheritdoc cref="ImageFile.Read(string, ImageReadOptions?)" path="/exception"/>
    public static IReadOnlyList<GatePower> Measure(
        VisualGate gate, string baseline, string run, ImageReadOptions? options = null, int? threads = null,
        Action? step = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(gate);
        var names = Pictures(PictureFolder.Names(run));
        var found = ParallelLoop.InOrder(names.Index(), threads ?? Environment.ProcessorCount, picture =>
        {
            var reference = ImageFile.Read(PictureFolder.PathOf(baseline, picture.Item), options);
            var actual = ImageFile.Read(PictureFolder.PathOf(run, picture.Item), options);
            var results = PlantedDefect.All.Select((defect, k) =>
                defect.In(actual, seed: (ulong)(picture.Index * PlantedDefect.All.Count + k)) is not { } planted
                    ? (bool?)null
                    : gate.Compare(picture.Item, reference, planted, cancellation).Outcome == GateOutcome.Changed)
                .ToArray();
            step?.Invoke();
            return results;
        }, cancellation: cancellation).ToArray();
        return
        [
            .. PlantedDefect.All.Select((defect, k) => new GatePower(
                defect.Name, found.Count(picture => picture[k] == true), found.Count(picture => picture[k] != null))),
        ];
    }

    /// <summary>How many pictures are looked at of so many.</summary>
    public static int PicturesOf(int count) => Math.Min(count, MostPictures);

    // Some from everywhere.
    private static string[] Pictures(IReadOnlyList<string> names) =>
        [.. Enumerable.Range(0, PicturesOf(names.Count)).Select(
            i => names[(int)((long)i * names.Count / PicturesOf(names.Count))])];
}
