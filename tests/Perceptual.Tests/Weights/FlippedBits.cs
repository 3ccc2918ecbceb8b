namespace Perceptual.Tests;

/// <summary>Damages a file of ours: it must be refused, or say what it said before.</summary>
internal static class FlippedBits
{
    /// <param name="good">The file.</param>
    /// <param name="read">Gives all that a file says, as text.</param>
    /// <param name="step">In every so many bytes each bit is flipped, one at a time.</param>
    /// <param name="length">Only within so many bytes from the start.</param>
    public static void AreSeen(byte[] good, Func<byte[], string> read, int step = 1, int length = int.MaxValue)
    {
        var expected = read(good);
        var refused = 0;
        var bad = (byte[])good.Clone();
        for (var i = 0; i < Math.Min(length, good.Length); i += step)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                bad[i] = (byte)(good[i] ^ 1 << bit);
                try
                {
                    Assert.True(expected == read(bad), $"bit {bit} of byte {i} of {good.Length}");
                }
                catch (InvalidDataException)
                {
                    refused++;
                }
            }
            bad[i] = good[i];
        }
        Assert.True(refused > 0);
    }

    /// <summary>All that a file of named tensors says.</summary>
    public static string Content(byte[] file)
    {
        var (tensors, metadata) = WeightFile.ReadWithMetadata(new MemoryStream(file), "x");
        var texts = metadata.Keys.Order(StringComparer.Ordinal).Select(key => $"{key}={metadata[key]}");
        return string.Join('\n', texts.Append(TensorDigest.Of(tensors.Values)));
    }

    /// <summary>How many bytes of a safetensors file come before its values.</summary>
    public static int HeaderLength(byte[] file) => 8 + (int)BitConverter.ToUInt64(file);
}
