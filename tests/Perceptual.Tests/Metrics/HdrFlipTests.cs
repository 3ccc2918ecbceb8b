using System.Text.Json;

namespace Perceptual.Tests.Metrics;

[Trait("Category", "Numbers")]
public class HdrFlipTests
{
    // The authors' program computes in single precision and prints six digits, and four of exposures.
    [Theory]
    [InlineData("aces")]
    [InlineData("reinhard")]
    public void Values_of_hdr_flip_are_those_of_the_authors_program(string toneMapper)
    {
        Assert.SkipUnless(
            System.Runtime.Intrinsics.Vector128.IsHardwareAccelerated, "whole images take minutes without vectors");
        using var json = JsonDocument.Parse(File.ReadAllText(Shared.Path("golden/flip-ssimulacra2.json")));
        var metric = (HdrFlip)Metric.HdrFlipAt(toneMapper).WithThreads(2);
        var count = 0;
        foreach (var pair in json.RootElement.GetProperty("pairs").EnumerateArray())
        {
            if (!pair.TryGetProperty($"hdr_flip_67ppd_{toneMapper}", out var expected))
                continue;
            var value = new MetricSet([metric]).CompareAndMap(
                Light(pair, "reference").OpenRows(), Light(pair, "distorted").OpenRows());
            Assert.Equal(expected.GetProperty("mean").GetDouble(), value.Value, 1e-5);
            ClassicMetricsTests.AssertDetails(expected, metric, value.Details);
            Assert.Equal(expected.GetProperty("start_exposure").GetDouble(), value.Details[^3], 1e-4);
            Assert.Equal(expected.GetProperty("stop_exposure").GetDouble(), value.Details[^2], 1e-4);
            Assert.Equal(expected.GetProperty("exposures").GetDouble(), value.Details[^1]);
            Assert.Equal(value.Value, value.Map!.ToArray().Average(error => (double)error), 1e-7);
            count++;
        }
        Assert.Equal(2, count);

        static RgbImage Light(JsonElement pair, string key) =>
            ImageFile.Read(Shared.Path(pair.GetProperty(key).GetString()!), new() { KeepLinearLight = true });
    }

    // FLIP takes the root of differences of features, which are rounding where images are flat.
    [Theory]
    [InlineData("aces", 67)]
    [InlineData("reinhard", 40)]
    [InlineData("hable", 30)]
    public void Vectors_agree_with_plain_loops(string toneMapper, double pixelsPerDegree)
    {
        var (a, b) = (Random(33, 20, 1), Random(33, 20, 2));
        Assert.Equal(1, Metric.HdrFlipAt(toneMapper, pixelsPerDegree).Measure(a, b)
            / Plain(a, b, toneMapper, pixelsPerDegree).Mean, 1e-6);
    }

    [Theory]
    [InlineData("aces", 67)]
    [InlineData("reinhard", 40)]
    public void The_map_of_exposures_says_which_shows_an_error_best(string toneMapper, double pixelsPerDegree)
    {
        var (a, b) = (Random(33, 20, 1), Random(33, 20, 2));
        var metric = Metric.HdrFlipAt(toneMapper, pixelsPerDegree, mapsExposures: true);
        var value = new MetricSet([metric]).CompareAndMap(a.OpenRows(), b.OpenRows());
        Assert.Equal(Metric.HdrFlipAt(toneMapper, pixelsPerDegree).Measure(a, b), value.Value);
        var (_, exposures, count) = Plain(a, b, toneMapper, pixelsPerDegree);
        Assert.Equal(count, value.Details[^1]);
        Assert.True(exposures.Distinct().Count() > 2);
        Assert.Equal(exposures.Select(exposure => exposure / (float)(count - 1)), value.Map!.ToArray());
        Assert.All(new MetricSet([metric]).CompareAndMap(a.OpenRows(), a.OpenRows()).Map!.ToArray(),
            exposure => Assert.Equal(0, exposure));
    }

    [Fact]
    public void Identical_light_is_exactly_identical_and_each_number_is_of_no_error()
    {
        foreach (var image in new[] { Random(20, 15, 1), Flat(9, 8, 0), Flat(9, 8, 1e-30f), Flat(9, 8, 3e38f),
            Flat(9, 8, -1) })
        {
            var value = new MetricSet([new HdrFlip()]).Compare(image.OpenRows, image.OpenRows)[0];
            Assert.Equal(0, value.Value);
            Assert.All(value.Details.Skip(1).Take(6), detail => Assert.Equal(0, detail));
        }
    }

    [Fact]
    public void One_thread_and_several_rows_and_prepared_images_give_the_same_bits()
    {
        var (a, b) = (Random(150, 700, 1), Random(150, 700, 2)); // two bands of rows
        var metric = Metric.Load(["hdr-flip"])[0];
        var one = new MetricSet([metric.WithThreads(1)]).Compare(a.OpenRows, b.OpenRows)[0];
        var set = new MetricSet([metric.WithThreads(3)]);
        foreach (var other in new[] { set.Compare(a.OpenRows, b.OpenRows)[0],
            set.Compare(set.Prepare(a), set.Prepare(b))[0] })
        {
            Assert.Equal(one.Value, other.Value);
            Assert.Equal(one.Details, other.Details);
        }
    }

    // Twice the light everywhere is the same picture with an exposure of one stop less.
    [Fact]
    public void A_brighter_light_is_looked_at_with_a_shorter_exposure()
    {
        var (a, b) = (Random(30, 20, 1), Random(30, 20, 2));
        var (plain, bright) = (Compare(a, b), Compare(Scaled(a, 4), Scaled(b, 4)));
        Assert.Equal(plain.Value, bright.Value, 1e-9);
        Assert.Equal(plain.Details[^3] - 2, bright.Details[^3], 1e-9);
        Assert.Equal(plain.Details[^2] - 2, bright.Details[^2], 1e-9);
    }

    // Its median is black, which no exposure makes visible: that of the other pixels is.
    [Fact]
    public void A_reference_that_is_mostly_black_is_looked_at_by_what_is_not()
    {
        var (spot, other) = (Spot(0.5f), Spot(0.4f));
        var (value, full) = (Compare(spot, other), Compare(Flat(20, 20, 0.5f), Flat(20, 20, 0.4f)));
        Assert.Equal(full.Details[^3], value.Details[^3]);
        Assert.Equal(full.Details[^2], value.Details[^2]);
        Assert.True(value.Value > 0);

        static RgbImage Spot(float light)
        {
            var samples = new float[3 * 20 * 20];
            samples.AsSpan(300, 30).Fill(light);
            return RgbImage.FromInterleaved(samples, 20, 20, ValueRange.LinearLight);
        }
    }

    // As dark as the reference is, it is looked at as one of luminance 1.
    [Fact]
    public void A_black_reference_is_compared()
    {
        var value = Compare(Flat(20, 20, 0), Flat(20, 20, 0.5f));
        Assert.Equal(value.Details[^3], value.Details[^2]);
        Assert.Equal(2, value.Details[^1]);
        Assert.True(value.Value > 0.1);
    }

    [Fact]
    public void Light_and_srgb_are_not_compared_with_each_other()
    {
        var (light, srgb) = (Random(180, 180, 1), TestImages.Waves(180, 180, 1));
        foreach (var info in Metric.All.Where(info => !Metric.NeedsStore(info.Name)))
        {
            var metric = Metric.Load([info.Name])[0];
            var (own, foreign) = info.ComparesLinearLight ? (light, srgb) : (srgb, light);
            foreach (var measure in new Action[] { () => metric.Measure(foreign, foreign),
                () => metric.Measure(own, foreign), () => metric.Measure(foreign, own),
                () => metric.Compare(metric.Prepare(foreign), metric.Prepare(own)) })
                Assert.Contains("linear light", Assert.Throws<ArgumentException>(measure).Message,
                    StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(0.99)]
    [InlineData(1001)]
    [InlineData(double.NaN)]
    public void Pixels_of_a_degree_that_nobody_has_are_refused(double pixelsPerDegree)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Metric.FlipAt(pixelsPerDegree));
        Assert.Throws<ArgumentOutOfRangeException>(() => Metric.HdrFlipAt("aces", pixelsPerDegree));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    public void The_fewest_and_the_most_pixels_of_a_degree_give_numbers(double pixelsPerDegree)
    {
        var (a, b) = (TestImages.Waves(20, 9, 1), TestImages.Waves(20, 9, 2));
        Assert.InRange(Metric.FlipAt(pixelsPerDegree).Measure(a, b), 1e-3, 1);
        Assert.Equal(0, Metric.FlipAt(pixelsPerDegree).Measure(a, a));
    }

    [Fact]
    public void A_tone_mapper_that_is_not_there_is_refused_with_those_that_are() =>
        Assert.Contains("there are aces, reinhard, hable",
            Assert.Throws<ArgumentException>(() => Metric.HdrFlipAt("filmic")).Message, StringComparison.Ordinal);

    private static MetricValue Compare(RgbImage a, RgbImage b) =>
        new MetricSet([new HdrFlip()]).Compare(a.OpenRows, b.OpenRows)[0];

    private static (double Mean, int[] Exposures, int Count) Plain(
        RgbImage a, RgbImage b, string toneMapper, double pixelsPerDegree)
    {
        var (one, other) = (Planes(a), Planes(b));
        double[] luminances = [.. Enumerable.Range(0, a.Width * a.Height)
            .Select(i => (double)(float)Luminance(one, i / a.Width, i % a.Width)).Order()];
        // By bisection: the light that becomes .85.
        var (low, high) = (0.0, 100.0);
        for (var i = 0; i < 200; i++)
            if (Curve(toneMapper, (low + high) / 2) < 0.85)
                low = (low + high) / 2;
            else
                high = (low + high) / 2;
        var (start, stop) = (Math.Log2(low / luminances[^1]), Math.Log2(low / luminances[luminances.Length / 2]));
        var count = (int)Math.Max(2, Math.Ceiling(stop - start));
        var (largest, exposures) = (new double[a.Height, a.Width], new int[a.Height * a.Width]);
        for (var i = 0; i < count; i++)
        {
            var exposure = start + i * (stop - start) / (count - 1);
            var errors = PlainMetrics.FlipMap(
                Mapped(one, toneMapper, exposure), Mapped(other, toneMapper, exposure), pixelsPerDegree);
            for (var y = 0; y < a.Height; y++)
                for (var x = 0; x < a.Width; x++)
                    if (errors[y, x] > largest[y, x])
                        (largest[y, x], exposures[y * a.Width + x]) = (errors[y, x], i);
        }
        return (largest.Cast<double>().Average(), exposures, count);
    }

    private static double[][,] Mapped(double[][,] light, string toneMapper, double exposure)
    {
        var mapped = Array.ConvertAll(light, plane => (double[,])plane.Clone());
        for (var y = 0; y < light[0].GetLength(0); y++)
            for (var x = 0; x < light[0].GetLength(1); x++)
            {
                var scale = Math.Pow(2, exposure);
                var luminance = scale * Luminance(light, y, x);
                foreach (var plane in mapped)
                    plane[y, x] = Math.Clamp(toneMapper == "reinhard"
                        ? scale * Math.Max(plane[y, x], 0) / (1 + luminance)
                        : Curve(toneMapper, scale * Math.Max(plane[y, x], 0)), 0, 1);
            }
        return mapped;
    }

    private static double Luminance(double[][,] light, int y, int x) => 0.2126 * Math.Max(light[0][y, x], 0)
        + 0.7152 * Math.Max(light[1][y, x], 0) + 0.0722 * Math.Max(light[2][y, x], 0);

    private static double Curve(string toneMapper, double x) => toneMapper switch
    {
        "reinhard" => x / (1 + x),
        "aces" => 0.6 * x * (2.51 * 0.6 * x + 0.03) / (0.6 * x * (2.43 * 0.6 * x + 0.59) + 0.14),
        // (x (A x + C B) + D E) / (x (A x + B) + D F) - E / F of Hable's curve, to white
        _ => (0.231683 * x * x + 0.013791 * x) / (0.18 * x * x + 0.3 * x + 0.018),
    };

    private static double[][,] Planes(RgbImage image)
    {
        var planes = Enumerable.Range(0, 3).Select(_ => new double[image.Height, image.Width]).ToArray();
        var row = new float[image.Width];
        for (var c = 0; c < 3; c++)
            for (var y = 0; y < image.Height; y++)
            {
                image.CopyStoredRow(c, y, row);
                for (var x = 0; x < row.Length; x++)
                    planes[c][y, x] = row[x];
            }
        return planes;
    }

    // Light of some stops, a little of it below 0.
    private static RgbImage Random(int width, int height, int seed)
    {
        var random = new Random(seed);
        return RgbImage.FromInterleaved([.. Enumerable.Range(0, 3 * width * height).Select(_ =>
            random.Next(50) == 0 ? -random.NextSingle() : MathF.Pow(2, 12 * random.NextSingle() - 6))],
            width, height, ValueRange.LinearLight);
    }

    private static RgbImage Scaled(RgbImage image, float factor)
    {
        float[][] planes = [.. Planes(image).Select(
            plane => plane.Cast<double>().Select(value => (float)value * factor).ToArray())];
        return RgbImage.FromPlanes(planes[0], planes[1], planes[2], image.Width, image.Height, ValueRange.LinearLight);
    }

    private static RgbImage Flat(int width, int height, float light) => RgbImage.FromInterleaved(
        [.. Enumerable.Repeat(light, 3 * width * height)], width, height, ValueRange.LinearLight);
}
