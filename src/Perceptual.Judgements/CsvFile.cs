using System.Buffers;
using System.Globalization;
using System.Text;

namespace Perceptual.Judgements;

/// <summary>
/// Reads a table of comma-separated values with a line of column names, as RFC 4180 describes them: fields in double
/// quotes may hold commas, line ends and doubled quotes. Semicolons or tabs may take the place of the commas, if the
/// line of column names has no other of the three. UTF-8 with or without a byte order mark (UTF-16 with one); lines may
/// end in LF, CRLF or CR; empty lines are ignored. The memory for a record is bounded for any file.
/// </summary>
public sealed class CsvFile : IDisposable
{
    private const int MaxColumns = 1000;
    private const int MaxRecordLength = 1 << 20; // characters

    private static readonly SearchValues<char> ToBeQuoted = SearchValues.Create(",;\t\"\r\n");

    private readonly string path;
    private readonly StreamReader reader;
    private readonly char[] buffer = new char[1 << 13];
    private readonly StringBuilder field = new();
    private readonly List<string> fields = [];
    private readonly string[] columns = [];
    private int position;
    private int end;
    private int line = 1; // the line that is being read
    private char separator; // 0 until the first one is found, in the line of column names

    /// <exception cref="InvalidDataException">The file is empty, or it is not clear what separates its
    /// columns.</exception>
    public CsvFile(string path)
    {
        this.path = path;
        if (Directory.Exists(path))
            throw new InvalidDataException($"{path}: is a folder; name a CSV file");
        reader = new(LocalFile.OpenRead(path), new UTF8Encoding(false, throwOnInvalidBytes: true));
        try
        {
            if (!ReadRecord())
                throw new InvalidDataException($"{path}: is empty; the first line must name the columns");
            columns = [.. fields.Select(name => name.Trim())];
            separator = separator == 0 ? ',' : separator;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>The line, from 1, on which the current record begins.</summary>
    public int Line { get; private set; }

    /// <summary>A field of the current record.</summary>
    public string this[int column] => fields[column];

    /// <summary>Whether there is a column of this name.</summary>
    public bool Has(string name) => Array.IndexOf(columns, name) >= 0;

    /// <summary>The number of the column of this name.</summary>
    /// <exception cref="InvalidDataException">There is no such column, or there are two.</exception>
    public int Column(string name)
    {
        var column = Array.IndexOf(columns, name);
        if (column < 0)
            throw new InvalidDataException(
                $"{path}: has no column {name}; its columns are {UntrustedText.Printable(string.Join(", ", columns))}");
        if (Array.LastIndexOf(columns, name) != column)
            throw new InvalidDataException($"{path}: has two columns {name}");
        return column;
    }

    /// <summary>Reads the next record; false at the end of the file.</summary>
    /// <exception cref="InvalidDataException">The record does not have as many fields as there are columns, or is
    /// not CSV.</exception>
    public bool Read()
    {
        if (!ReadRecord())
            return false;
        if (fields.Count != columns.Length)
            throw Error($"has {fields.Count} fields, but the first line has {columns.Length}");
        return true;
    }

    /// <summary>The number in a field of the current record.</summary>
    /// <exception cref="InvalidDataException">The field is not a number, or is NaN, infinite or outside
    /// the range.</exception>
    public double Number(int column, double minimum = double.MinValue, double maximum = double.MaxValue)
    {
        if (!double.TryParse(fields[column], NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
            throw Error($"{columns[column]} is \"{UntrustedText.Printable(fields[column])}\", not a number"
                + (fields[column].Contains(',') ? "; write it with a point, like 0.05" : ""));
        if (value >= minimum && value <= maximum)
            return value;
        var expected = minimum == double.MinValue ? "finite"
            : maximum == double.MaxValue ? string.Create(CultureInfo.InvariantCulture, $"{minimum} or more")
            : string.Create(CultureInfo.InvariantCulture, $"in [{minimum}, {maximum}]");
        throw Error(string.Create(CultureInfo.InvariantCulture, $"{columns[column]} is {value}, not {expected}"));
    }

    /// <summary>An exception about the current record, which names the file and the line.</summary>
    public InvalidDataException Error(string message) => new($"{path}, line {Line}: {message}");

    /// <summary>Closes the file.</summary>
    public void Dispose() => reader.Dispose();

    /// <summary>A field as it is written to a CSV file, in quotes where needed.</summary>
    public static string Field(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.AsSpan().ContainsAny(ToBeQuoted)
            ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
            : text;
    }

    private bool ReadRecord()
    {
        fields.Clear();
        while (Peek() is '\r' or '\n')
            EndLine();
        Line = line;
        if (Peek() < 0)
            return false;
        for (var length = 0; ; length++)
        {
            length += ReadField(MaxRecordLength - length);
            fields.Add(field.ToString());
            switch (Peek())
            {
                case < 0:
                    return true;
                case '\r' or '\n':
                    EndLine();
                    return true;
                default:
                    Separate((char)Peek());
                    if (fields.Count == MaxColumns)
                        throw Error($"has more than {MaxColumns} fields");
                    continue;
            }
        }
    }

    private static bool MaySeparate(int c) => c is ',' or ';' or '\t';

    // In the line of column names each of the three ends a field, and they must be the same.
    private bool EndsField(int c) =>
        c is < 0 or '\r' or '\n' || (columns.Length == 0 ? MaySeparate(c) : c == separator);

    private void Separate(char found)
    {
        if (separator != 0 && separator != found)
            throw new InvalidDataException($"{path}: its columns are separated by {Name(separator)} and by "
                + $"{Name(found)}; use one of them, and put names that hold the other in double quotes");
        separator = found;
        position++;

        static string Name(char c) => c == '\t' ? "a tab" : $"'{c}'";
    }

    // Reads a field and returns its length; stops before the separator or the end of the line after it.
    private int ReadField(int maximum)
    {
        field.Clear();
        var quoted = Peek() == '"';
        if (quoted)
            position++;
        while (true)
        {
            var c = Peek();
            if (quoted ? c < 0 : EndsField(c))
                return quoted ? throw Error("a quoted field has no end") : field.Length;
            if (quoted && c is '\r' or '\n')
            {
                // A line end inside quotes belongs to the field.
                if (c == '\n' || PeekAfter() != '\n')
                    line++;
            }
            else if (c == '"')
            {
                if (!quoted)
                    throw Error("a quote is inside a field that does not begin with a quote");
                position++;
                if (EndsField(Peek()))
                    return field.Length;
                if (Peek() != '"')
                    throw Error("a quoted field continues after its end; write a quote inside a field twice");
            }
            if (field.Length >= maximum)
                throw Error($"has more than {MaxRecordLength} characters");
            field.Append((char)c);
            position++;
        }
    }

    private void EndLine()
    {
        if (Peek() == '\r' && PeekAfter() == '\n')
            position++;
        position++;
        line++;
    }

    // The next character, or -1.
    private int Peek() => position < end || Fill() ? buffer[position] : -1;

    private int PeekAfter()
    {
        if (position + 1 >= end)
            Fill();
        return position + 1 < end ? buffer[position + 1] : -1;
    }

    private bool Fill()
    {
        buffer.AsSpan(position, end - position).CopyTo(buffer);
        (position, end) = (0, end - position);
        try
        {
            end += reader.Read(buffer, end, buffer.Length - end);
        }
        catch (DecoderFallbackException)
        {
            throw new InvalidDataException($"{path}, at or after line {line}: is not text in UTF-8; save it as UTF-8");
        }
        return end > 0;
    }
}
