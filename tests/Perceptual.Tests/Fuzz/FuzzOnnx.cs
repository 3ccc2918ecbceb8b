namespace Perceptual.Tests.Fuzz;

/// <summary>Networks in ONNX files, and what is beside them.</summary>
internal static class FuzzOnnx
{
    /// <summary>A model; what is read is written with all values as outputs, and read again.</summary>
    public static void Model(byte[] bytes)
    {
        if (Read(bytes) is not { } model)
            return;
        FuzzTargets.Check(model.ExternalFiles.All(file => file.StartsWith(model.Folder, StringComparison.Ordinal)),
            "has data outside of its folder");
        string[] outputs = [.. model.Nodes.SelectMany(node => node.Outputs)];
        if (model.Inputs.FirstOrDefault() is not { } input)
            return;
        var again = Read(model.With(outputs, input, [1, 3, -1, -1]));
        FuzzTargets.Check(again is not null, "is refused once it is written again");
        FuzzTargets.Check(model.Nodes.Where(node => node.Outputs.Count > 0).Select(node => node.Operator)
            .SequenceEqual(again!.Nodes.Select(node => node.Operator)), "has other nodes");
    }

    /// <summary>How a network takes images.</summary>
    public static void Preprocessing(byte[] bytes) =>
        FuzzTargets.Attempt("x: ", Bound(bytes), () => OnnxPreprocessing.Read(bytes, "x"));

    private static OnnxModel? Read(byte[] bytes) =>
        FuzzTargets.Attempt("x: ", Bound(bytes), () => OnnxModel.Read(bytes, "x"));

    // Names of a byte are objects of 32 bytes in lists and sets.
    private static long Bound(byte[] bytes) => (1 << 20) + 256 * bytes.Length;
}
