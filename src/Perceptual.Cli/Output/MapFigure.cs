using System.Globalization;
using SkiaSharp;

namespace Perceptual.Cli;

/// <summary>Where two images differ, and what a figure says of it.</summary>
/// <param name="Name">What the figure calls the distorted image.</param>
/// <param name="Value">What the metric says.</param>
/// <param name="Map">Where they differ.</param>
/// <param name="Open">Opens the reference and the distorted image, as they were compared.</param>
internal sealed record PairMap(
    string Name, double Value, DistanceMap Map, Func<(RgbRowReader Reference, RgbRowReader Distorted)> Open);

/// <summary>The largest values of maps, which end their scales.</summary>
/// <param name="Maxima">That of each map.</param>
/// <param name="Shared">That of all maps of the run.</param>
/// <param name="Count">How many maps the run has.</param>
internal sealed record MapScale(float[] Maxima, float Shared, int Count)
{
    public static MapScale Of(IEnumerable<DistanceMap> maps)
    {
        float[] maxima = [.. maps.Select(HeatMap.Maximum)];
        return new(maxima, maxima.Max(), maxima.Length);
    }

    /// <summary>The value of the last colour.</summary>
    public float End(MapLook look, int map) => look.Maximum ?? (look.IsShared ? Shared : Maxima[map]);

    /// <summary>What a figure says of its scale.</summary>
    public string Statement(MapLook look) =>
        look.Maximum is { } end
            ? $"scale to {Number(end)}, as given"
                + (Maxima.Max() > end ? $"; largest value {Number(Maxima.Max())}" : "")
            : look.IsShared && Count > 1 ? $"one scale for all {Count} maps"
            : Maxima.Length > 1 ? "scale to the largest value of each" : "scale to the largest value";

    public static string Number(float value) => value.ToString("G3", CultureInfo.InvariantCulture);
}

/// <summary>Maps as figures: alone, over the reference, or beside both images.</summary>
internal sealed class MapFigure
{
    /// <summary>How many images a panel has room for, beside the reference.</summary>
    public const int MostInPanel = 8;

    private const int LongestMap = 4096, LongestInPanel = 1600; // pixels of a side; larger images are reduced
    private const float Tallest = 480; // units of an image
    private const float LeastPixels = 2.5f; // of a unit in a PNG
    private const float BarHeight = 8, Gap = 5;
    private const double Darkest = 40, Dimmed = 0.3; // the reference below a map, so that both ends of it are seen

    private readonly MapLook look;
    private readonly MetricInfo metric;
    private readonly IReadOnlyList<PairMap> maps;
    private readonly MapScale scale;
    private readonly string?[] same; // of each map that is 0 everywhere, why
    private readonly string statement;

    /// <param name="look">How it is painted.</param>
    /// <param name="metric">Whose maps they are, by the name that the figure has.</param>
    /// <param name="maps">One map; of a panel, at most <see cref="MostInPanel"/> of one reference.</param>
    /// <param name="scale">Their largest values.</param>
    public MapFigure(MapLook look, MetricInfo metric, IReadOnlyList<PairMap> maps, MapScale scale)
    {
        (this.look, this.metric, this.maps, this.scale) = (look, metric, maps, scale);
        same = [.. maps.Select((_, number) => WhatIsSame(number))];
        statement = (maps.Count == 1 ? same[0] : null) ?? scale.Statement(look);
    }

    /// <summary>Writes it: PNG, SVG or PDF.</summary>
    public void Write(App app, string path)
    {
        if (look.Style == MapOptions.Heat && Path.GetExtension(path).Equals(".png", StringComparison.OrdinalIgnoreCase)
            && !(Figure.CanDraw() && Figure.HasLetters()))
        {
            app.Say($"{path} has no names: there are no fonts on this system, or no SkiaSharp for it");
            HeatMap.Write(path, maps[0].Map, scale.End(look, 0) is > 0 and var end ? end : null);
            return;
        }
        if (!Figure.CanDraw())
            throw new IOException($"{path} cannot be drawn: {Figure.NoSkia}");
        (look.Style != MapOptions.Panel ? Single() : maps.Count == 1 ? Row() : Grid()).Write(app, path);
    }

    // The map, and its scale below.
    private Figure Single()
    {
        var map = maps[0].Map;
        var area = RasterArea.Whole(map.Width, map.Height, LongestMap);
        var raster = Painted(0, area);
        var units = Math.Min(Figure.Column / raster.Width, Tallest / raster.Height); // of a pixel of the map
        var magnified = (int)MathF.Ceiling(LeastPixels * units);
        var pixels = magnified / units;
        var top = MathF.Ceiling(raster.Height * units) + Gap;
        var caption = Caption(maps[0], Figure.Column);
        string[] lines = Figure.Measure(caption) + Figure.Measure(statement) + 12 <= Figure.Column
            ? [] : [.. Figure.Lines(statement, Figure.Column)];
        var height = top + BarHeight + (2 + lines.Length) * Figure.LineHeight + Gap;
        return new(Figure.Column, height, canvas =>
        {
            var left = MathF.Floor((Figure.Column - raster.Width * units) / 2 * pixels) / pixels;
            using (var image = raster.Magnified(magnified))
                canvas.DrawImage(image, SKRect.Create(left, 0, raster.Width * units, raster.Height * units));
            Mark(canvas, 0, left, 0, raster.Width * units, raster.Height * units);
            Bar(canvas, 0, 0, top, Figure.Column);
            var y = top + BarHeight + 2 * Figure.LineHeight;
            Figure.Text(canvas, caption, 0, y, bold: true);
            if (lines.Length == 0)
                Figure.Text(canvas, statement, Figure.Column, y, SKTextAlign.Right);
            foreach (var line in lines)
                Figure.Text(canvas, line, 0, y += Figure.LineHeight);
        })
        { PixelsPerUnit = pixels };
    }

    // The reference, the distorted image and their map in a row.
    private Figure Row()
    {
        var (cells, reference, images, painted) = Rasters(columns: 3, Figure.Column);
        var top = cells.Snap(Figure.LineHeight + 2);
        var bottom = top + cells.Height + Gap;
        var hasBar = scale.End(look, 0) > 0;
        return new(Figure.Column, bottom + (hasBar ? BarHeight + Figure.LineHeight + 2 : 0), canvas =>
        {
            cells.Draw(canvas, 0, top, reference, "reference");
            cells.Draw(canvas, 1, top, images[0], "distorted");
            cells.Draw(canvas, 2, top, painted[0], Caption(maps[0], cells.Width));
            Mark(canvas, 0, cells.Left(2), top, cells.Width, cells.Height);
            Bar(canvas, 0, cells.Left(2), bottom, cells.Width);
            var right = cells.Left(2) - 8;
            if (hasBar)
                Figure.Text(canvas, Figure.Fit(statement, right), right, bottom + BarHeight, SKTextAlign.Right);
        })
        { PixelsPerUnit = cells.PixelsPerUnit };
    }

    // The reference and the distorted images in a row, and the maps below, each with its value.
    private Figure Grid()
    {
        var width = maps.Count <= 3 ? Figure.Column : Figure.Page;
        var (cells, reference, images, painted) = Rasters(maps.Count + 1, width);
        var hasOwnBars = look is { Maximum: null, IsShared: false };
        var top = cells.Snap(Figure.LineHeight + 2);
        var second = cells.Snap(top + cells.Height + Gap);
        var bottom = second + cells.Height + Gap;
        var bar = BarHeight + Figure.LineHeight;
        var legend = Figure.Lines(statement, cells.Width);
        var height = Math.Max(bottom + Figure.LineHeight + (hasOwnBars ? bar : 0) + 2,
            second + (legend.Count + 1) * Figure.LineHeight + (hasOwnBars ? 0 : bar + Gap) + 2);
        return new(width, height, canvas =>
        {
            cells.Draw(canvas, 0, top, reference, "reference");
            foreach (var (i, map) in maps.Index())
            {
                cells.Draw(canvas, i + 1, top, images[i], map.Name);
                cells.Draw(canvas, i + 1, second, painted[i], "");
                Mark(canvas, i, cells.Left(i + 1), second, cells.Width, cells.Height);
                Figure.Text(canvas, Format(map.Value, metric), cells.Left(i + 1) + cells.Width / 2,
                    bottom + Figure.LetterSize - 2, SKTextAlign.Center, bold: true);
                if (hasOwnBars)
                    Bar(canvas, i, cells.Left(i + 1), bottom + Figure.LineHeight, cells.Width);
            }
            var y = second + Figure.LetterSize;
            Figure.Text(canvas, Figure.Fit(metric.Name, cells.Width, bold: true), 0, y, bold: true);
            if (!hasOwnBars)
            {
                Bar(canvas, 0, 0, y + Gap, cells.Width);
                y += Gap + bar;
            }
            foreach (var line in legend)
                Figure.Text(canvas, line, 0, y += Figure.LineHeight);
        })
        { PixelsPerUnit = cells.PixelsPerUnit };
    }

    private (Cells Cells, Raster Reference, Raster[] Images, Raster[] Painted) Rasters(int columns, float width)
    {
        var area = RasterArea.Whole(maps[0].Map.Width, maps[0].Map.Height, LongestInPanel);
        var (reference, images) = Images(area);
        return (new(reference.Width, reference.Height, columns, width), reference, images,
            [.. maps.Select((_, i) => Painted(i, area))]);
    }

    private (Raster Reference, Raster[] Images) Images(RasterArea area)
    {
        Raster? reference = null;
        var images = new List<Raster>();
        foreach (var pair in maps)
        {
            var (first, other) = pair.Open();
            using (first)
            using (other)
            {
                reference ??= Raster.Read(first, area)[0];
                images.Add(Raster.Read(other, area)[0]);
            }
        }
        return (reference!, [.. images]);
    }

    // The colours of a map; each pixel is the largest of those that it stands for, so that nothing small is lost.
    private Raster Painted(int number, RasterArea area)
    {
        var map = maps[number].Map;
        var end = scale.End(look, number);
        var raster = look.Style == MapOptions.Overlay ? Grey(maps[number], area)
            : new((map.Width + area.Factor - 1) / area.Factor, (map.Height + area.Factor - 1) / area.Factor);
        var (row, largest) = (new float[map.Width], new float[raster.Width]);
        for (var y = 0; y < map.Height; y++)
        {
            map.CopyRow(y, row);
            for (var x = 0; x < row.Length; x++)
                largest[x / area.Factor] = Math.Max(largest[x / area.Factor], row[x]);
            if ((y + 1) % area.Factor != 0 && y + 1 < map.Height)
                continue;
            for (var x = 0; x < largest.Length; x++)
                raster[x, y / area.Factor] = Colour(end > 0 ? Math.Min(1, largest[x] / end) : 0,
                    raster[x, y / area.Factor].Red);
            Array.Clear(largest);
        }
        return raster;
    }

    // Luma of the reference, dimmed, so that bright is what differs in print too.
    private static Raster Grey(PairMap pair, RasterArea area)
    {
        var (reference, distorted) = pair.Open();
        using (distorted)
        using (reference)
        {
            var raster = Raster.Read(reference, area)[0];
            for (var y = 0; y < raster.Height; y++)
                for (var x = 0; x < raster.Width; x++)
                {
                    var (red, green, blue) = raster[x, y];
                    var grey = (byte)(Darkest + Dimmed * (0.299 * red + 0.587 * green + 0.114 * blue)); // BT.601
                    raster[x, y] = (grey, grey, grey);
                }
            return raster;
        }
    }

    private (byte, byte, byte) Colour(double place, byte below)
    {
        var colour = HeatMap.Colours[(int)(place * 255 + 0.5)];
        if (look.Style != MapOptions.Overlay)
            return colour;
        var opacity = Math.Sqrt(place);
        return (Over(colour.Red), Over(colour.Green), Over(colour.Blue));

        byte Over(byte above) => (byte)(opacity * above + (1 - opacity) * below + 0.5);
    }

    // The colours from 0 to the end of the scale, with numbers; nothing if all is 0.
    private void Bar(SKCanvas canvas, int number, float left, float top, float width)
    {
        var end = scale.End(look, number);
        if (end == 0)
            return;
        var bar = new Raster(256, 1);
        for (var x = 0; x < bar.Width; x++)
            bar[x, 0] = Colour(x / 255.0, (byte)(Darkest + Dimmed * 128));
        using (var image = bar.Magnified(8))
            canvas.DrawImage(image, SKRect.Create(left, top, width, BarHeight));
        using var line = new SKPaint { Color = SKColors.Black, StrokeWidth = 0.7f, IsAntialias = true };
        var y = top + BarHeight;
        var (half, full) = (MapScale.Number(end / 2), MapScale.Number(end));
        foreach (var (at, text, align) in new[]
        {
            (left + 0.35f, "0", SKTextAlign.Left),
            (left + width / 2, half, SKTextAlign.Center),
            (left + width - 0.35f, full, SKTextAlign.Right),
        })
        {
            canvas.DrawLine(at, y, at, y + 2.5f, line);
            if (align == SKTextAlign.Center && Figure.Measure(half) / 2 + Figure.Measure(full) + 4 > width / 2)
                continue;
            Figure.Text(canvas, text, at, y + Figure.LineHeight - 1, align);
        }
    }

    // Says on the map that there is nothing to see.
    private void Mark(SKCanvas canvas, int number, float left, float top, float width, float height)
    {
        if (same[number] is not { } text)
            return;
        var lines = Figure.Lines(text, width - 8);
        var y = top + height / 2 - lines.Count * Figure.LineHeight / 2 + Figure.LetterSize;
        foreach (var line in lines)
        {
            Figure.Text(canvas, line, left + width / 2, y, SKTextAlign.Center, colour: SKColors.White);
            y += Figure.LineHeight;
        }
    }

    // Null if there is something to see.
    private string? WhatIsSame(int number)
    {
        if (scale.Maxima[number] > 0)
            return null;
        var (reference, distorted) = maps[number].Open();
        using (reference)
        using (distorted)
            return AreIdentical(reference, distorted) ? "identical images" : $"no difference for {metric.Name}";
    }

    private static bool AreIdentical(RgbRowReader a, RgbRowReader b)
    {
        float[][] rows = [.. Enumerable.Range(0, 6).Select(_ => new float[a.Width])];
        for (var y = 0; y < a.Height; y++)
        {
            a.ReadRow(rows[0], rows[1], rows[2]);
            b.ReadRow(rows[3], rows[4], rows[5]);
            for (var c = 0; c < 3; c++)
                if (!rows[c].AsSpan().SequenceEqual(rows[c + 3]))
                    return false;
        }
        return true;
    }

    // The name of the metric is cut where there is no room, the value never.
    private string Caption(PairMap map, float width)
    {
        var value = Format(map.Value, metric);
        return $"{Figure.Fit(metric.Name, width - Figure.Measure($" {value}", bold: true), bold: true)} {value}";
    }

    /// <summary>A value with the digits that tables give it.</summary>
    public static string Format(double value, MetricInfo metric) => double.IsInfinity(value)
        ? value > 0 ? "∞" : "-∞"
        : value.ToString($"F{metric.Decimals}", CultureInfo.InvariantCulture);

    /// <summary>Images of one size side by side; their pixels are whole numbers of pixels of a PNG.</summary>
    private sealed class Cells
    {
        private readonly int magnified;
        private readonly float units; // of a pixel of the image
        private readonly float step;

        public Cells(int width, int height, int columns, float available)
        {
            const float Between = 0.04f; // of the width of a cell
            var about = Math.Min(available / (columns + (columns - 1) * Between), Tallest / height * width);
            magnified = (int)MathF.Ceiling(LeastPixels * about / width);
            PixelsPerUnit = Math.Max(magnified * width * (columns + (columns - 1) * Between) / available,
                magnified * height / Tallest);
            units = magnified / PixelsPerUnit;
            (Width, Height) = (width * units, height * units);
            step = Snap((available - Width) / (columns - 1) - 1 / PixelsPerUnit);
        }

        public float PixelsPerUnit { get; }

        public float Width { get; }

        public float Height { get; }

        public float Left(int column) => column * step;

        /// <summary>The next place where a pixel of a PNG begins.</summary>
        public float Snap(float at) => MathF.Ceiling(at * PixelsPerUnit - 0.01f) / PixelsPerUnit;

        /// <summary>Draws an image, with a label above it.</summary>
        public void Draw(SKCanvas canvas, int column, float top, Raster raster, string label)
        {
            Figure.Text(canvas, Figure.Fit(label, Width), Left(column) + Width / 2, top - 4, SKTextAlign.Center);
            using var image = raster.Magnified(magnified);
            canvas.DrawImage(image, SKRect.Create(Left(column), top, Width, Height));
        }
    }
}
