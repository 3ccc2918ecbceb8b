using BenchmarkDotNet.Attributes;

namespace Perceptual.Benchmarks;

/// <summary>Whole distances and their parts, with random weights.</summary>
[MemoryDiagnoser]
public class LpipsBenchmarks
{
    private Lpips lpips = null!;
    private RgbImage reference = null!, distorted = null!;
    private LpipsFeatures referenceFeatures = null!, distortedFeatures = null!;

    [ParamsSource(nameof(Nets))]
    public string Net { get; set; } = "";

    [Params(64, 256)]
    public int Side { get; set; }

    public static IEnumerable<string> Nets => Network.All.Select(network => network.Name);

    [GlobalSetup]
    public void Setup()
    {
        lpips = Lpips.Load(Network.All.Single(network => network.Name == Net), new() { RandomSeed = 1 });
        (reference, distorted) = (Case.Image(Side, Side, 1), Case.Image(Side, Side, 2));
        (referenceFeatures, distortedFeatures) = (lpips.Extract(reference), lpips.Extract(distorted));
    }

    [Benchmark]
    public double Distance() => lpips.Distance(reference, distorted);

    [Benchmark]
    public LpipsFeatures Extract() => lpips.Extract(reference);

    [Benchmark]
    public double DistanceOfFeatures() => lpips.Distance(referenceFeatures, distortedFeatures);
}
