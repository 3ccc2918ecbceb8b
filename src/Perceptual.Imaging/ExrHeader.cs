using System.Text;

namespace Perceptual.Imaging;

/// <summary>How an OpenEXR file stores its pixels: the number in the file.</summary>
internal enum ExrCompression
{
    None,
    Rle,
    Zips,
    Zip,
    Piz,
}

/// <summary>
/// The header of an OpenEXR file of one part. Of its channels R, G and B count, or Y, and A beside them; others, and
/// those of layers, are passed over.
/// </summary>
internal sealed class ExrHeader
{
    private const int LongestName = 255, LongestChannels = 1 << 16; // bytes
    private const int Version = 2, Tiled = 0x200, LongNames = 0x400, Deep = 0x800, Multipart = 0x1000;
    private const int WholeNumbers = 0, Half = 1, Single = 2; // types of samples

    // How many rows are together, by compression.
    private static readonly int[] Rows = [1, 1, 1, 16, 32];

    private static readonly string[] Unread = ["PXR24", "B44", "B44A", "DWAA", "DWAB", "HTJ2K"]; // after PIZ

    private readonly BinaryReader reader;
    private readonly List<Channel> channels = [];
    private Box? data, display;
    private (int Width, int Height)? tile;
    private int? compression;

    private sealed record Channel(string Name, int Type, int Offset)
    {
        public int Bytes => Type == Half ? sizeof(ushort) : sizeof(float);
    }

    private readonly record struct Box(int Left, int Top, int Right, int Bottom)
    {
        public long Width => (long)Right - Left + 1;

        public long Height => (long)Bottom - Top + 1;

        public override string ToString() => $"({Left}, {Top}) to ({Right}, {Bottom})";
    }

    /// <param name="reader">Of the file, at its start; left at the table of its blocks.</param>
    /// <param name="options">How it is read.</param>
    public ExrHeader(BinaryReader reader, ImageReadOptions options)
    {
        this.reader = reader;
        reader.ReadInt32(); // the signature
        var version = reader.ReadInt32();
        if ((version & (Deep | Multipart)) != 0)
            throw NotRead((version & Deep) != 0 ? "samples of several depths (deep)" : "several parts (multipart)");
        if ((version & ~(Tiled | LongNames)) != Version)
            throw NotRead($"version {version & 0xFF} or features of later versions");
        while (Name() is { Length: > 0 } name)
            ReadAttribute(name, Name());
        if (data is not { } window || display is not { } shown || compression is null || channels.Count == 0)
            throw Damaged("its header lacks the channels, the compression or a window");
        ImageFile.CheckSize(window.Width, window.Height, options, sizeof(float));
        if (window != shown)
            throw NotRead($"pixels of {window} in a picture of {shown}, whose data window is not its display window");
        (Width, Height, Top) = ((int)window.Width, (int)window.Height, window.Top);
        Samples = Find();
        ChannelBytes = [.. channels.Select(channel => channel.Bytes)];
        IsTiled = (version & Tiled) != 0;
        (BlockWidth, BlockHeight) = !IsTiled ? (Width, Math.Min(Rows[(int)Compression], Height))
            : tile is var (width, height) ? (Math.Min(width, Width), Math.Min(height, Height))
            : throw Damaged("its header lacks the size of tiles");
        Across = IsTiled ? (int)((Width + (long)tile!.Value.Width - 1) / tile.Value.Width) : 1;
    }

    public int Width { get; }

    public int Height { get; }

    /// <summary>The number that the file gives the first row.</summary>
    public int Top { get; }

    public ExrCompression Compression => (ExrCompression)compression!.Value;

    public bool IsTiled { get; }

    /// <summary>Columns of a block, which is some rows or a tile; those at the right have fewer.</summary>
    public int BlockWidth { get; }

    /// <summary>Rows of a block; those at the bottom have fewer.</summary>
    public int BlockHeight { get; }

    /// <summary>How many blocks are side by side.</summary>
    public int Across { get; }

    /// <summary>Whether there are R, G and B, and not Y.</summary>
    public bool IsColour { get; private set; }

    /// <summary>
    /// The samples of a pixel that count, in their order, A last. A row of a block has its channels one after another:
    /// one begins after <c>Offset</c> bytes for each column.
    /// </summary>
    public IReadOnlyList<(int Offset, bool IsHalf)> Samples { get; }

    /// <summary>The bytes of the samples of each channel of a pixel, in the order of a row.</summary>
    public int[] ChannelBytes { get; }

    public static bool Accepts(ReadOnlySpan<byte> start) => start.StartsWith((ReadOnlySpan<byte>)[0x76, 0x2F, 0x31, 1]);

    public static InvalidDataException Damaged(string what) =>
        new($"is a damaged OpenEXR: {what}; get the file again");

    private static InvalidDataException NotRead(string what) =>
        new($"is an OpenEXR with {what}, which is not read; save it in another way");

    private void ReadAttribute(string name, string type)
    {
        var length = reader.ReadInt32();
        var start = reader.BaseStream.Position;
        if (length < 0)
            throw Damaged($"its attribute {UntrustedText.Printable(name)} has a size below 0");
        switch (name, type)
        {
            case ("channels", "chlist") when length > LongestChannels:
                throw NotRead("more channels than any picture has");
            case ("channels", "chlist"):
                ReadChannels();
                break;
            case ("compression", "compression"):
                compression = reader.ReadByte();
                if (compression >= Rows.Length)
                    throw NotRead(compression - Rows.Length < Unread.Length
                        ? $"the compression {Unread[compression.Value - Rows.Length]}" : "an unknown compression");
                break;
            case ("dataWindow", "box2i"):
                data = ReadBox();
                break;
            case ("displayWindow", "box2i"):
                display = ReadBox();
                break;
            case ("tiles", "tiledesc"):
                tile = (Side(), Side());
                break;
        }
        if (reader.BaseStream.Position > start + length)
            throw Damaged($"its attribute {name} is longer than it says");
        reader.BaseStream.Position = start + length;
    }

    private void ReadChannels()
    {
        channels.Clear();
        var offset = 0;
        while (Name() is { Length: > 0 } name)
        {
            var type = reader.ReadInt32();
            reader.ReadInt32(); // a hint for lossy compression
            if (type is not (WholeNumbers or Half or Single))
                throw Damaged("its channels are of no known type");
            if ((reader.ReadInt32(), reader.ReadInt32()) != (1, 1))
                throw NotRead($"the channel {UntrustedText.Printable(name)} at less than its size");
            channels.Add(new(name, type, offset));
            offset += channels[^1].Bytes;
        }
    }

    private (int Offset, bool IsHalf)[] Find()
    {
        IsColour = channels.Exists(channel => channel.Name is "R" or "G" or "B");
        if (channels.Find(channel => channel.Name is "RY" or "BY") is { } difference)
            throw NotRead($"the channel {difference.Name}, colours as differences from luminance");
        string[] wanted = IsColour ? ["R", "G", "B"] : ["Y"];
        var found = wanted.Append("A").Select(name => channels.Find(channel => channel.Name == name)).ToList();
        if (found[..^1].Contains(null))
            throw NotRead("the channels " + UntrustedText.Printable(
                string.Join(", ", channels.Select(channel => channel.Name))) + ", not R, G and B, or Y");
        var samples = found.OfType<Channel>().ToArray();
        if (samples.FirstOrDefault(channel => channel.Type == WholeNumbers) is { } whole)
            throw NotRead($"whole numbers (uint) in the channel {whole.Name}");
        return [.. samples.Select(channel => (channel.Offset, channel.Type == Half))];
    }

    private Box ReadBox() => new(reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32());

    private int Side() =>
        reader.ReadInt32() is > 0 and var side ? side : throw Damaged("its tiles have no pixels");

    private string Name()
    {
        var name = new StringBuilder();
        while (reader.ReadByte() is not 0 and var character)
            name.Append(name.Length < LongestName ? (char)character : throw Damaged("a name in its header has no end"));
        return name.ToString();
    }
}
