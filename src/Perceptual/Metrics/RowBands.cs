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
    public RowBands(RgbRowReader[] images, Colour colour, int reach)
    {
        this.images = images;
        this.colour = colour;
        levels.Add(new(new(images.Length, colour.Planes, images[0].Width, images[0].Height, 0), reach, 1, false));
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
    /// Reads the images to the end. The windows of a level are computed in any order and in parallel.
    /// </summary>
    public void Run(int threads, Work work, CancellationToken cancellation)
    {
        var band = Math.Min(images[0].Height, Math.Max(16, BandPixels / images[0].Width));
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
        var (width, from, to) = (rows.Width, rows.End, Math.Min(rows.End + band, rows.Height));
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

    private static void Shrink(Crew crew, RowWindow from, Level level)
    {
        var (to, start) = (level.Rows, Math.Max(level.Rows.End, 0));
        var end = start;
        while (end < to.Height && (from.End >= from.Height || level.Sources(end).To < from.End))
            end++;
        if (end == start)
            return;
        to.Extend(end);
        crew.Run(to.Images * to.Planes * (end - start), (task, _) =>
        {
            var (image, plane) = (task % to.Images, task / to.Images % to.Planes);
            level.Mean(from, image, plane, start + task / to.Images / to.Planes);
        });
    }

    /// <param name="Rows">The rows in memory.</param>
    /// <param name="Reach">Rows of a window; 0 if nothing is computed.</param>
    /// <param name="Factor">By how much the level is smaller than the one before.</param>
    /// <param name="Zeros">Whether there are zeros outside the image.</param>
    private sealed record Level(RowWindow Rows, int Reach, int Factor, bool Zeros)
    {
        /// <summary>
        /// The first and last of the rows (or columns) of the level before, whose mean a row (or column) is. They may
        /// lie outside the image.
        /// </summary>
        public (int From, int To) Sources(int at) =>
            (Math.Max(at, 0) * Factor - (Factor - 1) / 2, Math.Max(at, 0) * Factor + Factor / 2);

        public void Mean(RowWindow from, int image, int plane, int y)
        {
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

        private static void Add(ReadOnlySpan<double> row, Span<double> sums)
        {
            for (var x = 0; x < sums.Length; x++)
                sums[x] += row[x];
        }
    }
}
