using System.Globalization;
using System.Text;
using System.Xml;

namespace Perceptual.Cli;

/// <summary>The results of a gate as JUnit XML: a test case for each picture.</summary>
internal static class JUnit
{
    public static void Write(string path, GateReport report) => AtomicFile.Write(path, stream =>
    {
        using var xml = XmlWriter.Create(stream, new()
        {
            Indent = true,
            NewLineChars = "\n",
            Encoding = new UTF8Encoding(false),
        });
        var unreadable = report.NamesOf(GateOutcome.Unreadable).Count;
        var failed = report.Results.Count(report.IsFailure);
        xml.WriteStartElement("testsuites");
        xml.WriteStartElement("testsuite");
        xml.WriteAttributeString("name", "lpips gate");
        xml.WriteAttributeString("tests", Number(report.Results.Count));
        xml.WriteAttributeString("failures", Number(failed - unreadable));
        xml.WriteAttributeString("errors", Number(unreadable));
        foreach (var result in report.Results)
        {
            xml.WriteStartElement("testcase");
            xml.WriteAttributeString("classname", Text(report.BaselineFolder));
            xml.WriteAttributeString("name", Text(result.Name));
            if (report.IsFailure(result))
            {
                xml.WriteStartElement(result.Outcome == GateOutcome.Unreadable ? "error" : "failure");
                xml.WriteAttributeString("type", GateReport.Word(result.Outcome));
                xml.WriteAttributeString("message",
                    Text($"{GateReport.Word(result.Outcome)}: {GateReport.Describe(result)}".TrimEnd(' ', ':')));
                xml.WriteEndElement();
            }
            xml.WriteEndElement();
        }
        xml.WriteEndElement();
        xml.WriteEndElement();
    });

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    // XML has no way to write some characters, however they are escaped.
    private static string Text(string text)
    {
        var line = new StringBuilder();
        foreach (var rune in Printable.Escape(text).EnumerateRunes()) // lone surrogates become U+FFFD
            line.Append(rune.Value is 0xFFFE or 0xFFFF ? "\uFFFD" : rune.ToString());
        return line.ToString();
    }
}
