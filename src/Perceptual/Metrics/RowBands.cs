using System.Buffers;

namespace Perceptual;

/// <summary>
/// Reads images of one size from the top, a band of rows at a time, as planes of doubles, and makes smaller images of
/// them. Calls a function for every position of a window of rows, on several threads.
/// </summary>
internal sealed class RowBands
{
    private const int BandPixels = 1 << 16; // some rows for each thread, few enough to stay in its cache

    private readonly RgbRowReader[] images;
    private readonly Colour colour;
    private readonly List<Level> levels = [];

    /// <param name="images">The images, of the same size.</param>
    /// <param name="colour">The colour space to convert to.</param>
    /// <param name="reach">Rows of a window of the images at full size; 0 to compute nothing there.</param>
    /// <param name="border">Rows and columns of zeros around the images at full size.</param>
    public RowBands(RgbRowReader[] images, Colour colour, int reach, int border = 0)
    {
        this.images = images;
        this.colour = colour;
        levels.Add(new(
            new(images.Length, colour.Planes, images[0].Width, images[0].Height, border), reach, 1, false));
    }

    /// <summary>Computes something for one position of the window.</summary>
    /// <param name="level">0 for the images, 1 for the first smaller ones.</param>
    /// <param name="rows">The rows in memory; the window's rows are among them.</param>
    /// <param name="y">The window's first row.</param>
    public delegate void Work(int level, RowWindow rows, int y);

    /// <summary>
    /// Adds a smaller level: every factor-th pixel, from the first on, of the mean over factor x factor pixels of the
    /// level before it, as MATLAB's conv2(..., 'same') aligns them. Outside an image there are zeros, or its last row
    /// and column repeated.
    /// </summary>
    public void Shrink(int factor, bool zeros, int reach, int border)
    {
        var from = levels[^1].Rows;
        var (width, height) = ((from.Width + factor - 1) / factor, (from.Height + factor - 1) / factor);
        levels.Add(new(new(from.Images, from.Planes, width, height, border), reach, factor, zeros));
    }

    /// <summary>
    /// Adds a level of half the size: every second pixel, from the first on, of the level before it under a filter,
    /// where all of the filter is within the image.
    /// </summary>
    /// <param name="taps">The filter along rows, and along columns; an odd number.</param>
    /// <param name="reach">Rows of a window.</param>
    public void ShrinkWithin(double[] taps, int reach)
    {
        var from = levels[^1].Rows;
        var (width, height) = ((from.Width - taps.Length) / 2 + 1, (from.Height - taps.Length) / 2 + 1);
        levels.Add(new(new(from.Images, from.Planes, width, height, 0), reach, 2, false) { Taps = taps });
    }

    /// <summary>Rows of the images at full size that are read at a time.</summary>
    public int Band => Math.Min(images[0].Height, Math.Max(16, BandPixels / images[0].Width));

    /// <summary>
    /// Reads the images to the end. The windows of a level are computed in any order and in parallel.
    /// </summary>
    /// <param name="threads">How many threads compute.</param>
    /// <param name="work">Computes something for one window.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <param name="after">Is called, by one thread and in order from the top, when some windows of a level are done:
    /// with the level, the row after the first row of the last of them, and the threads.</param>
    public void Run(
        int threads, Work work, CancellationToken cancellation, Action<int, int, Crew>? after = null)
    {
        var band = Band;
        // [row, channel, column]
        var stored = Array.ConvertAll(images, image => ArrayPool<float>.Shared.Rent(3 * band * image.Width));
        var next = new int[levels.Count]; // the first row of the next window at each level
        for (var i = 0; i < next.Length; i++)
            next[i] = levels[i].Rows.First;
        using var crew = new Crew(threads);
        while (levels[0].Rows.End < images[0].Height)
        {
            Read(crew, stored, band, cancellation);
            for (var i = 0; i < levels.Count; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                var (rows, reach) = (levels[i].Rows, levels[i].Reach);
                if (i > 0)
                    Shrink(crew, levels[i - 1].Rows, levels[i]);
                var (level, from) = (i, next[i]);
                if (reach > 0 && rows.End - reach + 1 > from)
                {
                    next[i] = rows.End - reach + 1;
                    crew.Run(next[i] - from, (task, _) => work(level, rows, from + task));
                    after?.Invoke(level, next[i], crew);
                }
            }
            for (var i = 0; i < levels.Count; i++)
                levels[i].Rows.Keep(Math.Min(
                    levels[i].Reach > 0 ? next[i] : int.MaxValue,
                    i + 1 < levels.Count ? levels[i + 1].Sources(levels[i + 1].Rows.End).From : int.MaxValue));
        }
        Array.ForEach(stored, rows => ArrayPool<float>.Shared.Return(rows));
        levels.ForEach(level => level.Rows.Release());
    }

    private void Read(Crew crew, float[][] stored, int band, CancellationToken cancellation)
    {
        var rows = levels[0].Rows;
        var (width, from) = (rows.Width, Math.Max(rows.End, 0));
        var to = Math.Min(from + band, rows.Height);
        crew.Run(images.Length, (image, _) =>
        {
            for (var y = from; y < to; y++)
            {
                cancellation.ThrowIfCancellationRequested();
                var row = stored[image].AsSpan((y - from) * 3 * width, 3 * width);
                images[image].ReadStoredRow(row[..width], row[width..(2 * width)], row[(2 * width)..]);
            }
        });
        rows.Extend(to);
        crew.Run(images.Length * (to - from), (task, _) =>
        {
            var (image, y) = (task % images.Length, from + task / images.Length);
            colour.Convert(stored[image].AsSpan((y - from) * 3 * width, 3 * width), images[image].Range,
                rows, image, y);
        });
    }

    private void Shrink(Crew crew, RowWindow from, Level level)
    {
        var (to, start) = (level.Rows, Math.Max(level.Rows.End, 0));
        var end = start;
        while (end < to.Height && (from.End >= from.Height || level.Sources(end).To < from.End))
            end++;
        if (end == start)
            return;
        to.Extend(end);
        crew.Run(to.Images * (end - start), (task, _) =>
        {
            var (image, y) = (task % to.Images, start + task / to.Images);
            for (var plane = 0; plane < to.Planes; plane++)
                if (colour == Colour.SingleLinear)
                    level.MeanSingle(from, image, plane, y);
                else
                    level.Mean(from, image, plane, y);
        });
    }

    /// <param name="Rows">The rows in memory.</param>
    /// <param name="Reach">Rows of a window; 0 if nothing is computed.</param>
    /// <param name="Factor">By how much the level is smaller than the one before.</param>
    /// <param name="Zeros">Whether there are zeros outside the image.</param>
    private sealed record Level(RowWindow Rows, int Reach, int Factor, bool Zeros)
    {
        /// <summary>A filter that lies within the image, in place of equal weights; empty if there is none.</summary>
        public double[] Taps { get; init; } = [];

        /// <summary>
        /// The first and last of the rows (or columns) of the level before, whose mean a row (or column) is. They may
        /// lie outside the image.
        /// </summary>
        public (int From, int To) Sources(int at) => Taps.Length > 0
            ? (Math.Max(at, 0) * Factor, Math.Max(at, 0) * Factor + Taps.Length - 1)
            : (Math.Max(at, 0) * Factor - (Factor - 1) / 2, Math.Max(at, 0) * Factor + Factor / 2);

        public void Mean(RowWindow from, int image, int plane, int y)
        {
            if (Taps.Length > 0)
            {
                Filter(from, image, plane, y);
                return;
            }
            var scratch = ArrayPool<double>.Shared.Rent(from.Width);
            var sums = scratch.AsSpan(0, from.Width); // of the rows
            sums.Clear();
            var (first, last) = Sources(y);
            for (var source = first; source <= last; source++)
                if (!Zeros || (source >= 0 && source < from.Height))
                    Add(from.Inner(image, plane, Math.Clamp(source, 0, from.Height - 1)), sums);
            var target = Rows.Inner(image, plane, y);
            for (var x = 0; x < target.Length; x++)
            {
                (first, last) = Sources(x);
                var sum = 0.0;
                for (var source = first; source <= last; source++)
                    if (!Zeros || (source >= 0 && source < from.Width))
                        sum += sums[Math.Clamp(source, 0, from.Width - 1)];
                target[x] = sum / (Factor * Factor);
            }
            ArrayPool<double>.Shared.Return(scratch);
        }

        /// <summary>The mean of 2 x 2 values, added up in single precision, row by row.</summary>
        public void MeanSingle(RowWindow from, int image, int plane, int y)
        {
            var above = from.Inner(image, plane, 2 * y);
            var below = from.Inner(image, plane, Math.Min(2 * y + 1, from.Height - 1));
            var target = Rows.Inner(image, plane, y);
            for (var x = 0; x < target.Length; x++)
            {
                var (left, right) = (2 * x, Math.Min(2 * x + 1, from.Width - 1));
                var upper = (float)above[left] + (float)above[right];
                target[x] = (upper + (float)below[left] + (float)below[right]) * 0.25f;
            }
        }

        private void Filter(RowWindow from, int image, int plane, int y)
        {
            var scratch = ArrayPool<double>.Shared.Rent(from.Width);
            var sums = scratch.AsSpan(0, from.Width); // of the rows
            sums.Clear();
            for (var k = 0; k < Taps.Length; k++)
                Add(from.Inner(image, plane, Factor * y + k), sums, Taps[k]);
            var target = Rows.Inner(image, plane, y);
            for (var x = 0; x < target.Length; x++)
            {
                var sum = 0.0;
                for (var k = 0; k < Taps.Length; k++)
                    sum += Taps[k] * sums[Factor * x + k];
                target[x] = sum;
            }
            ArrayPool<double>.Shared.Return(scratch);
        }

        private static void Add(ReadOnlySpan<double> row, Span<double> sums)
        {
            for (var x = 0; x < sums.Length; x++)
                sums[x] += row[x];
        }

        private static void Add(ReadOnlySpan<double> row, Span<double> sums, double weight)
        {
            for (var x = 0; x < sums.Length; x++)
                sums[x] += weight * row[x];
        }
    }
}
