using System.Runtime.InteropServices;

namespace Perceptual.Native;

/// <summary><c>perceptual_options</c>: which LPIPS to load.</summary>
// Safe: texts are read up to the zero byte that C ends them with, which the caller must have written.
[StructLayout(LayoutKind.Sequential)]
internal readonly unsafe struct CallerOptions
{
    private readonly byte* net, version, weights, trunk, lin;
    private readonly int baseline, random;
    private readonly ulong seed;
    private readonly int threads;

    public Lpips Load()
    {
        OpenSsl.Require();
        var file = Text(weights, "weights");
        var isFile = File.Exists(file);
        using var progress = new CallerProgress();
        return Lpips.Load(Network(Text(net, "net")), new()
        {
            Version = Text(version, "version") switch
            {
                null or "0.1" => LpipsVersion.V01,
                "0.0" => LpipsVersion.V00,
                var other => throw new ArgumentException(
                    $"there is no version {other} of LPIPS; there are 0.1 and 0.0"),
            },
            ModelFile = isFile ? file : null,
            Store = file is null || isFile ? null : new WeightStore(file, progress: progress),
            Progress = progress,
            TrunkFile = Text(trunk, "trunk"),
            LinFile = Text(lin, "lin"),
            Baseline = baseline != 0,
            RandomSeed = random != 0 ? seed : null,
            Threads = ThreadsOf(threads),
        }, progress.Stop);
    }

    public static int ThreadsOf(int threads) => threads == 0 ? Environment.ProcessorCount : threads;

    /// <exception cref="ArgumentException">It is not UTF-8, or empty.</exception>
    public static string? Text(byte* text, string name)
    {
        if (text is null)
            return null;
        var decoded = Marshal.PtrToStringUTF8((nint)text)!;
        return decoded.Length > 0 && !decoded.Contains('�') ? decoded
            : throw new ArgumentException($"{name} is empty or no UTF-8; for the default give a null pointer");
    }

    private static Network? Network(string? name) => name is null ? null
        : Perceptual.Network.All.FirstOrDefault(network => network.Name == name)
            ?? throw new ArgumentException($"there is no network {name}; there are "
                + string.Join(", ", Perceptual.Network.All.Select(network => network.Name)));
}
