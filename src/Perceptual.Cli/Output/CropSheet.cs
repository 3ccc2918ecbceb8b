using SkiaSharp;

namespace Perceptual.Cli;

/// <summary>An image of a figure sheet.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Crops">Its crops.</param>
/// <param name="Values">What each metric says of it; none for the reference.</param>
internal sealed record SheetImage(string Name, Raster[] Crops, IReadOnlyList<double> Values);

/// <summary>
/// The figure of papers on restoration: the reference with frames where the crops are, and beside it the crops of all
/// images, magnified, a row for each crop and a column for each image, with values below; the best are bold.
/// </summary>
internal sealed class CropSheet
{
    /// <summary>How many images and crops there is room for, and how long a side of a crop may be.</summary>
    public const int MostImages = 8, MostCrops = 6, LongestSide = 512;

    /// <summary>Pixels of the longer side of the reference, which is reduced to it.</summary>
    public const int LongestOverview = 1600;

    private const float Gap = 5;
    private const float OverviewShare = 0.28f; // of the width
    private const float TallestCrop = 1.5f; // of the width of a column
    private const float LeastPixels = 3; // of a unit in a PNG

    private readonly Raster overview;
    private readonly (int Width, int Height) size;
    private readonly IReadOnlyList<(int X, int Y, int Width, int Height)> crops;
    private readonly IReadOnlyList<SheetImage> images;
    private readonly IReadOnlyList<MetricInfo> metrics;

    private readonly float width, left, cell, step, pixels;
    private readonly int[] magnified; // of each crop
    private readonly float[] tops; // of each row, and then the end of the last

    /// <param name="overview">The whole reference, perhaps reduced.</param>
    /// <param name="size">The size of the images.</param>
    /// <param name="crops">Parts of them.</param>
    /// <param name="images">The reference first.</param>
    /// <param name="metrics">The metrics, by the names that the figure has.</param>
    public CropSheet(Raster overview, (int Width, int Height) size,
        IReadOnlyList<(int X, int Y, int Width, int Height)> crops, IReadOnlyList<SheetImage> images,
        IReadOnlyList<MetricInfo> metrics)
    {
        (this.overview, this.size, this.crops, this.images, this.metrics) = (overview, size, crops, images, metrics);
        width = images.Count <= 3 ? Figure.Column : Figure.Page;
        // as wide as it can be beside square crops with the values below
        left = Math.Min(OverviewShare * width, (width * (1 - OverviewShare) / images.Count * crops.Count
            + metrics.Count * Figure.LineHeight) * size.Width / size.Height) + Gap;
        cell = (width - left - (images.Count - 1) * Gap) / images.Count;
        step = cell + Gap;
        var widest = crops.Max(crop => Math.Max(crop.Width, crop.Height / TallestCrop)); // of a column, in pixels
        var times = (int)MathF.Ceiling(LeastPixels * cell / widest);
        pixels = times * widest / cell;
        magnified = [.. crops.Select(crop => (int)Math.Min(times * widest / crop.Width,
            TallestCrop * times * widest / crop.Height))];
        tops = new float[crops.Count + 1];
        tops[0] = Snap(Figure.LineHeight + 2);
        foreach (var (i, crop) in crops.Index())
            tops[i + 1] = Snap(tops[i] + crop.Height * magnified[i] / pixels + Gap);
    }

    /// <summary>The picture.</summary>
    public Figure Figure => new(width, tops[^1] + metrics.Count * Figure.LineHeight + 2, Draw)
    {
        PixelsPerUnit = pixels,
    };

    private float Snap(float at) => MathF.Ceiling(at * pixels - 0.01f) / pixels;

    private void Draw(SKCanvas canvas)
    {
        DrawOverview(canvas);
        foreach (var (column, image) in images.Index())
        {
            var x = Snap(left + column * step);
            Figure.Text(canvas, Figure.Fit(image.Name, cell), x + cell / 2, tops[0] - 4, SKTextAlign.Center);
            foreach (var (i, crop) in image.Crops.Index())
            {
                using var large = crop.Magnified(magnified[i]);
                var wide = large.Width / pixels;
                var at = x + MathF.Floor((cell - wide) / 2 * pixels) / pixels;
                canvas.DrawImage(large, SKRect.Create(at, tops[i], wide, large.Height / pixels));
                if (column == 0)
                    Number(canvas, i, at, tops[i]);
            }
            foreach (var (m, value) in image.Values.Index())
                Figure.Text(canvas, MapFigure.Format(value, metrics[m]), x + cell / 2, Line(m), SKTextAlign.Center,
                    bold: IsBest(m, value));
        }
        foreach (var (m, metric) in metrics.Index())
        {
            var arrow = metric.LargerIsCloser ? " ↑" : " ↓";
            Figure.Text(canvas, Figure.Fit(metric.Name, cell - Figure.Measure(arrow)) + arrow, left + cell, Line(m),
                SKTextAlign.Right);
        }
    }

    private float Line(int metric) => tops[^1] + metric * Figure.LineHeight + Figure.LetterSize - 2;

    // Those that look the same are all the best.
    private bool IsBest(int metric, double value)
    {
        var values = images.Skip(1).Select(image => image.Values[metric]).ToArray();
        var best = metrics[metric].LargerIsCloser ? values.Max() : values.Min();
        return values.Length > 1 && MapFigure.Format(value, metrics[metric]) == MapFigure.Format(best, metrics[metric]);
    }

    private void DrawOverview(SKCanvas canvas)
    {
        var scale = Math.Min((left - Gap) / size.Width,
            (tops[^1] + metrics.Count * Figure.LineHeight - tops[0]) / size.Height);
        using (var image = overview.Magnified(1))
            canvas.DrawImage(image, SKRect.Create(0, tops[0], size.Width * scale, size.Height * scale),
                new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear));
        using var white = new SKPaint { Color = SKColors.White, IsStroke = true, StrokeWidth = 2.6f };
        using var black = new SKPaint { Color = SKColors.Black, IsStroke = true, StrokeWidth = 1.1f };
        foreach (var (i, crop) in crops.Index())
        {
            var frame = SKRect.Create(crop.X * scale, tops[0] + crop.Y * scale, crop.Width * scale,
                crop.Height * scale);
            canvas.DrawRect(frame, white);
            canvas.DrawRect(frame, black);
            Number(canvas, i, frame.Left, frame.Top);
        }
    }

    // Tells several crops apart.
    private void Number(SKCanvas canvas, int crop, float x, float y)
    {
        if (crops.Count == 1)
            return;
        using var white = new SKPaint { Color = SKColors.White };
        canvas.DrawRect(x, y, 9, 11, white);
        Figure.Text(canvas, $"{crop + 1}", x + 4.5f, y + 9, SKTextAlign.Center, bold: true);
    }
}
