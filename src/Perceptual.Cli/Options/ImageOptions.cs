using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Perceptual.Cli;

/// <summary>The options that say how image files are read.</summary>
internal sealed class ImageOptions
{
    private readonly Option<string> alpha = new("--alpha")
    {
        Description = "Drop real transparency, or lay it over white or black; otherwise it is an error.",
    };

    private readonly Option<bool> icc = new("--icc")
    {
        Description = "Convert pixel values to sRGB through the embedded colour profile.",
    };

    private readonly Option<ValueRange?> range = new("--range")
    {
        Description = "The values of black and white in NumPy arrays, such as 0,1; floats need it.",
        HelpName = "MIN,MAX",
        CustomParser = result =>
        {
            try
            {
                if (result.Tokens[0].Value.Split(',') is [var black, var white] && Number(black) is { } minimum
                    && Number(white) is { } maximum)
                    return new ValueRange(minimum, maximum);
            }
            catch (ArgumentException)
            {
                // not in ascending order
            }
            result.AddError($"--range '{result.Tokens[0].Value}' is not two numbers, the smaller one first: "
                + "write it like 0,1");
            return null;
        },
    };

    private readonly Option<long?> maxPixels = OptionChecks.OptionalNumber("--max-pixels",
        $"Refuse images with more pixels than this. [default: {ImageReadOptions.DefaultMaxPixels}]", 1L);

    private readonly Option<int> cropBorder = OptionChecks.Number(
        "--crop-border", "Leave out so many pixels at each edge of every image.", 0, 0, 65535);

    private readonly Option<string>? resize;
    private readonly Option<string[]>? ignore;

    /// <param name="command">The command that takes them.</param>
    /// <param name="canResize">Whether a distorted image can be resized to the size of its reference.</param>
    /// <param name="canCrop">Whether the border of images can be left out. The text below the help of the command names
    /// all these options then.</param>
    /// <param name="isNamedBelow">Whether that text names them also where the border cannot be left out.</param>
    public ImageOptions(Command command, bool canResize, bool canCrop = false, bool isNamedBelow = false)
    {
        alpha.AcceptOnlyFromAmong("drop", "white", "black");
        command.Add(alpha);
        command.Add(icc);
        command.Add(range);
        command.Add(maxPixels);
        // Their help has no room for a line each.
        alpha.Hidden = icc.Hidden = range.Hidden = maxPixels.Hidden = cropBorder.Hidden = canCrop || isNamedBelow;
        if (canCrop)
            command.Add(cropBorder);
        if (!canResize)
            return;
        resize = new("--resize")
        {
            Description = "Resize each distorted image to the size of its reference, with this filter.",
            HelpName = "FILTER",
            Hidden = canCrop,
        };
        resize.AcceptOnlyFromAmong([.. Enum.GetNames<ResizeFilter>().Select(name => name.ToLowerInvariant())]);
        command.Add(resize);
        ignore = IgnoreOption();
        ignore.Hidden = canCrop;
        command.Add(ignore);
        command.Validators.Add(result =>
        {
            if (canCrop && result.GetValue(cropBorder) > 0 && result.GetValue(ignore) is { Length: > 0 })
                result.AddError("--ignore names areas of whole images: leave out --crop-border");
        });
    }

    /// <summary>An option that takes areas that are not compared.</summary>
    public static Option<string[]> IgnoreOption() => new("--ignore")
    {
        Description = "Take this area x,y,width,height, or what is not black in this image, from the reference.",
        HelpName = "AREA|FILE",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
    };

    /// <summary>What is not compared.</summary>
    public IgnoredAreas Ignored(ParseResult parsed) => new(parsed.GetValue(ignore!) ?? []);

    /// <summary>Finds misspelt names before weights are fetched.</summary>
    public static void CheckThere(IEnumerable<string> paths)
    {
        var missing = paths.Where(path => !Path.Exists(path)).ToArray();
        if (missing.Contains(""))
            throw new FileNotFoundException("an empty name was given for a file");
        if (missing.FirstOrDefault(path => path.Contains('\uFFFD', StringComparison.Ordinal)) is { } name)
            throw new FileNotFoundException($"{name} has a name that is not UTF-8, by which it cannot be opened; "
                + "rename it");
        if (missing.Length > 0)
            throw new FileNotFoundException($"there is no file {string.Join(", ", missing)}");
    }

    /// <summary>What decides that, as a text.</summary>
    public string IgnoredText(ParseResult parsed) => string.Join(' ', (parsed.GetValue(ignore!) ?? [])
        .Select(text => IgnoredAreas.IsArea(text) ? text : $"{text} {LocalFile.State(text)}"));

    /// <summary>How image files are read.</summary>
    public ImageReadOptions Options(ParseResult parsed) => new()
    {
        Alpha = parsed.GetValue(alpha) is { } mode ? Enum.Parse<AlphaMode>(mode, ignoreCase: true) : AlphaMode.Refuse,
        ConvertToSrgb = parsed.GetValue(icc),
        ArrayRange = parsed.GetValue(range),
        MaxPixels = parsed.GetValue(maxPixels),
    };

    private static float? Number(string text) =>
        float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>How many pixels are left out at each edge.</summary>
    public int CropBorder(ParseResult parsed) => parsed.GetValue(cropBorder);

    /// <inheritdoc cref="CropBorder(ParseResult)"/>
    public int CropBorder(CommandResult result) => result.GetValue(cropBorder);

    /// <summary>The filter that resizes distorted images; null if they must have the size of their reference.</summary>
    public ResizeFilter? Resize(ParseResult parsed) =>
        parsed.GetValue(resize!) is { } filter ? Enum.Parse<ResizeFilter>(filter, ignoreCase: true) : null;
}
