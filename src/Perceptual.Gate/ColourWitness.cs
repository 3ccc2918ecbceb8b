using System.Globalization;
using System.Numerics;

namespace Perceptual.Gate;

/// <summary>
/// The largest difference, CIEDE2000, of the mean colours of two pictures over a window at any position. It sees a
/// changed colour, however faint, that is as large as the window, and not a glyph that is set half a pixel further: the
/// mean of the samples of antialiased text does not depend on that.
/// </summary>
internal sealed class ColourWitness(int side)
    : Witness(string.Create(CultureInfo.InvariantCulture, $"{Prefix}{side}"))
{
    public const string Prefix = "colour:";

    // Sums of samples up to 65535 stay below 2^31.
    public const int LargestSide = 128;

    public override int MinimumSide => 1;

    private protected override MetricValue MeasureChanged(PicturePair pair, CancellationToken cancellation)
    {
        var (across, down) = (Math.Min(side, pair.Width), Math.Min(side, pair.Height));
        var area = Grown(pair, across, down);
        var windows = new Windows(pair, area, across, down);
        var (worst, place) = (0.0, ((int, int, int, int)?)null);
        for (var y = 0; y < area.Height; y++)
        {
            cancellation.ThrowIfCancellationRequested();
            windows.Take(area.Y + y);
            if (y < down - 1 || !windows.Differ || windows.Worst(worst) is not { } found)
                continue;
            (worst, place) = (found.Difference, (area.X + found.X, area.Y + y - down + 1, across, down));
        }
        return new(worst) { Place = place };
    }

    // At least as large as a window: the changed area may be smaller, at an edge.
    private static (int X, int Y, int Width, int Height) Grown(PicturePair pair, int across, int down)
    {
        var area = pair.Around(Math.Max(across, down) - 1);
        var (x, y) = (Math.Min(area.X, pair.Width - across), Math.Min(area.Y, pair.Height - down));
        return (x, y, Math.Max(area.X + area.Width, x + across) - x, Math.Max(area.Y + area.Height, y + down) - y);
    }

    /// <summary>The sums of samples under all windows of a row, in whole numbers, so that they are exact.</summary>
    private sealed class Windows
    {
        private const int Planes = 6; // red, green, blue of the reference, then of the other

        private readonly PicturePair pair;
        private readonly (int X, int Y, int Width, int Height) area;
        private readonly int across, down;
        private readonly int[][] rows; // [down * Planes][width]
        private readonly int[][] columns; // [Planes][width], sums over the rows
        private readonly int[][] sums; // [Planes][windows]
        private readonly float[] most; // [windows], the squares of what the differences are at most
        private readonly int[] first, second;
        private readonly float[] scratch;
        private readonly double scale; // from sums to levels on [0, 255]
        private int count;

        public Windows(PicturePair pair, (int X, int Y, int Width, int Height) area, int across, int down)
        {
            (this.pair, this.area, this.across, this.down) = (pair, area, across, down);
            rows = Arrays(down * Planes, area.Width);
            columns = Arrays(Planes, area.Width);
            sums = Arrays(Planes, area.Width - across + 1);
            most = new float[area.Width - across + 1];
            (first, second, scratch) = (new int[pair.Width], new int[pair.Width], new float[pair.Width]);
            scale = 1.0 / (257.0 * across * down);
        }

        /// <summary>Whether a sum of the two pictures differs.</summary>
        public bool Differ { get; private set; }

        /// <summary>Takes the next row of the pictures.</summary>
        public void Take(int y)
        {
            var slot = count++ % down * Planes;
            for (var channel = 0; channel < 3; channel++)
            {
                pair.ReadLevels(channel, y, first, second, scratch);
                Add(slot, channel, first.AsSpan(area.X, area.Width));
                Add(slot, channel + 3, second.AsSpan(area.X, area.Width));
            }
            Differ = false;
            for (var channel = 0; channel < 3; channel++)
                Differ |= !columns[channel].AsSpan().SequenceEqual(columns[channel + 3]);
            for (var plane = 0; plane < Planes && Differ; plane++)
                Slide(columns[plane], sums[plane]);
        }

        /// <summary>
        /// The window of this row whose mean colours differ most, the first of several, if by more than
        /// <paramref name="worst"/>; null otherwise.
        /// </summary>
        public (int X, double Difference)? Worst(double worst)
        {
            SetMost();
            // Begins where the difference may be largest: few others have to be looked at after that.
            var at = most.AsSpan().IndexOf(most.Max());
            if (most[at] <= worst * worst)
                return null;
            var largest = Math.Max(worst, Difference(at, worst));
            for (var x = 0; x < most.Length; x++)
                if (most[x] >= largest * largest && Difference(x, largest) is var difference
                    && (difference > largest || (difference == largest && x < at)))
                    (at, largest) = (x, difference);
            return largest > worst ? (at, largest) : null;
        }

        // Any number below "enough" if the difference is below that.
        private double Difference(int x, double enough)
        {
            var one = ColourDifference.Lab(scale * sums[0][x], scale * sums[1][x], scale * sums[2][x]);
            var other = ColourDifference.Lab(scale * sums[3][x], scale * sums[4][x], scale * sums[5][x]);
            return ColourDifference.MostOfStraight * ColourDifference.Straight(one, other) < enough
                ? 0
                : ColourDifference.Ciede2000(one, other);
        }

        private void SetMost()
        {
            var factor = (float)(scale * ColourDifference.MostOfStraight * ColourDifference.MostOfLevels);
            var x = 0;
            for (; x <= most.Length - Vector<float>.Count; x += Vector<float>.Count)
                (Square(0, x) + Square(1, x) + Square(2, x)).CopyTo(most, x);
            for (; x < most.Length; x++)
            {
                most[x] = 0;
                for (var channel = 0; channel < 3; channel++)
                {
                    var difference = (sums[channel][x] - sums[channel + 3][x]) * factor;
                    most[x] += difference * difference;
                }
            }

            Vector<float> Square(int channel, int x)
            {
                var difference = Vector.ConvertToSingle(
                    new Vector<int>(sums[channel], x) - new Vector<int>(sums[channel + 3], x)) * factor;
                return difference * difference;
            }
        }

        // In place of the row that leaves the windows.
        private void Add(int slot, int plane, ReadOnlySpan<int> row)
        {
            var (old, sum) = (rows[slot + plane], columns[plane]);
            for (var x = 0; x < row.Length; x++)
            {
                sum[x] += row[x] - old[x];
                old[x] = row[x];
            }
        }

        private void Slide(int[] column, int[] sum)
        {
            var total = 0;
            for (var x = 0; x < across; x++)
                total += column[x];
            sum[0] = total;
            for (var x = 1; x < sum.Length; x++)
                sum[x] = total += column[x + across - 1] - column[x - 1];
        }

        private static int[][] Arrays(int count, int length) =>
            [.. Enumerable.Range(0, count).Select(_ => new int[length])];
    }
}
