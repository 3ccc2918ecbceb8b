using System.Globalization;
using System.Text.RegularExpressions;

namespace Perceptual;

/// <summary>The learned weights of LPIPS: one for each channel of each tap, none negative.</summary>
public sealed partial class LinWeights
{
    private string? digest;

    private LinWeights(Network network, List<Tensor> tensors)
    {
        Network = network;
        Tensors = tensors;
        Layers = [.. tensors.Select(tensor => tensor.Values)];
    }

    /// <summary>The network that the weights belong to.</summary>
    public Network Network { get; }

    internal IReadOnlyList<Tensor> Tensors { get; }

    /// <summary>The weights of each tap, first to last, as many as the tap has channels.</summary>
    public IReadOnlyList<float[]> Layers { get; }

    /// <summary>
    /// The SHA-256 of names, shapes and values in lower-case hex: the same whatever kind of file they come from.
    /// </summary>
    public string Digest => digest ??= TensorDigest.Of(Tensors);

    /// <summary>Reads a safetensors or torch file.</summary>
    /// <inheritdoc cref="From" path="/exception"/>
    /// <exception cref="IOException">The file cannot be opened or read.</exception>
    public static LinWeights Read(Network network, string path) => From(network, WeightFile.Read(path), path);

    /// <summary>
    /// Takes the lin weights out of named tensors: <c>lin0.model.1.weight</c> [1, channels, 1, 1] and so on, one for
    /// each tap. Other tensors of a model are ignored: <c>features.</c>, and in checkpoints of the lpips package
    /// <c>net.</c>, <c>lins.</c>, <c>scaling_layer.</c>.
    /// </summary>
    /// <param name="network">The network whose taps the weights are for.</param>
    /// <param name="tensors">The tensors by key.</param>
    /// <param name="sourceName">The file they come from: messages start with it.</param>
    /// <exception cref="InvalidDataException">A tensor is missing, has another shape, a value that is negative or not
    /// finite, or belongs to no tap.</exception>
    public static LinWeights From(Network network, IReadOnlyDictionary<string, Tensor> tensors, string sourceName)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(tensors);
        var channels = network.TapChannels;
        var layers = new List<Tensor>();
        for (var k = 0; k < channels.Count; k++)
        {
            var key = Key(k);
            int[] shape = [1, channels[k], 1, 1];
            if (!tensors.TryGetValue(key, out var tensor))
                throw new InvalidDataException($"{sourceName}: lacks {key}, which {network.Name} needs");
            if (!tensor.HasShape(shape))
                throw new InvalidDataException($"{sourceName}: {key} has the shape {Tensor.Describe(tensor.Shape)}, "
                    + $"{network.Name} needs {Tensor.Describe(shape)}");
            if (!tensor.Values.All(value => value >= 0 && float.IsFinite(value)))
                throw new InvalidDataException($"{sourceName}: {key} has a value that is negative or not finite");
            layers.Add(tensor with { Name = key });
        }
        var used = layers.Select(tensor => tensor.Name).ToHashSet();
        if (tensors.Keys.FirstOrDefault(key => !used.Contains(key) && !OtherKey().IsMatch(key)) is { } extra)
            throw new InvalidDataException(
                $"{sourceName}: has {UntrustedText.Printable(extra)}, which is no lin weight of {network.Name}");
        return new(network, layers);
    }

    /// <summary>The key of a tap's weights in a file, "lin0.model.1.weight" for the first.</summary>
    public static string Key(int tap) => string.Create(CultureInfo.InvariantCulture, $"lin{tap}.model.1.weight");

    [GeneratedRegex(@"^(features\.|net\.slice[0-9]+\.|lins\.|scaling_layer\.)", RegexOptions.CultureInvariant)]
    private static partial Regex OtherKey();
}
