using System.Collections.Concurrent;
using System.Globalization;

namespace Perceptual.Tests.Metrics;

/// <summary>
/// The table in <c>docs/sample-values.md</c>: what the sample images are apart by every model whose weights are here.
/// Its numbers are those of <see cref="Float64"/>, plain loops in float64 that share nothing with the kernels but the
/// lists of layers; <see cref="The_values_are_those_of_float64_loops"/> computes them again.
/// </summary>
public class SampleValuesTests
{
    // Half of the table's last digit, and the tolerances that GoldenTests derives: the depth is at most 3456 there and
    // here, lite's 576, and these distances are smaller.
    private const double Digits = .5e-7, Calibrated = 2e-6, Baseline = 1e-5;

    private static readonly Row[] Table = Read();
    private static readonly ConcurrentDictionary<(string, string, string), List<Float64.Map>> Taps = new();

    public static TheoryData<string> Models => [.. Table.Select(row => row.Model).Distinct()];

    [Fact]
    public void The_table_has_every_model_whose_weights_can_be_here()
    {
        string[] models = [.. from network in new[] { Network.Alex, Network.Squeeze, Network.Lite }
                              from version in network.IsBuiltIn ? new[] { "0.1" } : ["0.1", "0.0"]
                              from lin in new[] { "lin", "baseline" }
                              select $"{network.Name} {version} {lin}"];
        string[] images = ["blurred", "noisy", "shifted"];
        Assert.Equal(models.SelectMany(model => images, (model, image) => (model, image)),
            Table.Select(row => (row.Model, row.Image)));
    }

    [Theory, MemberData(nameof(Models)), Trait("Category", "Numbers")]
    public void The_program_gives_the_values(string model)
    {
        var lpips = Load(model);
        foreach (var row in Table.Where(row => row.Model == model))
        {
            var result = lpips.Compare(Sample("reference"), Sample(row.Image));
            var tolerance = Digits + (lpips.Calibrated ? Calibrated : Baseline);
            Numbers.AssertClose(row.Values, [result.Distance, .. result.Layers], tolerance);
        }
    }

    // What is computed in float64 is exact to far more digits than the table has.
    [Theory, MemberData(nameof(Models))]
    public void The_values_are_those_of_float64_loops(string model)
    {
        var (network, options) = Options(model);
        var (trunk, lin) = Lpips.LoadWeights(network, options, TestContext.Current.CancellationToken);
        var rows = Table.Where(row => row.Model == model).Select(row =>
        {
            var layers = Features("reference").Zip(Features(row.Image))
                .Select((pair, k) => Float64.Difference(pair.First, pair.Second, lin?.Layers[k])).ToArray();
            return (row.Values, Fresh: row with { Values = [layers.Sum(), .. layers] });
        }).ToArray();
        Assert.True(
            rows.All(row => row.Values.Length == row.Fresh.Values.Length
                && row.Values.Zip(row.Fresh.Values).All(pair => Math.Abs(pair.First - pair.Second) < 1.01 * Digits)),
            $"in docs/sample-values.md should be\n{string.Join('\n', rows.Select(row => row.Fresh))}");

        // The same for lin weights and for a baseline.
        List<Float64.Map> Features(string image) => Taps.GetOrAdd((network.Name, $"{options.Version}", image), _ =>
            Float64.Taps(network.Layers, trunk.Tensors, Float64.Input(Sample(image), options.Version)));
    }

    private static Lpips Load(string model)
    {
        var (network, options) = Options(model);
        return Lpips.Load(network, options, TestContext.Current.CancellationToken);
    }

    // Skips the test where the weights are not.
    private static (Network Network, LpipsOptions Options) Options(string model)
    {
        var words = model.Split(' ');
        var network = Network.All.Single(network => network.Name == words[0]);
        return (network, new()
        {
            Version = words[1] == "0.0" ? LpipsVersion.V00 : LpipsVersion.V01,
            Baseline = words[2] == "baseline",
            Store = network.IsBuiltIn ? null : new(Shared.Path("weights")),
            Threads = 2,
        });
    }

    private static RgbImage Sample(string name) =>
        ImageFile.Read(Path.Combine(Repository.Root, "samples", $"{name}.png"));

    private static Row[] Read()
    {
        var lines = File.ReadLines(Path.Combine(Repository.Root, "docs", "sample-values.md"));
        return [.. lines.Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(2)
            .Select(line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries))
            .Select(cells => new Row(string.Join(' ', cells[..3]), cells[3], Values(cells[4..])))];

        static double[] Values(string[] cells) =>
            [.. string.Join(' ', cells).Split(' ').Select(value => double.Parse(value, CultureInfo.InvariantCulture))];
    }

    /// <param name="Model">Network, version, and "lin" or "baseline".</param>
    /// <param name="Image">What is compared with the reference.</param>
    /// <param name="Values">The distance, and its layers.</param>
    private sealed record Row(string Model, string Image, double[] Values)
    {
        public override string ToString()
        {
            var numbers = Array.ConvertAll(Values, value => value.ToString("F7", CultureInfo.InvariantCulture));
            return $"| {Model.Replace(" ", " | ", StringComparison.Ordinal)} | {Image} | {numbers[0]} | "
                + $"{string.Join(' ', numbers[1..])} |";
        }
    }
}
