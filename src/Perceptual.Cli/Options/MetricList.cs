using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace Perceptual.Cli;

/// <summary>A metric of a list.</summary>
/// <param name="Name">What the table calls it.</param>
/// <param name="Group">One of <see cref="MetricList.Groups"/>.</param>
/// <param name="Choice">The metric: one name, and the model if that is <see cref="MetricChoice.OwnModel"/>.</param>
/// <param name="ImageNetAccuracy">The part of ImageNet's images that the network classifies rightly, 0 to 1; null if
/// that is not known or the metric is no network.</param>
internal sealed record ListedMetric(string Name, string Group, MetricChoice Choice, double? ImageNetAccuracy);

/// <summary>The metrics of a file, in groups: <c>lpips help table</c>.</summary>
/// <param name="File">The file.</param>
/// <param name="Metrics">In the order of the file, with different names.</param>
internal sealed record MetricList(string File, IReadOnlyList<ListedMetric> Metrics)
{
    /// <summary>The group of the rows that are no metrics, and the row of how well people agree.</summary>
    public const string People = "people";

    /// <summary>The row of the most that any metric can reach.</summary>
    public const string Oracle = "oracle";

    private const int MaxBytes = 1 << 20;
    private const int MaxMetrics = 200;
    private const int MaxNameLength = 100;

    /// <summary>The groups that a metric may be of, in the order of the table.</summary>
    public static readonly string[] Groups =
        ["classic", "random", "unsupervised", "self-supervised", "supervised", "calibrated", "tuned"];

    /// <summary>The fields that a metric may have.</summary>
    public static IReadOnlyList<string> Fields { get; } =
        ["name", "group", "imagenetAccuracy", .. Entry.Names, "baseline", "seed", .. Entry.Files];

    /// <summary>The file, and the files of weights and networks that it names.</summary>
    public IEnumerable<string> Files => [File, .. Metrics.SelectMany(metric => metric.Choice.Files)];

    /// <summary>Reads a list. What a metric's settings are is what the options of the same names are.</summary>
    /// <exception cref="InvalidDataException">The file is not of this form.</exception>
    /// <exception cref="IOException">There is no such file, or it cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static MetricList Read(string path)
    {
        using var file = LocalFile.OpenRead(path);
        if (file.Length > MaxBytes)
            throw new InvalidDataException($"{path}: is larger than 1 MiB, which no list of metrics needs");
        try
        {
            using var json = JsonDocument.Parse(file, new() { AllowDuplicateProperties = false });
            if (json.RootElement.ValueKind != JsonValueKind.Array
                || json.RootElement.GetArrayLength() is 0 or > MaxMetrics)
                throw new InvalidDataException($"{path}: must be a JSON array of 1 to {MaxMetrics} metrics");
            var parser = new SettingsParser();
            ListedMetric[] metrics =
                [.. json.RootElement.EnumerateArray().Select((element, i) => new Entry(path, i, element).Read(parser))];
            for (var i = 0; i < metrics.Length; i++)
                if (metrics.Take(i).Any(other => other.Name == metrics[i].Name))
                    throw new InvalidDataException($"{path}: [{i}].name: there are two metrics {metrics[i].Name}");
            return new(path, metrics);
        }
        // InvalidOperationException: text that is not Unicode
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"{path}: is not valid JSON: {UntrustedText.Printable(e.Message)}", e);
        }
    }

    /// <summary>Loads the metrics, and fetches their weights if they are missing.</summary>
    /// <param name="app">Shows progress.</param>
    /// <param name="common">Has the folder of published weights and the number of threads.</param>
    /// <param name="cancellation">Stops a download.</param>
    public Columns Load(App app, ModelChoice common, CancellationToken cancellation) => new(
        [.. Metrics.Select(metric => metric.Name)],
        new([.. Metrics.Select(metric => (metric.Choice with
        {
            Model = metric.Choice.Model with
            {
                Folder = common.Folder,
                Options = metric.Choice.Model.Options with { Threads = common.Options.Threads },
            },
        }).Load(app, cancellation).Set.Metrics[0])]));

    /// <summary>An object of the file.</summary>
    private sealed class Entry(string path, int number, JsonElement element)
    {
        public static readonly string[] Names = ["metric", "net", "version"];
        public static readonly string[] Files = ["trunk", "lin", "weights"];

        private string Folder => Path.GetDirectoryName(path) ?? "";

        public ListedMetric Read(SettingsParser parser)
        {
            if (element.ValueKind != JsonValueKind.Object)
                throw new InvalidDataException($"{path}: [{number}] must be an object");
            foreach (var field in element.EnumerateObject().Where(field => !Fields.Contains(field.Name)))
                throw new InvalidDataException($"{path}: [{number}]: there is no field "
                    + $"'{UntrustedText.Printable(field.Name)}'; the fields are {string.Join(", ", Fields)}");
            var name = Text("name");
            if (name is null || name.Length > MaxNameLength || name is People or Oracle)
                throw Bad("name", $"a name of at most {MaxNameLength} characters, not {People} or {Oracle}");
            if (Text("group") is not { } group || !Groups.Contains(group))
                throw Bad("group", $"one of {string.Join(", ", Groups)}");
            if (Text("metric")?.Contains(',', StringComparison.Ordinal) == true)
                throw Bad("metric", "the name of one metric");
            double? accuracy = element.TryGetProperty("imagenetAccuracy", out var value)
                ? value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var part) && part is >= 0 and <= 1
                    ? part : throw Bad("imagenetAccuracy", "a number from 0 to 1, such as 0.565")
                : null;
            try
            {
                return new(name, group, parser.Parse([.. Arguments()]), accuracy);
            }
            catch (UsageException e)
            {
                throw new InvalidDataException($"{path}: [{number}] ({UntrustedText.Printable(name)}): {e.Message}", e);
            }
        }

        // As on a command line.
        private IEnumerable<string> Arguments()
        {
            foreach (var field in Names)
                if (Text(field) is { } text)
                    yield return $"--{field}={(field == "metric" ? InFolder(text) : text)}";
            foreach (var field in Files)
                if (Text(field) is { } file)
                    yield return $"--{field}={Existing(field, file)}";
            if (element.TryGetProperty("baseline", out var flag))
            {
                if (flag.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
                    throw Bad("baseline", "true or false");
                if (flag.GetBoolean())
                    yield return "--baseline";
            }
            if (element.TryGetProperty("seed", out var value))
                yield return value.ValueKind == JsonValueKind.Number && value.TryGetUInt64(out var seed)
                    ? string.Create(CultureInfo.InvariantCulture, $"--seed={seed}")
                    : throw Bad("seed", "a whole number, at least 0");
        }

        private string? Text(string field) =>
            !element.TryGetProperty(field, out var value) ? null
            : value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text
            : throw Bad(field, "text in quotes");

        // The second part of a name of two parts with a colon between them is a file, which is relative to the list.
        private string InFolder(string name) =>
            name.Split(':', 2) is [var family, var file] ? $"{family}:{Path.Combine(Folder, file)}" : name;

        private string Existing(string field, string name)
        {
            var file = Path.Combine(Folder, name);
            return System.IO.File.Exists(file) ? file : throw new InvalidDataException(
                $"{path}: [{number}].{field}: there is no file {UntrustedText.Printable(file)}");
        }

        private InvalidDataException Bad(string field, string wanted) =>
            new($"{path}: [{number}].{field} must be {wanted}");
    }

    /// <summary>Takes a metric's settings as the command line takes its options, with the same checks.</summary>
    private sealed class SettingsParser
    {
        private readonly Command command = new("metric");
        private readonly MetricOptions options;

        public SettingsParser()
        {
            options = new(command);
            App.GuardValidators(command);
        }

        /// <exception cref="UsageException">The settings cannot be meant.</exception>
        public MetricChoice Parse(string[] arguments)
        {
            var parsed = command.Parse(arguments, App.Parsing);
            return parsed.Errors is [var first, ..] ? throw new UsageException(App.Describe(first))
                : options.Parse(parsed);
        }
    }
}
