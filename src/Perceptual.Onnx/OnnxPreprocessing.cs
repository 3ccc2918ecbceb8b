using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Perceptual.Onnx;

/// <summary>
/// How a network takes images: what a file with the name of the model and the ending ".json" beside it says. A sample
/// becomes (black + s (white - black) - mean) / deviation, where s is 0 for black and 1 for white.
/// </summary>
public sealed record OnnxPreprocessing
{
    private const int LongestFile = 1 << 20; // bytes

    private static readonly string[] Keys =
        ["channels", "range", "mean", "deviation", "layout", "size", "taps", "embedding", "lin"];

    private static readonly JsonWriterOptions Readable = new()
    {
        Indented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Whether blue comes first, and not red. Means and deviations are in the network's order.</summary>
    public bool BlueFirst { get; init; }

    /// <summary>The value of black, such as 0.</summary>
    public double Black { get; init; }

    /// <summary>The value of white, such as 1 or 255.</summary>
    public required double White { get; init; }

    /// <summary>What is subtracted from each channel.</summary>
    public IReadOnlyList<double> Mean { get; init; } = [0, 0, 0];

    /// <summary>What each channel is then divided by.</summary>
    public IReadOnlyList<double> Deviation { get; init; } = [1, 1, 1];

    /// <summary>Whether channels come last (NHWC) or first (NCHW); null: as the graph says.</summary>
    public bool? ChannelsLast { get; init; }

    /// <summary>The size that all images are resized to; null: as the graph says.</summary>
    public (int Width, int Height)? Size { get; init; }

    /// <summary>What both sides of an image must be a multiple of; null: as the graph says.</summary>
    public int? Multiple { get; init; }

    /// <summary>The values that are compared, first to last; null: chosen by <see cref="OnnxNetwork"/>.</summary>
    public IReadOnlyList<string>? Taps { get; init; }

    /// <summary>The value that is the embedding of an image; null: the only vector that the graph gives.</summary>
    public string? Embedding { get; init; }

    /// <summary>The name of a safetensors file of lin weights beside the model; null for a baseline.</summary>
    public string? LinFile { get; init; }

    /// <summary>What networks are commonly given, by name, with a description.</summary>
    public static IReadOnlyList<(string Name, string Description, OnnxPreprocessing Value)> Presets { get; } =
    [
        ("imagenet", "RGB from 0 to 1, less the mean of ImageNet, by its deviation: torchvision, timm, DINO",
            new() { White = 1, Mean = [0.485, 0.456, 0.406], Deviation = [0.229, 0.224, 0.225] }),
        ("clip", "RGB from 0 to 1, less the mean of CLIP's images, by their deviation", new()
        {
            White = 1,
            Mean = [0.48145466, 0.4578275, 0.40821073],
            Deviation = [0.26862954, 0.26130258, 0.27577711],
        }),
        ("inception", "RGB from -1 to 1: TensorFlow's Inception and MobileNet, SigLIP",
            new() { Black = -1, White = 1 }),
        ("caffe-bgr", "BGR from 0 to 255, less the mean of ImageNet: Caffe, Keras' VGG and ResNet",
            new() { BlueFirst = true, White = 255, Mean = [103.939, 116.779, 123.68] }),
        ("01", "RGB from 0 to 1", new() { White = 1 }),
        ("raw", "RGB from 0 to 255", new() { White = 255 }),
    ];

    /// <summary>The file that says it for a model: resnet18.json for resnet18.onnx.</summary>
    public static string PathFor(string model) => Path.ChangeExtension(model, ".json");

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">The content is damaged, has an unknown key or a value that cannot be
    /// meant. The message begins with the path.</exception>
    /// <exception cref="IOException">The file cannot be opened or read.</exception>
    public static OnnxPreprocessing Read(string path)
    {
        using var stream = LocalFile.OpenRead(path);
        if (stream.Length > LongestFile)
            throw new InvalidDataException(
                $"{path}: {stream.Length} bytes are too many for a description of a network");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return Read(bytes, path);
    }

    /// <summary>Reads a file in memory; <paramref name="path"/> begins the messages.</summary>
    internal static OnnxPreprocessing Read(byte[] bytes, string path)
    {
        try
        {
            using var json = JsonDocument.Parse(bytes, new JsonDocumentOptions { AllowDuplicateProperties = false });
            if (json.RootElement.ValueKind != JsonValueKind.Object)
                throw new InvalidDataException($"{path}: is not a JSON object");
            var members = json.RootElement.EnumerateObject()
                .ToDictionary(member => member.Name, member => member.Value);
            if (members.Keys.FirstOrDefault(key => !Keys.Contains(key)) is { } unknown)
                throw new InvalidDataException($"{path}: there is no key '{UntrustedText.Printable(unknown)}'; the "
                    + $"keys are {string.Join(", ", Keys)}");
            return new Reader(members, path).All();
        }
        // InvalidOperationException: text that is not Unicode
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"{path}: is not valid JSON: {UntrustedText.Printable(e.Message)}", e);
        }
    }

    /// <summary>Writes a file, whole or not at all.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Write(string path) => AtomicFile.Write(path, stream =>
    {
        using (var json = new Utf8JsonWriter(stream, Readable))
        {
            json.WriteStartObject();
            json.WriteString("channels", BlueFirst ? "bgr" : "rgb");
            WriteNumbers(json, "range", [Black, White]);
            WriteNumbers(json, "mean", Mean);
            WriteNumbers(json, "deviation", Deviation);
            if (ChannelsLast is { } last)
                json.WriteString("layout", last ? "nhwc" : "nchw");
            if (Size is var (width, height))
                json.WriteString("size", string.Create(CultureInfo.InvariantCulture, $"{width}x{height}"));
            else if (Multiple is { } multiple)
                json.WriteString("size", Rule(multiple));
            if (Taps is not null)
            {
                json.WriteStartArray("taps");
                foreach (var tap in Taps)
                    json.WriteStringValue(tap);
                json.WriteEndArray();
            }
            if (Embedding is not null)
                json.WriteString("embedding", Embedding);
            if (LinFile is not null)
                json.WriteString("lin", LinFile);
            json.WriteEndObject();
        }
        stream.WriteByte((byte)'\n');
    });

    /// <summary>The rule for sizes in words: "any" or "multiple of 14".</summary>
    internal static string Rule(int multiple) =>
        multiple == 1 ? "any" : string.Create(CultureInfo.InvariantCulture, $"multiple of {multiple}");

    private static void WriteNumbers(Utf8JsonWriter json, string key, IEnumerable<double> numbers)
    {
        json.WriteStartArray(key);
        foreach (var number in numbers)
            json.WriteNumberValue(number);
        json.WriteEndArray();
    }

    private sealed class Reader(Dictionary<string, JsonElement> members, string path)
    {
        public OnnxPreprocessing All()
        {
            var range = Numbers("range", 2) ?? throw Bad("range", "two numbers, the values of black and white");
            var (deviation, (size, multiple)) = (Numbers("deviation", 3) ?? [1, 1, 1], Size());
            if (range[0] == range[1])
                throw Bad("range", "two different numbers");
            if (deviation.Contains(0))
                throw Bad("deviation", "three numbers that are not 0");
            return new()
            {
                BlueFirst = OneOf("channels", "rgb", "bgr") == "bgr",
                Black = range[0],
                White = range[1],
                Mean = Numbers("mean", 3) ?? [0, 0, 0],
                Deviation = deviation,
                ChannelsLast = members.ContainsKey("layout") ? OneOf("layout", "nchw", "nhwc") == "nhwc" : null,
                Size = size,
                Multiple = multiple,
                Taps = Taps(),
                Embedding = members.ContainsKey("embedding") ? Name("embedding") : null,
                LinFile = members.ContainsKey("lin") ? LinFile() : null,
            };
        }

        private double[]? Numbers(string key, int count)
        {
            if (!members.TryGetValue(key, out var value))
                return null;
            double[] numbers = value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == count
                ? [.. value.EnumerateArray().Select(each => each.ValueKind == JsonValueKind.Number
                    && each.TryGetDouble(out var number) ? number : double.NaN)]
                : [double.NaN];
            return numbers.All(number => Math.Abs(number) <= 1e6) ? numbers
                : throw Bad(key, $"{count} numbers of at most a million");
        }

        private string OneOf(string key, params ReadOnlySpan<string> allowed) =>
            members.TryGetValue(key, out var value) && value.ValueKind == JsonValueKind.String
                && value.GetString() is { } text && allowed.Contains(text)
                ? text
                : throw Bad(key, string.Join(" or ", allowed.ToArray()));

        // "any", "multiple of 14", "224x224" (width x height)
        private ((int, int)?, int?) Size()
        {
            if (!members.TryGetValue("size", out var value))
                return (null, null);
            var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
            if (text == "any")
                return (null, 1);
            if (text.StartsWith("multiple of ", StringComparison.Ordinal) && Side(text[12..]) is { } multiple)
                return (null, multiple);
            if (text.Split('x') is [var first, var second] && Side(first) is { } width && Side(second) is { } height)
                return ((width, height), null);
            throw Bad("size", "any, multiple of N, or WIDTHxHEIGHT");

            static int? Side(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture,
                out var side) && side is > 0 and <= 1 << 14 ? side : null;
        }

        private string[]? Taps()
        {
            if (!members.TryGetValue("taps", out var value))
                return null;
            string[] taps = value.ValueKind == JsonValueKind.Array
                ? [.. value.EnumerateArray().Select(
                    tap => tap.ValueKind == JsonValueKind.String ? tap.GetString()! : "")]
                : [];
            return taps.Length > 0 && taps.All(tap => tap.Length > 0) && taps.Distinct().Count() == taps.Length ? taps
                : throw Bad("taps", "a list of different names of values");
        }

        private string LinFile() => Name("lin") is var text && text.IndexOfAny(['/', '\\', ':', '\0']) < 0 ? text
            : throw Bad("lin", "the name of a file in the same folder");

        private string Name(string key) =>
            members[key] is { ValueKind: JsonValueKind.String } value && value.GetString() is { Length: > 0 } text
                ? text : throw Bad(key, "a name");

        private InvalidDataException Bad(string key, string wanted) => new($"{path}: '{key}' must be {wanted}");
    }
}
