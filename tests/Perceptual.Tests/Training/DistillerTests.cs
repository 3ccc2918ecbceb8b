namespace Perceptual.Tests;

public sealed class DistillerTests : IDisposable
{
    private static readonly TrunkWeights Teacher = TrunkWeights.Random(Network.Alex, 1);
    private static readonly LinWeights TeacherLin = RandomLin(Network.Alex, 2);

    // As AlexNet, with few more channels than the student has: it makes lessons in a fifth of the time.
    private static readonly TrunkWeights SmallTeacher = TrunkWeights.Random(new()
    {
        Name = "small",
        FileName = "small",
        Layers =
        [
            new Convolution("features.0", 3, 56, 11, 4, 2) { Tap = true },
            new MaxPool(3, 2),
            new Convolution("features.3", 56, 56, 5, 1, 2) { Tap = true },
            new MaxPool(3, 2),
            new Convolution("features.6", 56, 72, 3, 1, 1) { Tap = true },
            new Convolution("features.8", 72, 72, 3, 1, 1) { Tap = true },
        ],
    }, 1);

    private static readonly LinWeights SmallTeacherLin = RandomLin(SmallTeacher.Network, 2);
    private static readonly DistillationRecipe Recipe = new() { Steps = 7, References = 2, Seed = 3 };

    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_student_begins_with_the_channels_and_the_centres_of_kernels_that_count_most()
    {
        var (trunk, lin) = PrunedStart.Of(Network.Lite, Teacher, TeacherLin);
        var kept = Network.Lite.TapChannels.Select(
            (count, k) => TeacherLin.Layers[k].Index().OrderByDescending(pair => pair.Item).Take(count)
                .Select(pair => pair.Index).Order().ToArray()).ToArray();
        for (var k = 0; k < kept.Length; k++)
        {
            Assert.Equal(TeacherLin.Layers[k].Sum(), lin[k].Sum(), 1e-3f);
            Assert.All(lin[k].Index(),
                pair => Assert.Equal(TeacherLin.Layers[k][kept[k][pair.Index]] / TeacherLin.Layers[k][kept[k][0]],
                    pair.Item / lin[k][0], 1e-4f));
        }
        // The last weight of the second layer, [o, i, y, x] = [47, 47, 2, 2], lies at [3, 3] of the teacher's 5x5.
        var weight = Teacher.Tensors["features.3.weight"].Values[((kept[1][47] * 64 + kept[0][47]) * 5 + 3) * 5 + 3];
        // 64 inputs are 48
        Assert.Equal(weight * MathF.Sqrt(64f / 48), trunk.Tensors["features.3.weight"].Values[^1], 1e-6f);
        Assert.Equal(Teacher.Tensors["features.0.weight"].Values[kept[0][0] * 363 + 2 * 11 + 2],
            trunk.Tensors["features.0.weight"].Values[0]);
    }

    [Fact]
    public void A_teacher_that_is_not_cut_down_begins_with_its_own_distances()
    {
        var whole = Network.Alex with { Name = "whole" };
        var (trunk, lin) = PrunedStart.Of(whole, Teacher, TeacherLin);
        var student = new Lpips(trunk,
            LinWeights.From(whole,
                lin.Select((values, k) => new Tensor(LinWeights.Key(k), [1, values.Length, 1, 1], values))
                    .ToDictionary(tensor => tensor.Name), "whole"), new());
        var (a, b) = (TestImages.Waves(64, 64, 1), TestImages.Waves(64, 64, 2));
        Assert.Equal(new Lpips(Teacher, TeacherLin, new()).Distance(a, b), student.Distance(a, b));
    }

    [Fact]
    public void What_cannot_be_cut_down_is_refused()
    {
        foreach (var network in new[] { Network.Squeeze, Network.Vgg })
            Assert.Contains($"lite cannot be cut out of {network.Name}", Assert.Throws<ArgumentException>(() =>
                PrunedStart.Of(Network.Lite, TrunkWeights.Random(network, 1), RandomLin(network, 1))).Message,
                StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => New(Recipe with { Steps = 0 }));
        Assert.Throws<ArgumentException>(() => New(Recipe with { References = 0 }));
        Assert.Throws<ArgumentException>(() => New(Recipe with { LearningRate = double.NaN }));
    }

    [Fact]
    [Trait("Category", "Numbers")]
    public void Gradients_are_those_of_central_differences()
    {
        var distiller = new Distiller(Teacher, TeacherLin, Recipe, Photographs(1, Distortion.All));
        var lessons = distiller.TakeLessons(0, default);
        // Far from the edges of ReLU where steps could pass them.
        foreach (var bias in distiller.Parameters.Where(
            parameter => parameter.Name.EndsWith("bias", StringComparison.Ordinal)))
            for (var i = 0; i < bias.Values.Length; i++)
                bias.Values[i] += 5;
        Loss();
        var gradients = Array.ConvertAll(distiller.Gradients, gradient => (float[])gradient.Clone());
        Assert.Equal(3 * 4, distiller.Parameters.Length); // of four layers kernels, biases and lin weights
        Assert.Equal(distiller.Parameters.Length, gradients.Length);
        foreach (var (parameter, gradient) in distiller.Parameters.Zip(gradients))
        {
            // Along the gradient the loss changes by its length. Distances come from sums in single precision, whose
            // rounding is some 1e-7 of them; the loss is of their logarithms, and the steps change it by some 1e-2 of
            // the gradient.
            var (values, length) = (parameter.Values, Math.Sqrt(gradient.Sum(g => (double)g * g)));
            Assert.True(length > 1e-4, parameter.Name);
            var kept = (float[])values.Clone();
            const double Step = 1.0 / 2048;
            var slope = (Along(Step) - Along(-Step)) / (2 * Step);
            kept.CopyTo(values, 0);
            Assert.True(Math.Abs(slope / length - 1) < 3e-2, $"{parameter.Name} {slope} {length}");

            double Along(double step)
            {
                for (var i = 0; i < values.Length; i++)
                    values[i] = (float)(kept[i] + step * gradient[i] / length);
                return Loss();
            }
        }

        double Loss() => distiller.ComputeGradients(lessons, default) is var (loss, pairs) ? loss / pairs : 0;
    }

    [Fact]
    [Trait("Category", "Numbers")]
    public void The_loss_is_smooth_L1_of_the_logarithms_of_distances()
    {
        var distiller = New(Recipe);
        var lessons = distiller.TakeLessons(3, default);
        var (teacher, student) = (new Lpips(SmallTeacher, SmallTeacherLin, new()), distiller.Model());
        var (expected, pairs) = (0.0, 0);
        foreach (var lesson in lessons)
        {
            Assert.All(lesson.Images, image => Assert.Equal((128, 128), (image.Width, image.Height)));
            for (var a = 0; a < 4; a++)
                for (var b = a + 1; b < 4; b++, pairs++)
                {
                    var error = Math.Abs(Math.Log(student.Distance(lesson.Images[a], lesson.Images[b]) + 2e-3)
                        - Math.Log(teacher.Distance(lesson.Images[a], lesson.Images[b]) + 2e-3));
                    expected += error < 0.05 ? error * error / 0.1 : error - 0.025;
                }
        }
        var (loss, count) = distiller.ComputeGradients(lessons, default);
        Assert.Equal((6, 6), (pairs, count));
        Assert.Equal(expected, loss, 1e-4 * expected); // distances in single precision, to some 1e-6
    }

    [Fact]
    public void Every_lesson_is_learned_three_times_and_no_two_are_alike()
    {
        var distiller = New(Recipe with { References = 1 });
        var seen = new Dictionary<RgbImage[], List<int>>(ReferenceEqualityComparer.Instance);
        for (var step = 0; step < 256; step++) // three blocks of 64 small steps, and one pass of a block of large ones
            foreach (var lesson in distiller.TakeLessons(step, default))
                (seen.TryGetValue(lesson.Images, out var steps) ? steps : seen[lesson.Images] = []).Add(step);
        var (small, large) = (seen.Values.Where(steps => steps[0] % 4 != 3).ToArray(),
            seen.Values.Where(steps => steps[0] % 4 == 3).ToArray());
        Assert.Equal((64, 64), (small.Length, large.Length));
        Assert.All(small, steps => Assert.Equal(3, steps.Count));
        Assert.NotEqual(small.Select(steps => steps[0]), small.Select(steps => steps[1] - 85));
        Assert.Equal(128, seen.Keys.Select(images => Pixels(images[1])).Distinct().Count());
    }

    [Fact]
    public void The_student_comes_closer()
    {
        var recipe = new DistillationRecipe { Steps = 30, References = 2, Seed = 1, LearningRate = 1e-2 };
        var distiller = new Distiller(Teacher, TeacherLin, recipe, Photographs(1), Photographs(2), threads: 2);
        distiller.Run(folder["checkpoint.safetensors"], cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(31, distiller.Log.Count);
        // What has random weights is soon learned.
        Assert.True(distiller.Log[^1].Spearman > distiller.Log[0].Spearman
            && distiller.Log[^1].Difference < distiller.Log[0].Difference / 10,
            $"{distiller.Log[0]}\n{distiller.Log[^1]}");
    }

    [Fact]
    public void Threads_change_no_bit()
    {
        var files = new[] { 1, 3 }.Select(threads =>
        {
            var distiller = New(Recipe with { Steps = 4 }, validate: true, threads);
            distiller.Run(folder["checkpoint.safetensors"], cancellation: TestContext.Current.CancellationToken);
            return File.ReadAllBytes(folder["checkpoint.safetensors"]);
        }).ToArray();
        Assert.Equal(files[0], files[1]);
    }

    [Theory]
    [InlineData(4, 2)]
    [InlineData(230, 90)] // through passes and blocks
    public void Stopped_anywhere_and_resumed_it_ends_with_the_same_bits(int steps, int longest)
    {
        var recipe = Recipe with { Steps = steps, References = 1 };
        var whole = New(recipe, validate: steps < 10);
        whole.Run(folder["whole.safetensors"], cancellation: TestContext.Current.CancellationToken);
        whole.Save(folder["whole-model.safetensors"]);

        var random = new Random(3);
        var stops = 0;
        var part = New(recipe, validate: steps < 10);
        part.SaveCheckpoint(folder["part.safetensors"]);
        while (!part.IsFinished)
        {
            part = New(recipe, validate: steps < 10);
            part.Resume(folder["part.safetensors"]);
            using var stop = new CancellationTokenSource();
            var left = random.Next(1, longest);
            try
            {
                part.Run(folder["part.safetensors"], () =>
                {
                    if (--left == 0)
                        stop.Cancel();
                }, stop.Token);
            }
            catch (OperationCanceledException)
            {
                stops++;
            }
        }
        part.Save(folder["part-model.safetensors"]);
        Assert.InRange(stops, 2, 30);
        Assert.Equal(File.ReadAllBytes(folder["whole.safetensors"]), File.ReadAllBytes(folder["part.safetensors"]));
        Assert.Equal(File.ReadAllBytes(folder["whole-model.safetensors"]),
            File.ReadAllBytes(folder["part-model.safetensors"]));
        Assert.Equal(whole.Log, part.Log);
    }

    [Fact]
    public void A_saved_model_has_the_distances_of_the_student_and_its_recipe()
    {
        var distiller = New(Recipe);
        distiller.Run(folder["checkpoint.safetensors"], cancellation: TestContext.Current.CancellationToken);
        distiller.Save(folder["model.safetensors"]);
        var saved = Lpips.Load(null, new() { ModelFile = folder["model.safetensors"] });
        var (a, b) = (TestImages.Waves(64, 64, 1), TestImages.Waves(64, 64, 2));
        Assert.Equal("lite", saved.Network.Name);
        // the file's weights are of half precision: 2^-11 each, at most
        Assert.Equal(1, saved.Distance(a, b) / distiller.Model().Distance(a, b), 2e-3);
        var metadata = WeightFile.ReadWithMetadata(folder["model.safetensors"]).Metadata;
        Assert.Equal(("lite", "0.1", "small", "7", "2", "3"),
            (metadata["network"], metadata["version"], metadata["teacher"], metadata["steps"], metadata["references"],
                metadata["seed"]));
        Assert.All(["images", "teacher trunk", "teacher lin"],
            name => Assert.Matches("^[0-9a-f]{64}\\z", metadata[name]));
    }

    [Fact]
    public void A_checkpoint_of_something_else_is_refused_by_name()
    {
        var path = folder["checkpoint.safetensors"];
        New(Recipe).SaveCheckpoint(path);
        Refused("seed is 3, not 4", New(Recipe with { Seed = 4 }));
        Refused("steps is 7, not 8", New(Recipe with { Steps = 8 }));
        var otherTeacher = TrunkWeights.Random(SmallTeacher.Network, 9);
        Refused("teacher trunk is ", new Distiller(otherTeacher, SmallTeacherLin, Recipe, Photographs(1)));
        Refused("images is ", new Distiller(SmallTeacher, SmallTeacherLin, Recipe, Photographs(2)));
        Refused("kinds is ", new Distiller(SmallTeacher, SmallTeacherLin, Recipe, Photographs(1, Distortion.All)));
        Refused("validation images is none, not ", New(Recipe, validate: true));
        var good = File.ReadAllBytes(path);
        FlippedBits.AreSeen(good, FlippedBits.Content, step: good.Length / 40);
        FlippedBits.AreSeen(good, FlippedBits.Content, step: 41, length: FlippedBits.HeaderLength(good));
        New(Recipe).Save(path);
        var model = File.ReadAllBytes(path);
        FlippedBits.AreSeen(model, FlippedBits.Content, step: 17, length: FlippedBits.HeaderLength(model));
        File.WriteAllBytes(path, good);
        New(Recipe).Resume(path);

        void Refused(string message, Distiller distiller)
        {
            var error = Assert.Throws<InvalidDataException>(() => distiller.Resume(path)).Message;
            Assert.StartsWith(path, error, StringComparison.Ordinal);
            Assert.Contains(message, error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_learning_rate_rises_fast_and_falls_to_nothing()
    {
        var recipe = new DistillationRecipe { Steps = 1000, LearningRate = 1 };
        Assert.Equal(1.0 / 20, recipe.Rate(0), 12);
        Assert.Equal(1, recipe.Rate(19), 12);
        Assert.Equal(1, recipe.Rate(20), 12);
        Assert.Equal(0.5, recipe.Rate(510), 12);
        Assert.InRange(recipe.Rate(999), 0, 1e-5);
    }

    [Fact]
    public void References_are_patches_of_the_photographs_and_versions_are_not()
    {
        // Each photograph has one colour, and so has each patch at each scale.
        var photographs = new DistillationImages([.. Enumerable.Range(0, 4).Select(FileOf)],
            path => RgbImage.FromInterleaved([.. Enumerable.Repeat((byte)(60 * (Number(path) + 1)), 3 * 256 * 130)],
                256, 130), Distortion.All, 0, 1, 2);
        Assert.Equal(4, photographs.Photographs);
        var seen = new HashSet<int>();
        for (var i = 0ul; i < 40; i++)
        {
            var images = photographs.Draw(new(i), 64);
            Assert.Equal(4, images.Length);
            Assert.All(images, image => Assert.Equal((64, 64), (image.Width, image.Height)));
            var value = Assert.Single(Pixels(images[0]).Distinct());
            Assert.Equal(0, value % 60);
            seen.Add(value);
        }
        Assert.Equal(4, seen.Count);
        Assert.Equal(Pixels(photographs.Draw(new(7), 128)[3]), Pixels(photographs.Draw(new(7), 128)[3]));
    }

    [Fact]
    public void Photographs_that_no_patch_can_be_taken_from_are_refused_by_name()
    {
        Assert.Contains($"{FileOf(1)} is 100x63, too small",
            Fails(path => TestImages.Waves(100, Number(path) == 1 ? 63 : 200, 1)), StringComparison.Ordinal);
        Assert.Contains("none of 2 images is at least 128x128", Fails(_ => TestImages.Waves(200, 127, 1)),
            StringComparison.Ordinal);
        Assert.Contains("16 bits", Fails(_ => RgbImage.FromInterleaved(new ushort[3 * 200 * 200], 200, 200)),
            StringComparison.Ordinal);
        Assert.Throws<FileNotFoundException>(
            () => new DistillationImages([folder["nowhere.png"]], _ => TestImages.Waves(200, 200, 1),
                Distortion.All, 0, 1, 1));

        string Fails(Func<string, RgbImage> read) =>
            Assert.Throws<InvalidDataException>(
                () => new DistillationImages([FileOf(0), FileOf(1)], read, Distortion.All, 0, 1, 1)).Message;
    }

    private Distiller New(DistillationRecipe recipe, bool validate = false, int threads = 2) =>
        new(SmallTeacher, SmallTeacherLin, recipe, Photographs(1), validate ? Photographs(2) : null, threads);

    // One of each family; others take longer than all else.
    private static readonly string[] QuickNames = ["lightness", "white-noise", "blur", "shift", "dropout"];
    private static readonly Distortion[] Quick = [.. Distortion.All.Where(kind => QuickNames.Contains(kind.Name))];

    private DistillationImages Photographs(int set, IReadOnlyList<Distortion>? kinds = null) => new(
        [.. Enumerable.Range(10 * set, 3).Select(FileOf)],
        path => TestImages.Waves(180, 140, Number(path)), kinds ?? Quick, 0.2, 1, 2);

    private static LinWeights RandomLin(Network network, int seed)
    {
        var random = new Random(seed);
        return LinWeights.From(network, network.TapChannels
            .Select((channels, k) => new Tensor(LinWeights.Key(k), [1, channels, 1, 1],
                [.. Enumerable.Range(0, channels).Select(_ => random.NextSingle())]))
            .ToDictionary(tensor => tensor.Name), "random");
    }

    private static string Pixels(RgbImage image)
    {
        var text = new System.Text.StringBuilder();
        var row = new float[image.Width];
        for (var c = 0; c < 3; c++)
            for (var y = 0; y < image.Height; y++)
            {
                image.CopyStoredRow(c, y, row);
                foreach (var value in row)
                    text.Append((char)value);
            }
        return text.ToString();
    }

    private string FileOf(int number)
    {
        var name = folder[$"{number}.png"];
        if (!File.Exists(name))
            File.WriteAllText(name, $"{number}"); // of the files only a digest is taken
        return name;
    }

    private static int Number(string path) => int.Parse(Path.GetFileNameWithoutExtension(path), null);
}
