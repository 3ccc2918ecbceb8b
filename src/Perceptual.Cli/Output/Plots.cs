using System.CommandLine;
using System.Globalization;
using ScottPlot;

namespace Perceptual.Cli;

/// <summary>What a plot says of the judgements of a set.</summary>
/// <param name="Count">How many there are.</param>
/// <param name="Chance">The score of one who guesses.</param>
internal readonly record struct ScoredSet(int Count, double Chance);

/// <summary>
/// Draws results as figures for papers, as wide as a column: points with intervals, names where the points are, and
/// nothing that only a colour tells. Lines are not dashed, which Skia does not write to SVG. The only place that uses
/// ScottPlot, which is loaded when a picture is drawn.
/// </summary>
internal static class Plots
{
    private const float RowHeight = 13, PanelHeight = 170, AxisHeight = 34;
    private const int MostLabels = 12, MostPoints = 300;

    private static readonly Color Ink = Colors.Black, Pale = Color.FromHex("#BBBBBB");

    // Okabe and Ito's, which differ in lightness and for people who do not see all colours.
    private static readonly Color[] Palette = [.. new[] { "#000000", "#0072B2", "#D55E00", "#009E73" }
        .Select(Color.FromHex)];
    private static readonly MarkerShape[] Shapes =
        [MarkerShape.FilledCircle, MarkerShape.FilledSquare, MarkerShape.FilledTriangleUp, MarkerShape.FilledDiamond];

    /// <summary>Adds the option that asks for a picture.</summary>
    public static Option<string> Option(Command command, string what)
    {
        var plot = new Option<string>("--plot")
        {
            Description = $"Draw {what} (.png, .svg, .pdf).",
            HelpName = "FILE",
        };
        command.Add(plot);
        Figure.Check(command, plot);
        return plot;
    }

    /// <summary>A distance that falls from step to step.</summary>
    public static void Falling(App app, string path, IReadOnlyList<(int Step, double Distance)> steps, string reference)
    {
        var plot = Panel("step", $"distance from {reference}");
        Line(plot, [.. steps.Select(each => (double)each.Step)], [.. steps.Select(each => each.Distance)], 0);
        plot.Axes.SetLimitsY(0, steps.Max(each => each.Distance) * 1.05);
        Save(app, path, (plot, PanelHeight));
    }

    /// <summary>The scores of metrics with their intervals, a block for each set of judgements.</summary>
    /// <param name="app">Is told if no font is found.</param>
    /// <param name="path">The file.</param>
    /// <param name="table">The metrics first, then perhaps the row of people.</param>
    /// <param name="names">What the metrics are called.</param>
    /// <param name="sets">Those of the first columns; the others are means of several sets.</param>
    /// <param name="unit">What a judgement is of: "triplets" or "pairs".</param>
    public static void Scores(App app, string path, ScoreTable table, IReadOnlyList<string> names,
        IReadOnlyList<ScoredSet> sets, string unit)
    {
        var people = table.Rows.FirstOrDefault(row => row.Name == MetricList.People);
        Blocks(app, path, $"{table.Title} score", $"n = {sets.Sum(set => set.Count)} {unit}",
            [.. table.Columns.Select((column, k) => new Block(
                table.Columns.Length == 1 ? "" : k < sets.Count ? $"{column} (n = {sets[k].Count})" : column,
                [.. names.Zip(table.Rows, (name, row) => (name, row.Values[k], row.Interval(k)))],
                people?.Values[k], k < sets.Count ? sets[k].Chance : sets.Average(set => set.Chance)))]);
    }

    /// <summary>The last column of a table by groups, a block for each group.</summary>
    public static void Groups(App app, string path, ScoreTable table, IReadOnlyList<ScoredSet> sets)
    {
        var people = table.Rows.First(row => row.Group == MetricList.People);
        Blocks(app, path, $"{table.Title} score, {table.Columns[^1]}", $"n = {sets.Sum(set => set.Count)} triplets",
            [.. table.Rows.Where(row => row.Group != MetricList.People).GroupBy(row => row.Group!)
                .Select(group => new Block(group.Key,
                    [.. group.Select(row => (row.Name, row.Values[^1], row.Interval(table.Columns.Length - 1)))],
                    people.Values[^1], sets[0].Chance))]);
    }

    /// <summary>The images of each reference in the order of their distance, with intervals.</summary>
    public static void Scale(App app, string path, IReadOnlyList<ScaleValue> values)
    {
        var plot = Panel("image of the reference, by distance", "JND");
        var groups = values.GroupBy(value => value.Reference).ToArray();
        var ends = new List<(string Name, double X, double Y, Color Colour)>();
        foreach (var (number, group) in groups.Index())
        {
            var ordered = group.OrderBy(value => value.Jnd).ToArray();
            // side by side, so that intervals do not hide each other
            double[] x = [.. ordered.Select((_, i) => i + 1 + 0.5 * ((number + 0.5) / groups.Length - 0.5))];
            var colour = Line(plot, x, Array.ConvertAll(ordered, value => value.Jnd), number, markers: true);
            foreach (var (value, at) in ordered.Zip(x))
                Interval(plot, at, value.Interval, 0.04, colour, isVertical: true);
            ends.Add((group.Key, x[^1], ordered[^1].Jnd, colour));
        }
        var (low, high) = (Math.Min(0, values.Min(value => value.Interval.Low)),
            1.05 * Math.Max(0.1, values.Max(value => value.Interval.High)));
        plot.Axes.SetLimits(0.5, groups.Max(group => group.Count()) + 0.5, low, high);
        plot.Axes.Bottom.TickGenerator = Whole();
        Label(plot, ends, PanelHeight);
        plot.XLabel($"image of the reference, by distance\nn = {values.Count} images; bars: 95 % intervals");
        Save(app, path, (plot, PanelHeight + 30));
    }

    /// <summary>Loss, and the scores of training and validation, over the epochs.</summary>
    /// <param name="app">Is told if no font is found.</param>
    /// <param name="path">The file.</param>
    /// <param name="log">The epochs.</param>
    /// <param name="validation">How many triplets validation has.</param>
    /// <param name="published">What the published metric scores on them; null if that is not known.</param>
    public static void Training(App app, string path, IReadOnlyList<TrainingEpoch> log, int validation,
        (string Name, double Score)? published)
    {
        var loss = Panel("epoch", "loss, nats");
        Series(loss, [("training", epoch => epoch.Loss)]);
        var n = validation == 0 ? "" : $" (validation: n = {validation} triplets)";
        var score = Panel($"epoch{n}", "2AFC score");
        Series(score, [("training", epoch => epoch.TrainingScore), ("validation", epoch => epoch.ValidationScore)]);
        if (published is var (name, at))
        {
            var line = score.Add.HorizontalLine(at, 1.8f, Color.FromHex("#888888"));
            line.EnableAutoscale = true;
            score.Axes.AutoScaleY();
            Text(score, string.Create(CultureInfo.InvariantCulture, $"{name} {at:F3}"),
                score.Axes.GetLimits().Left, at, Alignment.LowerLeft, offsetX: 3);
        }
        Save(app, path, (loss, PanelHeight), (score, PanelHeight));

        void Series(Plot plot, (string Name, Func<TrainingEpoch, double> Value)[] series)
        {
            var ends = new List<(string, double, double, Color)>();
            foreach (var (number, (name, value)) in series.Index())
            {
                var there = log.Where(epoch => !double.IsNaN(value(epoch))).ToArray();
                if (there.Length == 0)
                    continue;
                var colour = Line(plot, [.. there.Select(epoch => (double)epoch.Epoch)], [.. there.Select(value)],
                    number, markers: true);
                ends.Add((name, there[^1].Epoch, value(there[^1]), colour));
            }
            plot.Axes.Bottom.TickGenerator = Whole();
            plot.Axes.AutoScale();
            Label(plot, ends, PanelHeight - AxisHeight);
        }
    }

    /// <summary>Loss, rank correlation and difference over the pairs that were seen.</summary>
    public static void Distillation(App app, string path, IReadOnlyList<DistillationProgress> log)
    {
        var panels = new List<(Plot, float)>();
        foreach (var (name, value) in new (string, Func<DistillationProgress, double>)[]
        {
            ("loss", line => line.Loss), ("Spearman with teacher", line => line.Spearman),
            ("median difference", line => line.Difference),
        })
        {
            var plot = Panel("pairs, million", name);
            var there = log.Where(line => line.Pairs > 0 && !double.IsNaN(value(line))).ToArray();
            if (there.Length > 0)
                Line(plot, Array.ConvertAll(there, line => line.Pairs / 1e6), [.. there.Select(value)], 0);
            panels.Add((plot, PanelHeight));
        }
        Save(app, path, [.. panels]);
    }

    /// <summary>Opinion scores over the values of metrics, a panel for each, with the fitted curve.</summary>
    /// <param name="app">Is told if no font is found.</param>
    /// <param name="path">The file.</param>
    /// <param name="mos">The opinion scores.</param>
    /// <param name="metrics">Names, values, what they score, and the curve where there is one.</param>
    public static void Opinions(App app, string path, double[] mos,
        IReadOnlyList<(string Name, double[] Values, string Scores, Func<double, double>? Curve)> metrics)
    {
        var panels = new List<(Plot, float)>();
        foreach (var (name, values, scores, curve) in metrics)
        {
            var there = values.Zip(mos).Where(point => double.IsFinite(point.First)).ToArray();
            var infinite = values.Length - there.Length;
            var left = infinite == 0 ? "" : $"; {infinite} infinite not shown";
            var plot = Panel($"{name}\n{scores}, n = {mos.Length}{left}", "mean opinion score");
            if (there.Length > 0)
            {
                var points = plot.Add.ScatterPoints(Array.ConvertAll(there, point => point.First),
                    Array.ConvertAll(there, point => point.Second));
                points.MarkerStyle = new(MarkerShape.OpenCircle, 4, Ink) { LineColor = Ink, LineWidth = 0.8f };
            }
            if (curve is not null)
            {
                var (low, high) = (there.Min(point => point.First), there.Max(point => point.First));
                double[] x = [.. Enumerable.Range(0, 101).Select(i => low + (high - low) * i / 100)];
                var line = plot.Add.ScatterLine(x, Array.ConvertAll(x, at => curve(at)), Palette[1]);
                line.LineWidth = 1.8f;
            }
            panels.Add((plot, PanelHeight + RowHeight));
        }
        Save(app, path, [.. panels]);
    }

    /// <summary>
    /// How the values of methods are distributed over the images, a panel for each metric: boxes of the middle half,
    /// with the median, whiskers of 90 %, and the values themselves where they are few.
    /// </summary>
    public static void Distributions(
        App app, string path, Columns columns, string[] names, IReadOnlyList<Summary> summaries)
    {
        var panels = new List<(Plot, float)>();
        foreach (var (k, name) in names.Index())
        {
            var info = columns.Set.Metrics[k].Info;
            var plot = Panel("", "");
            var infinite = 0;
            foreach (var (m, _) in columns.Methods.Index())
            {
                double[] values = [.. summaries[m * names.Length + k].Values.Where(double.IsFinite).Order()];
                infinite += (int)summaries[0].Count - values.Length;
                if (values.Length > 0)
                    Distribution(plot, -m, values);
            }
            plot.Axes.Left.SetTicks([.. columns.Methods.Select((_, m) => (double)-m)],
                [.. columns.Methods.Select(method => Figure.Fit(method, Figure.Column / 3))]);
            plot.Axes.SetLimitsY(-columns.Methods.Count + 0.4, 0.6);
            plot.HideGrid();
            plot.XLabel($"{name} {(info.LargerIsCloser ? "↑" : "↓")} (n = {summaries[0].Count} images"
                + $"{(infinite == 0 ? "" : $"; {infinite} infinite not shown")})");
            panels.Add((plot, AxisHeight + 6 + 2 * RowHeight * columns.Methods.Count));
        }
        Save(app, path, [.. panels]);
    }

    private static void Distribution(Plot plot, double y, double[] values)
    {
        const double Half = 0.22;
        Interval(plot, y, new(Quantile(0.05), Quantile(0.95)), Half / 2, Ink, isVertical: false);
        var box = plot.Add.Rectangle(Quantile(0.25), Quantile(0.75), y - Half, y + Half);
        (box.FillColor, box.LineColor, box.LineWidth) = (Pale, Ink, 0.8f);
        if (values.Length <= MostPoints)
        {
            // Places that look like chance and are the same in each run: the golden section.
            var points = plot.Add.ScatterPoints(values, [.. values.Select((_, i) => y + Half * 1.6 * (
                i * 0.6180339887 % 1 - 0.5))]);
            points.MarkerStyle = new(MarkerShape.FilledCircle, 1.8f, Ink.WithOpacity(0.6));
        }
        var median = plot.Add.Line(Quantile(0.5), y - Half, Quantile(0.5), y + Half);
        (median.LineColor, median.LineWidth) = (Palette[2], 2.2f);

        double Quantile(double part)
        {
            var place = part * (values.Length - 1);
            var below = (int)place;
            return values[below] + (place - below) * (values[Math.Min(below + 1, values.Length - 1)] - values[below]);
        }
    }

    // The axis begins at chance, unless a metric is worse.
    private static void Blocks(App app, string path, string label, string n, IReadOnlyList<Block> blocks)
    {
        var plot = Panel("", "");
        var rows = blocks.SelectMany(block => block.Rows).ToArray();
        var chance = blocks.Min(block => block.Chance);
        var worst = rows.Min(row => row.Interval?.Low ?? row.Value);
        var first = worst >= chance ? chance : Math.Floor(worst * 20) / 20;
        var last = Math.Max(rows.Max(row => row.Interval?.High ?? row.Value), blocks.Max(block => block.People ?? 0));
        var (begin, end) = (first - 0.02 * (last - first), last + 0.22 * (last - first));
        var ticks = new List<(double At, string Name)>();
        var y = 0.0;
        foreach (var block in blocks)
        {
            var title = block.Title.Length > 0 && block.Chance > first
                ? string.Create(CultureInfo.InvariantCulture, $"{block.Title}, chance {block.Chance:0.0##}")
                : block.Title;
            if (title.Length > 0)
                Text(plot, title, begin, y, Alignment.MiddleLeft, offsetX: 3);
            Across(block.Chance, title.Length == 0 ? "chance" : "", Pale);
            if (block.People is { } people)
                Across(people, "people", Ink);
            foreach (var (name, value, interval) in block.Rows)
            {
                ticks.Add((--y, Figure.Fit(name, Figure.Column * 0.4f)));
                if (interval is { } ends)
                    Interval(plot, y, ends, 0.22, Ink, isVertical: false);
                var point = plot.Add.ScatterPoints(new[] { value }, new[] { y });
                point.MarkerStyle = new(MarkerShape.FilledCircle, 5, Palette[1]);
                Text(plot, value.ToString("F3", CultureInfo.InvariantCulture), end, y, Alignment.MiddleRight, -2);
            }
            y -= 1.3;

            void Across(double x, string name, Color colour)
            {
                var line = plot.Add.Line(x, y - 0.4, x, y - block.Rows.Count - 0.5);
                (line.LineColor, line.LineWidth) = (colour, 1.2f);
                if (name.Length == 0)
                    return;
                var label = string.Create(CultureInfo.InvariantCulture, $"{name} {x:0.0##}");
                var fits = x + (end - begin) * Figure.Measure(label) / (Figure.Column * 0.6) < end;
                Text(plot, label, x, y, fits ? Alignment.MiddleLeft : Alignment.MiddleRight, fits ? -2 : 2);
            }
        }
        plot.Axes.Left.SetTicks([.. ticks.Select(tick => tick.At)], [.. ticks.Select(tick => tick.Name)]);
        plot.Axes.SetLimits(begin, end, y + 0.6, 0.7);
        plot.HideGrid();
        plot.XLabel(string.Create(CultureInfo.InvariantCulture,
            $"{label}; the axis begins at {first:0.0##}{(first == chance ? ", chance" : "")}\n"
            + $"{n}; bars: 95 % intervals"));
        Save(app, path, (plot, (float)(0.1 - y) * RowHeight + AxisHeight + RowHeight));
    }

    private static Plot Panel(string x, string y)
    {
        var plot = new Plot();
        plot.FigureBackground.Color = Colors.White;
        plot.Font.Set(Figure.Family);
        foreach (var axis in new IAxis[] { plot.Axes.Bottom, plot.Axes.Left })
        {
            axis.TickLabelStyle.FontSize = Figure.LetterSize;
            axis.Label.FontSize = Figure.LetterSize;
            axis.Label.Bold = false;
            axis.FrameLineStyle.Width = 0.8f;
            (axis.MajorTickStyle.Length, axis.MajorTickStyle.Width) = (3, 0.8f);
            axis.MinorTickStyle.Length = 0;
        }
        plot.Axes.Right.IsVisible = plot.Axes.Top.IsVisible = false;
        plot.Grid.MajorLineColor = Ink.WithOpacity(0.12);
        plot.Grid.MajorLineWidth = 0.6f;
        plot.XLabel(x);
        plot.YLabel(y);
        return plot;
    }

    private static Color Line(Plot plot, double[] x, double[] y, int number, bool markers = false)
    {
        var colour = Palette[number % Palette.Length];
        var line = plot.Add.Scatter(x, y, colour);
        line.LineWidth = 1.3f;
        line.MarkerSize = markers ? 4 : 0;
        line.MarkerShape = Shapes[number % Shapes.Length];
        return colour;
    }

    private static void Interval(
        Plot plot, double at, Interval interval, double cap, Color colour, bool isVertical)
    {
        Add(interval.Low, at, interval.High, at);
        Add(interval.Low, at - cap, interval.Low, at + cap);
        Add(interval.High, at - cap, interval.High, at + cap);

        void Add(double x0, double y0, double x1, double y1)
        {
            var line = isVertical ? plot.Add.Line(y0, x0, y1, x1) : plot.Add.Line(x0, y0, x1, y1);
            (line.LineColor, line.LineWidth) = (colour, 1);
        }
    }

    private static ScottPlot.Plottables.Text Text(
        Plot plot, string text, double x, double y, Alignment alignment, float offsetX = 0)
    {
        var label = plot.Add.Text(text, x, y);
        label.LabelFontName = Figure.Family;
        label.LabelFontSize = Figure.LetterSize;
        label.LabelFontColor = Ink;
        label.LabelAlignment = alignment;
        label.OffsetX = offsetX;
        return label;
    }

    // The names of lines where they end, moved apart where they would touch.
    private static void Label(
        Plot plot, IReadOnlyList<(string Name, double X, double Y, Color Colour)> ends, float height)
    {
        if (ends.Count is 0 or > MostLabels)
            return;
        var limits = plot.Axes.GetLimits();
        var wide = ends.Max(end => Figure.Measure(Figure.Fit(end.Name, Figure.Column / 4))) + 8;
        plot.Axes.SetLimitsX(limits.Left,
            limits.Right + (limits.Right - limits.Left) * wide / (Figure.Column - 50 - wide));
        var apart = (limits.Top - limits.Bottom) * Figure.LetterSize / height;
        var lowest = double.NegativeInfinity;
        foreach (var (name, x, y, colour) in ends.OrderBy(end => end.Y))
        {
            lowest = Math.Max(y, lowest + apart);
            Text(plot, Figure.Fit(name, Figure.Column / 4), x, lowest, Alignment.MiddleLeft, offsetX: 6)
                .LabelFontColor = colour;
        }
    }

    private static ScottPlot.TickGenerators.NumericAutomatic Whole() => new() { IntegerTicksOnly = true };

    private static void Save(App app, string path, params (Plot Plot, float Height)[] panels)
    {
        var width = panels.Length > 3 ? Figure.Page : Figure.Column;
        var columns = panels.Length > 3 ? 2 : 1;
        var rows = panels.Chunk(columns).ToArray();
        new Figure(width, rows.Sum(row => row.Max(panel => panel.Height)), canvas =>
        {
            var top = 0f;
            foreach (var row in rows)
            {
                foreach (var (column, (plot, height)) in row.Index())
                {
                    plot.RenderManager.ClearCanvasBeforeEachRender = false;
                    var left = column * (Figure.Page - Figure.Column);
                    // the number at the end of the axis is half beyond it
                    plot.Render(canvas, new PixelRect(left, left + Figure.Column - 8, top + height, top + 4));
                }
                top += row.Max(panel => panel.Height);
            }
        }).Write(app, path);
        foreach (var (plot, _) in panels)
            plot.Dispose();
    }

    /// <summary>Scores that stand together.</summary>
    private sealed record Block(string Title, IReadOnlyList<(string Name, double Value, Interval? Interval)> Rows,
        double? People, double Chance);
}
