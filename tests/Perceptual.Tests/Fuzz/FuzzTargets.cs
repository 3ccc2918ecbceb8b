using System.Text;

namespace Perceptual.Tests.Fuzz;

/// <summary>
/// Every reader of files that strangers may have made, for any bytes at all. A reader may refuse a file, as its
/// documentation says, with a message that begins with the path and is one short line; whatever else it throws is a
/// mistake, and so are a second answer that differs from the first, and memory beyond the bound. <c>bench/fuzz.sh</c>
/// looks for bytes for which that fails; those that it has found are in the folder <c>corpus</c>.
/// </summary>
internal sealed class FuzzTargets : IDisposable
{
    private const int LongestMessage = 1000; // characters, without the path

    private readonly TempFolder folder = new();
    private readonly Dictionary<string, Action<byte[]>> targets;

    public FuzzTargets()
    {
        var images = new FuzzImages(this);
        var weights = new FuzzWeights(this);
        var judgements = new FuzzJudgements(this);
        targets = new()
        {
            ["png"] = images.Png,
            ["bmp"] = bytes => images.Read(bytes, "BMP"),
            ["tga"] = bytes => images.Read(bytes, "TGA"),
            ["pnm"] = bytes => images.Read(bytes, "PNM"),
            ["array"] = images.Arrays,
            ["gif"] = bytes => images.Read(bytes, "GIF"),
            ["exr"] = bytes => images.Read(bytes, "EXR"),
            ["hdr"] = bytes => images.Read(bytes, "HDR"),
            ["pfm"] = bytes => images.Read(bytes, "PFM"),
            ["tiff"] = images.Tiff,
            ["jpeg"] = FuzzImages.Jpeg,
            ["vips"] = images.Vips,
            ["weights"] = FuzzWeights.File,
            ["pickle"] = FuzzWeights.Pickle,
            ["checkpoint"] = weights.Checkpoint,
            ["csv"] = judgements.Tables,
            ["fit"] = judgements.Fit,
            ["npy"] = judgements.Npy,
            ["journal"] = judgements.Journal,
            ["archive"] = judgements.Archive,
            ["folder"] = judgements.Folder,
            ["onnx"] = FuzzOnnx.Model,
            ["preprocessing"] = FuzzOnnx.Preprocessing,
        };
    }

    public IEnumerable<string> Names => targets.Keys;

    /// <summary>Feeds a reader with a file.</summary>
    /// <exception cref="FuzzException">It does what it must not.</exception>
    public void Run(string name, byte[] bytes) => targets[name](bytes);

    public void Dispose() => folder.Dispose();

    /// <summary>Writes a file for readers that want a path.</summary>
    public string Write(string name, ReadOnlySpan<byte> bytes) => folder.Write(name, bytes);

    /// <summary>The path of a file that may not be there.</summary>
    public string PathOf(string name) => folder[name];

    /// <summary>The files that are there.</summary>
    public IEnumerable<string> Files => folder.Files;

    /// <summary>What a reader gives, or null if it refuses the file.</summary>
    /// <param name="path">Begins the message.</param>
    /// <param name="bound">The most bytes that may be allocated.</param>
    /// <param name="read">Reads the file.</param>
    public static T? Attempt<T>(string path, long bound, Func<T> read) where T : class
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        T? value = null;
        try
        {
            value = read();
        }
        catch (InvalidDataException problem)
        {
            var message = problem.Message;
            Check(message.StartsWith(path, StringComparison.Ordinal), $"does not name the file: {message}");
            message = message.Replace(path, "", StringComparison.Ordinal);
            Check(message.Length <= LongestMessage && !message.Any(char.IsControl), $"is no short line: {message}");
        }
        var taken = GC.GetAllocatedBytesForCurrentThread() - before;
        Check(taken <= bound, $"took {taken} bytes, more than {bound}");
        return value;
    }

    public static void Check(bool holds, string problem)
    {
        if (!holds)
            throw new FuzzException(problem);
    }

    /// <summary>Makes the check sum of every line right, but of those that begin with '!'.</summary>
    public static byte[] SealLines(byte[] bytes)
    {
        var sealedBytes = new List<byte>();
        foreach (var line in Encoding.Latin1.GetString(bytes).Split('\n'))
        {
            var row = Encoding.Latin1.GetBytes(line);
            sealedBytes.AddRange(row);
            if (!line.StartsWith('!'))
                sealedBytes.AddRange(Encoding.ASCII.GetBytes($",{~Crc32.Append(uint.MaxValue, row):x8}\n"));
        }
        return [.. sealedBytes];
    }
}

/// <summary>A reader did what it must not.</summary>
internal sealed class FuzzException(string message) : Exception(message);
