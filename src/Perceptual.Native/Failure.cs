using System.Text.RegularExpressions;

namespace Perceptual.Native;

/// <summary>Exceptions as codes with a text, because none may cross the border.</summary>
internal static partial class Failure
{
    public static (Status Status, string Text) Of(Exception exception) => exception switch
    {
        OperationCanceledException => (Status.Stopped, "the caller's progress function has stopped the download"),
        OutOfMemoryException => (Status.OutOfMemory, "there is not enough memory"),
        KeyNotFoundException => (Status.BadHandle, exception.Message),
        ArgumentException => (Status.BadArgument, exception.Message.Split(" (Parameter '")[0]
            .Replace("such as Rgbx", "such as RGBX8", StringComparison.Ordinal)),
        WeightsUnavailableException => (Status.NoWeights, InWords(exception.Message)),
        InvalidDataException or IOException or UnauthorizedAccessException =>
            (Status.BadFile, InWords(exception.Message)),
        NotSupportedException => (Status.NotSupported, exception.Message),
        _ => (Status.Internal, $"{exception.GetType().Name}: {exception.Message}"),
    };

    // Messages of the library name what .NET calls; here it is the command that fetches and imports weights.
    private static string InWords(string message)
    {
        message = Store().Replace(message, match =>
            $"`lpips weights {match.Groups["verb"].Value.ToLowerInvariant()} "
            + (match.Groups["net"] is { Success: true, Value: var net } ? net.ToLowerInvariant() : "FILE")
            + (match.Groups["folder"] is { Success: true, Value: var folder } ? $" --weights {folder}`" : "`"));
        return message.Replace("which WeightStore was given", "which was given", StringComparison.Ordinal)
            .Replace("`Network.Lite`", "the network \"lite\"", StringComparison.Ordinal);
    }

    [GeneratedRegex("""`new WeightStore\((?:"(?<folder>[^"]*)"|(?<folder>DIR))?\)\.(?<verb>Fetch|Import)\((?:"""
        + """Network\.(?<net>\w+)|FILE)\)`""", RegexOptions.CultureInvariant)]
    private static partial Regex Store();
}
