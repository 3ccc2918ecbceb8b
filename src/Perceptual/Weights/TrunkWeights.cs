using System.Text.RegularExpressions;

namespace Perceptual;

/// <summary>
/// The weights of a network's convolutions: complete, of the right shapes and finite. Keys are torchvision's,
/// <c>features.N.weight</c>, <c>features.N.bias</c>, <c>features.N.squeeze.weight</c> and so on.
/// </summary>
public sealed partial class TrunkWeights
{
    private string? digest;

    private TrunkWeights(Network network, Dictionary<string, Tensor> tensors)
    {
        Network = network;
        Tensors = tensors;
    }

    /// <summary>The network that the weights belong to.</summary>
    public Network Network { get; }

    /// <summary>
    /// The tensors by key, in the network's order: weights [outputs, inputs, kernel, kernel], biases [outputs].
    /// </summary>
    public IReadOnlyDictionary<string, Tensor> Tensors { get; }

    /// <summary>
    /// The SHA-256 of names, shapes and values in lower-case hex: the same whatever kind of file they come from.
    /// </summary>
    public string Digest => digest ??= TensorDigest.Of(Tensors.Values);

    /// <summary>Reads a safetensors or torch file.</summary>
    /// <inheritdoc cref="From" path="/exception"/>
    /// <exception cref="IOException">The file cannot be opened or read.</exception>
    public static TrunkWeights Read(Network network, string path) => From(network, WeightFile.Read(path), path);

    /// <summary>
    /// Takes a network's weights out of named tensors. Keys may begin with <c>features.</c>, with the layer's number,
    /// or with <c>net.sliceN.</c> as in checkpoints of the lpips package; other tensors of such checkpoints and of
    /// torchvision files (<c>classifier.</c>, <c>lin</c>, <c>scaling_layer.</c>) are ignored.
    /// </summary>
    /// <param name="network">The network.</param>
    /// <param name="tensors">The tensors by key.</param>
    /// <param name="sourceName">The file they come from: messages start with it.</param>
    /// <exception cref="InvalidDataException">A tensor is missing, has another shape, is not finite, or belongs to
    /// no layer.</exception>
    public static TrunkWeights From(Network network, IReadOnlyDictionary<string, Tensor> tensors, string sourceName)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(tensors);
        var found = Canonical(tensors, sourceName);
        if (!Fits(network, found) && Network.All.FirstOrDefault(other => Fits(other, found)) is { } other)
            throw new InvalidDataException($"{sourceName}: is not for {network.Name}: it looks like {other.Name}");

        var chosen = new Dictionary<string, Tensor>();
        foreach (var (key, shape) in Shapes(network))
        {
            if (!found.Remove(key, out var tensor))
                throw new InvalidDataException($"{sourceName}: lacks {key}, which {network.Name} needs");
            if (!tensor.HasShape(shape))
                throw new InvalidDataException($"{sourceName}: {key} has the shape {Tensor.Describe(tensor.Shape)}, "
                    + $"{network.Name} needs {Tensor.Describe(shape)}");
            if (!tensor.IsFinite)
                throw new InvalidDataException($"{sourceName}: {key} has a value that is not finite");
            chosen[key] = tensor;
        }
        return found.Count == 0
            ? new(network, chosen)
            : throw new InvalidDataException(
                $"{sourceName}: has {UntrustedText.Printable(found.Keys.First())}, which {network.Name} does not have");
    }

    /// <summary>
    /// Random weights, for networks without training: normal with variance 2 / fan-in (He et al. 2015), biases zero.
    /// The same seed gives the same bits on every platform.
    /// </summary>
    public static TrunkWeights Random(Network network, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(network);
        var random = new GaussianRandom(seed);
        var tensors = new Dictionary<string, Tensor>();
        foreach (var (key, shape) in Shapes(network))
        {
            var values = new float[shape.Aggregate(1, (count, length) => count * length)];
            if (shape is [_, var inputs, var height, var width])
            {
                var deviation = Math.Sqrt(2.0 / (inputs * height * width));
                for (var i = 0; i < values.Length; i++)
                    values[i] = (float)(deviation * random.Next());
            }
            tensors[key] = new(key, shape, values);
        }
        return new(network, tensors);
    }

    /// <summary>The first network whose tensors are all there with the right shapes.</summary>
    internal static Network? Recognise(
        IEnumerable<Network> candidates, IReadOnlyDictionary<string, Tensor> tensors, string sourceName)
    {
        var found = Canonical(tensors, sourceName);
        return candidates.FirstOrDefault(network => Fits(network, found));
    }

    private static bool Fits(Network network, Dictionary<string, Tensor> tensors) => Shapes(network)
        .All(needed => tensors.TryGetValue(needed.Key, out var tensor) && tensor.Shape.SequenceEqual(needed.Shape));

    private static IEnumerable<(string Key, IReadOnlyList<int> Shape)> Shapes(Network network) =>
        network.Convolutions.SelectMany(convolution => new (string, IReadOnlyList<int>)[]
        {
            ($"{convolution.Name}.weight", convolution.WeightShape),
            ($"{convolution.Name}.bias", [convolution.Outputs]),
        });

    private static Dictionary<string, Tensor> Canonical(IReadOnlyDictionary<string, Tensor> tensors, string sourceName)
    {
        var canonical = new Dictionary<string, Tensor>();
        foreach (var (key, tensor) in tensors)
        {
            if (OtherKey().IsMatch(key))
                continue;
            if (TrunkKey().Match(key) is not { Success: true } match)
                throw new InvalidDataException(
                    $"{sourceName}: has {UntrustedText.Printable(key)}, which is no part of a network here");
            var name = $"features.{match.Groups["layer"]}";
            if (!canonical.TryAdd(name, tensor with { Name = name }))
                throw new InvalidDataException(
                    $"{sourceName}: has {UntrustedText.Printable(name)} twice, once as {UntrustedText.Printable(key)}");
        }
        return canonical;
    }

    [GeneratedRegex(@"^(features\.|net\.slice[0-9]+\.)?(?<layer>[0-9]+\..+)\z", RegexOptions.CultureInvariant)]
    private static partial Regex TrunkKey();

    [GeneratedRegex(@"^(classifier\.|lin[0-9]+\.|lins\.|scaling_layer\.)", RegexOptions.CultureInvariant)]
    private static partial Regex OtherKey();
}
