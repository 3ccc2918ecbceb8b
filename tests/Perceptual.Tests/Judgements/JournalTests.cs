using System.Text;

namespace Perceptual.Tests.Judgements;

public sealed class JournalTests : IDisposable
{
    private static readonly (string Name, string Value)[] Purpose = [("metrics", "psnr, l2=\n"), ("--icc", "é")];
    private readonly TempFolder folder = new();
    private readonly string path;

    public JournalTests() => path = folder["out.csv.part"];

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Rows_outlive_the_run_until_it_is_done()
    {
        using (var journal = Begin(out var none))
        {
            Assert.Empty(none);
            journal.Add(["1,2", "3"]);
            journal.Add(["4"]);
            Assert.Equal(["1,2", "3", "4"], journal.Rows());
        }
        using (var journal = Begin(out var rows))
        {
            Assert.Equal(["1,2", "3", "4"], rows);
            Assert.Equal(3, journal.Count);
            journal.Add(["5"]);
            Assert.Equal(["1,2", "3", "4", "5"], journal.Rows());
            journal.Delete();
        }
        Assert.Empty(folder.Files);
        Begin(out _).Dispose();
        Assert.Empty(folder.Files); // without rows there is nothing to go on with
    }

    [Fact]
    public void What_is_cut_short_or_damaged_anywhere_ends_the_rows_before_it()
    {
        string[] all = [.. Enumerable.Range(0, 5).Select(i => $"{i},0.{i}")];
        using (var journal = Begin(out _))
            journal.Add(all);
        var whole = File.ReadAllBytes(path);
        var head = Array.IndexOf(whole, (byte)'\n') + 1;
        for (var length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            using var journal = Begin(out var rows);
            Assert.Equal(all[..whole[..length].Skip(head).Count(b => b == '\n')], rows);
            journal.Add(["next"]);
            Assert.Equal([.. rows, "next"], journal.Rows());
        }
        for (var at = head; at < whole.Length; at++)
        {
            byte[] damaged = [.. whole];
            damaged[at] ^= 1;
            File.WriteAllBytes(path, damaged);
            using var journal = Begin(out var rows);
            Assert.Equal(all[..whole[head..at].Count(b => b == '\n')], rows);
        }
    }

    [Fact]
    public void A_line_that_is_too_long_ends_the_rows_and_takes_no_memory()
    {
        using (var journal = Begin(out _))
            journal.Add(["1,2"]);
        using (var file = new FileStream(path, FileMode.Append))
            file.SetLength(file.Length + (1L << 31)); // a hole
        var before = GC.GetAllocatedBytesForCurrentThread();
        using (Begin(out var rows))
            Assert.Equal(["1,2"], rows);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10 << 20);
        Assert.InRange(new FileInfo(path).Length, 1, 1000);
    }

    [Fact]
    public void Rows_longer_than_what_is_read_at_once_come_back()
    {
        string[] all =
            [.. Enumerable.Range(0, 100).Select(i => new string((char)('a' + i % 26), 1 + 37_003 * (i % 5)))];
        using (var journal = Begin(out _))
            journal.Add(all);
        using (Begin(out var rows))
            Assert.Equal(all, rows);
    }

    [Fact]
    public void Rows_that_are_not_taken_are_cut_off()
    {
        using (var journal = Begin(out _))
            journal.Add(["1", "2", "3"]);
        using (var journal = new Journal(path, Purpose))
        {
            journal.Resume(row => row != "2");
            Assert.Equal(1, journal.Count);
            journal.Add(["4"]);
        }
        using (Begin(out var rows))
            Assert.Equal(["1", "4"], rows);
    }

    [Fact]
    public void A_journal_of_something_else_is_refused_by_what_differs_and_stays()
    {
        using (var journal = Begin(out _))
            journal.Add(["1"]);
        var before = File.ReadAllBytes(path);
        var problem = Assert.Throws<InvalidDataException>(
            () => new Journal(path, [Purpose[0], ("--icc", "no"), ("--resize", "box")]));
        Assert.StartsWith(path, problem.Message, StringComparison.Ordinal);
        Assert.Contains(" differs in --icc, --resize;", problem.Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(path));
        foreach (var other in new[] { "precious", "precious\nmore\n", "\n" })
        {
            File.WriteAllText(path, other);
            Assert.Contains("not of a run",
                Assert.Throws<InvalidDataException>(() => new Journal(path, Purpose)).Message,
                StringComparison.Ordinal);
            Assert.Equal(other, File.ReadAllText(path));
        }
    }

    [Fact]
    public void Two_runs_do_not_write_one_journal()
    {
        using var journal = Begin(out _);
        var problem = Assert.Throws<IOException>(() => new Journal(path, Purpose));
        Assert.StartsWith($"{path} is in use by another run", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("n", 1)]
    [InlineData("n", 250)]
    [InlineData("n", 251)]
    [InlineData("n", 255)]
    [InlineData("é", 127)]
    [InlineData("😀", 63)]
    public void The_journal_of_a_file_has_a_name_that_is_short_enough(string letter, int times)
    {
        var file = folder[string.Concat(Enumerable.Repeat(letter, times))];
        var (journal, other) = (Journal.PathFor(file), Journal.PathFor(file[..^letter.Length] + "x"));
        Assert.NotEqual(journal, other);
        Assert.Equal(folder.Root, Path.GetDirectoryName(journal));
        Assert.InRange(Encoding.UTF8.GetByteCount(Path.GetFileName(journal)), 1, 255);
        Assert.EndsWith(".part", journal, StringComparison.Ordinal);
        File.WriteAllText(journal, ""); // the file system takes it
    }

    [Fact]
    public void Escaped_text_has_no_comma_and_no_line_end_and_comes_back()
    {
        foreach (var text in new[] { "", "a, b\n\r\t\u001b\0é😀%2C+=;" })
        {
            var escaped = Journal.Escape(text);
            Assert.DoesNotMatch("[^ -+.-~-]", escaped);
            Assert.Equal(text, Journal.Unescape(escaped));
        }
    }

    private Journal Begin(out string[] rows)
    {
        var journal = new Journal(path, Purpose);
        var there = new List<string>();
        journal.Resume(row =>
        {
            there.Add(row);
            return true;
        });
        rows = [.. there];
        return journal;
    }
}
