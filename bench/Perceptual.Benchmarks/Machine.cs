using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Perceptual.Benchmarks;

/// <summary>What the numbers were measured on.</summary>
internal static class Machine
{
    public static string Cpu
    {
        get
        {
            const string File = "/proc/cpuinfo";
            var model = System.IO.File.Exists(File)
                ? System.IO.File.ReadLines(File).FirstOrDefault(
                    line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim()
                : Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER");
            return $"{model ?? "unknown CPU"}, {RuntimeInformation.ProcessArchitecture}";
        }
    }

    /// <summary>
    /// Fused multiply-additions that all threads together reach in registers, two operations each: the best of five
    /// tries, in 1e9 operations a second.
    /// </summary>
    public static double PeakGflops(int threads)
    {
        Func<int, float> loop = Vector512.IsHardwareAccelerated
            ? Loop<Wide512>
            : Vector256.IsHardwareAccelerated ? Loop<Wide256> : Loop<Wide128>;
        var lanes = Vector512.IsHardwareAccelerated ? 16 : Vector256.IsHardwareAccelerated ? 8 : 4;
        const int Rounds = 20_000_000;
        loop(Rounds / 10);
        var best = Enumerable.Range(0, 5).Min(_ =>
        {
            var start = Stopwatch.GetTimestamp();
            var workers = Enumerable.Range(0, threads).Select(_ => new Thread(() => loop(Rounds))).ToList();
            workers.ForEach(worker => worker.Start());
            workers.ForEach(worker => worker.Join());
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        });
        return 2.0 * lanes * Chains * Rounds * threads / best / 1e9;
    }

    private const int Chains = 12; // independent sums, enough to hide the latency of two units

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Loop<T>(int rounds) where T : struct, IWide<T>
    {
        T a = T.Of(1), b = T.Of(2), c = T.Of(3), d = T.Of(4), e = T.Of(5), f = T.Of(6), g = T.Of(7), h = T.Of(8),
            i = T.Of(9), j = T.Of(10), k = T.Of(11), l = T.Of(12);
        T x = T.Of(0.999f), y = T.Of(0.001f);
        for (var round = 0; round < rounds; round++)
        {
            a = T.Fma(a, x, y);
            b = T.Fma(b, x, y);
            c = T.Fma(c, x, y);
            d = T.Fma(d, x, y);
            e = T.Fma(e, x, y);
            f = T.Fma(f, x, y);
            g = T.Fma(g, x, y);
            h = T.Fma(h, x, y);
            i = T.Fma(i, x, y);
            j = T.Fma(j, x, y);
            k = T.Fma(k, x, y);
            l = T.Fma(l, x, y);
        }
        // else they would not be computed
        return a.Sum + b.Sum + c.Sum + d.Sum + e.Sum + f.Sum + g.Sum + h.Sum + i.Sum + j.Sum + k.Sum + l.Sum;
    }

    private interface IWide<T>
    {
        float Sum { get; }

        static abstract T Of(float value);

        static abstract T Fma(T a, T b, T c);
    }

    private readonly record struct Wide512(Vector512<float> V) : IWide<Wide512>
    {
        public float Sum => Vector512.Sum(V);

        public static Wide512 Of(float value) => new(Vector512.Create(value));

        public static Wide512 Fma(Wide512 a, Wide512 b, Wide512 c) => new(Vector512.MultiplyAddEstimate(a.V, b.V, c.V));
    }

    private readonly record struct Wide256(Vector256<float> V) : IWide<Wide256>
    {
        public float Sum => Vector256.Sum(V);

        public static Wide256 Of(float value) => new(Vector256.Create(value));

        public static Wide256 Fma(Wide256 a, Wide256 b, Wide256 c) => new(Vector256.MultiplyAddEstimate(a.V, b.V, c.V));
    }

    private readonly record struct Wide128(Vector128<float> V) : IWide<Wide128>
    {
        public float Sum => Vector128.Sum(V);

        public static Wide128 Of(float value) => new(Vector128.Create(value));

        public static Wide128 Fma(Wide128 a, Wide128 b, Wide128 c) => new(Vector128.MultiplyAddEstimate(a.V, b.V, c.V));
    }
}
