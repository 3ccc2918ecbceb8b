using System.Text.Json;

namespace Perceptual.Tests.Metrics;

[Trait("Category", "Numbers")]
public class ClassicMetricsTests
{
    public static TheoryData<string> Names =>
        [.. OfSrgb().Select(info => info.Name)];

    public static TheoryData<string> NamesWithMap =>
        [.. OfSrgb().Where(info => info.HasMap).Select(info => info.Name)];

    // What the golden file calls them. Both sides compute in double precision: 1e-9 is a thousand times the rounding of
    // a variance, the difference of two means of squares of up to 255^2, beside C2 = 58.5.
    [Theory]
    [InlineData("psnr", "psnr_rgb")]
    [InlineData("l2", "l2_rgb")]
    [InlineData("l2-lab", "l2_lab")]
    [InlineData("ssim", "ssim_rgb_gaussian")]
    [InlineData("dssim", "dssim_rgb")]
    [InlineData("dssim-lab", "dssim_lab")]
    public void Values_are_those_of_scikit_image(string name, string key)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Shared.Path("golden/metrics.json")));
        var pairs = json.RootElement.GetProperty("pairs").EnumerateArray().ToArray();
        Assert.NotEmpty(pairs);
        foreach (var pair in pairs)
        {
            var (reference, distorted) = (pair.GetProperty("reference").GetString()!,
                pair.GetProperty("distorted").GetString()!);
            var actual = Load(name).Measure(ImageFile.Read(Shared.Path(reference)),
                ImageFile.Read(Shared.Path(distorted)));
            Assert.Equal(1, actual / pair.GetProperty(key).GetDouble(), 1e-9);
        }
    }

    // To the digits the authors' values are printed with. Gray, where they use it, is MATLAB's rgb2gray of 8 bits,
    // rounded to whole levels; what is published as FSIM is FSIMc.
    [Theory]
    [InlineData("psnr", "psnr", "F2")]
    [InlineData("ssim-luma", "ssim", "F4")]
    [InlineData("fsimc", "fsim", "F4")]
    [InlineData("gmsd", "gmsd", "G4")]
    public void Values_are_those_of_the_authors(string name, string key, string digits)
    {
        foreach (var (image, expected, reference, distorted) in Published(key))
            Assert.Equal((image, expected.ToString(digits)),
                (image, Load(name).Measure(reference, distorted).ToString(digits)));
    }

    // The published numbers are of the authors' program in the mode that adds the scales up, weighed by their
    // exponents, in place of multiplying their powers, which is the metric: of I03 the product is 0.6700.
    [Fact]
    public void Scales_of_ms_ssim_are_those_of_the_authors()
    {
        foreach (var (image, expected, reference, distorted) in Published("ms_ssim"))
        {
            var means = MsSsim.Means(reference.OpenRows(), distorted.OpenRows(), 2, default);
            var sum = means.Zip(MsSsim.Exponents, (mean, exponent) => mean * exponent).Sum() / MsSsim.Exponents.Sum();
            Assert.Equal((image, expected.ToString("F4")), (image, sum.ToString("F4")));
        }
    }

    // The author's program has single precision and prints 8 decimals. These are the same operations up to the means,
    // whose sums, in double precision, have another order: 1e-8 of the last digit printed.
    [Fact]
    public void Values_of_ssimulacra2_are_those_of_the_authors_program()
    {
        foreach (var (pair, reference, distorted) in FlipPairs())
            Assert.Equal(
                pair.GetProperty("ssimulacra2").GetDouble(), Load("ssimulacra2").Measure(reference, distorted), 2e-8);
    }

    // The authors' program computes in single precision and prints six digits.
    [Theory]
    [InlineData("flip_67ppd", Flip.UsualPixelsPerDegree)]
    [InlineData("flip_40ppd", 40)]
    public void Values_of_flip_are_those_of_the_authors_program(string key, double pixelsPerDegree)
    {
        var metric = new Flip(pixelsPerDegree);
        foreach (var (pair, reference, distorted) in FlipPairs())
        {
            var expected = pair.GetProperty(key);
            var (value, map) = metric.MeasureAndMap(reference.OpenRows(), distorted.OpenRows());
            Assert.Equal(expected.GetProperty("mean").GetDouble(), value, 1e-5);
            Assert.Equal(expected.GetProperty("max").GetDouble(), map.ToArray().Max(), 1e-5);
            var details = new MetricSet([metric]).Compare(reference.OpenRows, distorted.OpenRows)[0].Details;
            Assert.Equal(pixelsPerDegree, details[0]);
            AssertDetails(expected, metric, details);
        }
    }

    /// <summary>Numbers besides the value are those that the authors' program prints.</summary>
    internal static void AssertDetails(JsonElement expected, Metric metric, IReadOnlyList<double> details)
    {
        Assert.Equal(metric.DetailNames.Count, details.Count);
        foreach (var (name, key) in new[] { ("mean", "mean"), ("weightedMedian", "weighted_median"),
            ("weightedFirstQuartile", "weighted_q1"), ("weightedThirdQuartile", "weighted_q3"), ("min", "min"),
            ("max", "max") })
        {
            var golden = expected.GetProperty(key).GetDouble();
            var actual = details[metric.DetailNames.ToList().IndexOf(name)];
            Assert.True(Math.Abs(golden - actual) < 1e-5, $"{name} is {actual}, not {golden}");
        }
    }

    // Made by haarpsi_vif.m, which runs the authors' programs. Both sides compute in double precision. HaarPSI inverts
    // the logistic function where it is nearly 1, which costs a factor of a hundred: 1e-11 is ten times the difference
    // seen. The variances of VIF differ in their rounding, 1e-11 beside 2.
    [Theory]
    [InlineData("ex_ref.png", "ex_p0.png", 0.5650112704260523, 0.148297082332659)]
    [InlineData("ex_ref.png", "ex_p1.png", 0.4196738339313254, 0.05827133404419479)]
    [InlineData("pairs/0-ref.png", "pairs/0-jpeg15.png", 0.7822913375580822, 0.3332307994732228)]
    [InlineData("pairs/1-ref.png", "pairs/1-blur2.png", 0.849685004553259, 0.2534122847710859)]
    [InlineData("pairs/2-ref.png", "pairs/2-noise20.png", 0.7352306187945555, 0.3378691025924823)]
    [InlineData("pairs/3-ref.png", "pairs/3-shift3.png", 0.6120964935770349, 0.1292433831098277)]
    [InlineData("calibration/I03-ref.bmp", "calibration/I03-dist.bmp", 0.3333044756367997, 0.07008559451775694)]
    [InlineData("calibration/I04-ref.bmp", "calibration/I04-dist.bmp", 0.4281153125101816, 0.9713468607360813)]
    [InlineData("calibration/I06-ref.bmp", "calibration/I06-dist.bmp", 0.8337311112667292, 0.9780375001762036)]
    public void Values_of_haarpsi_and_vif_are_those_of_the_authors_programs(
        string reference, string distorted, double haarPsi, double vif)
    {
        NeedVectors();
        var (a, b) = (ImageFile.Read(Shared.Path($"images/{reference}")),
            ImageFile.Read(Shared.Path($"images/{distorted}")));
        Assert.Equal(1, Load("haarpsi").Measure(a, b) / haarPsi, 1e-11);
        Assert.Equal(1, Load("vif").Measure(a, b) / vif, 1e-11);
    }

    [Fact]
    public void The_picture_of_flip_is_that_of_the_authors_program_to_one_level()
    {
        var (_, reference, distorted) = FlipPairs().ElementAt(2);
        using var folder = new TempFolder();
        var (_, map) = Load("flip").MeasureAndMap(reference.OpenRows(), distorted.OpenRows());
        HeatMap.WriteFlip(folder["map.png"], map);
        var picture = PlainMetrics.Rgb(ImageFile.Read(folder["map.png"]));
        var gray = PlainMetrics.Rgb(ImageFile.Read(Shared.Path("golden/flip-map-pairs0-jpeg15.png")))[0];
        Assert.Equal((map.Height, map.Width), (gray.GetLength(0), gray.GetLength(1)));
        var colours = ColourMap.Magma.Index().ToDictionary(colour => colour.Item, colour => colour.Index);
        for (var y = 0; y < map.Height; y++)
            for (var x = 0; x < map.Width; x++)
                Assert.InRange(
                    colours[((byte)picture[0][y, x], (byte)picture[1][y, x], (byte)picture[2][y, x])] - gray[y, x],
                    -1, 1);
    }

    // Odd sizes, several bands of rows, one window only, and the smallest size of MS-SSIM. The plain loops take each
    // variance from its own mean; what is compared takes differences of means of squares, off by 2^-53 * 510^2 or
    // 3e-11, beside C2 = 58.5 (5.2 of Lab): 1e-11.
    [Theory, MemberData(nameof(Names))]
    public void Vectors_agree_with_plain_loops(string name)
    {
        // FLIP takes the root of differences of features, which are rounding where images are flat. SSIMULACRA 2 has
        // the single precision of its author's program, its plain loops have double precision.
        var tolerance = name switch { "flip" => 1e-7, "ssimulacra2" => 1e-3, _ => 1e-10 };
        var smallest = Load(name).Info.MinimumSide;
        (int Width, int Height)[] sizes = name switch
        {
            "ms-ssim" => [(176, 176), (181, 203)],
            "fsim" or "fsimc" => [(9, 8), (24, 16), (37, 31)],
            "vif" => [(41, 41), (45, 50), (101, 64)],
            _ => [(smallest, smallest), (smallest + 4, smallest + 9), (33, 20), (101, 64)],
        };
        foreach (var (width, height) in sizes)
        {
            var (a, b) = (TestImages.Waves(width, height, 1), TestImages.Waves(width, height, 2));
            Assert.Equal(1, Load(name).Measure(a, b) / PlainMetrics.Value(name, a, b), tolerance);
            var (c, d) = (Words(width, height, 3), Floats(width, height, 4));
            Assert.Equal(1, Load(name).Measure(c, d) / PlainMetrics.Value(name, c, d), tolerance);
        }
    }

    // Of images made smaller beforehand, in plain loops and kept as floats, which moves levels by up to 2^-25 of 255
    // and FSIM by less.
    [Theory]
    [InlineData(385, 390, 2)]
    [InlineData(645, 641, 3)]
    [InlineData(897, 900, 4)]
    public void Fsim_makes_large_images_smaller_first(int width, int height, int factor)
    {
        var (a, b) = (TestImages.Waves(width, height, 1), TestImages.Waves(width, height, 2));
        Assert.Equal(Load("fsimc").Measure(Smaller(a), Smaller(b)), Load("fsimc").Measure(a, b), 1e-6);

        RgbImage Smaller(RgbImage image)
        {
            var planes = Array.ConvertAll(PlainMetrics.Rgb(image), plane => PlainMetrics.Shrink(plane, factor));
            var floats = Array.ConvertAll(planes,
                plane => plane.Cast<double>().Select(value => (float)value).ToArray());
            return RgbImage.FromPlanes(floats[0], floats[1], floats[2], planes[0].GetLength(1), planes[0].GetLength(0),
                new(0, 255));
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Identical_images_are_exactly_identical(string name)
    {
        var metric = Load(name);
        var (width, height) = Size(name);
        foreach (var image in new[] { TestImages.Waves(width, height, 1), Words(width, height, 2),
            Floats(width, height, 3), Flat(width, height, 77) })
            Assert.Equal(
                name switch
                {
                    "psnr" or "psnr-y" => double.PositiveInfinity,
                    "ssimulacra2" => 100,
                    _ => metric.Info.LargerIsCloser ? 1 : 0,
                },
                metric.Measure(image, image));
    }

    // But where the reference is another thing than what is compared with it.
    [Theory, MemberData(nameof(Names))]
    public void Swapped_images_have_the_same_bits(string name)
    {
        var (width, height) = Size(name);
        var (a, b) = (TestImages.Waves(width, height, 1), TestImages.Waves(width, height, 2));
        var (value, swapped) = (Load(name).Measure(a, b), Load(name).Measure(b, a));
        if (name is "ssimulacra2" or "vif")
            Assert.NotEqual(value, swapped);
        else
            Assert.Equal(value, swapped);
    }

    [Theory, MemberData(nameof(Names))]
    public void One_thread_and_several_give_the_same_bits(string name)
    {
        var (a, b) = (TestImages.Waves(300, 252, 1), TestImages.Waves(300, 252, 2)); // two bands of rows
        var one = Load(name).WithThreads(1).Measure(a, b);
        foreach (var threads in new[] { 2, 3, 5 })
            Assert.Equal(one, Load(name).WithThreads(threads).Measure(a, b));
    }

    // A difference of one grey level in one sample, where 1 - SSIM is about 1e-6 and the rounding of a mean of squares
    // would be seen.
    [Fact]
    public void Nearly_identical_images_keep_their_digits()
    {
        var bytes = new byte[3 * 40 * 30];
        new Random(1).NextBytes(bytes);
        var a = RgbImage.FromInterleaved(bytes, 40, 30);
        bytes[1000] ^= 1;
        var b = RgbImage.FromInterleaved(bytes, 40, 30);
        Assert.Equal(4.0 / (255 * 255) / bytes.Length, Load("l2").Measure(a, b), 1e-20);
        Assert.Equal(10 * Math.Log10(255 * 255 * (double)bytes.Length), Load("psnr").Measure(a, b), 1e-9);
        Assert.Equal(1, Load("l2-lab").Measure(a, b) / PlainMetrics.Value("l2-lab", a, b), 1e-6);
        var unlike = Load("ssim").MeasureAndMap(a.OpenRows(), b.OpenRows()).Map.ToArray();
        // The map's means over its own windows, without the border that repeats them.
        var inner = Enumerable.Range(5, 20)
            .SelectMany(y => Enumerable.Range(5, 30).Select(x => (double)unlike[y * 40 + x])).Average();
        Assert.Equal(1, inner / PlainMetrics.Dissimilarity(a, b), 1e-6);
    }

    [Theory, MemberData(nameof(Names))]
    public void The_same_picture_in_8_and_16_bits_has_the_same_value(string name)
    {
        var (width, height) = Size(name);
        var bytes = new byte[3 * width * height];
        new Random(3).NextBytes(bytes);
        var words = RgbImage.FromInterleaved(Array.ConvertAll(bytes, value => (ushort)(257 * value)), width, height);
        var other = TestImages.Waves(width, height, 1);
        // Gray is rounded to 1 of 255 or 1 of 65535 by definition: a hundredth.
        var tolerance = name is "ssim-luma" or "ms-ssim" or "gmsd" or "vif" ? 1e-2 : 1e-12;
        Assert.Equal(1, Load(name).Measure(words, other) / Load(name)
            .Measure(RgbImage.FromInterleaved(bytes, width, height), other), tolerance);
    }

    [Theory, MemberData(nameof(Names))]
    public void Values_lie_in_the_stated_range(string name)
    {
        var (width, height) = Size(name);
        var (black, white) = (Flat(width, height, 0), Flat(width, height, 255));
        var image = TestImages.Waves(width, height, 1);
        var (green, blue) = (RgbImage.FromInterleaved(Repeat([0, 255, 0], width * height), width, height),
            RgbImage.FromInterleaved(Repeat([0, 0, 255], width * height), width, height));
        foreach (var (a, b) in new[] { (black, white), (image, Negative(image)), (black, image), (green, blue) })
        {
            var value = Load(name).Measure(a, b);
            var (low, high) = name switch
            {
                "l2" => (0.0, 4.0),
                "l2-lab" => (0, 1.2),
                "psnr" or "psnr-y" => (0, double.PositiveInfinity),
                "ssim" or "ssim-luma" or "ssim-y" => (-1, 1),
                "gmsd" => (0, 0.5),
                "ssimulacra2" => (double.NegativeInfinity, 100),
                "ciede2000" => (0, 120),
                "vif" => (0, double.PositiveInfinity),
                _ => (0, 1),
            };
            Assert.InRange(value, low, high);
            Assert.True(Load(name).Info.Distance(value) > Load(name).Info.Distance(Load(name).Measure(a, a)));
        }
    }

    [Fact]
    public void Black_and_white_are_as_far_apart_as_can_be()
    {
        var (black, white) = (Flat(20, 20, 0), Flat(20, 20, 255));
        Assert.Equal(4, Load("l2").Measure(black, white));
        Assert.Equal(0, Load("psnr").Measure(black, white));
        Assert.Equal(0.5 / 3, Load("l2-lab").Measure(black, white), 1e-5); // L differs by 100
        Assert.Equal(1e-4 * 255 * 255 / (255 * 255 * (1 + 1e-4)), Load("ssim").Measure(black, white), 1e-12);
    }

    [Theory, MemberData(nameof(NamesWithMap))]
    public void Maps_are_zero_where_images_agree_and_as_large_as_they(string name)
    {
        var (width, height) = (120, 61);
        var (image, elsewhere) = (TestImages.Waves(width, height, 1), TestImages.Waves(width, height, 2));
        var (_, zero) = Load(name).MeasureAndMap(image.OpenRows(), image.OpenRows());
        Assert.Equal((width, height), (zero.Width, zero.Height));
        Assert.Equal(0, zero.ToArray().Max());
        Assert.Equal(0, zero.ToArray().Min());

        // Other pixels in the right half only: windows and filters of the left do not see them, but FSIM's waves, which
        // go all around, and the smallest scales of SSIMULACRA 2.
        var other = RgbImage.FromPlanes(Half(0), Half(1), Half(2), width, height);
        var (value, map) = Load(name).MeasureAndMap(image.OpenRows(), other.OpenRows());
        Assert.Equal(value, Load(name).Measure(image, other));
        var values = map.ToArray();
        double left = 0, right = 0;
        for (var i = 0; i < values.Length; i++)
            if (i % width < 50)
                left += values[i];
            else if (i % width >= 70)
                right += values[i];
        Assert.True(right > 0);
        Assert.True(
            name.StartsWith("fsim", StringComparison.Ordinal) || name == "ssimulacra2" ? left < right / 5 : left == 0,
            $"{left} {right}");

        byte[] Half(int channel)
        {
            var (plane, row, distorted) = (new byte[width * height], new float[width], new float[width]);
            for (var y = 0; y < height; y++)
            {
                image.CopyStoredRow(channel, y, row);
                elsewhere.CopyStoredRow(channel, y, distorted);
                for (var x = 0; x < width; x++)
                    plane[y * width + x] = (byte)(x < 60 ? row[x] : distorted[x]);
            }
            return plane;
        }
    }

    [Fact]
    public void Means_of_maps_are_the_values()
    {
        var (a, b) = (TestImages.Waves(60, 50, 1), TestImages.Waves(60, 50, 2));
        var (l2, l2Map) = Load("l2").MeasureAndMap(a.OpenRows(), b.OpenRows());
        Assert.Equal(1, l2Map.ToArray().Average(value => (double)value) / l2, 1e-6);
        var (flip, flipMap) = Load("flip").MeasureAndMap(a.OpenRows(), b.OpenRows());
        Assert.Equal(1, flipMap.ToArray().Average(value => (double)value) / flip, 1e-6);
        var (fsim, fsimMap) = Load("fsimc").MeasureAndMap(a.OpenRows(), b.OpenRows());
        Assert.Equal(1, fsimMap.ToArray().Average(value => (double)value) / (1 - fsim), 1e-6);
        var (dssim, dssimMap) = Load("dssim").MeasureAndMap(a.OpenRows(), b.OpenRows());
        var values = dssimMap.ToArray();
        Assert.Equal(1, Enumerable.Range(3, 44)
            .SelectMany(y => Enumerable.Range(3, 54).Select(x => (double)values[y * 60 + x])).Average() / dssim, 1e-6);
    }

    private static IEnumerable<MetricInfo> OfSrgb() => Metric.All.Where(info =>
        !info.ComparesLinearLight && !info.Name.StartsWith("lpips-", StringComparison.Ordinal));

    // Small, but for MS-SSIM.
    private static (int Width, int Height) Size(string name) => name == "ms-ssim" ? (181, 183) : (61, 47);

    private static Metric Load(string name) => Metric.Load([name])[0].WithThreads(2);

    private static IEnumerable<(string Image, double Value, RgbImage Reference, RgbImage Distorted)> Published(
        string key)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Shared.Path("golden/published.json")));
        var values = json.RootElement.GetProperty(key).EnumerateObject().ToArray();
        Assert.Equal(["I03", "I04", "I06"], values.Select(value => value.Name));
        return [.. values.Select(value => (value.Name, value.Value.GetDouble(),
            ImageFile.Read(Shared.Path($"images/calibration/{value.Name}-ref.bmp")),
            ImageFile.Read(Shared.Path($"images/calibration/{value.Name}-dist.bmp"))))];
    }

    private static void NeedVectors() => Assert.SkipUnless(
        System.Runtime.Intrinsics.Vector128.IsHardwareAccelerated, "whole images take minutes without vectors");

    // The pairs of 8 bits whose values of FLIP and SSIMULACRA 2 the authors' programs have computed.
    private static IEnumerable<(JsonElement Pair, RgbImage Reference, RgbImage Distorted)> FlipPairs()
    {
        NeedVectors();
        using var json = JsonDocument.Parse(File.ReadAllText(Shared.Path("golden/flip-ssimulacra2.json")));
        JsonElement[] pairs = [.. json.RootElement.GetProperty("pairs").EnumerateArray()
            .Where(pair => pair.TryGetProperty("ssimulacra2", out _))];
        Assert.Equal(9, pairs.Length);
        return [.. pairs.Select(pair => (pair.Clone(), Image(pair, "reference"), Image(pair, "distorted")))];

        static RgbImage Image(JsonElement pair, string key) =>
            ImageFile.Read(Shared.Path(pair.GetProperty(key).GetString()!));
    }

    private static RgbImage Words(int width, int height, int seed)
    {
        var random = new Random(seed);
        var words = new ushort[3 * width * height];
        foreach (ref var word in words.AsSpan())
            word = (ushort)random.Next(65536);
        return RgbImage.FromInterleaved(words, width, height);
    }

    private static RgbImage Floats(int width, int height, int seed)
    {
        var random = new Random(seed);
        var floats = new float[3 * width * height];
        foreach (ref var value in floats.AsSpan())
            value = 2 + 3 * random.NextSingle();
        return RgbImage.FromInterleaved(floats, width, height, new(2, 5));
    }

    private static RgbImage Flat(int width, int height, byte value) =>
        RgbImage.FromInterleaved(Repeat([value], 3 * width * height), width, height);

    private static byte[] Repeat(byte[] values, int times) =>
        [.. Enumerable.Repeat(values, times).SelectMany(value => value)];

    private static RgbImage Negative(RgbImage image)
    {
        byte[] Plane(int channel)
        {
            var (plane, row) = (new byte[image.Width * image.Height], new float[image.Width]);
            for (var i = 0; i < plane.Length; i++)
            {
                if (i % image.Width == 0)
                    image.CopyStoredRow(channel, i / image.Width, row);
                plane[i] = (byte)(255 - row[i % image.Width]);
            }
            return plane;
        }
        return RgbImage.FromPlanes(Plane(0), Plane(1), Plane(2), image.Width, image.Height);
    }
}
