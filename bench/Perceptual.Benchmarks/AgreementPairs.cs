using Perceptual.Cli;

namespace Perceptual.Benchmarks;

/// <summary>A crop and a version of it, and how far apart they are. Pairs 2i and 2i + 1 are of the same crop.</summary>
/// <param name="Photograph">The photograph of the crop.</param>
/// <param name="Strength">That of the distortion; NaN where it is not one alone.</param>
/// <param name="Teacher">The teacher's distance.</param>
/// <param name="Student">The student's.</param>
/// <param name="Psnr">The PSNR turned so that larger is further apart: its negative.</param>
/// <param name="Ssim">The same of SSIM.</param>
internal readonly record struct AgreementPair(
    int Photograph, double Strength, double Teacher, double Student, double Psnr, double Ssim);

/// <summary>Makes a version of a crop of a photograph, and says at what strength.</summary>
internal delegate (RgbImage Image, double Strength) VersionMaker(RgbImage crop, int photograph, ref SplitMix64 random);

/// <summary>
/// Pairs of crops of photographs and distorted versions of them, measured by the teacher, the student, PSNR and SSIM.
/// What is random is drawn for each crop from a stream of its own: the same seed gives the same pairs for any number of
/// threads.
/// </summary>
internal sealed class AgreementPairs(RgbImage[] photographs, Lpips teacher, Lpips student, ulong seed, int threads)
{
    private const int LargestShrinking = 4; // scales 1 to .25

    private readonly Lpips[] networks = [teacher.WithThreads(1), student.WithThreads(1)];
    private readonly Metric[] classic = [.. Metric.Load(["psnr", "ssim"]).Select(metric => metric.WithThreads(1))];

    /// <summary>One to three kinds of random strengths, drawn as distillation draws them.</summary>
    public AgreementPair[] Mixed(int size, int crops, IReadOnlyList<Distortion> kinds) =>
        Measure(size, crops, 0, (RgbImage crop, int _, ref SplitMix64 random) =>
            (DistillationImages.DrawDistortions(kinds, ref random).Apply(crop, random.Next()), double.NaN));

    /// <summary>A crop of another photograph in place of a version.</summary>
    public AgreementPair[] OtherPictures(
        int size, int crops) => Measure(size, crops, 1, (RgbImage _, int photograph, ref SplitMix64 random) =>
        (Crop(photographs[(photograph + 1 + random.Next(photographs.Length - 1)) % photographs.Length], size,
            ref random), double.NaN));

    /// <summary>One kind, strength uniform on (0, 1].</summary>
    public AgreementPair[] Alone(int size, int crops, Distortion kind) =>
        Measure(size, crops, 2 + (ulong)DistortCommand.Kinds.ToList().IndexOf(kind),
            (RgbImage crop, int _, ref SplitMix64 random) =>
        {
            var strength = (1 + random.Next(1000)) / 1000.0;
            return (kind.Apply(crop, strength, random.Next()), strength);
        });

    private AgreementPair[] Measure(int size, int crops, ulong stream, VersionMaker make)
    {
        var setSeed = SplitMix64.Stream(SplitMix64.Stream(seed, (ulong)size).Next(), stream).Next();
        var pairs = new AgreementPair[2 * crops];
        var together = Math.Clamp(256 * 256 / (size * size), 1, 8); // through the networks side by side
        ParallelLoop.Run((crops + together - 1) / together, threads, batch =>
        {
            var (first, count) = (batch * together, Math.Min(together, crops - batch * together));
            var images = new RgbImage[3 * count]; // a crop and its two versions, and so on
            var strengths = new double[images.Length];
            for (var i = 0; i < images.Length; i += 3)
            {
                var random = SplitMix64.Stream(setSeed, (ulong)(first + i / 3));
                var photograph = (first + i / 3) % photographs.Length;
                images[i] = Crop(photographs[photograph], size, ref random);
                for (var version = i + 1; version < i + 3; version++)
                    (images[version], strengths[version]) = make(images[i], photograph, ref random);
            }
            var features = Array.ConvertAll(networks, network => network.Extract(images));
            for (var i = 0; i < 2 * count; i++)
            {
                var (crop, version) = (i / 2 * 3, i / 2 * 3 + 1 + i % 2);
                var distances = networks.Zip(features,
                    (network, of) => network.Distance(of[crop], of[version])).ToArray();
                var values = Array.ConvertAll(classic,
                    metric => metric.Info.Distance(metric.Measure(images[crop], images[version])));
                pairs[2 * first + i] = new((first + i / 2) % photographs.Length, strengths[version], distances[0],
                    distances[1], values[0], values[1]);
            }
        });
        return pairs;
    }

    // A random square of the photograph at a scale of 1 to .25, as far as it is large enough; equal ratios of scales
    // are as likely.
    private static RgbImage Crop(RgbImage photograph, int size, ref SplitMix64 random)
    {
        var largest = Math.Min(LargestShrinking * size, Math.Min(photograph.Width, photograph.Height));
        var side = (int)(Exact.LogUniform(size, largest, random.NextUnit()) + 0.5);
        var patch = DistortCommand.Patch(photograph, random.Next(photograph.Width - side + 1),
            random.Next(photograph.Height - side + 1), side);
        return patch.Resize(size, size, ResizeFilter.Bilinear);
    }
}
