using System.Runtime.InteropServices;
using System.Text.Unicode;

namespace Perceptual.Native;

/// <summary>The functions that border.c calls; perceptual.h says what they do.</summary>
// Safe: a pointer of the caller is read or written only if it is not null, and for as many values as the caller says
// that it has; a number of values that is not what is written is refused.
internal static unsafe class Exports
{
    private const int MessageLength = 1024; // also in border.c

    [UnmanagedCallersOnly(EntryPoint = "managed_vectors")]
    public static int Vectors(byte* message, byte* text, long length) =>
        Run(message, () => WriteAll(Metric.VectorLevel, text, length));

    [UnmanagedCallersOnly(EntryPoint = "managed_metric_names")]
    public static int MetricNames(byte* message, byte* text, long length) =>
        Run(message, () => WriteAll(string.Concat(
            Metric.All.Where(info => !info.ComparesLinearLight).Select(info => info.Name + "\n")), text, length));

    [UnmanagedCallersOnly(EntryPoint = "managed_load")]
    public static int Load(byte* message, CallerOptions* options, ulong* model) => Run(message, () =>
    {
        NotNull(model, "model");
        *model = Handles.Add((options is null ? default : *options).Load());
    });

    [UnmanagedCallersOnly(EntryPoint = "managed_metric")]
    public static int LoadMetric(byte* message, byte* name, int threads, ulong* model) => Run(message, () =>
    {
        NotNull(name, "name");
        NotNull(model, "model");
        var text = CallerOptions.Text(name, "name")!;
        if (text.Contains("lpips", StringComparison.OrdinalIgnoreCase))
            OpenSsl.Require();
        using var progress = new CallerProgress();
        var store = Metric.NeedsStore(text) ? new WeightStore(progress: progress) : null;
        var metric = Metric.Load([text], store, cancellation: progress.Stop)[0];
        *model = Handles.Add(metric.WithThreads(CallerOptions.ThreadsOf(threads)));
    });

    [UnmanagedCallersOnly(EntryPoint = "managed_on_download")]
    public static int OnDownload(
        byte* message, delegate* unmanaged[Cdecl]<void*, byte*, long, long, int> progress, void* context) =>
        Run(message, () => CallerProgress.Set(progress, context));

    [UnmanagedCallersOnly(EntryPoint = "managed_describe")]
    public static int Describe(byte* message, ulong model, CallerInfo* info) => Run(message, () =>
    {
        var metric = Model(model);
        NotNull(info, "info");
        *info = new(metric.LayerCount, metric.Info.MinimumSide, metric.Info.LargerIsCloser ? 1 : 0,
            metric.Info.HasMap ? 1 : 0, metric is Lpips ? 1 : 0, metric.Threads);
    });

    [UnmanagedCallersOnly(EntryPoint = "managed_free")]
    public static int Free(byte* message, ulong handle) => Run(message, () => Handles.Free(handle));

    [UnmanagedCallersOnly(EntryPoint = "managed_batch")]
    public static int Batch(byte* message, ulong model, CallerImage* references, CallerImage* distorted, long count,
        double* values, double* layers, long layerCount) => Run(message, () =>
    {
        const int MostPairs = 1 << 20;
        var metric = Model(model);
        NotNull(references, "the reference");
        NotNull(distorted, "the distorted image");
        NotNull(values, "the value");
        if (count is < 1 or > MostPairs)
            throw new ArgumentException($"a batch has from 1 to {MostPairs} pairs, not {count}");
        CheckLayers(metric, layers, layerCount, count);
        var results = Measured(metric, references, distorted, (int)count);
        for (var i = 0; i < results.Count; i++)
        {
            values[i] = results[i].Distance;
            if (layers is not null)
                Copy(results[i].Layers, layers + i * metric.LayerCount);
        }
    });

    [UnmanagedCallersOnly(EntryPoint = "managed_map")]
    public static int Map(byte* message, ulong model, CallerImage* reference, CallerImage* distorted, float* map,
        long length, double* value) => Run(message, () =>
    {
        var metric = Model(model);
        NotNull(map, "the map");
        var (a, b) = Pair(reference, distorted);
        CheckLength(length, (long)a.Width * a.Height, "a map");
        var (measured, differences) = metric.MeasureAndMap(a.OpenRows(), b.OpenRows());
        for (var y = 0; y < a.Height; y++)
            differences.CopyRow(y, new(map + (long)y * a.Width, a.Width));
        if (value is not null)
            *value = measured;
    });

    [UnmanagedCallersOnly(EntryPoint = "managed_extract")]
    public static int Extract(byte* message, ulong model, CallerImage* image, ulong* features) => Run(message, () =>
    {
        var metric = Model(model);
        NotNull(image, "the image");
        NotNull(features, "features");
        *features = Handles.Add(metric.Prepare(image->Copy("the image")));
    });

    [UnmanagedCallersOnly(EntryPoint = "managed_features_size")]
    public static int FeaturesSize(byte* message, ulong features, int layer, int* channels, int* height, int* width) =>
        Run(message, () =>
    {
        var size = Activations(features, layer).Sizes[layer];
        NotNull(channels, "channels");
        NotNull(height, "height");
        NotNull(width, "width");
        (*channels, *height, *width) = size;
    });

    [UnmanagedCallersOnly(EntryPoint = "managed_features_copy")]
    public static int FeaturesCopy(byte* message, ulong features, int layer, float* values, long length) =>
        Run(message, () =>
    {
        var activations = Activations(features, layer);
        NotNull(values, "values");
        var (channels, height, width) = activations.Sizes[layer];
        CheckLength(length, (long)channels * height * width, $"layer {layer}");
        activations.ToArray(layer).CopyTo(new Span<float>(values, checked((int)length)));
    });

    [UnmanagedCallersOnly(EntryPoint = "managed_compare")]
    public static int Compare(byte* message, ulong model, ulong reference, ulong distorted, double* value,
        double* layers, long layerCount) => Run(message, () =>
    {
        var metric = Model(model);
        var a = Handles.Get<PreparedImage>(reference, "the reference");
        var b = Handles.Get<PreparedImage>(distorted, "the distorted image");
        NotNull(value, "the value");
        CheckLayers(metric, layers, layerCount, 1);
        if (metric is Lpips lpips && (a, b) is (LpipsFeatures first, LpipsFeatures second))
        {
            var result = lpips.Compare(first, second);
            if (layers is not null)
                Copy(result.Layers, layers);
            *value = result.Distance;
        }
        else
            *value = metric.Compare(a, b);
    });

    [UnmanagedCallersOnly(EntryPoint = "managed_gradient")]
    public static int Gradient(byte* message, ulong model, CallerImage* reference, CallerImage* image, float* gradient,
        long length, double* value) => Run(message, () =>
    {
        var lpips = Model(model) as Lpips ?? throw new NotSupportedException("only LPIPS has a gradient");
        NotNull(gradient, "the gradient");
        var (a, b) = Pair(reference, image);
        CheckLength(length, 3L * b.Width * b.Height, "a gradient");
        if (length > int.MaxValue)
            throw new ArgumentException($"an image of {b} is too large for a gradient");
        var distance = lpips.DistanceAndGradient(a, b, new Span<float>(gradient, (int)length));
        if (value is not null)
            *value = distance;
    });

    // Images are copied some at a time, so that a large batch does not take its memory twice.
    private static List<LpipsResult> Measured(
        Metric metric, CallerImage* references, CallerImage* distorted, int count)
    {
        const long PixelsAtOnce = 1 << 24;
        var results = new List<LpipsResult>(count);
        while (results.Count < count)
        {
            var pairs = new List<(RgbImage, RgbImage)>();
            for (var pixels = 0L; pixels < PixelsAtOnce && results.Count + pairs.Count < count;)
            {
                var i = results.Count + pairs.Count;
                pixels += references[i].Pixels;
                pairs.Add(Pair(references + i, distorted + i, count > 1 ? $" of pair {i}" : ""));
            }
            results.AddRange(metric is Lpips lpips
                ? lpips.Compare(pairs)
                : pairs.Select(pair => new LpipsResult(metric.Measure(pair.Item1, pair.Item2), [])));
        }
        return results;
    }

    private static (RgbImage Reference, RgbImage Distorted) Pair(
        CallerImage* reference, CallerImage* distorted, string which = "")
    {
        NotNull(reference, "the reference");
        NotNull(distorted, "the distorted image");
        var (a, b) = (reference->Copy($"the reference{which}"), distorted->Copy($"the distorted image{which}"));
        return (a.Width, a.Height) == (b.Width, b.Height) ? (a, b)
            : throw new ArgumentException($"the distorted image{which} is {b.Width}x{b.Height} but the reference is "
                + $"{a.Width}x{a.Height}");
    }

    private static LpipsFeatures Activations(ulong features, int layer)
    {
        var found = Handles.Get<PreparedImage>(features, "features") as LpipsFeatures
            ?? throw new NotSupportedException("only features of LPIPS are activations");
        return layer >= 0 && layer < found.Sizes.Count ? found
            : throw new ArgumentException($"there is no layer {layer}: layers are 0 to {found.Sizes.Count - 1}");
    }

    private static Metric Model(ulong model) => Handles.Get<Metric>(model, "the model");

    private static void CheckLayers(Metric metric, double* layers, long layerCount, long pairs)
    {
        if (layers is null && layerCount == 0)
            return;
        NotNull(layers, "layers");
        if (metric.LayerCount == 0)
            throw new NotSupportedException($"{metric.Info.Name} has no layers");
        CheckLength(layerCount, pairs * metric.LayerCount, "layers");
    }

    private static void CheckLength(long length, long needed, string name)
    {
        if (length != needed)
            throw new ArgumentException(
                $"there is room for {length} values, but {name} of these images needs {needed}");
    }

    private static void NotNull(void* pointer, string name)
    {
        if (pointer is null)
            throw new ArgumentException($"the pointer to {name} is null");
    }

    private static void Copy(IReadOnlyList<double> from, double* to)
    {
        for (var i = 0; i < from.Count; i++)
            to[i] = from[i];
    }

    private static int Run(byte* message, Action work)
    {
        try
        {
            work();
            return (int)Status.Ok;
        }
#pragma warning disable CA1031 // none may cross the border
        catch (Exception e)
        {
            var (status, text) = Failure.Of(e);
            Write(text, new(message, MessageLength));
            return (int)status;
        }
#pragma warning restore CA1031
    }

    private static void WriteAll(string text, byte* to, long length)
    {
        NotNull(to, "text");
        if (length <= text.Length)
            throw new ArgumentException($"{length} bytes are too few for a text of {text.Length} and a zero byte");
        Write(text, new(to, (int)length));
    }

    // As much as there is room for, in whole characters, and a zero byte.
    private static void Write(string text, Span<byte> to)
    {
        Utf8.FromUtf16(text, to[..^1], out _, out var written);
        to[written] = 0;
    }
}

/// <summary><c>perceptual_info</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct CallerInfo(
    int Layers, int MinimumSide, int LargerIsCloser, int HasMap, int HasGradient, int Threads);
