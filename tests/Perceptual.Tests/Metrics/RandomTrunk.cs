using System.Collections.Concurrent;

namespace Perceptual.Tests.Metrics;

/// <summary>The networks with weights from the seed 7, made once: of VGG there are 15 million.</summary>
internal static class RandomTrunk
{
    public const ulong Seed = 7;

    private static readonly ConcurrentDictionary<string, Lazy<TrunkWeights>> Made = new();

    public static TrunkWeights Of(Network network) =>
        Made.GetOrAdd(network.Name, _ => new(() => TrunkWeights.Random(network, Seed))).Value;
}
