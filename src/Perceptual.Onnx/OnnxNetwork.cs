using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Perceptual.Onnx;

/// <summary>
/// A network in an ONNX file, as it was measured: its feature maps, which of them are compared, and what sizes of
/// images it takes. The network is run on empty images, and the shapes of all its values are looked at.
/// </summary>
public sealed class OnnxNetwork
{
    private const int MostTaps = 8;
    private const int MostExtra = 16; // tokens before a grid
    private const int WidestBorder = 16; // pixels that a feature map may lack, by convolutions without padding
    private const int Border = 4; // the same where less is known

    // A network with free sides is measured at the first of these that it takes.
    private static readonly int[] Sides = [224, 256, 64, 32, 512, 1024];

    // Where a network that takes many sizes is tried, if it takes one so small: a run of a small image is short.
    private static readonly int[] Starts = [64, 128];

    private static readonly int[] Steps = [1, 2, 3, 4, 8, 16, 32, 64];

    private static readonly int[] Multiples = [1, 2, 4, 7, 8, 14, 16, 28, 32, 56, 64, 128];

    // An activation ends the block before it.
    private static readonly string[] Activations = ["Relu", "LeakyRelu", "PRelu", "Clip", "Elu", "Selu", "Celu", "Gelu",
        "HardSwish", "HardSigmoid", "Mish", "Sigmoid", "Tanh", "Softplus", "Softsign", "ThresholdedRelu"];

    // They give parts of a whole, such as the probabilities of classes.
    private static readonly string[] Shares = ["Softmax", "LogSoftmax", "Sigmoid"];

    // What they give is what they read.
    private static readonly string[] Copies = ["Identity", "Dropout"];

    private readonly OnnxTensor input;

    private OnnxNetwork(OnnxModel model, OnnxTensor input, bool channelsLast) =>
        (Model, this.input, ChannelsLast) = (model, input, channelsLast);

    /// <summary>The path of the file.</summary>
    public string Path => Model.Path;

    /// <summary>The name of the input that takes the image.</summary>
    public string InputName => input.Name;

    /// <summary>The type of the input: float32, float16 or uint8.</summary>
    public string InputType => input.TypeName;

    /// <summary>Whether the input is [1, height, width, 3] and not [1, 3, height, width].</summary>
    public bool ChannelsLast { get; }

    /// <summary>The version of the standard operators that the file uses.</summary>
    public long OperatorSet => Model.OperatorSet;

    /// <summary>The size that all images are resized to, or null if the network takes others.</summary>
    public (int Width, int Height)? Size { get; private set; }

    /// <summary>What both sides must be a multiple of; 1 if <see cref="Size"/> is not null.</summary>
    public int Multiple { get; private set; } = 1;

    /// <summary>The size or sizes in words: "224x224", "any", "multiple of 14".</summary>
    public string SizeRule => Size is var (width, height) ? $"{width}x{height}" : OnnxPreprocessing.Rule(Multiple);

    /// <summary>The smallest side that an image may have.</summary>
    public int MinimumSide { get; private set; } = 1;

    /// <summary>Columns of the images that it was measured with.</summary>
    public int MeasuredWidth { get; private set; }

    /// <summary>Rows of the images that it was measured with.</summary>
    public int MeasuredHeight { get; private set; }

    /// <summary>The feature maps, in the order of the graph; with taps of your own, only these.</summary>
    public IReadOnlyList<OnnxFeatureMap> Maps { get; private set; } = [];

    /// <summary>Those of <see cref="Maps"/> that are compared; for a distance of embeddings, the embedding.</summary>
    public IReadOnlyList<OnnxFeatureMap> Taps { get; private set; } = [];

    /// <summary>The vectors that the graph gives for an image; with taps of your own, none.</summary>
    public IReadOnlyList<OnnxFeatureMap> Vectors { get; private set; } = [];

    internal OnnxModel Model { get; }

    /// <summary>Reads and measures a network.</summary>
    /// <param name="path">The ONNX file.</param>
    /// <param name="preprocessing">Taps, sizes and layout where they are not to be as the graph says; or null.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="InvalidDataException">The file is damaged, is no network of one RGB image, has no feature maps,
    /// or cannot be run; or there is no such tap or size. The message begins with the path.</exception>
    /// <exception cref="IOException">The file cannot be opened or read.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public static OnnxNetwork Measure(
        string path, OnnxPreprocessing? preprocessing = null, CancellationToken cancellation = default) =>
        Measure(OnnxModel.Read(path), preprocessing, cancellation);

    internal static OnnxNetwork Measure(
        OnnxModel model, OnnxPreprocessing? preprocessing, CancellationToken cancellation)
    {
        var input = ImageInput(model);
        var network = new OnnxNetwork(model, input, IsChannelsLast(model, input, preprocessing?.ChannelsLast));
        string[] all = [.. model.Nodes.SelectMany(node => node.Outputs)];
        var learned = network.Learned();
        var names = preprocessing?.Taps ?? (learned.Count > 0 ? [.. all.Where(learned.Contains)] : all);
        if (preprocessing?.Taps is not null)
            CheckNames(model, names);
        var isFree = network.FindMaps(names, preprocessing?.Taps is not null, cancellation);
        using var session = network.OpenAtAnySize(isFree);
        network.FindSizes(session, isFree, preprocessing, cancellation);
        return network;
    }

    /// <summary>Measures the embedding of a network in place of its feature maps: it is the only tap.</summary>
    internal static OnnxNetwork MeasureEmbedding(
        OnnxModel model, OnnxPreprocessing preprocessing, CancellationToken cancellation)
    {
        var input = ImageInput(model);
        var network = new OnnxNetwork(model, input, IsChannelsLast(model, input, preprocessing.ChannelsLast));
        if (preprocessing.Embedding is { } said)
            CheckNames(model, [said]);
        var shapes = network.FirstRun(preprocessing.Embedding is { } name ? [name] : network.Given(), cancellation);
        network.Taps = [network.Embedding(preprocessing.Embedding, shapes)];
        // Networks that make one vector of an image are made for one size, which they say.
        var isFree = network.FixedHeight is null || network.FixedWidth is null
            || preprocessing.Size is not null || preprocessing.Multiple is not null;
        using var session = network.OpenAtAnySize(isFree);
        network.FindSizes(session, isFree, preprocessing, cancellation);
        return network;
    }

    /// <summary>Opens what runs from an image, of any size that the network takes, to the taps.</summary>
    internal OnnxSession Open() => OnnxSession.Open(Model, input,
        Size is var (width, height) ? Shape(height, width) : Shape(-1, -1), Taps.Select(tap => tap.Name));

    /// <summary>The dimensions of the input for an image.</summary>
    internal long[] Shape(int height, int width) => ChannelsLast ? [1, height, width, 3] : [1, 3, height, width];

    /// <summary>
    /// Stores a row of samples, each times <paramref name="scale"/> and plus <paramref name="shift"/> and rounded once,
    /// as every so many elements of the input in its type.
    /// </summary>
    internal void Store(Span<byte> bytes, int start, int step, float[] row, double scale, double shift)
    {
        if (input.Type == OnnxTensor.Float)
        {
            var values = MemoryMarshal.Cast<byte, float>(bytes)[start..];
            for (var x = 0; x < row.Length; x++)
                values[x * step] = (float)(row[x] * scale + shift);
        }
        else if (input.Type == OnnxTensor.Float16)
        {
            var values = MemoryMarshal.Cast<byte, Half>(bytes)[start..];
            for (var x = 0; x < row.Length; x++)
                values[x * step] = (Half)(row[x] * scale + shift);
        }
        else
        {
            for (var x = 0; x < row.Length; x++)
                bytes[start + x * step] = (byte)Math.Clamp(Math.Round(row[x] * scale + shift), 0, 255);
        }
    }

    // Or at that which was measured.
    private OnnxSession OpenAtAnySize(bool isFree) => OnnxSession.Open(Model, input,
        isFree ? Shape(-1, -1) : Shape(MeasuredHeight, MeasuredWidth), Taps.Select(tap => tap.Name), optimize: false);

    // The outputs of the graph that nodes make.
    private string[] Given() => [.. Model.Nodes.SelectMany(node => node.Outputs).Where(Model.Outputs.Contains)];

    private OnnxFeatureMap Embedding(string? said, Dictionary<string, long[]> shapes)
    {
        if (said is not null)
            return Vector(said, shapes, orToken: true) ?? throw new InvalidDataException(
                $"{Path}: {UntrustedText.Printable(said)} is no embedding{Describe(said)}; wanted is [1, channels], "
                + "or [1, tokens, channels], whose first token it is then");
        OnnxFeatureMap[] vectors = [.. GivenVectors(shapes)];
        return vectors is [var only] ? only : throw new InvalidDataException(
            $"{Path}: {(vectors.Length == 0 ? "no output is an embedding, one vector for an image"
                : "several outputs are vectors")}: it gives "
            + string.Join(", ", Model.Outputs.Select(name => UntrustedText.Printable(name) + Describe(name)))
            + $". Name the value in {OnnxPreprocessing.PathFor(Path)}: \"embedding\": \"NAME\"");

        string Describe(string name) => shapes.TryGetValue(name, out var shape) ? $" [{string.Join(", ", shape)}]" : "";
    }

    private IEnumerable<OnnxFeatureMap> GivenVectors(Dictionary<string, long[]> shapes) =>
        Given().Select(name => Vector(name, shapes, orToken: false)).OfType<OnnxFeatureMap>()
            .Where(vector => vector.Channels > 1 && !Shares.Contains(vector.Operator));

    private OnnxFeatureMap? Vector(string name, Dictionary<string, long[]> shapes, bool orToken) =>
        VectorLength(shapes.GetValueOrDefault(name, []), orToken) is { } channels
            ? new(name, Model.Nodes.First(node => node.Outputs.Contains(name)).Operator, MapLayout.Vector, channels, 1,
                1)
            : null;

    private static int? VectorLength(long[] shape, bool orToken) => shape switch
    {
        [_, var channels] => (int)channels,
        [_, var channels, 1, 1] => (int)channels,
        [_, _, var channels] when orToken => (int)channels,
        _ => null,
    };

    private int? FixedHeight => Side(ChannelsLast ? 1 : 2);

    private int? FixedWidth => Side(ChannelsLast ? 2 : 3);

    private int? Side(int axis) => input.Shape![axis] is > 0 and <= 1 << 14 and var side ? (int)side : null;

    private static OnnxTensor ImageInput(OnnxModel model)
    {
        OnnxTensor[] inputs = [.. model.Inputs];
        if (inputs is not [var input])
        {
            var names = string.Join(", ", inputs.Select(each => UntrustedText.Printable(each.Name)));
            throw new InvalidDataException($"{model.Path}: a network of one image is wanted, but its inputs are: "
                + (names.Length > 0 ? names : "none"));
        }
        if (input.Type is not (OnnxTensor.Float or OnnxTensor.Float16 or OnnxTensor.UInt8))
            throw new InvalidDataException($"{model.Path}: its input is {input.TypeName}; float32, float16 or uint8 is "
                + "wanted");
        if (input.Shape is not { Count: 4 })
            throw new InvalidDataException($"{model.Path}: its input has "
                + $"{(input.Shape is { } shape ? $"{shape.Count}" : "an unknown number of")} dimensions; four are "
                + "wanted, as images have: [1, 3, height, width]");
        return input;
    }

    private static bool IsChannelsLast(OnnxModel model, OnnxTensor input, bool? said)
    {
        var (first, last) = (Fits(input.Shape![1], input.Shape[3]), Fits(input.Shape[3], input.Shape[1]));
        if (said is { } known ? known ? last : first : first || last)
            return said ?? ((input.Shape[1], input.Shape[3]) switch
            {
                (3, not 3) => false,
                (not 3, 3) => true,
                _ => throw new InvalidDataException($"{model.Path}: its input is [{Dimensions(input)}], which does not "
                    + $"say where the channels are: say so in {OnnxPreprocessing.PathFor(model.Path)}, \"layout\": "
                    + "\"nchw\" or \"nhwc\""),
            });

        static bool Fits(long channels, long other) => channels is 3 || (channels, other) is (-1, not 3);

        throw new InvalidDataException($"{model.Path}: its input is [{Dimensions(input)}]; an RGB image is wanted, "
            + (said is null ? "[1, 3, height, width] or [1, height, width, 3]" : said.Value
                ? "[1, height, width, 3]" : "[1, 3, height, width]"));
    }

    private static string Dimensions(OnnxTensor input) =>
        string.Join(", ", input.Shape!.Select(length => length < 0 ? "?" : $"{length}"));

    private static void CheckNames(OnnxModel model, IEnumerable<string> names)
    {
        var known = model.Nodes.SelectMany(node => node.Outputs).ToHashSet();
        foreach (var name in names.Where(name => !known.Contains(name)))
            throw new InvalidDataException($"{model.Path}: there is no value {UntrustedText.Printable(name)}, "
                + "which is named as a tap; close to it are "
                + string.Join(", ", Close(name, known).Select(UntrustedText.Printable)));
    }

    // Those that share the longest beginning and end with it.
    private static IEnumerable<string> Close(string name, IEnumerable<string> known)
    {
        return known.OrderByDescending(Shared).ThenBy(other => other, StringComparer.Ordinal).Take(5);

        int Shared(string other)
        {
            var begin = name.AsSpan().CommonPrefixLength(other);
            var end = 0;
            while (end < Math.Min(name.Length, other.Length) - begin && name[^(end + 1)] == other[^(end + 1)])
                end++;
            return 2 * (begin + end) - Math.Abs(name.Length - other.Length);
        }
    }

    // Whether the sides of images are free.
    private bool FindMaps(IReadOnlyList<string> names, bool areTaps, CancellationToken cancellation)
    {
        var shapes = FirstRun(names, cancellation);
        Vectors = [.. GivenVectors(shapes)];
        var learned = Learned();
        foreach (var name in shapes.Keys.Where(name => !learned.Contains(name)).ToArray())
            shapes.Remove(name);
        // Twice as wide, the one dimension that doubles is that of the columns.
        var wider = shapes.Count == 0 ? null : TryWider(shapes.Keys, cancellation);
        var all = Model.Nodes.SelectMany(node => node.Outputs.Select(output => (Name: output, node.Operator)))
            .Where(value => shapes.ContainsKey(value.Name));
        var maps = all.Where(value => areTaps || !Copies.Contains(value.Operator)).Select(value => wider is null
            ? ByOneRun(value.Name, value.Operator, shapes)
            : ByTwoRuns(value.Name, value.Operator, shapes[value.Name], wider.GetValueOrDefault(value.Name)));
        Maps = [.. maps.OfType<OnnxFeatureMap>()];
        if (areTaps && names.FirstOrDefault(name => Maps.All(map => map.Name != name)) is { } none)
            throw new InvalidDataException($"{Path}: {UntrustedText.Printable(none)} is no feature map of the image"
                + (shapes.TryGetValue(none, out var shape) ? $": it is [{string.Join(", ", shape)}]" : ""));
        if (Maps.Count == 0)
            throw new InvalidDataException($"{Path}: it has no feature maps: no value of it has rows and columns");
        Taps = areTaps ? [.. names.Select(name => Maps.Single(map => map.Name == name))] : Choose();
        return wider is not null || TryWider(Taps.Select(tap => tap.Name), cancellation) is not null;
    }

    // The shapes of the values that can be feature maps or embeddings.
    private Dictionary<string, long[]> FirstRun(IReadOnlyList<string> names, CancellationToken cancellation)
    {
        ExceptionDispatchInfo? first = null;
        foreach (var side in (FixedHeight ?? FixedWidth) is { } known ? [known] : Sides)
            try
            {
                (MeasuredHeight, MeasuredWidth) = (FixedHeight ?? side, FixedWidth ?? side);
                return Shapes(names, MeasuredHeight, MeasuredWidth, cancellation);
            }
            catch (InvalidDataException e) // another side may be one that it takes
            {
                first ??= ExceptionDispatchInfo.Capture(e);
            }
        first!.Throw();
        return [];
    }

    private Dictionary<string, long[]>? TryWider(IEnumerable<string> names, CancellationToken cancellation)
    {
        try
        {
            return Shapes([.. names], MeasuredHeight, 2 * MeasuredWidth, cancellation);
        }
        catch (InvalidDataException)
        {
            return null; // it takes one size only
        }
    }

    private Dictionary<string, long[]> Shapes(
        IReadOnlyList<string> names, int height, int width, CancellationToken cancellation)
    {
        using var session = OnnxSession.Open(Model, input, Shape(height, width), names, optimize: false);
        var found = session.InferredShapes() ?? session.Run(Shape(height, width), bytes => bytes.Clear(), values =>
            values.Select(value => value.IsTensor ? TypeAndShape(value.GetTensorTypeAndShape()) : (default, []))
                .ToArray(), cancellation);
        var shapes = new Dictionary<string, long[]>();
        foreach (var (name, (type, shape)) in names.Zip(found))
            if (type is TensorElementType.Float or TensorElementType.Float16
                && shape is [1, _] or [1, _, _] or [1, _, _, _] && shape.All(length => length is > 0 and < 1 << 24))
                shapes[name] = shape;
        return shapes;

        static (TensorElementType, long[]) TypeAndShape(OrtTensorTypeAndShapeInfo info) =>
            (info.ElementDataType, info.Shape);
    }

    // Values that depend on the image through a convolution or a product.
    private HashSet<string> Learned()
    {
        var (images, learned) = (new HashSet<string> { input.Name }, new HashSet<string>());
        foreach (var node in Model.Nodes.Where(node => node.Inputs.Any(images.Contains)))
        {
            images.UnionWith(node.Outputs);
            if (node.Operator.Contains("Conv", StringComparison.Ordinal)
                || node.Operator.Contains("MatMul", StringComparison.Ordinal)
                || node.Operator is "Gemm" or "Einsum" || node.Inputs.Any(learned.Contains))
                learned.UnionWith(node.Outputs);
        }
        return learned;
    }

    private OnnxFeatureMap? ByTwoRuns(string name, string type, long[] shape, long[]? wider)
    {
        if (wider?.Length != shape.Length)
            return null;
        int[] changed = [.. Enumerable.Range(0, shape.Length).Where(axis => shape[axis] != wider[axis])];
        return (shape, changed) switch
        {
            ([_, var c, var h, var w], [3]) when Widens(h, w, wider[3] - w) =>
                new(name, type, MapLayout.ChannelsFirst, (int)c, (int)h, (int)w),
            ([_, var h, var w, var c], [2]) when Widens(h, w, wider[2] - w) =>
                new(name, type, MapLayout.ChannelsLast, (int)c, (int)h, (int)w),
            ([_, var tokens, var c], [1]) => Grid(name, type, (int)tokens, (int)c, (int)(2 * tokens - wider[1])),
            _ => null,
        };
    }

    // Square maps could be read in two ways; channels first is what operators for images take.
    private OnnxFeatureMap? ByOneRun(string name, string type, Dictionary<string, long[]> shapes)
    {
        switch (shapes[name])
        {
            // attention, from each token to each
            case [_, _, var from, var to] when from == to && IsAttention(from):
            case [_, var rows, var columns] when rows == columns && IsAttention(rows):
                return null;
            case [_, var c, var h, var w] when IsMap(h, w):
                return new(name, type, MapLayout.ChannelsFirst, (int)c, (int)h, (int)w);
            case [_, var h, var w, var c] when IsMap(h, w):
                return new(name, type, MapLayout.ChannelsLast, (int)c, (int)h, (int)w);
            case [_, var tokens, var c]:
                return Enumerable.Range(0, MostExtra + 1)
                    .Select(extra => Grid(name, type, (int)tokens, (int)c, extra))
                    .FirstOrDefault(map => map is not null);
            default:
                return null;
        }

        bool IsAttention(long tokens) =>
            shapes.Values.Any(other => other is [_, var count, var channels] && count == tokens && channels != tokens);
    }

    // Whether there are as many rows as the columns that an image twice as wide adds say, but for a border: both are
    // those of the image by one whole step. A single pixel is a mean over the image.
    private bool Widens(long height, long width, long added) => height * width > 1
        && Enumerable.Range(1, MeasuredWidth).Any(step => Math.Abs(MeasuredWidth / (double)step - added) <= 1
            && Math.Abs(MeasuredHeight / (double)step - height) <= WidestBorder);

    // Whether rows and columns are those of the image by one whole step, but for a border.
    private bool IsMap(long height, long width)
    {
        if (height * width == 1)
            return false;
        var least = Math.Max(MeasuredHeight / (height + (double)Border), MeasuredWidth / (width + (double)Border));
        var most = Math.Min(MeasuredHeight / Math.Max(height - 1, 0.5), MeasuredWidth / Math.Max(width - 1, 0.5));
        return Math.Max(1, Math.Ceiling(least)) <= Math.Floor(most) && height <= MeasuredHeight
            && width <= MeasuredWidth;
    }

    // Tokens of square patches that cover the image, with some before them.
    private OnnxFeatureMap? Grid(string name, string type, int tokens, int channels, int extra)
    {
        var count = tokens - extra;
        if (count < 2 || extra is < 0 or > MostExtra || (long)MeasuredHeight * MeasuredWidth % count != 0)
            return null;
        var patch = (int)Math.Round(Math.Sqrt((double)MeasuredHeight * MeasuredWidth / count));
        var (height, width) = (MeasuredHeight / patch, MeasuredWidth / patch);
        return height * patch == MeasuredHeight && width * patch == MeasuredWidth && height * width == count
            ? new(name, type, MapLayout.Tokens, channels, height, width) { Extra = extra, Patch = patch }
            : null;
    }

    // The last map of each size, and as many ends of blocks, evenly spread, as there is room for.
    private OnnxFeatureMap[] Choose()
    {
        OnnxFeatureMap[] maps = [.. Maps.Where(map => map.Channels > 1)];
        if (maps.Length == 0)
            maps = [.. Maps];
        var chosen = Spread(
            [.. maps.GroupBy(map => (map.Height, map.Width)).Select(group => group.Last())], MostTaps).ToHashSet();
        OnnxFeatureMap[] ends = [.. BlockEnds(maps).Where(map => !chosen.Contains(map))];
        chosen.UnionWith(Spread(ends, MostTaps - chosen.Count));
        return [.. maps.Where(chosen.Contains)];
    }

    private static IEnumerable<OnnxFeatureMap> Spread(OnnxFeatureMap[] maps, int room) => maps.Length <= room ? maps
        : Enumerable.Range(1, room).Select(i => maps[i * maps.Length / room - 1]);

    // A block ends where paths from the image meet: in a sum or a stack of maps, or the activation right after it.
    private IEnumerable<OnnxFeatureMap> BlockEnds(OnnxFeatureMap[] maps)
    {
        var byName = maps.ToDictionary(map => map.Name);
        var readers = Model.Nodes.SelectMany(node => node.Inputs.Distinct().Select(read => (read, node)))
            .ToLookup(pair => pair.read, pair => pair.node);
        foreach (var node in Model.Nodes.Where(node => node.Operator is "Add" or "Sum" or "Concat"))
        {
            if (node.Outputs is not [var output] || node.Inputs.Distinct().Count(byName.ContainsKey) < 2
                || !byName.TryGetValue(output, out var end))
                continue;
            if (readers[output].ToArray() is [{ Outputs: [var activated] } only] && Activations.Contains(only.Operator)
                && byName.TryGetValue(activated, out var after))
                end = after;
            yield return end;
        }
    }

    private void FindSizes(
        OnnxSession session, bool isFree, OnnxPreprocessing? preprocessing, CancellationToken cancellation)
    {
        var file = OnnxPreprocessing.PathFor(Path);
        if (!isFree)
        {
            Size = (MeasuredWidth, MeasuredHeight);
            if ((preprocessing?.Size ?? Size) != Size || preprocessing?.Multiple is not null)
                throw new InvalidDataException($"{file}: the network takes only images of "
                    + $"{MeasuredWidth}x{MeasuredHeight}; leave out \"size\"");
            return;
        }
        if (preprocessing?.Size is { } size)
        {
            if (!Takes(session, size.Height, size.Width, cancellation))
                throw new InvalidDataException($"{file}: the network does not take images of "
                    + $"{size.Width}x{size.Height}");
            Size = size;
            return;
        }
        var start = Starts.Where(side => side < MeasuredHeight)
            .FirstOrDefault(side => Takes(session, side, side, cancellation), MeasuredHeight);
        var patch = Math.Max(1, Taps.Max(tap => tap.Patch));
        Multiple = preprocessing?.Multiple ?? Multiples.Append(patch).Order().FirstOrDefault(TakesMultiples);
        if (Multiple == 0 || (preprocessing?.Multiple is not null && !TakesMultiples(Multiple)))
        {
            if (preprocessing?.Multiple is { } said)
                throw new InvalidDataException($"{file}: the network does not take every multiple of {said}");
            (Size, Multiple) = ((MeasuredWidth, MeasuredHeight), 1);
            return;
        }
        var (least, most) = (0, start / Multiple + 1);
        while (most - least > 1)
        {
            var middle = (least + most) / 2;
            if (Takes(session, middle * Multiple, middle * Multiple, cancellation))
                most = middle;
            else
                least = middle;
        }
        MinimumSide = most * Multiple;

        // Sides that are multiples of this and, each, not of some power of two more: a network that halves a side again
        // and again may need it to be even every time.
        bool TakesMultiples(int multiple) => multiple % patch == 0
            && Steps.Where(step => step <= 3 || step * multiple <= Steps[^1])
                .Select(step => (start / multiple + step) * multiple)
                .All(side => Takes(session, side, side, cancellation));
    }

    private bool Takes(OnnxSession session, int height, int width, CancellationToken cancellation)
    {
        try
        {
            return session.Run(Shape(height, width), bytes => bytes.Clear(), values => Taps.Zip(values)
                .All(pair => Fits(pair.First, pair.Second.GetTensorTypeAndShape().Shape, height, width)),
                cancellation);
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static bool Fits(OnnxFeatureMap tap, long[] shape, int height, int width) =>
        shape.All(length => length > 0) && tap.Layout switch
        {
            MapLayout.Tokens => shape[1] == tap.Extra + (height / tap.Patch) * (width / tap.Patch),
            MapLayout.Vector => VectorLength(shape, orToken: true) == tap.Channels,
            _ => true,
        };
}
