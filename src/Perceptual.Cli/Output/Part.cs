using System.CommandLine;
using System.CommandLine.Parsing;
using System.Security.Cryptography;
using System.Text;

namespace Perceptual.Cli;

/// <summary>
/// One part of the work of a command, made with <c>--shard</c>: a <see cref="Journal"/> of rows, whose first line says
/// what they belong to. While it is made it is beside its place, so that the same command goes on with it.
/// </summary>
internal sealed class Part
{
    /// <summary>What tells a part from the others of its run.</summary>
    public const string Number = "shard";

    /// <summary>The words of the command line, which <c>lpips merge</c> runs again with all rows given.</summary>
    public const string Arguments = "arguments";

    /// <summary>The level of vectors that the rows were computed with.</summary>
    public const string Vectors = "vectors";

    private const int MostText = 1 << 19; // characters; a journal's line has to hold it

    private readonly string file;
    private readonly Shard shard;
    private readonly IReadOnlyList<(string Name, string Value)> purpose;

    /// <param name="file">The file that it becomes when all rows are there.</param>
    /// <param name="shard">Which part.</param>
    /// <param name="parsed">The command line.</param>
    /// <param name="purpose">What decides the rows: <see cref="Belongs"/>.</param>
    /// <exception cref="InvalidDataException">The command line is too long.</exception>
    public Part(string file, Shard shard, ParseResult parsed, IReadOnlyList<(string Name, string Value)> purpose)
    {
        (this.file, this.shard) = (file, shard);
        var arguments = string.Join(' ', Words(parsed).Select(Journal.Escape));
        if (arguments.Length > MostText)
            throw new InvalidDataException(
                "the command line is too long to be kept in a part: name folders, not files");
        this.purpose = [.. purpose, (Arguments, arguments), (Number, $"{shard.Number}/{shard.Count}")];
    }

    /// <summary>What decides the rows of a part, and a digest of the names of all inputs in their order.</summary>
    public static IReadOnlyList<(string Name, string Value)> Belongs(
        IReadOnlyList<(string Name, string Value)> purpose, IEnumerable<string> inputs)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var input in inputs)
            hash.AppendData(Encoding.UTF8.GetBytes(input + "\0"));
        return [.. purpose, ("inputs", Convert.ToHexStringLower(hash.GetHashAndReset()))];
    }

    /// <summary>Opens the rows that are there, or begins.</summary>
    /// <returns>Null if the part is whole already.</returns>
    /// <exception cref="InvalidDataException">There is a file that is another part, or none.</exception>
    public Journal? Open()
    {
        if (!File.Exists(file))
            return new(Journal.PathFor(file), purpose);
        var there = new JournalReader(file);
        if (Journal.Differences(purpose, there.Purpose) is { Length: > 0 } names)
            throw new InvalidDataException(
                $"{file} is there and differs in {names}; delete it, or give -o another name");
        return null;
    }

    /// <summary>Says that the part is there.</summary>
    public int Report(App app, string contents)
    {
        app.Output.WriteLine($"shard {shard.Number}/{shard.Count}\t{Printable.Escape(file)}\t{contents}");
        return ExitCode.Fine;
    }

    /// <summary>Gives the part its name: all rows are there.</summary>
    public void Finish(Journal journal) => journal.Finish(file);

    // Without what may differ between the parts, or is said anew of the whole.
    private static IEnumerable<string> Words(ParseResult parsed)
    {
        string[] left = ["--shard", "--vectors", "--output", "-o", "--threads", "--memory"];
        for (var i = 0; i < parsed.Tokens.Count; i++)
            if (parsed.Tokens[i] is { Type: TokenType.Option } option && left.Contains(option.Value))
                i++; // its value
            else
                yield return parsed.Tokens[i].Value;
    }
}
