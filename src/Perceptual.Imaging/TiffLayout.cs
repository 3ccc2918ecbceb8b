namespace Perceptual.Imaging;

/// <summary>
/// What the directory of a TIFF says of its pixels, checked: a combination that is not known to be read right is
/// refused here by name, before anything is decoded.
/// </summary>
internal sealed class TiffLayout
{
    public const int Uncompressed = 1, Lzw = 5, Jpeg = 7, Deflate = 8, PackBits = 32773;
    public const int WhiteIsZero = 0, BlackIsZero = 1, Rgb = 2, Palette = 3, Cmyk = 5, YCbCr = 6;
    public const int Orientation = 274, ColourMap = 320, Coefficients = 529, Reference = 532, JpegTables = 347,
        Profile = 34675;

    private const int OldDeflate = 32946, CcittRle = 2, CcittFax3 = 3, CcittFax4 = 4;

    private static readonly Dictionary<long, string> Compressions = new()
    {
        [6] = "old-style JPEG",
        [32771] = "CCITT (word-aligned)",
        [33003] = "JPEG 2000",
        [33004] = "JPEG 2000",
        [33005] = "JPEG 2000",
        [34676] = "LogLuv",
        [34677] = "LogLuv",
        [34712] = "JPEG 2000",
        [34887] = "LERC",
        [34925] = "LZMA",
        [50000] = "Zstandard",
        [50001] = "WebP",
        [50002] = "JPEG XL",
        [52546] = "JPEG XL",
    };

    private static readonly Dictionary<long, string> Photometrics = new()
    {
        [4] = "a transparency mask as its first image",
        [8] = "CIELAB pixels",
        [9] = "CIELAB pixels",
        [10] = "CIELAB pixels",
        [32803] = "the raw pixels of a camera",
        [32844] = "LogLuv pixels",
        [32845] = "LogLuv pixels",
        [34892] = "the raw pixels of a camera",
    };

    private readonly TiffDirectory directory;

    public TiffLayout(TiffDirectory directory, ImageReadOptions options)
    {
        this.directory = directory;
        var (width, height) = (directory.Number(256), directory.Number(257));
        ImageFile.CheckSize(width, height, options);
        (Width, Height) = ((int)width, (int)height);
        Samples = (int)Math.Min(directory.Number(277, 1), int.MaxValue);
        IsPlanar = Number(284, 1, "planar configuration", 1, 2) == 2 && Samples > 1;
        Bits = CheckSamples();
        Compression = CheckCompression();
        Photometric = CheckColours();
        Predictor = CheckPredictor();
        IsTiled = directory.Count(322) > 0 || directory.Count(324) > 0;
        var rows = IsTiled ? directory.Number(323) : Math.Min(directory.Number(278, Height), Height);
        var columns = IsTiled ? directory.Number(322) : width;
        if (rows is < 1 or > int.MaxValue || columns is < 1 or > int.MaxValue / 64)
            throw new InvalidDataException(
                $"the TIFF is damaged: tiles or strips of {columns}x{rows} pixels; get the file again");
        (ChunkWidth, ChunkHeight) = ((int)columns, (int)rows);
        (Across, Down) = ((Width - 1) / ChunkWidth + 1, (Height - 1) / ChunkHeight + 1);
        if (GroupHeight > 1 && ChunkHeight % GroupHeight != 0 && (IsTiled || Down > 1))
            throw Refused("strips or tiles that end within its subsampled pixels");
    }

    public int Width { get; }

    public int Height { get; }

    /// <summary>Samples of a pixel as stored, an alpha channel included.</summary>
    public int Samples { get; }

    /// <summary>Bits of a sample: 1, 2, 4, 8 or 16.</summary>
    public int Bits { get; }

    public int Photometric { get; }

    /// <summary>Samples that have a colour or its place in the palette.</summary>
    public int Colours { get; private set; }

    /// <summary>Whether colours have been multiplied by alpha.</summary>
    public bool IsPremultiplied { get; private set; }

    /// <summary>Whether each sample has chunks of its own.</summary>
    public bool IsPlanar { get; }

    public int Compression { get; }

    /// <summary>Whether samples are stored as differences from those to the left.</summary>
    public bool Predictor { get; }

    public bool IsTiled { get; }

    /// <summary>Columns of a tile; the width, if the pixels are in strips.</summary>
    public int ChunkWidth { get; }

    /// <summary>Rows of a tile or a strip.</summary>
    public int ChunkHeight { get; }

    /// <summary>Tiles beside each other; 1 for strips.</summary>
    public int Across { get; }

    /// <summary>Tiles or strips below each other.</summary>
    public int Down { get; }

    /// <summary>Columns that share a pair of colour differences.</summary>
    public int GroupWidth { get; private set; } = 1;

    /// <summary>Rows that share a pair of colour differences.</summary>
    public int GroupHeight { get; private set; } = 1;

    /// <summary>Whether libvips decodes it: fax, which is one bit a pixel in strips or tiles.</summary>
    public bool IsFax => IsFaxOf(Compression);

    private static InvalidDataException Refused(string what) =>
        new($"the TIFF has {what}, which cannot be read; save it as PNG");

    private long Number(int tag, long otherwise, string name, params ReadOnlySpan<long> known)
    {
        var number = directory.Number(tag, otherwise);
        return known.Contains(number) ? number : throw Refused($"the {name} {number}");
    }

    private int CheckSamples()
    {
        if (Samples is < 1 or > 5)
            throw new InvalidDataException(
                $"the TIFF has {Samples} channels that are not gray, RGB or CMYK; save it as RGB");
        var bits = directory.Number(258, 1);
        for (var i = 0; i < Samples; i++)
        {
            // A tag with fewer values than there are samples stands for all.
            if (i < directory.Count(258) && directory.Number(258, index: i) != bits)
                throw Refused("samples of different sizes");
            var format = i < directory.Count(339) ? directory.Number(339, index: i) : directory.Number(339, 1);
            if (format == 3)
                throw new InvalidDataException(
                    "the TIFF has float samples, whose black and white are not known; save it with 8 or 16 bits");
            if (format is not (1 or 4))
                throw Refused(format == 2 ? "signed samples" : "complex samples");
        }
        return bits is 1 or 2 or 4 or 8 or 16
            ? (int)bits
            : throw new InvalidDataException($"the TIFF has samples of {bits} bits; save it with 8 or 16 bits");
    }

    private int CheckCompression()
    {
        var compression = directory.Number(259, Uncompressed);
        if (compression == OldDeflate)
            compression = Deflate;
        var isFax = IsFaxOf(compression);
        if (!isFax && compression is not (Uncompressed or Lzw or Jpeg or Deflate or PackBits))
            throw Refused($"{Compressions.GetValueOrDefault(compression, $"unknown ({compression})")} compression");
        if (isFax && (Bits, Samples) != (1, 1) || compression == Jpeg && Bits != 8)
            throw Refused($"{Samples} samples of {Bits} bits with {(isFax ? "CCITT" : "JPEG")} compression");
        if (directory.Number(266, 1) != 1 && !isFax)
            throw Refused("bytes whose bits are in reverse order");
        return (int)compression;
    }

    private int CheckColours()
    {
        var photometric = directory.Number(262);
        Colours = photometric switch
        {
            WhiteIsZero or BlackIsZero or Palette => 1,
            Rgb or YCbCr => 3,
            Cmyk => 4,
            _ => throw Refused(Photometrics.GetValueOrDefault(photometric, $"pixels of unknown kind ({photometric})")),
        };
        var extra = Samples - Colours;
        if (extra is not (0 or 1) || extra == 1 && photometric is (Palette or Cmyk or YCbCr))
            throw new InvalidDataException($"the TIFF has {Samples} channels where {Colours} are "
                + $"{Name(photometric)}; save it as RGB");
        IsPremultiplied = extra == 1 && Number(338, 0, "kind of extra sample", 0, 1, 2) == 1;
        if (IsPremultiplied && photometric == WhiteIsZero)
            throw Refused("gray that begins with white, multiplied by alpha");
        if (photometric == Cmyk && (directory.Number(332, 1), directory.Number(334, 4)) != (1, 4))
            throw Refused("inks that are not cyan, magenta, yellow and black");
        if (photometric == Palette && (Bits > 8 || directory.Count(ColourMap) != 3 << Bits))
            throw Refused($"a palette of {directory.Count(ColourMap) / 3} colours for {Bits} bits");
        if (photometric == YCbCr)
            CheckYCbCr();
        if (Compression == Jpeg && (extra > 0 || photometric == Palette || photometric == YCbCr && IsPlanar))
            throw Refused($"{Name(photometric)} in {Samples} channels with JPEG compression");
        if (IsFaxOf(Compression) && photometric > BlackIsZero)
            throw Refused($"{Name(photometric)} with CCITT compression");
        return (int)photometric;
    }

    private static bool IsFaxOf(long compression) => compression is CcittRle or CcittFax3 or CcittFax4;

    private static string Name(long photometric) => photometric switch
    {
        WhiteIsZero or BlackIsZero => "gray",
        Rgb => "RGB",
        Palette => "a place in the palette",
        Cmyk => "CMYK",
        _ => "YCbCr",
    };

    private void CheckYCbCr()
    {
        if (Bits != 8)
            throw Refused($"YCbCr pixels of {Bits} bits");
        if (Compression == Jpeg)
        {
            if (directory.Count(Coefficients) > 0 && (Math.Abs(directory.Fraction(Coefficients, 0) - 0.299) > 1e-3
                || Math.Abs(directory.Fraction(Coefficients, 2) - 0.114) > 1e-3))
                throw Refused("JPEG compression with coefficients that are not those of JPEG");
            return; // says itself how it is subsampled
        }
        var (across, down) = (directory.Number(530, 2), directory.Count(530) > 1 ? directory.Number(530, null, 1) : 2);
        if (across is not (1 or 2 or 4) || down is not (1 or 2 or 4))
            throw Refused($"YCbCr pixels subsampled {across}x{down}");
        (GroupWidth, GroupHeight) = ((int)across, (int)down);
        if (IsPlanar && across * down > 1)
            throw Refused("subsampled YCbCr pixels in planes");
    }

    private bool CheckPredictor()
    {
        var predictor = Number(317, 1, "predictor", 1, 2) == 2;
        if (predictor && Compression is not (Lzw or Deflate))
            throw Refused("a predictor with a compression that has none");
        if (predictor && (Bits < 8 || GroupWidth * GroupHeight > 1))
            throw Refused(Bits < 8 ? $"a predictor for samples of {Bits} bits" : "a predictor for subsampled pixels");
        return predictor;
    }
}
