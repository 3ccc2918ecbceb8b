using System.CommandLine;
using ScottPlot;

namespace Perceptual.Cli;

/// <summary>
/// Draws scores as pictures (PNG). The only place that uses ScottPlot, which is loaded when a picture is drawn.
/// </summary>
internal static class Plots
{
    private const int PanelWidth = 640;
    private const int Height = 520;

    /// <summary>Adds the option that asks for a picture.</summary>
    public static Option<string> Option(Command command, string description)
    {
        var plot = new Option<string>("--plot") { Description = description, HelpName = "FILE" };
        command.Add(plot);
        plot.RequireEnding(".png");
        command.Validators.Add(result =>
        {
            if (result.GetValue(plot) is not { } file)
                return;
            if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(file))))
                result.AddError($"--plot {file}: its folder does not exist");
            if (Directory.Exists(file))
                result.AddError($"--plot {file} is a folder; name a file");
            if (!CanDraw())
                result.AddError($"--plot {file}: this program came without SkiaSharp, which draws; install the one for "
                    + "your system");
        });
        return plot;
    }

    /// <summary>A distance that falls from step to step.</summary>
    public static void Falling(App app, string path, IReadOnlyList<(int Step, double Distance)> steps, string reference)
    {
        using var plot = new Plot();
        var line = plot.Add.ScatterLine(steps.Select(each => (double)each.Step).ToArray(),
            steps.Select(each => each.Distance).ToArray());
        line.LineWidth = 2;
        plot.XLabel("step");
        plot.YLabel($"distance from {reference}");
        plot.Axes.SetLimitsY(0, steps.Max(each => each.Distance) * 1.05);
        Save(app, path, plot.GetImage(PanelWidth, Height));
    }

    /// <summary>
    /// A group of bars for each set of judgements, with intervals, and a line at the score of people.
    /// </summary>
    /// <param name="app">Gets the warning if no font is found.</param>
    /// <param name="path">The file.</param>
    /// <param name="table">The metrics first, then the rows of people and of the oracle.</param>
    /// <param name="metrics">How many metrics there are.</param>
    public static void Bars(App app, string path, ScoreTable table, int metrics)
    {
        using var plot = new Plot();
        var palette = new ScottPlot.Palettes.Category20();
        var people = table.Rows[metrics];
        for (var m = 0; m < metrics; m++)
        {
            var row = table.Rows[m];
            var bars = plot.Add.Bars(table.Columns.Select((_, k) => new Bar
            {
                Position = k * (metrics + 1) + m,
                Value = row.Values[k],
                FillColor = palette.GetColor(m),
                LineWidth = 0,
            }).ToArray());
            bars.LegendText = row.Name;
            for (var k = 0; k < table.Columns.Length; k++)
            {
                var interval = row.Interval(k)!.Value;
                var x = k * (metrics + 1) + m;
                plot.Add.Line(x, interval.Low, x, interval.High).LineColor = Colors.Black;
            }
        }
        for (var k = 0; k < table.Columns.Length; k++)
        {
            var line = plot.Add.Line(k * (metrics + 1) - 0.6, people.Values[k], k * (metrics + 1) + metrics - 0.4,
                people.Values[k]);
            line.LineColor = Colors.Black;
            line.LinePattern = LinePattern.Dashed;
            line.LegendText = k == 0 ? people.Name : "";
        }
        plot.Axes.Bottom.SetTicks([.. table.Columns.Select((_, k) => k * (metrics + 1) + (metrics - 1) / 2.0)],
            table.Columns);
        plot.YLabel("2AFC score");
        plot.ShowLegend(Edge.Right);
        // from chance, unless a metric is worse
        var lowest = Math.Min(0.5, table.Rows.Take(metrics)
            .Min(row => table.Columns.Select((_, k) => row.Interval(k)!.Value.Low).Min()) - 0.02);
        var highest = Math.Max(table.Rows.Take(metrics)
            .Max(row => table.Columns.Select((_, k) => row.Interval(k)!.Value.High).Max()), people.Values.Max()) + 0.02;
        plot.Axes.SetLimits(-1, table.Columns.Length * (metrics + 1) - 1, lowest, highest);
        Save(app, path, plot.GetImage(
            Math.Max(PanelWidth, 220 + table.Columns.Length * Math.Max(22 * (metrics + 1), 110)), Height));
    }

    /// <summary>
    /// A bar with its interval for the last column of each row, in the colour of its group, and a line at the score of
    /// people.
    /// </summary>
    public static void Groups(App app, string path, ScoreTable table)
    {
        const int RowHeight = 24;
        using var plot = new Plot();
        var palette = new ScottPlot.Palettes.Category10();
        var people = table.Rows.First(row => row.Group == MetricList.People);
        var groups = table.Rows.Where(row => row.Group != MetricList.People).GroupBy(row => row.Group!).ToArray();
        var (ticks, y, lowest, highest) = (new List<(double At, string Name)>(), 0.0, 0.5, people.Values[^1]);
        foreach (var (number, group) in groups.Index())
        {
            plot.Add.Bars(group.Select((row, i) => new Bar
            {
                Position = y - i,
                Value = row.Values[^1],
                FillColor = palette.GetColor(number),
                LineWidth = 0,
                Orientation = Orientation.Horizontal,
            }).ToArray()).LegendText = group.Key;
            foreach (var row in group)
            {
                var interval = row.Interval(table.Columns.Length - 1)!.Value;
                plot.Add.Line(interval.Low, y, interval.High, y).LineColor = Colors.Black;
                ticks.Add((y, Printable.Escape(row.Name)));
                (lowest, highest) = (Math.Min(lowest, interval.Low), Math.Max(highest, interval.High));
                y--;
            }
            y -= 0.6;
        }
        var line = plot.Add.VerticalLine(people.Values[^1]);
        line.Color = Colors.Black;
        line.LinePattern = LinePattern.Dashed;
        line.LegendText = people.Name;
        plot.Axes.Left.SetTicks([.. ticks.Select(tick => tick.At)], [.. ticks.Select(tick => tick.Name)]);
        plot.XLabel($"2AFC score, {table.Columns[^1]}");
        plot.ShowLegend(Edge.Right);
        plot.Axes.SetLimits(lowest == 0.5 ? 0.5 : lowest - 0.02, highest + 0.02, y + 0.6, 1);
        Save(app, path, plot.GetImage(PanelWidth + 220, Math.Max(Height, 80 + (int)(-y * RowHeight))));
    }

    /// <summary>A panel of precision-recall curves for each set of judgements.</summary>
    public static void Curves(App app, string path, string[] names,
        IReadOnlyList<(string Metric, PrecisionRecall[][] Sets)> curves)
    {
        var panels = new Multiplot();
        panels.AddPlots(names.Length);
        panels.Layout = new ScottPlot.MultiplotLayouts.Columns();
        for (var s = 0; s < names.Length; s++)
        {
            var plot = panels.GetPlot(s);
            foreach (var (metric, sets) in curves)
            {
                var line = plot.Add.ScatterLine(Array.ConvertAll(sets[s], point => point.Recall),
                    Array.ConvertAll(sets[s], point => point.Precision));
                line.LegendText = metric;
                line.LineWidth = 2;
            }
            plot.Title(names[s]);
            plot.XLabel("recall");
            plot.YLabel("precision");
            plot.Axes.SetLimits(0, 1, 0, 1);
            plot.ShowLegend(Alignment.LowerLeft);
        }
        Save(app, path, panels.Render(PanelWidth * names.Length, Height));
    }

    /// <summary>The images of each reference in the order of their distance, with intervals.</summary>
    public static void Scale(App app, string path, IReadOnlyList<ScaleValue> values)
    {
        using var plot = new Plot();
        var palette = new ScottPlot.Palettes.Category10();
        var groups = values.GroupBy(value => value.Reference).ToArray();
        foreach (var (number, group) in groups.Index())
        {
            var ordered = group.OrderBy(value => value.Jnd).ToArray();
            // side by side, so that intervals do not hide each other
            var x = Array.ConvertAll(ordered.Index().ToArray(),
                each => each.Index + 1 + 0.5 * ((number + 0.5) / groups.Length - 0.5));
            var colour = palette.GetColor(number % palette.Colors.Length);
            var line = plot.Add.Scatter(x, Array.ConvertAll(ordered, value => value.Jnd), colour);
            line.LegendText = group.Key;
            line.LineWidth = 2;
            foreach (var (value, at) in ordered.Zip(x))
                plot.Add.Line(at, value.Interval.Low, at, value.Interval.High).LineColor = colour;
        }
        plot.XLabel("image of the reference, by distance");
        plot.YLabel("JND");
        plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericAutomatic { IntegerTicksOnly = true };
        plot.Axes.SetLimitsY(Math.Min(0, values.Min(value => value.Interval.Low)),
            1.05 * Math.Max(0.1, values.Max(value => value.Interval.High)));
        plot.ShowLegend(Edge.Right);
        Save(app, path, plot.GetImage(PanelWidth + 200, Height));
    }

    /// <summary>Loss, and the scores of training and validation, over the epochs.</summary>
    public static void Training(App app, string path, IReadOnlyList<TrainingEpoch> log)
    {
        var panels = new Multiplot();
        panels.AddPlots(2);
        panels.Layout = new ScottPlot.MultiplotLayouts.Columns();
        Add(0, "training", epoch => epoch.Loss);
        Add(1, "training", epoch => epoch.TrainingScore);
        Add(1, "validation", epoch => epoch.ValidationScore);
        panels.GetPlot(0).YLabel("loss, nats");
        panels.GetPlot(1).YLabel("2AFC score");
        for (var p = 0; p < 2; p++)
        {
            panels.GetPlot(p).XLabel("epoch");
            panels.GetPlot(p).Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericAutomatic
            {
                IntegerTicksOnly = true,
            };
            panels.GetPlot(p).ShowLegend(p == 0 ? Alignment.UpperRight : Alignment.LowerRight);
        }
        Save(app, path, panels.Render(PanelWidth * 2, Height));

        void Add(int panel, string name, Func<TrainingEpoch, double> value)
        {
            var there = log.Where(epoch => !double.IsNaN(value(epoch))).ToArray();
            if (there.Length == 0)
                return;
            var line = panels.GetPlot(panel).Add
                .ScatterLine(Array.ConvertAll(there, epoch => (double)epoch.Epoch), [.. there.Select(value)]);
            line.LegendText = name;
            line.LineWidth = 2;
            line.MarkerSize = 6;
        }
    }

    /// <summary>Loss, rank correlation and difference over the pairs that were seen.</summary>
    public static void Distillation(App app, string path, IReadOnlyList<DistillationProgress> log)
    {
        var panels = new Multiplot();
        panels.AddPlots(3);
        panels.Layout = new ScottPlot.MultiplotLayouts.Columns();
        foreach (var (panel, (name, value)) in new (string, Func<DistillationProgress, double>)[]
        {
            ("loss", line => line.Loss), ("Spearman correlation with the teacher", line => line.Spearman),
            ("median difference from the teacher", line => line.Difference),
        }.Index())
        {
            var plot = panels.GetPlot(panel);
            var there = log.Where(line => line.Pairs > 0 && !double.IsNaN(value(line))).ToArray();
            if (there.Length > 0)
                plot.Add.ScatterLine(Array.ConvertAll(there, line => line.Pairs / 1e6),
                    [.. there.Select(value)]).LineWidth = 2;
            plot.XLabel("pairs, million");
            plot.YLabel(name);
        }
        Save(app, path, panels.Render(PanelWidth * 3, Height));
    }

    private static bool CanDraw()
    {
        try
        {
            new SkiaSharp.SKPaint().Dispose();
            return true;
        }
        catch (Exception e) when (e is TypeInitializationException or DllNotFoundException)
        {
            return false;
        }
    }

    private static void Save(App app, string path, Image image)
    {
        if (SkiaSharp.SKFontManager.Default.FontFamilyCount == 0)
            app.Say($"{path} has no text: there is no font on this system");
        AtomicFile.Write(path, stream => stream.Write(image.GetImageBytes(ScottPlot.ImageFormat.Png)));
        image.Dispose();
    }
}
