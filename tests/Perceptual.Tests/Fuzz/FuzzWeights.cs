using System.Text;

namespace Perceptual.Tests.Fuzz;

/// <summary>Files of weights, and checkpoints.</summary>
internal sealed class FuzzWeights(FuzzTargets targets)
{
    private static readonly Network Little = new()
    {
        Name = "little",
        FileName = "little",
        Layers = [new Convolution("features.0", 3, 16, 3, 2) { Tap = true }],
    };

    private readonly Lazy<(Trainer Trainer, Safetensors Start)> training = new(() =>
    {
        var image = targets.Write("image.png", TestArchive.Png);
        var data = new TrainingData([new(image, image, image, 0.5)], [], _ => TestImages.Waves(20, 20, 1), 0);
        var recipe = new TrainingRecipe { Batch = 1, Epochs = 2, DecayEpochs = 0 };
        var trainer = new Trainer(TrunkWeights.Random(Little, 1), recipe, data);
        trainer.SaveCheckpoint(targets.PathOf("start"));
        using var start = System.IO.File.OpenRead(targets.PathOf("start"));
        return (trainer, Safetensors.Read(start, "start"));
    });

    /// <summary>A safetensors or torch file; what is read is written and read again.</summary>
    public static void File(byte[] bytes)
    {
        var read = Read(bytes);
        CheckSame(read?.Tensors, Read(bytes)?.Tensors);
        if (read is not var (tensors, metadata))
            return;
        FuzzTargets.Attempt("x", Bound(bytes), () => TrunkWeights.From(Tiny.Network, tensors, "x"));
        FuzzTargets.Attempt("x", Bound(bytes), () => LinWeights.From(Tiny.Network, tensors, "x"));
        FuzzTargets.Attempt("x", Bound(bytes), () => $"{TrunkWeights.Recognise(Network.All, tensors, "x")}");
        var torch = new MemoryStream();
        TorchFile.Write(torch, [.. tensors.Values], "x");
        CheckSame(tensors, Read(torch.ToArray())?.Tensors);
        if (tensors.ContainsKey("__metadata__"))
            return;
        var safetensors = new MemoryStream();
        Safetensors.WriteWithDigest(safetensors, [.. tensors.Values], metadata);
        CheckSame(tensors, Read(safetensors.ToArray())?.Tensors);
    }

    /// <summary>A pickle in a torch file of two storages, with check sums that are right.</summary>
    public static void Pickle(byte[] bytes)
    {
        var file = new MemoryStream();
        var zip = new StoredZip(file, "x");
        zip.Add("data.pkl", bytes);
        zip.Add("data/0", new byte[24]);
        zip.Add("data/1", new byte[6]);
        zip.Finish();
        File(file.ToArray());
    }

    /// <summary>The progress in a checkpoint whose digest is right: its values, with zeros between them.</summary>
    public void Checkpoint(byte[] bytes)
    {
        var (trainer, start) = training.Value;
        var values = Encoding.UTF8.GetString(bytes).Split('\0');
        var metadata = new Dictionary<string, string>(start.Metadata);
        foreach (var (key, value) in new[] { "step", "loss sum", "agreement sum", "log" }.Zip(values))
            metadata[key] = value;
        var path = targets.PathOf("checkpoint");
        using (var file = System.IO.File.Create(path))
            Safetensors.WriteWithDigest(file, [.. start.Tensors.Values], metadata);
        if (FuzzTargets.Attempt(path, Bound(bytes), () => Resumed(path)) is null)
            return;
        trainer.SaveCheckpoint(path);
        FuzzTargets.Check(FuzzTargets.Attempt(path, Bound(bytes), () => Resumed(path)) is not null,
            "does not go on from what it has saved");

        Trainer Resumed(string from)
        {
            trainer.Resume(from);
            return trainer;
        }
    }

    // A pickle may be 1 MiB and the buffers of an archive some 100 KiB, but no number in a file may ask for more.
    private static long Bound(byte[] bytes) => (4 << 20) + 64 * bytes.Length;

    private static Found? Read(byte[] bytes) => FuzzTargets.Attempt("x: ", Bound(bytes), () =>
    {
        var (tensors, metadata) = WeightFile.ReadWithMetadata(new MemoryStream(bytes), "x");
        return new Found(tensors, metadata);
    });

    private static void CheckSame(
        IReadOnlyDictionary<string, Tensor>? tensors, IReadOnlyDictionary<string, Tensor>? others)
    {
        FuzzTargets.Check((tensors is null) == (others is null), "is refused, but not always");
        FuzzTargets.Check(tensors?.Count == others?.Count, "has other tensors");
        foreach (var (name, tensor) in tensors ?? new Dictionary<string, Tensor>())
            FuzzTargets.Check(others!.TryGetValue(name, out var other) && tensor.Shape.SequenceEqual(other.Shape)
                && tensor.Values.Select(BitConverter.SingleToInt32Bits)
                    .SequenceEqual(other.Values.Select(BitConverter.SingleToInt32Bits)), $"has another {name}");
    }

    private sealed record Found(
        IReadOnlyDictionary<string, Tensor> Tensors, IReadOnlyDictionary<string, string> Metadata);
}
