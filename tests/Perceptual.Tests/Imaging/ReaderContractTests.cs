using Perceptual.Tests.Metrics;

namespace Perceptual.Tests.Imaging;

/// <summary>
/// What a caller can do to a reader or a writer: too few, too many, twice, disposed, from two threads. Never another
/// number, never memory that is not its own.
/// </summary>
public class ReaderContractTests
{
    private const int Side = 180; // what MS-SSIM needs

    public static TheoryData<string> Metrics => ClassicMetricsTests.Names;

    public static TheoryData<string> Readers => [.. Kinds.Select(kind => kind.Name)];

    // Each row of each says which it is: its first sample of blue is its number.
    private static readonly (string Name, Func<TempFolder, RgbRowReader> Open)[] Kinds =
    [
        ("8 bits", _ => Numbered().OpenRows()),
        ("16 bits",
            _ => RgbImage.FromInterleaved([.. Numbers().Select(value => (ushort)value)], Side, Side).OpenRows()),
        ("floats", _ => RgbImage.FromInterleaved([.. Numbers().Select(value => (float)value)], Side, Side, new(0, 255))
            .OpenRows()),
        ("of my own", _ => new Own(Side, Side, new(0, 255), (y, row) => row.Fill(y))),
        ("PNG", folder => ImageFile.OpenRows(folder.Write("a.png", Samples.Png(Side, Side, 8, 2, Numbers())))),
        ("interlaced PNG",
            folder => ImageFile.OpenRows(folder.Write("a.png", Vips(image => image.PngsaveBuffer(interlace: true))))),
        ("WebP",
            folder => ImageFile.OpenRows(folder.Write("a.webp", Vips(image => image.WebpsaveBuffer(lossless: true))))),
        ("TIFF", folder => ImageFile.OpenRows(folder.Write("a.tif", Vips(image => image.TiffsaveBuffer())))),
        ("BMP", folder => ImageFile.OpenRows(folder.Write(
            "a.bmp", Samples.Bmp(Side, Side, 24, [], [.. Samples.Rows(Samples.Swap(Numbers()), Side).Reverse()])))),
        ("TGA", folder => ImageFile.OpenRows(
            folder.Write("a.tga", Samples.Tga(2, Side, Side, 24, 0x20, Samples.Swap(Numbers()))))),
    ];

    [Theory, MemberData(nameof(Readers))]
    public void Rows_end_and_spans_must_have_room(string kind)
    {
        using var folder = new TempFolder();
        using var rows = Open(kind, folder);
        var (row, small) = (new float[Side + 1], new float[Side - 1]);
        Assert.Throws<ArgumentException>(() => rows.ReadStoredRow(small, row, row));
        Assert.Throws<ArgumentException>(() => rows.ReadRow(row, small, row));
        Assert.Throws<ArgumentException>(() => rows.ReadStoredRow(row, row, small));
        row[^1] = -7;
        for (var y = 0; y < Side; y++)
        {
            rows.ReadStoredRow(new float[Side], new float[Side], row); // refused calls have taken no row
            Assert.Equal(y, row[0]);
        }
        Assert.Equal(-7, row[^1]);
        for (var again = 0; again < 2; again++)
            Assert.Contains($"{Side} rows",
                Assert.Throws<InvalidOperationException>(() => rows.ReadRow(row, row, row)).Message,
                StringComparison.Ordinal);
        rows.Dispose();
        Assert.Throws<ObjectDisposedException>(() => rows.ReadStoredRow(row, row, row));
        Assert.Throws<ObjectDisposedException>(() => Lite().Extract(rows));
    }

    [Theory, MemberData(nameof(Readers))]
    public void Two_threads_get_each_row_once(string kind)
    {
        using var folder = new TempFolder();
        using var rows = Open(kind, folder);
        var read = new System.Collections.Concurrent.ConcurrentQueue<float>();
        void Read()
        {
            var row = new float[Side];
            while (true)
                try
                {
                    rows.ReadStoredRow(new float[Side], new float[Side], row);
                    read.Enqueue(row[0]);
                }
                catch (InvalidOperationException e)
                {
                    if (e.Message.Contains("rows", StringComparison.Ordinal))
                        return;
                }
        }

        Thread[] threads = [new(Read), new(Read)];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Assert.Equal(Enumerable.Range(0, Side).Select(y => (float)y), read.Order());
    }

    [Theory, MemberData(nameof(Metrics))]
    public void A_metric_takes_a_reader_once_whole_and_for_itself(string name)
    {
        var metric = Metric.Load([name])[0].WithThreads(2);
        using var folder = new TempFolder();
        foreach (var (_, open) in Kinds.Take(5))
        {
            using RgbRowReader a = open(folder), b = open(folder), begun = open(folder), fresh = open(folder);
            Assert.Contains("both images", Assert.Throws<ArgumentException>(() => metric.Measure(fresh, fresh)).Message,
                StringComparison.Ordinal);
            metric.Measure(a, b);
            AssertUsed(() => metric.Measure(a, fresh));
            AssertUsed(() => metric.Measure(open(folder), a));
            begun.ReadRow(new float[Side], new float[Side], new float[Side]);
            AssertUsed(() => metric.Measure(begun, open(folder)));
            using var disposed = open(folder);
            disposed.Dispose();
            Assert.Throws<ObjectDisposedException>(() => metric.Measure(open(folder), disposed));
        }
    }

    [Fact]
    public void LPIPS_takes_a_reader_once_in_every_way()
    {
        var lpips = Lite();
        foreach (var use in new Action<RgbRowReader>[]
        {
            rows => lpips.Compare(rows, Numbered().OpenRows()),
            rows => lpips.Compare(Numbered().OpenRows(), rows),
            rows => lpips.CompareAndMap(rows, Numbered().OpenRows()),
            rows => lpips.MeasureAndMap(rows, Numbered().OpenRows()),
            rows => lpips.Extract(rows),
        })
        {
            using var rows = Numbered().OpenRows();
            use(rows);
            AssertUsed(() => use(rows));
        }
        using var both = Numbered().OpenRows();
        Assert.Throws<ArgumentException>(() => lpips.Compare(both, both));
        Assert.Throws<ArgumentException>(() => lpips.CompareAndMap(both, both));
    }

    [Fact]
    public void Of_two_calls_with_one_reader_at_a_time_one_has_the_number_and_the_other_an_error()
    {
        var lpips = Lite();
        var other = TestImages.Waves(Side, Side, 3);
        var expected = lpips.Distance(Numbered(), other);
        for (var round = 0; round < 20; round++)
        {
            using var rows = Numbered().OpenRows();
            using var start = new Barrier(2);
            var results = new double?[2];
            Parallel.For(0, 2, new() { MaxDegreeOfParallelism = 2 }, i =>
            {
                start.SignalAndWait(TestContext.Current.CancellationToken);
                try
                {
                    results[i] = lpips.Compare(rows, other.OpenRows()).Distance;
                }
                catch (ArgumentException)
                {
                }
            });
            Assert.Equal([null, expected], results.Order());
        }
    }

    [Theory, MemberData(nameof(Metrics))]
    public void Samples_of_a_reader_of_ones_own_that_are_out_of_range_are_refused_by_place(string name)
    {
        var metric = Metric.Load([name])[0].WithThreads(2);
        foreach (var bad in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity, 1.0001f, -0.0001f })
        {
            using var rows = new Own(Side, Side, ValueRange.Unit, (y, row) =>
            {
                row.Fill(0.5f);
                row[^1] = y == 7 ? bad : 0.5f;
            });
            var error = Assert.Throws<ArgumentException>(() => metric.Measure(Numbered().OpenRows(), rows));
            Assert.Contains($"x {Side - 1}, y 7", error.Message, StringComparison.Ordinal);
            Assert.Contains("0..1", error.Message, StringComparison.Ordinal);
            Assert.Throws<InvalidOperationException>(
                () => rows.ReadRow(new float[Side], new float[Side], new float[Side]));
        }
    }

    [Theory, MemberData(nameof(Metrics))]
    public void Sizes_that_no_memory_holds_are_refused_by_name(string name)
    {
        var metric = Metric.Load([name])[0].WithThreads(2);
        foreach (var (width, height) in new[] { (int.MaxValue, 180), (180, int.MaxValue), ((1 << 22) + 1, 180),
            (int.MaxValue, int.MaxValue) })
        {
            RgbRowReader Huge() => new Own(width, height, ValueRange.Unit,
                (_, _) => throw new InvalidOperationException("was read"));
            var error = Assert.ThrowsAny<ArgumentException>(() => metric.Measure(Huge(), Huge()));
            Assert.Contains($"{width}x{height}", error.Message, StringComparison.Ordinal);
        }
        Assert.ThrowsAny<ArgumentException>(
            () => Lite().Extract(new Own(int.MaxValue, 180, ValueRange.Unit, (_, _) => { })));
    }

    [Fact]
    public void A_range_that_says_nothing_is_refused_by_name()
    {
        Assert.Equal("range", Assert.Throws<ArgumentException>(() => new Own(9, 9, default, (_, _) => { })).ParamName);
        Assert.Equal("range",
            Assert.Throws<ArgumentException>(() => RgbImage.FromInterleaved(new float[3], 1, 1, default)).ParamName);
        Assert.Equal("range",
            Assert.Throws<ArgumentException>(() => RgbImage.FromPlanes([0f], [0f], [0f], 1, 1, default)).ParamName);
        Assert.ThrowsAny<ArgumentException>(() => new Own(0, 9, ValueRange.Unit, (_, _) => { }));
        Assert.ThrowsAny<ArgumentException>(() => new Own(9, -1, ValueRange.Unit, (_, _) => { }));
    }

    [Fact]
    public void Rows_of_images_and_maps_are_asked_for_by_a_number_they_have()
    {
        var image = RgbImage.FromPlanes(new byte[65536], new byte[65536], new byte[65536], 65536, 1);
        var row = new float[65536];
        // 65536 * 65536 is 0
        foreach (var (channel, y) in new[] { (0, 65536), (0, 1), (0, -1), (3, 0), (-1, 0), (0, int.MaxValue),
            (0, int.MinValue) })
            Assert.ThrowsAny<ArgumentException>(() => image.CopyRow(channel, y, row));
        Assert.Throws<ArgumentException>(() => image.CopyRow(0, 0, row.AsSpan(1)));

        var map = Lite().Map(Numbered(), Numbered());
        foreach (var y in new[] { -1, Side, int.MaxValue })
            Assert.ThrowsAny<ArgumentException>(() => map.CopyRow(y, row));
        Assert.Throws<ArgumentException>(() => map.CopyRow(0, new float[Side - 1]));
    }

    [Fact]
    public void A_writer_takes_as_many_rows_as_it_was_told()
    {
        using var stream = new MemoryStream();
        using (var few = new PngWriter(stream, 2, 2))
        {
            Assert.ThrowsAny<ArgumentException>(() => few.WriteRow(new byte[5]));
            Assert.ThrowsAny<ArgumentException>(() => few.WriteRow(new byte[7]));
            few.WriteRow(new byte[6]);
            Assert.Throws<InvalidOperationException>(few.Finish);
            few.WriteRow(new byte[6]);
            Assert.Throws<InvalidOperationException>(() => few.WriteRow(new byte[6]));
        }
        using var folder = new TempFolder();
        Assert.Throws<ArgumentException>(() => NpyFile.Write(folder["a.npy"], new float[5], 2, 3));
        Assert.Throws<ArgumentException>(() => NpyFile.Write(folder["a.npy"], new float[7], 2, 3));
        Assert.Throws<ArgumentException>(
            () => NpyFile.Write(folder["a.npy"], Side, Side - 1, Lite().Map(Numbered(), Numbered()).CopyRow));
        Assert.Empty(folder.Files);
    }

    [Fact]
    public void Features_of_the_same_weights_in_other_layers_are_refused()
    {
        Lpips Random(Network network) => Lpips.Load(network, new() { RandomSeed = 1 });
        var lite = Network.Lite;
        var smaller = lite with { Layers = [.. lite.Layers.Select((layer, i) => i == 1 ? new MaxPool(3, 4) : layer)] };
        var (mine, theirs) = (Random(lite), Random(smaller));
        // the weights are the same, what they are taken from is not
        Assert.Equal(mine.FeatureDigest, theirs.FeatureDigest);
        var (a, b) = (mine.Extract(Numbered()), theirs.Extract(Numbered()));
        Assert.Throws<ArgumentException>(() => mine.Distance(a, b));
        Assert.Throws<ArgumentException>(() => mine.Map(b, b));
        Assert.Throws<ArgumentException>(() => mine.DistanceAndGradient(b, Numbered(), new float[3 * Side * Side]));
        Assert.Equal(0, Random(lite with { }).Distance(a, a));
    }

    [Fact]
    public void Weights_with_more_or_fewer_values_than_their_shape_are_refused()
    {
        var good = TrunkWeights.Random(Network.Lite, 1).Tensors;
        foreach (var key in new[] { "features.0.weight", "features.0.bias", "features.8.bias" })
            foreach (var difference in new[] { -1, 1, 100_000 })
            {
                if (good[key].Values.Length + difference < 0)
                    continue;
                var values = new float[good[key].Values.Length + difference];
                var bad = good.ToDictionary(pair => pair.Key,
                    pair => pair.Key == key ? pair.Value with { Values = values } : pair.Value);
                Assert.Contains(key, Assert.Throws<InvalidDataException>(
                    () => TrunkWeights.From(Network.Lite, bad, "mine")).Message, StringComparison.Ordinal);
            }
    }

    private static Lpips Lite() => Lpips.Load(Network.Lite, new() { Threads = 2 });

    private static RgbRowReader Open(
        string kind, TempFolder folder) => Kinds.Single(known => known.Name == kind).Open(folder);

    private static void AssertUsed(Action use) =>
        Assert.Contains("its rows can be read only once", Assert.Throws<ArgumentException>(use).Message,
            StringComparison.Ordinal);

    // [row, column, channel]
    private static byte[] Numbers() => [.. Enumerable.Range(0, 3 * Side * Side).Select(i => (byte)(i / (3 * Side)))];

    private static RgbImage Numbered() => RgbImage.FromInterleaved(Numbers(), Side, Side);

    private static byte[] Vips(Func<NetVips.Image, byte[]> save)
    {
        using var image = Samples.Vips(Numbers(), Side, Side);
        return save(image);
    }

    private sealed class Own(int width, int height, ValueRange range, Own.Fill fill)
        : RgbRowReader(width, height, range)
    {
        public delegate void Fill(int y, Span<float> row);

        protected override void ReadStoredRow(int y, Span<float> red, Span<float> green, Span<float> blue)
        {
            foreach (var channel in new[] { 0, 1, 2 })
                fill(y, channel switch { 0 => red, 1 => green, _ => blue });
        }
    }
}
