using System.Security.Cryptography;
using Perceptual.Tests.Imaging;

namespace Perceptual.Tests.Distortions;

[Trait("Category", "Numbers")]
public class DistortionTests
{
    private static readonly Distortion[] Kinds = [.. Distortion.All, .. Codecs.All];
    private static readonly Lazy<RgbImage[]> Images = new(() =>
        [ImageFile.Read(Path.Combine(AppContext.BaseDirectory, "samples", "reference.png"))
            .Resize(64, 64, ResizeFilter.Box), TestImages.Waves(64, 64, 1), TestImages.Waves(61, 50, 2)]);

    public static TheoryData<string> Names => [.. Kinds.Select(kind => kind.Name)];

    public static TheoryData<string> Still =>
        [.. Kinds.Where(kind => kind.Family is "blur" or "spatial" or "resampling").Select(kind => kind.Name)];

    [Fact]
    public void Names_are_unique_and_amounts_go_from_one_end_to_the_other_in_equal_ratios()
    {
        Assert.Equal(Kinds.Length, Kinds.Select(kind => kind.Name).Distinct().Count());
        foreach (var kind in Kinds)
        {
            // Exp and Log are good to a few units of the last place, and so is Math.Sqrt.
            Assert.Equal(kind.To, kind.Amount(1), kind.To * 1e-14);
            Assert.Equal(Math.Sqrt(kind.From * kind.To), kind.Amount(0.5), kind.Amount(0.5) * 1e-14);
        }
        for (var x = -50.0; x <= 50; x += 0.37)
            Assert.Equal(1, Exact.Exp(x) / Math.Exp(x), 1e-14);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Strength_zero_is_identity(string name)
    {
        var image = Images.Value[0];
        Assert.Same(image, Kind(name).Apply(image, 0, 5));
        var samples = new[] { 0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f };
        Kind(name).Apply(samples, 2, 1, 0, 5);
        Assert.Equal([0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f], samples);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_same_seed_gives_the_same_bytes_on_any_thread_and_another_seed_others_where_it_matters(string name)
    {
        var (kind, image) = (Kind(name), Images.Value[0]);
        var first = Samples.Interleaved(kind.Apply(image, 0.5, 1));
        Assert.All(Enumerable.Range(0, 4).AsParallel().Select(_ => Samples.Interleaved(kind.Apply(image, 0.5, 1)))
            .ToArray(), again => Assert.Equal(first, again));
        // Where the seed only says up or down, half of the seeds agree: ten by ten have a chance of 1 in 1000 to.
        var others = Enumerable.Range(2, 10)
            .Select(seed => Samples.Interleaved(kind.Apply(image, 0.5, (ulong)seed))).ToArray();
        Assert.Equal(kind.IsSeeded, others.Any(other => !other.SequenceEqual(first)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void More_strength_is_further_from_the_original(string name)
    {
        var kind = Kind(name);
        double Mean(double strength) =>
            Images.Value.Average(image => Enumerable.Range(0, 3)
                .Average(seed => Difference(image, kind.Apply(image, strength, (ulong)seed))));
        var distances = new[] { 0, 0.1, 0.3, 0.6, 1 }.Select(Mean).ToArray();
        for (var i = 1; i < distances.Length; i++)
            Assert.True(distances[i] > distances[i - 1], $"{name}: {string.Join(' ', distances)}");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Images_of_any_size_go_through_and_stay_on_their_range(string name)
    {
        foreach (var (width, height) in new[] { (1, 1), (2, 1), (3, 200), (200, 3), (17, 9) })
            foreach (var strength in new[] { 0.001, 0.4, 1 })
            {
                var samples = Enumerable.Range(0, 3 * width * height).Select(i => i * 37 % 101 / 100f).ToArray();
                Kind(name).Apply(samples, width, height, strength, 3);
                Assert.All(samples, sample => Assert.InRange(sample, 0, 1));
            }
    }

    [Theory]
    [MemberData(nameof(Still))]
    public void A_flat_image_stays_as_it_is_when_pixels_are_moved_or_mixed(string name)
    {
        var flat = RgbImage.FromInterleaved(
            [.. Enumerable.Repeat(new byte[] { 77, 130, 201 }, 31 * 23).SelectMany(pixel => pixel)], 31, 23);
        foreach (var strength in new[] { 0.1, 0.5, 1 })
            Assert.Equal(Samples.Interleaved(flat), Samples.Interleaved(Kind(name).Apply(flat, strength, 2)));
    }

    // Of all kinds that only add, multiply, divide and take roots; the test runs at every level of vectors. Made by
    // this code, and looked at.
    [Fact]
    public void The_bytes_are_the_same_on_every_machine()
    {
        var image = RgbImage.FromInterleaved(Samples.Pattern(37, 29), 37, 29);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var kind in Distortion.All.Where(
            kind => kind.Name is not ("pink-noise" or "blue-noise" or "coloured-noise" or "resample-lanczos")))
            foreach (var strength in new[] { 0.2, 0.7 })
                hash.AppendData(Samples.Interleaved(kind.Apply(image, strength, 11)));
        Assert.Equal("c2681eb096fc8784", Convert.ToHexStringLower(hash.GetHashAndReset())[..16]);
    }

    [Fact]
    public void Lightness_adds_a_constant()
    {
        var samples = Constant(0.5f, 8, 8);
        Kind("lightness").Apply(samples, 8, 8, 0.5, 1);
        Assert.All(samples, sample => Assert.Equal(Kind("lightness").Amount(0.5), Math.Abs(sample - 0.5), 1e-6));
    }

    [Fact]
    public void Colour_shift_keeps_the_luma_and_has_its_length()
    {
        var samples = Constant(0.5f, 1, 1);
        Kind("colour-shift").Apply(samples, 1, 1, 0.6, 4);
        Assert.Equal(0.5, 0.299 * samples[0] + 0.587 * samples[1] + 0.114 * samples[2], 1e-6);
        Assert.Equal(Kind("colour-shift").Amount(0.6),
            Math.Sqrt(samples.Sum(sample => (sample - 0.5) * (sample - 0.5))), 1e-6);
    }

    [Theory]
    [InlineData("contrast", 0.2, 0.3)]
    [InlineData("saturation", 0.1, 0.2)]
    public void Contrast_and_saturation_multiply_or_divide(string name, double strength, double atLeast)
    {
        var factors = new HashSet<double>();
        for (var seed = 0UL; seed < 12; seed++)
        {
            // Two pixels of mean luma .5, and grey but for a little red and green at the same luma.
            float[] samples = [0.45f + 0.0587f, 0.55f, 0.45f - 0.0299f, 0.55f, 0.45f, 0.55f];
            Kind(name).Apply(samples, 2, 1, strength, seed);
            Assert.Equal(1, 0.299 * (samples[0] + samples[1]) + 0.587 * (samples[2] + samples[3])
                + 0.114 * (samples[4] + samples[5]), 1e-6);
            factors.Add(
                Math.Round(name == "contrast"
                    ? (samples[5] - samples[4]) / 0.1
                    : (samples[0] - samples[2]) / 0.0886, 4));
        }
        var factor = Kind(name).Amount(strength);
        Assert.InRange(factor - 1, atLeast, 1);
        Assert.Equal([Math.Round(1 / factor, 4), Math.Round(factor, 4)], factors.Order());
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(0.5, 16)]
    public void Quantisation_leaves_so_many_levels(double strength, int levels)
    {
        var ramp = RgbImage.FromInterleaved(
            [.. Enumerable.Range(0, 256).SelectMany(v => new[] { (byte)v, (byte)v, (byte)v })], 256, 1);
        var expected = Enumerable.Range(0, levels)
            .Select(level => (byte)Math.Floor(level * 255.0 / (levels - 1) + 0.5));
        Assert.Equal(expected, Samples.Interleaved(Kind("quantisation").Apply(ramp, strength)).Distinct().Order());
    }

    [Fact]
    public void Checkerboard_adds_and_takes_off_by_turns()
    {
        for (var seed = 0UL; seed < 6; seed++)
        {
            var samples = Constant(0.5f, 64, 64);
            Kind("checkerboard").Apply(samples, 64, 64, 0.5, seed);
            var amplitude = Kind("checkerboard").Amount(0.5);
            Assert.All(samples, sample => Assert.Equal(amplitude, Math.Abs(sample - 0.5), 1e-6));
            var cell = Enumerable.Range(1, 4).First(x => samples[x] != samples[0]);
            Assert.Contains(cell, new[] { 1, 2, 4 });
            for (var i = 0; i < samples.Length; i++)
                Assert.Equal(samples[0] > 0.5, (samples[i] > 0.5) == ((i % 64 / cell + i / 64 % 64 / cell) % 2 == 0));
        }
    }

    [Fact]
    public void Impulse_noise_hits_its_part_of_the_pixels_and_more_hits_the_same_ones()
    {
        var (few, many) = (Constant(0.5f, 100, 100), Constant(0.5f, 100, 100));
        Kind("impulse-noise").Apply(few, 100, 100, 0.7, 9);
        Kind("impulse-noise").Apply(many, 100, 100, 1, 9);
        Assert.All(many, sample => Assert.Contains(sample, new[] { 0, 0.5f, 1 }));
        // Binomial of 10000 and a half: a standard deviation of 50, four of them.
        Assert.InRange(many.Take(10000).Count(sample => sample != 0.5f), 4800, 5200);
        Assert.Equal(few.Length, many.Length);
        Assert.InRange(few.Take(10000).Count(sample => sample != 0.5f), 100, 4700);
        for (var i = 0; i < few.Length; i++)
            Assert.True(few[i] == 0.5f || few[i] == many[i]);
    }

    [Fact]
    public void White_noises_have_their_deviation()
    {
        // The variance of 3 * 64 * 64 samples is known to sqrt(2 / 12288) = 1.3 % if they are normal, the deviation to
        // half of it: 4 of these.
        foreach (var (name, ratio) in new[] { ("white-noise", 1), ("uniform-noise", 1 / Math.Sqrt(3)),
            ("blue-noise", 1) })
            Assert.Equal(1,
                Math.Sqrt(Noise(name, 0.3, 5).Average(x => x * x)) / (Kind(name).Amount(0.3) * ratio), 0.026);
    }

    [Theory]
    [InlineData("white-noise", 0, 0)]
    [InlineData("pink-noise", -1, -1)]
    [InlineData("blue-noise", 1, 1)]
    [InlineData("coloured-noise", -2, 2)]
    public void The_power_of_noise_goes_as_a_power_of_the_frequency(string name, double least, double most)
    {
        // The logarithm of an exponentially distributed power has the variance pi^2 / 6. Of 64x64 frequencies half are
        // independent, in three channels 6141, and the logarithm of the frequency has a deviation of .43: the slope has
        // one of 1.28 / .43 / sqrt(6141) = .038.
        const double Tolerance = 4 * 0.038;
        var slopes = Enumerable.Range(1, 4).Select(seed => Slope(Noise(name, 0.3, (ulong)seed))).ToArray();
        Assert.All(slopes, slope => Assert.InRange(slope, least - Tolerance, most + Tolerance));
        if (least < most)
            Assert.True(slopes.Max() - slopes.Min() > 0.5);
    }

    [Fact]
    public void A_point_becomes_the_kernel_of_each_blur()
    {
        const int Side = 65, Centre = 32 * Side + 32;
        var sigma = Kind("blur").Amount(0.5);
        var blurred = Point("blur", 0.5);
        Assert.Equal(1, blurred.Sum(), 1e-5);
        for (var x = -4; x <= 4; x++)
            for (var y = -4; y <= 4; y++)
                Assert.Equal(Math.Exp(-(x * x + y * y) / (2 * sigma * sigma)),
                    blurred[Centre + y * Side + x] / blurred[Centre], 1e-5);

        var radius = Kind("defocus").Amount(0.8);
        var disc = Point("defocus", 0.8);
        Assert.Equal(1, disc.Sum(), 1e-5);
        for (var i = 0; i < disc.Length; i++)
            if (Math.Abs(Radius(i) - radius) > 0.5)
                Assert.Equal(Radius(i) < radius ? disc[Centre] : 0, disc[i]);

        var length = Kind("motion").Amount(0.8);
        var line = Point("motion", 0.8);
        Assert.Equal(1, line.Sum(), 1e-5);
        Assert.All(line.Index(), pixel => Assert.True(pixel.Item == 0 || Radius(pixel.Index) < length / 2 + 1.5));
        // Points spread evenly over a line, each over the pixels around it: the variance is that of the line and less
        // than half a pixel's square more.
        Assert.InRange(line.Index().Sum(pixel => pixel.Item * Radius(pixel.Index) * Radius(pixel.Index)),
            length * length / 12, length * length / 12 * 1.15 + 0.5);

        float[] Point(string name, double strength)
        {
            var samples = new float[3 * Side * Side];
            samples[Centre] = 1;
            Kind(name).Apply(samples, Side, Side, strength, 3);
            return samples[..(Side * Side)];
        }

        double Radius(int i) => Math.Sqrt((i % Side - 32) * (i % Side - 32) + (i / Side - 32) * (i / Side - 32));
    }

    [Fact]
    public void Bilateral_keeps_an_edge_that_blur_loses()
    {
        var edge = Enumerable.Range(0, 3 * 40 * 40).Select(i => i % 40 < 20 ? 0.1f : 0.9f).ToArray();
        var (bilateral, blurred) = (edge.ToArray(), edge.ToArray());
        Kind("bilateral").Apply(bilateral, 40, 40, 0.6, 0); // sigma 2, and .2 of colours, whose distance here is 1.39
        Kind("blur").Apply(blurred, 40, 40, 0.6, 0);
        Assert.All(bilateral.Zip(edge), pair => Assert.Equal(pair.Second, pair.First, 1e-6));
        Assert.InRange(blurred[20 * 40 + 19], 0.3, 0.5);
    }

    [Fact]
    public void Median_removes_points_and_keeps_edges()
    {
        var edge = Enumerable.Range(0, 3 * 40 * 40).Select(i => i % 40 < 20 ? 0.1f : 0.9f).ToArray();
        var spotted = edge.ToArray();
        foreach (var i in new[] { 45, 460, 838, 1599, 4000 })
            spotted[i] = 1 - spotted[i];
        Kind("median").Apply(spotted, 40, 40, 0.4, 0);
        Assert.Equal(edge, spotted);
    }

    [Fact]
    public void Shift_moves_every_pixel_by_the_same_whole_number()
    {
        const int Side = 48;
        for (var seed = 0UL; seed < 5; seed++)
        {
            // Red and green tell where a pixel was.
            var samples = Enumerable.Range(0, 3 * Side * Side)
                .Select(i => i < Side * Side ? i % Side / 64f : i / Side % Side / 64f).ToArray();
            Kind("shift").Apply(samples, Side, Side, 0.9, seed);
            var (dx, dy) = (samples[Side * 24 + 24] * 64 - 24, samples[Side * Side + Side * 24 + 24] * 64 - 24);
            Assert.InRange(Math.Sqrt(dx * dx + dy * dy), Kind("shift").Amount(0.9) - 0.71,
                Kind("shift").Amount(0.9) + 0.71);
            for (var i = 0; i < Side * Side; i++)
                Assert.Equal((Planes.Reflect(i % Side + (int)dx, Side) / 64f,
                    Planes.Reflect(i / Side + (int)dy, Side) / 64f), (samples[i], samples[Side * Side + i]));
        }
    }

    [Theory]
    [InlineData("affine")]
    [InlineData("homography")]
    [InlineData("linear-warp")]
    [InlineData("cubic-warp")]
    public void Warps_move_no_further_than_they_say_and_straight_maps_keep_lines(string name)
    {
        const int Side = 64;
        for (var seed = 0UL; seed < 5; seed++)
        {
            var samples = Enumerable.Range(0, 3 * Side * Side)
                .Select(i => (i < Side * Side ? i % Side : i / Side % Side) / 64f).ToArray();
            Kind(name).Apply(samples, Side, Side, 0.6, seed);
            var reach = Kind(name).Amount(0.6) * Side;
            // Keys' cubic keeps ramps, but for where the reflection begins.
            var inner = (int)Math.Ceiling(reach) + 2;
            var furthest = 0.0;
            for (var y = inner; y < Side - inner; y++)
                for (var x = inner; x < Side - inner; x++)
                {
                    var (dx, dy) = (X(x, y) - x, Y(x, y) - y);
                    furthest = Math.Max(furthest, Math.Sqrt(dx * dx + dy * dy));
                }
            Assert.InRange(furthest, reach * 0.2, reach + 1e-3);
            if (name is not ("affine" or "homography"))
                continue;
            for (var y = inner; y < Side - inner; y++)
            {
                // Three points of a row stay on a line.
                var (left, middle, right) = (inner, Side / 2, Side - inner - 1);
                Assert.Equal(0, (X(middle, y) - X(left, y)) * (Y(right, y) - Y(left, y))
                    - (X(right, y) - X(left, y)) * (Y(middle, y) - Y(left, y)), 0.01);
            }
            if (name == "affine")
                Assert.Equal((31.5, 31.5),
                    (Math.Round((X(31, 31) + X(32, 32)) / 2, 3), Math.Round((Y(31, 31) + Y(32, 32)) / 2, 3)));

            double X(int x, int y) => samples[y * Side + x] * 64.0;
            double Y(int x, int y) => samples[Side * Side + y * Side + x] * 64.0;
        }
    }

    [Fact]
    public void Ghosting_blends_a_copy_and_chromatic_aberration_leaves_green()
    {
        var image = Images.Value[0];
        var (before, after) = (Samples.Interleaved(image),
            Samples.Interleaved(Kind("chromatic-aberration").Apply(image, 0.7, 1)));
        for (var i = 0; i < before.Length; i += 3)
            Assert.Equal(before[i + 1], after[i + 1]);
        Assert.NotEqual(before, after);

        var samples = new float[3 * 41 * 41];
        samples[20 * 41 + 20] = 1;
        Kind("ghosting").Apply(samples, 41, 41, 1, 1);
        Assert.Equal([0.4f, 0.6f],
            samples.Where(sample => sample > 0).Order().Select(sample => MathF.Round(sample, 5)));
    }

    [Theory]
    [InlineData(ResizeFilter.Nearest)]
    [InlineData(ResizeFilter.Box)]
    [InlineData(ResizeFilter.Bilinear)]
    [InlineData(ResizeFilter.Bicubic)]
    [InlineData(ResizeFilter.Lanczos)]
    public void Resampling_is_there_and_back(ResizeFilter filter)
    {
        var (kind, image) = (Kind($"resample-{filter.ToString().ToLowerInvariant()}"), Images.Value[1]);
        var small = (int)Math.Round(64 / kind.Amount(0.5));
        var expected = image.Resize(small, small, filter).Resize(64, 64, filter);
        // Eight bits in between, twice in each of two passes each way, and weights that add up to at most 1.6 for
        // Lanczos.
        Numbers.AssertClose(Samples.Interleaved(expected), Samples.Interleaved(kind.Apply(image, 0.5)), 3);
    }

    [Fact]
    public void Dropout_blackens_whole_blocks()
    {
        var samples = Constant(0.5f, 64, 64);
        Kind("dropout").Apply(samples, 64, 64, 0.9, 3);
        var black = Enumerable.Range(0, 64).Where(block => samples[block / 8 * 8 * 64 + block % 8 * 8] == 0).ToArray();
        Assert.Equal((int)Math.Round(64 * Kind("dropout").Amount(0.9)), black.Length);
        for (var i = 0; i < samples.Length; i++)
            Assert.Equal(black.Contains(i % 4096 / 64 / 8 * 8 + i % 64 / 8) ? 0 : 0.5f, samples[i]);
    }

    [Fact]
    public void Concealment_fills_whole_blocks_with_others_of_the_image()
    {
        // Each sample says where it is from.
        float[] original = [.. Enumerable.Range(0, 3 * 4096).Select(i => i / (3 * 4096f))], samples = [.. original];
        Kind("concealment").Apply(samples, 64, 64, 0.9, 3);
        int Origin(int i) => (int)MathF.Round(samples[i] * 3 * 4096);
        var filled = Enumerable.Range(0, 64)
            .Where(block => Origin(block / 8 * 512 + block % 8 * 8) != block / 8 * 512 + block % 8 * 8).ToArray();
        Assert.Equal((int)Math.Round(64 * Kind("concealment").Amount(0.9)), filled.Length);
        for (var block = 0; block < 64; block++)
        {
            var first = Origin(block / 8 * 512 + block % 8 * 8);
            for (var c = 0; c < 3; c++)
                for (var y = 0; y < 8; y++)
                    for (var x = 0; x < 8; x++)
                        Assert.Equal(first + c * 4096 + y * 64 + x,
                            Origin(c * 4096 + block / 8 * 512 + block % 8 * 8 + y * 64 + x));
            Assert.InRange(first % 64, 0, 56);
        }
    }

    [Theory]
    [InlineData("jpeg")]
    [InlineData("webp")]
    public void Codecs_give_what_a_file_of_that_quality_has(string name)
    {
        var image = Images.Value[2];
        using var folder = new TempFolder();
        using var vips = Samples.Vips(Samples.Interleaved(image), image.Width, image.Height);
        var quality = (int)Math.Round(Kind(name).Amount(0.4));
        var path = folder.Write($"x.{name}",
            name == "jpeg" ? vips.JpegsaveBuffer(q: quality) : vips.WebpsaveBuffer(q: quality));
        Assert.Equal(Samples.Interleaved(ImageFile.Read(path)), Samples.Interleaved(Kind(name).Apply(image, 0.4)));
    }

    [Fact]
    public void What_cannot_be_distorted_is_said()
    {
        var kind = Kind("blur");
        foreach (var strength in new[] { -0.1, 1.1, double.NaN })
            Assert.Throws<ArgumentOutOfRangeException>(() => kind.Apply(Images.Value[0], strength));
        Assert.Contains("0..65535", Assert.Throws<ArgumentException>(
            () => kind.Apply(RgbImage.FromInterleaved(new ushort[3], 1, 1), 0.5)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => kind.Apply(new float[11], 2, 2, 0.5, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => kind.Apply([], 0, 2, 0.5, 0));
        var wide = RgbImage.FromInterleaved(new byte[3 * 16384], 16384, 1);
        Assert.Contains("16384x1", Assert.Throws<ArgumentException>(() => Kind("webp").Apply(wide, 0.5)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Sequences_are_read_as_they_are_written_and_do_one_after_the_other()
    {
        var sequence = DistortionSequence.Parse(" blur:0.4, quantisation:0.75 ,white-noise", Kinds, 0.125);
        Assert.Equal("blur:0.4,quantisation:0.75,white-noise:0.125", sequence.ToString());
        var samples = Enumerable.Range(0, 3 * 20 * 20).Select(i => i * 37 % 101 / 100f).ToArray();
        var expected = samples.ToArray();
        sequence.Apply(samples, 20, 20, 6);
        Kind("blur").Apply(expected, 20, 20, 0.4, 6);
        Kind("quantisation").Apply(expected, 20, 20, 0.75, 0);
        Kind("white-noise").Apply(expected, 20, 20, 0.125, SplitMix64.Stream(6, 2).Next());
        Assert.Equal(expected, samples);

        var image = Images.Value[0];
        Assert.Equal(Samples.Interleaved(Kind("pink-noise").Apply(image, 0.5, 8)),
            Samples.Interleaved(DistortionSequence.Parse("pink-noise:0.5", Kinds).Apply(image, 8)));
        foreach (var (text, part) in new[] { ("blurr:0.1", "blurr"), ("", "''"), ("blur", "needs a strength"),
            ("blur:", "not a number"), ("blur:x", "'x'"), ("blur:1.5", "1.5"), ("blur:NaN", "NaN"), ("blur:0.1,", "''"),
            ("blur:0.1:2", "0.1:2") })
            Assert.Contains(part, Assert.Throws<ArgumentException>(() => DistortionSequence.Parse(text, Kinds)).Message,
                StringComparison.Ordinal);
    }

    [Fact]
    public void Sequences_that_are_drawn_have_one_to_three_different_kinds_and_every_kind_comes()
    {
        var drawn = Enumerable.Range(0, 500).Select(seed => DistortionSequence.Draw(Kinds, (ulong)seed)).ToArray();
        Assert.Equal([1, 2, 3], drawn.Select(sequence => sequence.Steps.Count).Distinct().Order());
        Assert.All(drawn, sequence => Assert.Equal(sequence.Steps.Count,
            sequence.Steps.Select(step => step.Kind).Distinct().Count()));
        Assert.Equal(Kinds.Length,
            drawn.SelectMany(sequence => sequence.Steps).Select(step => step.Kind).Distinct().Count());
        Assert.All(drawn,
            sequence => Assert.Equal(sequence.Steps, DistortionSequence.Parse(sequence.ToString(), Kinds).Steps));
        Assert.Equal(drawn[7].ToString(), DistortionSequence.Draw(Kinds, 7).ToString());
        Assert.Single(DistortionSequence.Draw(Kinds[..1], 3).Steps);
    }

    private static Distortion Kind(string name) => Kinds.Single(kind => kind.Name == name);

    private static float[] Constant(
        float value, int width, int height) => [.. Enumerable.Repeat(value, 3 * width * height)];

    // [3, 64, 64], around 0.
    private static double[] Noise(string name, double strength, ulong seed)
    {
        var samples = Constant(0.5f, 64, 64);
        Kind(name).Apply(samples, 64, 64, strength, seed);
        return [.. samples.Select(sample => sample - 0.5)];
    }

    // Of the logarithm of the power by that of the frequency, least squares.
    private static double Slope(double[] noise) // [3, 64, 64]
    {
        const int N = 64;
        var (cos, sin) = (Enumerable.Range(0, N).Select(i => Math.Cos(2 * Math.PI * i / N)).ToArray(),
            Enumerable.Range(0, N).Select(i => Math.Sin(2 * Math.PI * i / N)).ToArray());
        var points = new List<(double X, double Y)>();
        for (var c = 0; c < 3; c++)
        {
            var (re, im) = (noise.AsSpan(c * N * N, N * N).ToArray(), new double[N * N]);
            for (var pass = 0; pass < 2; pass++)
            {
                var (toRe, toIm) = (new double[N * N], new double[N * N]); // the plain sum along the rows, turned over
                for (var y = 0; y < N; y++)
                    for (var k = 0; k < N; k++)
                        for (var x = 0; x < N; x++)
                        {
                            var (cosine, sine) = (cos[k * x % N], sin[k * x % N]);
                            toRe[k * N + y] += re[y * N + x] * cosine + im[y * N + x] * sine;
                            toIm[k * N + y] += im[y * N + x] * cosine - re[y * N + x] * sine;
                        }
                (re, im) = (toRe, toIm);
            }
            for (var i = 1; i < N * N; i++)
            {
                var (fx, fy) = (Math.Min(i % N, N - i % N), Math.Min(i / N, N - i / N));
                points.Add((Math.Log(fx * fx + fy * fy) / 2, Math.Log(re[i] * re[i] + im[i] * im[i])));
            }
        }
        var (meanX, meanY) = (points.Average(point => point.X), points.Average(point => point.Y));
        return points.Sum(point => (point.X - meanX) * (point.Y - meanY))
            / points.Sum(point => (point.X - meanX) * (point.X - meanX));
    }

    private static double Difference(RgbImage a, RgbImage b) =>
        Math.Sqrt(Samples.Interleaved(a).Zip(Samples.Interleaved(b))
            .Average(pair => (double)(pair.First - pair.Second) * (pair.First - pair.Second)));
}
