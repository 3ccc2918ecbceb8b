namespace Perceptual.Tests.Imaging;

/// <summary>What the components of a JPEG are.</summary>
internal enum JpegColour
{
    Gray,
    Rgb,
    YCbCr,
    Cmyk,
    Ycck,
}

/// <summary>
/// Writes JPEGs of many kinds (ITU-T T.81), by the text of the specification and not by the code under test. Nothing is
/// quantised but by rounding, so a decoder gives back the pixels to about a level.
/// </summary>
internal sealed record JpegWriter
{
    private static readonly int[] ZigZag = [.. Enumerable.Range(0, 64)
        .OrderBy(i => i / 8 + i % 8).ThenBy(i => (i / 8 + i % 8) % 2 == 0 ? i % 8 : i / 8)];

    // Codes of 4 and 9 bits: which of them stand for what is the same everywhere.
    private static readonly byte[] DcSymbols = [.. Enumerable.Range(0, 12).Select(i => (byte)i)];
    private static readonly byte[] AcSymbols = [.. from run in Enumerable.Range(0, 16)
        from size in Enumerable.Range(0, 11) select (byte)(run << 4 | size)];

    public JpegColour Colour { get; init; } = JpegColour.YCbCr;

    /// <summary>Columns and rows of luma for one of Cb and Cr.</summary>
    public (int X, int Y) Subsampling { get; init; } = (1, 1);

    public bool Progressive { get; init; }

    /// <summary>Whether each component has a scan of its own; only for what is not progressive.</summary>
    public bool Separate { get; init; }

    /// <summary>Blocks (of all components) between restart markers; 0 for none.</summary>
    public int Restart { get; init; }

    /// <summary>Whether Adobe's marker says what the components are.</summary>
    public bool Adobe { get; init; } = true;

    /// <summary>Bytes between the start and what follows.</summary>
    public byte[] Odd { get; init; } = [];

    /// <summary>
    /// Detail in brightness everywhere, and colours that are the same in 32 columns, [height, width, samples].
    /// </summary>
    public static byte[] Smooth(int width, int height, int samples) =>
        [.. from y in Enumerable.Range(0, height) from x in Enumerable.Range(0, width)
            from c in Enumerable.Range(0, samples)
            select (byte)(128 + 50 * Math.Sin(x / 5.0) + 30 * Math.Cos(y / 3.0 + x / 9.0)
                + (c * 37 + x / 32 * 53) % 90 - 45)];

    /// <summary>Writes pixels, [height, width, samples]: gray, RGB or CMYK.</summary>
    public byte[] Write(byte[] pixels, int width, int height)
    {
        var samples = pixels.Length / width / height;
        double[][] planes = [.. Enumerable.Range(0, samples)
            .Select(c => pixels.Where((_, i) => i % samples == c).Select(v => (double)v).ToArray())];
        if (Colour == JpegColour.Cmyk && Adobe)
            planes = [.. planes.Select(plane => plane.Select(v => 255 - v).ToArray())];
        if (Colour == JpegColour.Ycck)
            planes[3] = [.. planes[3].Select(v => 255 - v)];
        if (Colour is JpegColour.YCbCr or JpegColour.Ycck)
            (planes[0], planes[1], planes[2]) = ToYCbCr(planes);
        var components = planes.Select((plane, c) => new Component(plane, width, height,
            c is 1 or 2 ? (1, 1) : Subsampling, Subsampling)).ToArray();

        var file = new List<byte>([0xFF, 0xD8, .. Odd]);
        if (Adobe && Colour != JpegColour.Gray)
            Segment(file, 0xEE, [.. "Adobe"u8, 0, 100, 0, 0, 0, 0,
                (byte)(Colour switch { JpegColour.YCbCr => 1, JpegColour.Ycck => 2, _ => 0 })]);
        Segment(file, 0xDB, [0, .. Enumerable.Repeat((byte)1, 64)]);
        Segment(file, (byte)(Progressive ? 0xC2 : 0xC0), [8, (byte)(height >> 8), (byte)height, (byte)(width >> 8),
            (byte)width, (byte)samples, .. components.SelectMany((part, c) =>
                new[] { (byte)(c + 1), (byte)(part.Factors.X << 4 | part.Factors.Y), (byte)0 })]);
        Segment(file, 0xC4, [0x00, 0, 0, 0, 12, .. new byte[12], .. DcSymbols]);
        Segment(file, 0xC4, [0x10, .. new byte[8], 176, .. new byte[7], .. AcSymbols]);
        if (Restart > 0)
            Segment(file, 0xDD, [0, (byte)Restart]);
        int[] all = [.. Enumerable.Range(0, samples)];
        foreach (var (scan, first, last, low, refines) in Scans(all))
        {
            Segment(file, 0xDA, [(byte)scan.Length, .. scan.SelectMany(c => new[] { (byte)(c + 1), (byte)0 }),
                (byte)first, (byte)last, (byte)((refines ? low + 1 : 0) << 4 | low)]);
            Scan(file, [.. scan.Select(c => components[c])], first, last, low, refines);
        }
        return [.. file, 0xFF, 0xD9];
    }

    private IEnumerable<(int[] Components, int First, int Last, int Low, bool Refines)> Scans(int[] all)
    {
        if (!Progressive)
            return Separate ? all.Select(c => (new[] { c }, 0, 63, 0, false)) : [(all, 0, 63, 0, false)];
        return [(all, 0, 0, 1, false), .. all.Select(c => (new[] { c }, 1, 5, 0, false)), (all, 0, 0, 0, true),
            .. all.Select(c => (new[] { c }, 6, 63, 0, false))];
    }

    private static (double[], double[], double[]) ToYCbCr(double[][] rgb)
    {
        double[] Mix(double r, double g, double b, double add) =>
            [.. Enumerable.Range(0, rgb[0].Length).Select(i => r * rgb[0][i] + g * rgb[1][i] + b * rgb[2][i] + add)];
        return (Mix(0.299, 0.587, 0.114, 0), Mix(-0.168736, -0.331264, 0.5, 128), Mix(0.5, -0.418688, -0.081312, 128));
    }

    private static void Segment(List<byte> file, byte marker, byte[] content) =>
        file.AddRange([0xFF, marker, (byte)(content.Length + 2 >> 8), (byte)(content.Length + 2), .. content]);

    private void Scan(List<byte> file, Component[] parts, int first, int last, int low, bool refines)
    {
        var bits = new BitWriter(file);
        var before = new int[parts.Length];
        var units = 0;
        var single = parts.Length == 1; // then blocks beyond the edge are left out
        var (across, down) = single ? parts[0].BlocksInside : parts[0].Units;
        for (var unit = 0; unit < across * down; unit++)
        {
            if (Restart > 0 && unit > 0 && unit % Restart == 0)
            {
                bits.Flush();
                file.AddRange([0xFF, (byte)(0xD0 + units++ % 8)]);
                Array.Clear(before);
            }
            foreach (var (c, part) in parts.Index())
            {
                var (columns, rows) = single ? (1, 1) : part.Factors;
                for (var i = 0; i < columns * rows; i++)
                    Block(bits, part.Block(unit % across * columns + i % columns, unit / across * rows + i / columns),
                        ref before[c], first, last, low, refines);
            }
        }
        bits.Flush();
    }

    private static void Block(BitWriter bits, int[] block, ref int before, int first, int last, int low, bool refines)
    {
        if (refines)
        {
            bits.Put(block[0] >> low & 1, 1);
            return;
        }
        if (first == 0)
        {
            var difference = (block[0] >> low) - before;
            before = block[0] >> low;
            bits.Put(Array.IndexOf(DcSymbols, (byte)Size(difference)), 4);
            bits.PutNumber(difference);
        }
        var run = 0;
        for (var k = Math.Max(1, first); k <= last; k++)
        {
            if (block[k] == 0)
            {
                run++;
                continue;
            }
            for (; run > 15; run -= 16)
                bits.Put(Array.IndexOf(AcSymbols, (byte)0xF0), 9);
            bits.Put(Array.IndexOf(AcSymbols, (byte)(run << 4 | Size(block[k]))), 9);
            bits.PutNumber(block[k]);
            run = 0;
        }
        if (run > 0)
            bits.Put(Array.IndexOf(AcSymbols, (byte)0), 9);
    }

    private static int Size(int value) => value == 0 ? 0 : (int)Math.Log2(Math.Abs(value)) + 1;

    /// <summary>The coefficients of a component, in zigzag order.</summary>
    private sealed class Component
    {
        private readonly int[][] blocks;
        private readonly int stride;

        public Component(double[] plane, int width, int height, (int X, int Y) factors, (int X, int Y) most)
        {
            Factors = factors;
            Units = ((width - 1) / (8 * most.X) + 1, (height - 1) / (8 * most.Y) + 1);
            BlocksInside = (
                ((width * factors.X - 1) / most.X + 8) / 8, ((height * factors.Y - 1) / most.Y + 8) / 8);
            stride = Units.X * factors.X;
            var (stepX, stepY) = (most.X / factors.X, most.Y / factors.Y);
            double At(int x, int y)
            {
                var sum = 0.0;
                for (var i = 0; i < stepX * stepY; i++)
                    sum += plane[Math.Min(y * stepY + i / stepX, height - 1) * width
                        + Math.Min(x * stepX + i % stepX, width - 1)];
                return sum / (stepX * stepY);
            }
            blocks = [.. from row in Enumerable.Range(0, Units.Y * factors.Y) from bx in Enumerable.Range(0, stride)
                select Transform((x, y) => At(8 * bx + x, 8 * row + y) - 128)];
        }

        public (int X, int Y) Factors { get; }

        public (int X, int Y) Units { get; }

        public (int X, int Y) BlocksInside { get; }

        public int[] Block(int x, int y) => blocks[y * stride + x];

        private static int[] Transform(Func<int, int, double> pixel)
        {
            var half = new double[64];
            double Cosine(int frequency, int at) =>
                Math.Cos((2 * at + 1) * frequency * Math.PI / 16) * (frequency == 0 ? Math.Sqrt(0.125) : 0.5);
            for (var y = 0; y < 8; y++)
                for (var u = 0; u < 8; u++)
                    for (var x = 0; x < 8; x++)
                        half[8 * y + u] += pixel(x, y) * Cosine(u, x);
            return [.. ZigZag.Select(i => (int)Math.Round(Enumerable.Range(0, 8)
                .Sum(y => half[8 * y + i % 8] * Cosine(i / 8, y))))];
        }
    }

    private sealed class BitWriter(List<byte> file)
    {
        private int held, count;

        public void Put(int value, int length)
        {
            (held, count) = (held << length | value, count + length);
            for (; count >= 8; count -= 8)
            {
                var next = (byte)(held >> count - 8);
                file.Add(next);
                if (next == 0xFF)
                    file.Add(0);
            }
            held &= (1 << count) - 1;
        }

        public void PutNumber(int value) => Put(value < 0 ? value + (1 << Size(value)) - 1 : value, Size(value));

        public void Flush() => Put((1 << (8 - count) % 8) - 1, (8 - count) % 8);
    }
}
