namespace Perceptual;

/// <summary>Which LPIPS to load, where its weights are and how many threads it may use.</summary>
public sealed record LpipsOptions
{
    /// <summary>
    /// Which published lin weights and input scaling; by default 0.1. The built-in weights of lite exist for 0.1 only.
    /// </summary>
    public LpipsVersion Version { get; init; } = LpipsVersion.V01;

    /// <summary>
    /// Whether to use no lin weights, so that every channel counts the same. Published results call this the baseline.
    /// </summary>
    public bool Baseline { get; init; }

    /// <summary>
    /// The seed of a random trunk (Gaussian weights, the paper's "Net (Random)"), or null for the trained one. A random
    /// trunk has no published lin weights, so it is a baseline unless <see cref="LinFile"/> is given. It needs no file.
    /// </summary>
    public ulong? RandomSeed { get; init; }

    /// <summary>A file with trunk weights of your own (torch or safetensors) in place of the published ones.</summary>
    public string? TrunkFile { get; init; }

    /// <summary>A file with lin weights of your own (torch or safetensors) in place of the published ones.</summary>
    public string? LinFile { get; init; }

    /// <summary>
    /// A file with a whole model, as training writes it (torch or safetensors): trunk and lin weights in place of the
    /// published ones. Where no network is named, the file names it.
    /// </summary>
    public string? ModelFile { get; init; }

    /// <summary>
    /// Where published weights are looked for and stored; by default the folder that
    /// <see cref="WeightStore"/> describes.
    /// </summary>
    public WeightStore? Store { get; init; }

    /// <summary>
    /// Receives the progress of downloads; a store given in <see cref="Store"/> reports to its own instead.
    /// </summary>
    public IProgress<DownloadProgress>? Progress { get; init; }

    /// <summary>
    /// How many threads one call may use; by default one for each processor. The result does not depend on it.
    /// </summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    internal long BandMemory { get; init; } = Trunk.DefaultBandMemory;
}
