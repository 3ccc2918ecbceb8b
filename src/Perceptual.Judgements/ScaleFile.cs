using System.Globalization;
using System.Text;

namespace Perceptual.Judgements;

/// <summary>Scales as tables (CSV).</summary>
public static class ScaleFile
{
    private const int MaxImages = 100_000;

    /// <summary>Writes the columns <c>reference,distorted,jnd,low,high,answers</c>.</summary>
    public static void Write(Stream stream, IEnumerable<ScaleValue> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        using var writer = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        writer.WriteLine("reference,distorted,jnd,low,high,answers");
        foreach (var value in values)
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{CsvFile.Field(value.Reference)},{CsvFile.Field(value.Distorted)},{value.Jnd:R},"
                + $"{value.Interval.Low:R},{value.Interval.High:R},{value.Answers}"));
    }

    /// <summary>
    /// Reads a table with the columns <c>reference,distorted,jnd</c>, or <c>source,codec,level,jnd</c> as JPEG AIC-3
    /// has it, where an image is named by codec and level with a dash between. If there are <c>low</c> and
    /// <c>high</c>, they are the ends of 95 % intervals.
    /// </summary>
    /// <inheritdoc cref="Read(string, IReadOnlyList{string})" path="/param"/>
    /// <inheritdoc cref="Read(string, IReadOnlyList{string})" path="/exception"/>
    public static IReadOnlyList<ScaleValue> Read(string path) => Read(path, []).Values;

    /// <summary>Reads a scale, and columns of numbers beside it, such as a metric's values.</summary>
    /// <param name="path">The file.</param>
    /// <param name="columns">The names of the columns.</param>
    /// <returns>The scale, and the numbers as [column][image].</returns>
    /// <exception cref="InvalidDataException">The data are not of this form.</exception>
    /// <exception cref="IOException">There is no such file, or it cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static (IReadOnlyList<ScaleValue> Values, double[][] Numbers) Read(
        string path, IReadOnlyList<string> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        using var csv = new CsvFile(path);
        var isAic = !csv.Has("reference") && csv.Has("source");
        var reference = new NameColumn(csv, isAic ? "source" : "reference");
        var distorted = isAic ? NameColumn.CodecAndLevel(csv) : new NameColumn(csv, "distorted");
        var jnd = csv.Column("jnd");
        (int Low, int High)? ends = csv.Has("low") || csv.Has("high") ? (csv.Column("low"), csv.Column("high")) : null;
        int[] numbers = [.. columns.Select(csv.Column)];
        var (values, read) = (new List<ScaleValue>(), numbers.Select(_ => new List<double>()).ToArray());
        var seen = new HashSet<(string, string)>();
        while (csv.Read())
        {
            if (values.Count == MaxImages)
                throw csv.Error($"is one image too many: at most {MaxImages} can be read");
            if (!seen.Add((reference.Name, distorted.Name)))
                throw csv.Error($"{UntrustedText.Printable(distorted.Name)} of "
                    + $"{UntrustedText.Printable(reference.Name)} is there twice");
            var interval = ends is { } column ? new Interval(csv.Number(column.Low), csv.Number(column.High))
                : new(double.NaN, double.NaN);
            if (interval.Low > interval.High)
                throw csv.Error("its interval is the wrong way round: low is above high");
            values.Add(new(reference.Name, distorted.Name, csv.Number(jnd), interval, 0));
            for (var k = 0; k < numbers.Length; k++)
                read[k].Add(csv.Number(numbers[k]));
        }
        return values.Count > 0
            ? (values, Array.ConvertAll(read, list => list.ToArray()))
            : throw new InvalidDataException($"{path}: has no line after its column names");
    }
}
