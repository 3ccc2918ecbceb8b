using System.Text;
using CsCheck;

namespace Perceptual.Tests.Judgements;

public class CsvFileTests
{
    [Theory]
    [InlineData("a,b\n1,2\n3,4\n", "a|b", "1|2", "3|4")]
    [InlineData("a,b\r\n1,2\r\n3,4", "a|b", "1|2", "3|4")]
    [InlineData("a,b\r1,2\r", "a|b", "1|2")]
    [InlineData("\uFEFFa, b \n\"x,y\",\"say \"\"so\"\"\"\n", "a|b", "x,y|say \"so\"")]
    [InlineData("a,b\n\n,\n\r\n\"\",\n\n", "a|b", "|", "|")]
    [InlineData("a\n\"two\r\nlines\"\n", "a", "two\r\nlines")]
    [InlineData("a;b\n1;2,5\n\"x;y\";3\n", "a|b", "1|2,5", "x;y|3")]
    [InlineData("a\tb\r\n1;x\t2,5\r\n", "a|b", "1;x|2,5")]
    [InlineData("\"a\";\"b\"\n1;\"2\t\"\n", "a|b", "1|2\t")]
    public void Records_are_those_of_RFC_4180(string text, params string[] expected)
    {
        using var folder = new TempFolder();
        Assert.Equal(expected, Read(folder.Write("a.csv", Encoding.UTF8.GetBytes(text)), expected[0].Split('|')));
    }

    [Fact]
    public void What_is_written_field_by_field_is_read_again()
    {
        using var folder = new TempFolder();
        // Long fields lie across the reader's buffer. A field of its own that is empty is a line that is passed over,
        // so there are two.
        var text = Gen.Char["ab,\"\r\n\u00e9 "].Array[0, 30].Select(c => new string(c));
        Gen.Select(text, Gen.OneOf(text, Gen.Int[8000, 8400].Select(n => new string('x', n)))).Array[1,
            8].Sample(rows =>
        {
            var csv = "p,q\n" + string.Concat(
                rows.Select(row => $"{CsvFile.Field(row.Item1)},{CsvFile.Field(row.Item2)}\n"));
            Assert.Equal(rows.Select(row => $"{row.Item1}|{row.Item2}").Prepend("p|q"),
                Read(folder.Write("a.csv", Encoding.UTF8.GetBytes(csv)), ["p", "q"]));
        }, iter: 200, threads: 1);
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("\n\n", "is empty")]
    [InlineData("a,c\n1,2\n", "has no column b", "its columns are a, c")]
    [InlineData("a;b,c\n1;2\n", "separated by ';' and by ','", "double quotes")]
    [InlineData("a,b\tc\n1,2\n", "separated by ',' and by a tab", "double quotes")]
    [InlineData("a;b\n1;2;3\n", "line 2", "3 fields")]
    [InlineData("a;b\n1;0,5\n", "line 2", "b is \"0,5\", not a number; write it with a point")]
    [InlineData("a,b,b\n1,2,3\n", "two columns b")]
    [InlineData("a,b\n1,1\n\n1\n", "line 4", "1 fields", "2")]
    [InlineData("a,b\n\"x\ny\",1\n1,2,3\n", "line 4", "3 fields")]
    [InlineData("a,b\n1,\"2\n", "line 2", "no end")]
    [InlineData("a,b\n1,2\"\n", "line 2", "a quote")]
    [InlineData("a,b\n1,\"2\"x\n", "line 2", "continues after its end")]
    [InlineData("a,b\n1,zwei\n", "line 2", "b is \"zwei\", not a number")]
    [InlineData("a,b\n1,\n", "line 2", "b is \"\", not a number")]
    [InlineData("a,b\n1,NaN\n", "line 2", "b is NaN, not in [0, 1]")]
    [InlineData("a,b\n1,1.5\n", "line 2", "b is 1.5, not in [0, 1]")]
    [InlineData("a,b\n1,-1e999\n", "line 2", "b is -Infinity")]
    [InlineData("a,b\n1,\"0,5\"\n", "line 2", "\"0,5\"")]
    public void What_is_wrong_is_said_with_the_file_and_the_line(string text, params string[] parts)
    {
        using var folder = new TempFolder();
        var path = folder.Write("a.csv", Encoding.UTF8.GetBytes(text));
        Refuses(path, parts);
    }

    [Fact]
    public void A_million_columns_an_endless_line_and_bytes_that_are_no_text_are_refused()
    {
        using var folder = new TempFolder();
        Refuses(folder.Write("a.csv", Encoding.UTF8.GetBytes(string.Join(',', Enumerable.Repeat("a", 1_000_000)))),
            ["line 1", "more than 1000 fields"]);
        Refuses(folder.Write("b.csv", Encoding.UTF8.GetBytes("a,b\n1," + new string('2', 3_000_000))),
            ["line 2", "more than 1048576 characters"]);
        Refuses(folder.Write("c.csv", [.. "a,b\n1,"u8, 0xff, 0xfe, 0x41]), ["UTF-8"]);
        Refuses(folder.Root, ["is a folder"]);
        Assert.Throws<FileNotFoundException>(() => new CsvFile(folder["none.csv"]));
    }

    private static void Refuses(string path, string[] parts)
    {
        var problem = Assert.Throws<InvalidDataException>(() =>
        {
            using var csv = new CsvFile(path);
            var (_, b) = (csv.Column("a"), csv.Column("b"));
            while (csv.Read())
                csv.Number(b, 0, 1);
        });
        Assert.All([path, .. parts], part => Assert.Contains(part, problem.Message, StringComparison.Ordinal));
        Assert.True(problem.Message.Length < 500);
    }

    private static List<string> Read(string path, string[] columns)
    {
        using var csv = new CsvFile(path);
        var records = new List<string> { string.Join('|', columns) };
        while (csv.Read())
            records.Add(string.Join('|', columns.Select(column => csv[csv.Column(column)])));
        return records;
    }
}
