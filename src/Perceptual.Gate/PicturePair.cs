using System.Numerics;

namespace Perceptual.Gate;

/// <summary>Two pictures of one size, where their pixels differ, and what metrics have said of them.</summary>
internal sealed class PicturePair
{
    private readonly RgbImage reference;
    private readonly RgbImage distorted;
    private readonly IReadOnlyList<(int X, int Y, int Width, int Height)> ignored;
    private readonly Dictionary<string, (double Value, DistanceMap? Map)> measured = [];
    private readonly Dictionary<(string, (int, int, int, int)), DistanceMap> parts = [];

    /// <param name="reference">The reference.</param>
    /// <param name="distorted">The other picture, in which ignored areas are those of the reference.</param>
    /// <param name="ignored">The areas.</param>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public PicturePair(
        RgbImage reference, RgbImage distorted, IReadOnlyList<(int X, int Y, int Width, int Height)> ignored)
    {
        if ((reference.Width, reference.Height) != (distorted.Width, distorted.Height))
            throw new ArgumentException($"the other picture is {distorted} but the reference is {reference}");
        (this.reference, this.distorted, this.ignored) = (reference, distorted, ignored);
        Changed = FindChanged();
    }

    public int Width => reference.Width;

    public int Height => reference.Height;

    /// <summary>The smallest area with all pixels that differ; null if none does.</summary>
    public (int X, int Y, int Width, int Height)? Changed { get; }

    /// <summary>The changed area and so many pixels around it, as far as the picture goes; there must be one.</summary>
    public (int X, int Y, int Width, int Height) Around(int margin)
    {
        var (x, y, width, height) = Changed!.Value;
        var (left, top) = (Math.Max(0, x - margin), Math.Max(0, y - margin));
        return (left, top, Math.Min(Width, x + width + margin) - left, Math.Min(Height, y + height + margin) - top);
    }

    /// <summary>Reads a row of a channel of both pictures, as whole numbers from 0 to 65535.</summary>
    public void ReadLevels(int channel, int y, Span<int> ofReference, Span<int> ofDistorted, Span<float> scratch)
    {
        Read(reference, channel, y, scratch, ofReference);
        Read(distorted, channel, y, scratch, ofDistorted);
    }

    /// <summary>The value of a metric for the whole pictures, and its map if it has one; computed once.</summary>
    public (double Value, DistanceMap? Map) Measure(Metric metric, CancellationToken cancellation)
    {
        if (!measured.TryGetValue(metric.Info.Name, out var known))
            measured[metric.Info.Name] = known = metric.Info.HasMap
                ? metric.MeasureAndMap(reference.OpenRows(), distorted.OpenRows(), cancellation)
                : (metric.Measure(reference, distorted, cancellation), null);
        return known;
    }

    /// <summary>The map of a metric for a part of the pictures, pooled. The place is one in the whole.</summary>
    public MetricValue Pool(
        Metric metric, string pooling, (int X, int Y, int Width, int Height) part, CancellationToken cancellation)
    {
        var map = MapOf(metric, part, cancellation);
        var (value, place) = map.Pool(
            pooling, [.. ignored.Select(area => area with { X = area.X - part.X, Y = area.Y - part.Y })]);
        return new(value)
        {
            Place = place is { } at ? at with { X = at.X + part.X, Y = at.Y + part.Y } : null,
        };
    }

    private DistanceMap MapOf(
        Metric metric, (int X, int Y, int Width, int Height) part, CancellationToken cancellation)
    {
        if ((part.Width, part.Height) == (Width, Height))
            return Measure(metric, cancellation).Map!;
        var key = (metric.Info.Name, part);
        return parts.TryGetValue(key, out var known) ? known : parts[key] = metric.MeasureAndMap(
            new Part(reference, part), new Part(distorted, part), cancellation).Map;
    }

    private (int, int, int, int)? FindChanged()
    {
        var (left, right, top, bottom) = (Width, -1, Height, -1);
        var (a, b, scratch) = (new int[Width], new int[Width], new float[Width]);
        for (var y = 0; y < Height; y++)
            for (var channel = 0; channel < 3; channel++)
            {
                ReadLevels(channel, y, a, b, scratch);
                var same = a.AsSpan().CommonPrefixLength(b);
                if (same == Width)
                    continue;
                var last = Width - 1;
                while (a[last] == b[last])
                    last--;
                (left, right) = (Math.Min(left, same), Math.Max(right, last));
                (top, bottom) = (Math.Min(top, y), y);
            }
        return right < 0 ? null : (left, top, right - left + 1, bottom - top + 1);
    }

    private static void Read(RgbImage image, int channel, int y, Span<float> scratch, Span<int> levels)
    {
        image.CopyStoredRow(channel, y, scratch);
        var (minimum, factor) = (image.Range.Minimum, 65535 / (image.Range.Maximum - image.Range.Minimum));
        var x = 0;
        if (minimum == 0 && factor == (int)factor)
            for (; x <= levels.Length - Vector<int>.Count; x += Vector<int>.Count)
                (Vector.ConvertToInt32(new Vector<float>(scratch[x..])) * (int)factor).CopyTo(levels[x..]);
        for (; x < levels.Length; x++)
            levels[x] = (int)Math.Round((scratch[x] - minimum) * factor);
    }

    /// <summary>The rows of a part of a picture.</summary>
    private sealed class Part(RgbImage image, (int X, int Y, int Width, int Height) part)
        : RgbRowReader(part.Width, part.Height, image.Range)
    {
        private readonly float[] row = new float[image.Width];

        protected override void ReadStoredRow(int y, Span<float> red, Span<float> green, Span<float> blue)
        {
            Read(0, red);
            Read(1, green);
            Read(2, blue);

            void Read(int channel, Span<float> to)
            {
                image.CopyStoredRow(channel, part.Y + y, row);
                row.AsSpan(part.X, part.Width).CopyTo(to);
            }
        }
    }
}
