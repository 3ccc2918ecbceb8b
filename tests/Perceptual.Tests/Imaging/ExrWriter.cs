using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Perceptual.Tests.Imaging;

/// <summary>
/// Writes OpenEXR files of every kind that is read, and some that are not, from the description of the format.
/// </summary>
internal sealed record ExrWriter
{
    public const int Uint = 0, Half = 1, Float = 2;
    public const int None = 0, Rle = 1, Zips = 2, Zip = 3, Piz = 4;

    public int Width { get; init; } = 7;

    public int Height { get; init; } = 5;

    /// <summary>Names and types of channels, in the order of the file: by name.</summary>
    public (string Name, int Type)[] Channels { get; init; } = [("B", Half), ("G", Half), ("R", Half)];

    public int Compression { get; init; }

    /// <summary>The size of tiles; rows are stored if there is none.</summary>
    public (int Width, int Height)? Tile { get; init; }

    /// <summary>Whether there are smaller levels behind the tiles of the picture.</summary>
    public bool Mipmaps { get; init; }

    /// <summary>Whether blocks lie in the file in the opposite of their order.</summary>
    public bool Backwards { get; init; }

    /// <summary>Where both windows begin.</summary>
    public (int X, int Y) Start { get; init; }

    public (int Left, int Top, int Right, int Bottom)? DisplayWindow { get; init; }

    public int Flags { get; init; }

    /// <summary>How far apart the samples of the channels are.</summary>
    public int Sampling { get; init; } = 1;

    /// <summary>A file of samples, of a channel by its number, at x and y.</summary>
    public byte[] Write(Func<int, int, int, float> sample)
    {
        var file = new MemoryStream();
        var writer = new BinaryWriter(file, Encoding.Latin1);
        Header(writer);
        var (across, down) = Tile is var (width, height) ? (width, height)
            : (Width, new[] { 1, 1, 1, 16, 32 }[Math.Min(Compression, 4)]);
        var blocks = (from y in Enumerable.Range(0, (Height + down - 1) / down)
                      from x in Enumerable.Range(0, (Width + across - 1) / across)
                      select (X: x, Y: y)).ToArray();
        var table = file.Position;
        writer.Write(new byte[8 * (blocks.Length + (Mipmaps ? 3 : 0))]);
        foreach (var (number, block) in Backwards ? blocks.Index().Reverse() : blocks.Index())
        {
            BinaryPrimitives.WriteInt64LittleEndian(file.GetBuffer().AsSpan((int)table + 8 * number), file.Position);
            if (Tile is null)
                writer.Write(Start.Y + block.Y * down);
            else
                Array.ForEach([block.X, block.Y, 0, 0], writer.Write);
            var (left, top) = (block.X * across, block.Y * down);
            var stored = Block(left, top, Math.Min(across, Width - left), Math.Min(down, Height - top), sample);
            writer.Write(stored.Length);
            writer.Write(stored);
        }
        return file.ToArray();
    }

    private void Header(BinaryWriter writer)
    {
        writer.Write(20000630);
        writer.Write(2 | (Tile is null ? 0 : 0x200) | Flags);
        var channels = new MemoryStream();
        var list = new BinaryWriter(channels);
        foreach (var (name, type) in Channels)
        {
            list.Write([.. Encoding.Latin1.GetBytes(name), 0]);
            Array.ForEach([type, 0, Sampling, Sampling], list.Write);
        }
        list.Write((byte)0);
        Attribute(writer, "channels", "chlist", channels.ToArray());
        Attribute(writer, "comments", "string", [.. "not read"u8]);
        Attribute(writer, "compression", "compression", [(byte)Compression]);
        var (x, y) = Start;
        Attribute(writer, "dataWindow", "box2i", Numbers(x, y, x + Width - 1, y + Height - 1));
        var (left, top, right, bottom) = DisplayWindow ?? (x, y, x + Width - 1, y + Height - 1);
        Attribute(writer, "displayWindow", "box2i", Numbers(left, top, right, bottom));
        Attribute(writer, "lineOrder", "lineOrder", [(byte)(Backwards ? 1 : 0)]);
        Attribute(writer, "pixelAspectRatio", "float", Numbers(BitConverter.SingleToInt32Bits(1)));
        Attribute(writer, "screenWindowCenter", "v2f", new byte[8]);
        Attribute(writer, "screenWindowWidth", "float", Numbers(BitConverter.SingleToInt32Bits(1)));
        if (Tile is var (width, height))
            Attribute(writer, "tiles", "tiledesc", [.. Numbers(width, height), (byte)(Mipmaps ? 1 : 0)]);
        writer.Write((byte)0);
    }

    private static void Attribute(BinaryWriter writer, string name, string type, byte[] value)
    {
        writer.Write([.. Encoding.Latin1.GetBytes($"{name}\0{type}\0")]);
        writer.Write(value.Length);
        writer.Write(value);
    }

    private static byte[] Numbers(params int[] numbers) => [.. numbers.SelectMany(BitConverter.GetBytes)];

    private byte[] Block(int left, int top, int width, int height, Func<int, int, int, float> sample)
    {
        byte[] raw =
        [
            .. from y in Enumerable.Range(top, height)
               from c in Enumerable.Range(0, Channels.Length)
               from x in Enumerable.Range(left, width)
               from part in Bytes(Channels[c].Type, sample(c, x, y))
               select part,
        ];
        var packed = Compression switch
        {
            Rle => RunLengths(Differences(raw)),
            Zips or Zip => Deflated(Differences(raw)),
            Piz => ExrPizWriter.Encode(raw, width, height, [.. Channels.Select(c => c.Type == Half ? 2 : 4)]),
            _ => raw,
        };
        return packed.Length < raw.Length ? packed : raw;
    }

    private static byte[] Bytes(int type, float value) => type switch
    {
        Half => BitConverter.GetBytes((Half)value),
        Float => BitConverter.GetBytes(value),
        _ => BitConverter.GetBytes((uint)value),
    };

    private static byte[] Differences(byte[] raw)
    {
        byte[] halves = [.. raw.Where((_, i) => i % 2 == 0), .. raw.Where((_, i) => i % 2 == 1)];
        return [.. halves.Select((value, i) => i == 0 ? value : (byte)(value - halves[i - 1] + 128))];
    }

    private static byte[] Deflated(byte[] bytes)
    {
        var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
            zlib.Write(bytes);
        return packed.ToArray();
    }

    // Runs of three and more; between them what is as it is.
    private static byte[] RunLengths(byte[] bytes)
    {
        var packed = new List<byte>();
        for (var at = 0; at < bytes.Length;)
        {
            var run = bytes.Skip(at).Take(128).TakeWhile(value => value == bytes[at]).Count();
            if (run >= 3)
            {
                packed.AddRange([(byte)(run - 1), bytes[at]]);
                at += run;
                continue;
            }
            var end = at;
            while (end < bytes.Length && end - at < 127
                && !(end + 2 < bytes.Length && bytes[end] == bytes[end + 1] && bytes[end] == bytes[end + 2]))
                end++;
            packed.AddRange([(byte)(at - end), .. bytes[at..end]]);
            at = end;
        }
        return [.. packed];
    }
}
