using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Perceptual.Cli;

/// <summary>A scale as text, CSV or JSON.</summary>
internal static class ScaleReport
{
    private const double Odd = -3; // standard deviations

    public static void Write(TextWriter output, string format, JndScale scale) => output.Write(format switch
    {
        "csv" => Text(stream => ScaleFile.Write(stream, scale.Values)),
        "json" => Text(stream => WriteJson(stream, scale)),
        _ => Table(scale) + Notes(scale),
    });

    private static string Text(Action<Stream> write)
    {
        using var stream = new MemoryStream();
        write(stream);
        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    private static string Table(JndScale scale) => ScoreTable.Align(
    [
        ["reference", "image", "JND", "95 %", "answers"],
        .. scale.Values.Select(value => new[]
        {
            value.Reference, value.Distorted, value.Jnd.ToString("F3", CultureInfo.InvariantCulture),
            string.Create(CultureInfo.InvariantCulture, $"[{value.Interval.Low:F3}, {value.Interval.High:F3}]"),
            $"{value.Answers}",
        }),
    ]);

    private static string Notes(JndScale scale)
    {
        var lines = new List<string> { "" };
        foreach (var value in scale.Values.Where(value => value is { Jnd: 0, Interval: { Low: 0, High: 0 } }))
            lines.Add($"{value.Reference} was never compared itself: its images are placed from {value.Distorted}, "
                + "which is not 0 JND from it");
        foreach (var boost in scale.Boosts)
            lines.Add(string.Create(CultureInfo.InvariantCulture,
                $"boosted {boost.Reference}: x JND look like {boost.Factor:F2} x^{boost.Exponent:F2}"));
        if (scale.LapseRates.Plain > 0)
            lines.Add(string.Create(CultureInfo.InvariantCulture,
                $"answered without looking: {scale.LapseRates.Plain:P1} of the plain questions")
                + (scale.Boosts.Count == 0 ? "" : string.Create(CultureInfo.InvariantCulture,
                    $", {scale.LapseRates.Boosted:P1} of the boosted ones")));
        var fit = scale.Fit;
        lines.Add(fit.DegreesOfFreedom == 0
            ? "fit: there are as few pairs as images, so nothing says whether one scale explains the answers"
            : string.Create(CultureInfo.InvariantCulture,
                $"fit: chi-squared {fit.ChiSquared:F1} of {fit.DegreesOfFreedom} degrees of freedom, ")
                + string.Create(CultureInfo.InvariantCulture, $"p {fit.Probability:F3}")
                + (fit.Probability < 0.05 ? ": one scale does not quite explain the answers" : ""));
        foreach (var judge in scale.Judges.Where(judge => judge.IsExcluded))
            lines.Add($"left out: {Kind(judge)} {judge.Name} got {judge.TrapsRight} of {judge.Traps} traps right");
        foreach (var judge in scale.Judges.Where(judge => !judge.IsExcluded && judge.Agreement < Odd))
            lines.Add(string.Create(CultureInfo.InvariantCulture,
                $"unlike the others: {Kind(judge)} {judge.Name}, {-judge.Agreement:F1} standard deviations below what ")
                + "is expected; counted all the same");
        return string.Concat(lines.Select(line => Printable.Escape(line) + Environment.NewLine));

        string Kind(Judge judge) => scale.Boosts.Count == 0 ? "judge"
            : judge.IsBoosted ? "boosted judge" : "plain judge";
    }

    private static void WriteJson(Stream stream, JndScale scale)
    {
        using var json = new Utf8JsonWriter(stream, Report.JsonForm);
        json.WriteStartObject();
        Each("scale", scale.Values, value =>
        {
            json.WriteString("reference", value.Reference);
            json.WriteString("distorted", value.Distorted);
            json.WriteNumber("jnd", value.Jnd);
            json.WriteNumber("low", value.Interval.Low);
            json.WriteNumber("high", value.Interval.High);
            json.WriteNumber("answers", value.Answers);
        });
        Each("boosts", scale.Boosts, boost =>
        {
            json.WriteString("reference", boost.Reference);
            json.WriteNumber("factor", boost.Factor);
            json.WriteNumber("exponent", boost.Exponent);
        });
        json.WriteStartObject("lapseRates");
        json.WriteNumber("plain", scale.LapseRates.Plain);
        json.WriteNumber("boosted", scale.LapseRates.Boosted);
        json.WriteEndObject();
        json.WriteStartObject("fit");
        json.WriteNumber("chiSquared", scale.Fit.ChiSquared);
        json.WriteNumber("degreesOfFreedom", scale.Fit.DegreesOfFreedom);
        Report.WriteNumber(json, "probability", scale.Fit.Probability);
        json.WriteEndObject();
        Each("judges", scale.Judges, judge =>
        {
            json.WriteString("name", judge.Name);
            json.WriteBoolean("boosted", judge.IsBoosted);
            json.WriteNumber("answers", judge.Answers);
            json.WriteNumber("traps", judge.Traps);
            json.WriteNumber("trapsRight", judge.TrapsRight);
            json.WriteBoolean("excluded", judge.IsExcluded);
            Report.WriteNumber(json, "agreement", judge.Agreement);
        });
        json.WriteEndObject();
        json.Flush();
        stream.WriteByte((byte)'\n');

        void Each<T>(string name, IReadOnlyList<T> items, Action<T> write)
        {
            json.WriteStartArray(name);
            foreach (var item in items)
            {
                json.WriteStartObject();
                write(item);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
    }
}
