using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Perceptual.Cli;

/// <summary>
/// The options that say how images are looked at: from where, for FLIP, and with which exposure, for linear light. The
/// text below the help of a command names them.
/// </summary>
internal sealed class ViewingOptions
{
    /// <summary>What a help says of them.</summary>
    public const string Help =
        "For flip: --ppd N --viewing DISTANCE,WIDTH,PIXELS; for EXR, HDR, PFM: --exposure-map --tone-map CURVE "
            + "--exposure STOPS";

    private const double Least = 1, Most = 1000; // pixels of a degree, as FLIP takes them
    private const double MostStops = 100;

    /// <summary>The metric that compares linear light.</summary>
    public const string HdrFlip = "hdr-flip";

    private readonly Option<double?> pixelsPerDegree = OptionChecks.OptionalNumber(
        "--ppd", "Pixels of a degree of sight, for FLIP. [default: 67.02]", Least, Most);

    private readonly Option<string> viewing = new("--viewing")
    {
        Description = "Distance and width of the screen in metres, and its pixels across, for FLIP.",
        HelpName = "DISTANCE,WIDTH,PIXELS",
    };

    private readonly Option<string> toneMap = new("--tone-map")
    {
        Description = "The curve that makes sRGB of linear light, or that of hdr-flip.",
        HelpName = "CURVE",
    };

    private readonly Option<double?> exposure = OptionChecks.OptionalNumber(
        "--exposure", "Stops by which linear light is made brighter before it becomes sRGB.", -MostStops, MostStops);

    private readonly Option<bool> exposureMap = new("--exposure-map")
    {
        Description = "The map of hdr-flip says with which exposure the error of a pixel is largest.",
    };

    public ViewingOptions(Command command)
    {
        toneMap.AcceptOnlyFromAmong([.. ValueRange.ToneMappers]);
        foreach (var option in new Option[] { pixelsPerDegree, viewing, toneMap, exposure, exposureMap })
        {
            option.Hidden = true;
            command.Add(option);
        }
    }

    /// <summary>Refuses what fits neither together nor to the metrics.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="names">The metrics.</param>
    public void Check(CommandResult result, string[] names)
    {
        foreach (var option in new Option[] { pixelsPerDegree, viewing })
            if (result.GetResult(option) is { Implicit: false } && !names.Any(IsFlip))
                result.AddError($"{option.Name} says from where FLIP looks, but --metric names no flip");
        if (result.GetResult(pixelsPerDegree) is not null && result.GetResult(viewing) is not null)
            result.AddError("--ppd and --viewing say the same: leave one out");
        if (result.GetValue(viewing) is { } text && Degree(text) is not (>= Least and <= Most))
            result.AddError($"--viewing {text}: it must be the distance and the width of the screen in metres and its "
                + $"pixels across, like 0.7,0.7,3840, with {Least} to {Most} pixels for a degree");
        if (result.GetValue(exposureMap) && !names.Contains(HdrFlip))
            result.AddError($"{exposureMap.Name} is for the map of {HdrFlip}: name it in --metric");
        if (!names.Contains(HdrFlip))
            return;
        if (names.FirstOrDefault(name => name != HdrFlip) is { } other)
            result.AddError($"{HdrFlip} compares linear light, and {other} does not: name them in two runs");
        if (result.GetResult(exposure) is not null)
            result.AddError($"{HdrFlip} finds its exposures itself: leave out --exposure");
    }

    /// <summary>Refuses to show images of linear light.</summary>
    public static void CheckShown(CommandResult result, bool isLight, string option, bool isGiven)
    {
        if (isLight && isGiven)
            result.AddError($"{option} shows images, but {HdrFlip} compares linear light, which has no white: leave it "
                + "out, or compare by flip with --tone-map");
    }

    /// <summary>How files of linear light are read.</summary>
    public ImageReadOptions Images(ParseResult parsed, ImageReadOptions images, MetricChoice metrics) =>
        metrics.Names.Contains(HdrFlip) ? images
            : images with { ToneMapper = parsed.GetValue(toneMap), Exposure = parsed.GetValue(exposure) };

    /// <summary>The curve that the command line names, or null.</summary>
    public string? ToneMapper(ParseResult parsed) => parsed.GetValue(toneMap);

    /// <summary>Whether a map is to say which exposure shows an error best.</summary>
    public bool MapsExposures(ParseResult parsed) => parsed.GetValue(exposureMap);

    /// <inheritdoc cref="MapsExposures(ParseResult)"/>
    public bool MapsExposures(CommandResult result) => result.GetValue(exposureMap);

    /// <summary>Pixels of a degree, or null if the command line does not say.</summary>
    public double? Parse(ParseResult parsed) =>
        parsed.GetValue(viewing) is { } text ? Degree(text) : parsed.GetValue(pixelsPerDegree);

    /// <summary>Whether a metric is FLIP, of sRGB or of linear light.</summary>
    public static bool IsFlip(string name) => name is "flip" or HdrFlip;

    // Null if the text is not three numbers above 0.
    private static double? Degree(string text)
    {
        var numbers = Array.ConvertAll(text.Split(','), part =>
            double.TryParse(part, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
                ? number : 0);
        return numbers is [> 0 and var distance, > 0 and var width, > 0 and var pixels]
            ? distance / width * pixels * (Math.PI / 180)
            : null;
    }
}
