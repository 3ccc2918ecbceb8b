namespace Perceptual.Tests.Gate;

public sealed class GateLearningTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.2)]
    [InlineData(0.4)]
    public void The_tail_of_a_generalised_Pareto_distribution_is_found(double shape)
    {
        var random = new SplitMix64(7);
        var values = Enumerable.Range(0, 20_000).Select(_ => Pareto(2, shape, random.NextUnit())).Order().ToArray();
        var (scale, found) = TailFit.Fit(values);
        Assert.Equal(shape, found, 0.05);
        Assert.Equal(2, scale, 0.1);
        // A thousandth, from the largest tenth.
        var exact = Pareto(2, shape, 1e-3);
        Assert.InRange(TailFit.Quantile(values, 1e-3), exact / 1.2, exact * 1.2);
    }

    [Fact]
    public void A_bounded_tail_is_taken_for_an_exponential_one_and_a_wild_one_for_one_of_half()
    {
        var random = new SplitMix64(7);
        Assert.Equal(0, TailFit.Fit([.. Enumerable.Range(0, 500).Select(_ => random.NextUnit()).Order()]).Shape);
        Assert.Equal(0.5, TailFit.Fit(
            [.. Enumerable.Range(0, 500).Select(_ => Pareto(1, 2, random.NextUnit())).Order()]).Shape);
    }

    [Fact]
    public void Zeros_are_a_point_mass_that_only_makes_the_others_rarer()
    {
        Assert.Equal(0, TailFit.Quantile(new double[100], 1e-6));
        var random = new SplitMix64(3);
        var values = Enumerable.Range(0, 2000).Select(_ => Pareto(1, 0, random.NextUnit())).ToArray();
        double[] diluted = [.. values, .. new double[18_000]];
        // The same values, each a tenth as likely: what one has at 1 in 1,000, the other has at 1 in 10,000.
        Assert.Equal(TailFit.Quantile(values, 1e-3), TailFit.Quantile(diluted, 1e-4), 0.6);
        Assert.Equal(0, TailFit.Quantile(diluted, 0.5));
    }

    // Pictures of different noise, runs that each add their own: the whole set of a new run against a baseline.
    [Fact]
    public void Runs_in_which_nothing_changed_fail_no_more_often_than_was_asked_for()
    {
        const int Pictures = 30, Runs = 6, Worlds = 40, NewRuns = 50;
        const double Rate = 0.05;
        var (random, alarms) = (new SplitMix64(11), 0);
        for (var world = 0; world < Worlds; world++)
        {
            var loud = Enumerable.Range(0, Pictures).Select(k => k % 3 == 0 ? 0 : Math.Exp(2 * Unit() - 1)).ToArray();
            var seen = loud.Select(scale => Noise(Enumerable.Range(0, Runs).Select(_ => Draw(scale)).ToArray()))
                .ToArray();
            var limits = GateLearning.LimitsOf(seen, Runs, Rate / Pictures);
            for (var run = 0; run < NewRuns; run++)
                alarms += loud.Index().Any(picture => Distance(Draw(picture.Item), Draw(picture.Item))
                    > limits[picture.Index]) ? 1 : 0;
        }
        // The limits are upper bounds, so that the mean rate is below the one asked for.
        Assert.InRange(alarms / (double)(Worlds * NewRuns), 0, Rate);

        double Unit() => random.NextUnit();

        double Draw(double scale) => scale * -Math.Log(1 - Unit());

        static double Distance(double one, double other) => Math.Abs(one - other);

        static double[] Noise(double[] states)
        {
            var noise = new double[states.Length * states.Length];
            for (var i = 0; i < states.Length; i++)
                for (var j = 0; j < states.Length; j++)
                    noise[i * states.Length + j] = Distance(states[i], states[j]);
            return noise;
        }
    }

    [Fact]
    public void A_noisy_picture_has_a_limit_of_its_own_and_a_quiet_one_keeps_a_low_one()
    {
        var random = new SplitMix64(5);
        for (var run = 0; run < 8; run++)
            for (var k = 0; k < 8; k++)
                Save($"run{run}/{k}.png", k == 3 ? (int)(random.Next() % 60) : 0);
        var runs = Enumerable.Range(0, 8).Select(run => folder[$"run{run}"]).ToArray();
        var settings = new GateLearning(threads: 2).Learn(runs);
        Assert.Equal(new LearnedFrom(8, 8, 0.01, 0.95), settings.Learned);
        Assert.Equal("3.png", Assert.Single(settings.Images).Match);
        Assert.All(settings.Limits, limit => Assert.True(settings.LimitsOf("3.png")[limit.Key] > limit.Value));
        var gate = new VisualGate(settings);
        foreach (var run in runs[1..])
            Assert.All(gate.Run(runs[0], run), result => Assert.Equal(GateOutcome.Same, result.Outcome));
        // The same on any number of threads.
        Assert.Equal(settings.Limits, new GateLearning(threads: 1).Learn(runs).Limits);
    }

    [Fact]
    public void Where_nothing_ever_differs_the_limits_are_the_least()
    {
        for (var run = 0; run < 6; run++)
            for (var k = 0; k < 10; k++)
                Save($"run{run}/{k}.png", 0);
        var settings = new GateLearning().Learn([.. Enumerable.Range(0, 6).Select(run => folder[$"run{run}"])]);
        Assert.Equal(Witness.LeastLimits, settings.Limits);
        Assert.Empty(settings.Images);
    }

    [Theory]
    [InlineData(40, 0.01, 5)]
    [InlineData(1000, 0.01, 5)]
    [InlineData(10, 0.01, 6)]
    [InlineData(1, 0.01, 51)]
    [InlineData(1000, 0.5, 5)]
    [InlineData(40, 0.001, 41)]
    public void The_runs_that_are_needed_grow_with_the_rate_and_with_few_pictures(
        int pictures, double rate, int runs) => Assert.Equal(runs, new GateLearning(rate).RunsNeeded(pictures));

    [Fact]
    public void Too_few_runs_and_runs_that_differ_in_names_or_sizes_are_refused()
    {
        for (var run = 0; run < 6; run++)
            for (var k = 0; k < 10; k++)
                Save($"run{run}/{k}.png", 0);
        var runs = Enumerable.Range(0, 6).Select(run => folder[$"run{run}"]).ToArray();
        Assert.Contains("4 runs of 10 pictures are too few to learn limits from: 6 are needed, 2 more",
            Fails(runs[..4]), StringComparison.Ordinal);
        Assert.Contains("too few runs, 1", Fails(runs[..1]), StringComparison.Ordinal);
        Assert.Contains("is named twice", Fails([.. runs, runs[2] + Path.DirectorySeparatorChar]),
            StringComparison.Ordinal);
        ImageFile.WritePng(folder["run3/7.png"], TestImages.Waves(30, 30, 1));
        Assert.Contains("7.png is 30x30 but", Fails(runs), StringComparison.Ordinal);
        File.Delete(folder["run3/7.png"]);
        Assert.Contains($"7.png is in {runs[0]} but not in {runs[3]}", Fails(runs), StringComparison.Ordinal);

        string Fails(string[] runs) =>
            Assert.Throws<InvalidDataException>(() => new GateLearning(0.01).Learn(runs)).Message;
    }

    [Fact]
    public void A_planted_defect_is_where_it_was_planted_and_nowhere_else()
    {
        foreach (var defect in PlantedDefect.All)
        {
            // Not every screen has a line, or an icon beside another.
            var (page, planted) = Enumerable.Range(0, 20).Select(seed => Screen((ulong)seed))
                .Select(page => (page, defect.In(page, seed: 9))).First(pair => pair.Item2 is not null);
            var changed = new PicturePair(page, planted!, []).Changed!.Value;
            Assert.InRange(changed.Width, 1, defect.Width);
            Assert.InRange(changed.Height, 1, defect.Height);
            Assert.Equal(changed, new PicturePair(page, defect.In(page, seed: 9)!, []).Changed);
        }
        Assert.Null(PlantedDefect.All[0].In(RgbImage.Own(
            [new byte[90000], new byte[90000], new byte[90000]], 300, 300), seed: 1)); // nothing to shift
    }

    [Fact]
    public void Power_is_the_share_of_planted_defects_that_the_gate_finds()
    {
        for (var k = 0; k < 6; k++)
            foreach (var run in new[] { "a", "b" })
            {
                Directory.CreateDirectory(folder[run]);
                ImageFile.WritePng(folder[$"{run}/{k}.png"], Screen((ulong)k));
            }
        var strict = Power(0);
        Assert.Equal(PlantedDefect.All.Select(defect => defect.Name), strict.Select(kind => kind.Defect));
        Assert.All(strict, kind => Assert.Equal(kind.Planted, kind.Found));
        Assert.All(Power(1e9), kind => Assert.Equal(0, kind.Found));
        // Wilson's interval of 9 of 10.
        Assert.Equal(0.5958, new GatePower("", 9, 10).Interval.Low, 1e-4);
        Assert.Equal(0.9821, new GatePower("", 9, 10).Interval.High, 1e-4);

        IReadOnlyList<GatePower> Power(double limit) => GatePower.Measure(
            new(new() { Limits = new Dictionary<string, double> { ["colour:8"] = limit } }), folder["a"], folder["b"]);
    }

    private static RgbImage Screen(ulong seed)
    {
        var pixels = new byte[3 * 300 * 200];
        ProceduralImages.Draw(pixels, 300, 200, seed, ProceduralImages.Kind.Interface);
        return RgbImage.FromInterleaved(pixels, 300, 200);
    }

    private static double Pareto(double scale, double shape, double chance) =>
        shape == 0 ? -scale * Math.Log(chance) : scale / shape * (Math.Pow(chance, -shape) - 1);

    // A page of which a corner has another colour.
    private void Save(string name, int level)
    {
        var pixels = new byte[3 * 64 * 48];
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)(i / 192 < 12 && i % 192 < 60 ? 180 + level : 240);
        Directory.CreateDirectory(Path.GetDirectoryName(folder[name])!);
        ImageFile.WritePng(folder[name], RgbImage.FromInterleaved(pixels, 64, 48));
    }
}
