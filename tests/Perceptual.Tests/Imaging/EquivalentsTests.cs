namespace Perceptual.Tests.Imaging;

public class EquivalentsTests
{
    private static readonly Lazy<RgbImage> Reference = new(() =>
        ImageFile.Read(Path.Combine(AppContext.BaseDirectory, "samples", "reference.png"))
            .Resize(72, 60, ResizeFilter.Box));

    private static readonly Lpips Net = Lpips.Load(Network.Alex, new() { RandomSeed = 1 });

    [Theory]
    [InlineData("jpeg", 90)]
    [InlineData("jpeg", 40)]
    [InlineData("jpeg", 6)]
    [InlineData("blur", 0.6)]
    [InlineData("blur", 2)]
    [InlineData("blur", 7)]
    [InlineData("white-noise", 3)]
    [InlineData("white-noise", 10)]
    [InlineData("white-noise", 80)]
    public void What_was_done_to_the_reference_is_found_again(string name, double amount)
    {
        var distorted = Distort(Reference.Value, name, amount, seed: 0);
        var found = new Equivalents(Net, Reference.Value).Find(Net.Distance(Reference.Value, distorted));
        Assert.Equal([EquivalentKind.Jpeg, EquivalentKind.Blur, EquivalentKind.Noise],
            found.Select(equivalent => equivalent.Kind));
        var equivalent = found.Single(equivalent => equivalent.Kind == KindOf(name));
        Assert.Equal(EquivalentRelation.As, equivalent.Relation);
        // Neighbouring qualities can have values in the wrong order. The others are one of three digits, and the next
        // may be as near.
        Assert.Equal(amount, equivalent.Amount, name == "jpeg" ? 1 : 0.01 * amount);
    }

    [Fact]
    public void Noise_of_another_seed_is_as_strong()
    {
        var distance = Net.Distance(Reference.Value, Distort(Reference.Value, "white-noise", 20, seed: 7));
        // 12,960 samples: the deviation of what is drawn is good to 1 / sqrt(2 * 12,960) = .6 %, and so is that of the
        // other draw.
        Assert.Equal(20, new Equivalents(Net, Reference.Value).Find(distance)[2].Amount, 0.02 * 20);
    }

    [Fact]
    public void Quality_is_found_of_what_was_a_JPEG_before()
    {
        // Values go up and down there: saved again with the quality it had, a picture hardly changes.
        var reference = Distort(Reference.Value, "jpeg", 90, 0);
        foreach (var quality in new[] { 85, 75, 40 })
        {
            var distance = Net.Distance(reference, Distort(reference, "jpeg", quality, 0));
            var jpeg = new Equivalents(Net, reference).Find(distance)[0];
            Assert.Equal((EquivalentRelation.As, distance, quality), (jpeg.Relation, jpeg.Value, jpeg.Amount));
        }
    }

    [Fact]
    public void Values_are_those_measured_of_the_reference_so_distorted()
    {
        var distance = Net.Distance(Reference.Value, Distort(Reference.Value, "motion", 6, 1));
        var found = new Equivalents(Net, Reference.Value).Find(distance);
        Assert.Equal(3, found.Count);
        foreach (var equivalent in found)
        {
            var name = equivalent.Kind switch
            {
                EquivalentKind.Jpeg => "jpeg",
                EquivalentKind.Blur => "blur",
                _ => "white-noise",
            };
            var distorted = Distort(Reference.Value, name, equivalent.Amount, 0);
            // The strength gives the amount to about 1e-15; a sample may be rounded the other way.
            Assert.Equal(Net.Distance(Reference.Value, distorted), equivalent.Value, 1e-3 * equivalent.Value);
        }
    }

    [Fact]
    public void A_value_between_those_of_neighbouring_amounts_gets_the_nearer()
    {
        var psnr = Metric.Load(["psnr"])[0];
        var equivalents = new Equivalents(psnr, Reference.Value);
        var (mild, strong) = (Psnr(5), Psnr(5.01));
        Assert.True(mild > strong);
        Assert.Equal(5, equivalents.Find(mild - 0.1 * (mild - strong))[2].Amount);
        Assert.Equal(5.01, equivalents.Find(strong + 0.1 * (mild - strong))[2].Amount);

        double Psnr(double sigma) => psnr.Measure(Reference.Value, Distort(Reference.Value, "white-noise", sigma, 0));
    }

    [Fact]
    public void No_difference_is_like_nothing_but_the_reference()
    {
        var equivalents = new Equivalents(Net, Reference.Value);
        Assert.Empty(equivalents.Find(0));
        Assert.Empty(equivalents.Find(-1));
        foreach (var metric in Metric.Load(["psnr", "ssim", "fsim", "gmsd"]))
            Assert.Empty(
                new Equivalents(metric, Reference.Value).Find(metric.Measure(Reference.Value, Reference.Value)));
    }

    [Fact]
    public void What_is_out_of_reach_is_said_to_be()
    {
        var equivalents = new Equivalents(Net, Reference.Value);
        var further = equivalents.Find(1e9);
        Assert.Equal(3, further.Count);
        Assert.All(further, equivalent =>
        {
            Assert.Equal(EquivalentRelation.Further, equivalent.Relation);
            Assert.InRange(equivalent.Value, 1e-3, 1e9);
        });
        var jpeg = equivalents.Find(1e-12)[0];
        Assert.Equal((EquivalentRelation.Closer, 100), (jpeg.Relation, jpeg.Amount));
        Assert.Equal(Net.Distance(Reference.Value, Distort(Reference.Value, "jpeg", 100, 0)), jpeg.Value);
        Assert.Equal("closer than JPEG gets, at quality 100", jpeg.ToString());
        Assert.Equal(EquivalentRelation.As, equivalents.Find(jpeg.Value)[0].Relation);

        // Nothing blurs what is flat.
        var flat = new Equivalents(Net,
            RgbImage.FromInterleaved(Enumerable.Repeat((byte)80, 3 * 40 * 40).ToArray(), 40, 40));
        var blur = flat.Find(0.1)[1];
        Assert.Equal((EquivalentRelation.Further, 0), (blur.Relation, blur.Value));
    }

    [Fact]
    public void Any_metric_will_do_whichever_way_its_values_go()
    {
        var blurred = Distort(Reference.Value, "blur", 1.5, 0);
        foreach (var metric in Metric.Load(["l2", "psnr", "ssim", "dssim-lab", "fsimc", "gmsd"]))
            Assert.Equal(1.5, new Equivalents(metric,
                Reference.Value).Find(metric.Measure(Reference.Value, blurred))[1].Amount, 0.015);
    }

    [Fact]
    public void References_of_16_bits_and_of_floats_are_explained_as_those_of_8()
    {
        var pixels = Samples.Interleaved(Reference.Value);
        var (width, height) = (Reference.Value.Width, Reference.Value.Height);
        var distance = Net.Distance(Reference.Value, Distort(Reference.Value, "motion", 4, 1));
        var expected = new Equivalents(Net, Reference.Value).Find(distance);
        foreach (var deep in new[]
        {
            RgbImage.FromInterleaved(Array.ConvertAll(pixels, sample => (ushort)(sample * 257)), width, height),
            RgbImage.FromInterleaved(Array.ConvertAll(pixels, sample => sample / 127.5f - 1), width, height,
                ValueRange.Signed),
        })
        {
            var found = new Equivalents(Net, deep).Find(distance);
            Assert.Equal(expected[0].Amount, found[0].Amount);
            // Rounding to 8 bits is itself a noise of .29 levels.
            Assert.Equal(expected[1].Amount, found[1].Amount, 0.02 * expected[1].Amount);
            Assert.Equal(expected[2].Amount, found[2].Amount, 0.02 * expected[2].Amount);
        }
    }

    [Fact]
    public void Images_of_any_size_can_be_explained()
    {
        var l2 = Metric.Load(["l2"])[0];
        foreach (var (width, height) in new[] { (1, 1), (1, 9), (40, 2) })
            Assert.Equal(3, new Equivalents(l2, TestImages.Waves(width, height, 1)).Find(0.01).Count);
    }

    [Fact]
    public void Threads_and_what_was_asked_before_change_no_bit()
    {
        var first = new Equivalents(Net.WithThreads(1), Reference.Value);
        first.Find(0.001);
        first.Find(0.4);
        Assert.Equal(first.Find(0.02), new Equivalents(Net.WithThreads(3), Reference.Value).Find(0.02));
    }

    [Fact]
    public void A_search_takes_the_steps_that_are_announced()
    {
        var equivalents = new Equivalents(Metric.Load(["l2"])[0], TestImages.Waves(12, 10, 1));
        foreach (var value in new[] { 1e-9, 1e-4, 0.003, 0.02, 0.1, 0.3, 9 })
        {
            var steps = 0;
            equivalents.Find(value, () => steps++, default);
            Assert.Equal(Equivalents.Steps, steps);
        }
    }

    [Fact]
    public void Bad_input_is_refused()
    {
        Assert.Throws<ArgumentException>(() => new Equivalents(Net, Reference.Value).Find(double.NaN));
        Assert.Throws<ArgumentException>(() => new Equivalents(Net, TestImages.Waves(30, 40, 1)));
        Assert.Throws<OperationCanceledException>(
            () => new Equivalents(Net, Reference.Value).Find(0.1, new CancellationToken(canceled: true)));
    }

    // By the amount, which strengths are ratios of.
    private static RgbImage Distort(RgbImage image, string name, double amount, ulong seed)
    {
        var kind = Distortion.All.Concat(Codecs.All).Single(kind => kind.Name == name);
        if (name == "white-noise")
            amount /= 255;
        // 0 would do nothing
        return kind.Apply(image, Math.Max(Math.Log(amount / kind.From) / Math.Log(kind.To / kind.From), 1e-12), seed);
    }

    private static EquivalentKind KindOf(string name) => name switch
    {
        "jpeg" => EquivalentKind.Jpeg,
        "blur" => EquivalentKind.Blur,
        _ => EquivalentKind.Noise,
    };
}
