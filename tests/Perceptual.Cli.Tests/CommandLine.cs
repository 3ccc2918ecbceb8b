using System.Text.RegularExpressions;

namespace Perceptual.Cli.Tests;

/// <summary>Runs the command in this process, in a folder of its own, with no network.</summary>
internal sealed class CommandLine : IDisposable
{
    public const string RandomAlex = "--net random-alex --baseline";

    public CommandLine() => Folder = Directory.CreateTempSubdirectory("lpips-cli-").FullName;

    public string Folder { get; }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    public string PathOf(string name) => Path.Combine(Folder, name);

    /// <summary>Saves a picture made from a seed and returns its path.</summary>
    public string Image(string name, int width = 40, int height = 36, int seed = 1)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(name))!);
        ImageFile.WritePng(PathOf(name), Perceptual.Tests.TestImages.Waves(width, height, seed));
        return PathOf(name);
    }

    public static Run Run(params string[] args) => Run(new NoNetwork(), args);

    public static Run Run(HttpMessageHandler network, params string[] args)
    {
        using var http = new HttpClient(network);
        var (output, error) = (new StringWriter(), new StringWriter());
        // Options are easier to read in one string; file names are arguments of their own.
        var split = args.SelectMany(arg => arg.StartsWith("--", StringComparison.Ordinal)
            ? arg.Split(' ')
            : [arg]).ToArray();
        var code = new App(output, error, http).RunAsync(split).GetAwaiter().GetResult();
        Assert.DoesNotMatch(@"LpipsOptions|WeightStore|ResizeFilter|AlphaMode|ConvertToSrgb|MaxPixels|Network\.[A-Z]",
            $"{error}");
        return new(code, output.ToString(), error.ToString());
    }

    private sealed class NoNetwork : HttpMessageHandler
    {
        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw new HttpRequestException(HttpRequestError.NameResolutionError, "no network in tests");

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw new HttpRequestException(HttpRequestError.NameResolutionError, "no network in tests");
    }
}

internal sealed record Run(int Code, string Output, string Error)
{
    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>The cells of each line without the spaces that line them up.</summary>
    public string[][] Rows => Array.ConvertAll(Lines, line => Regex.Split(line, " *\t *|  +"));

    /// <summary>A line without the spaces that line its cells up, with tabs between the cells.</summary>
    public string Row(Index line) => string.Join('\t', Rows[line]);

    /// <summary>Failed with one clear line, no stack trace and no number.</summary>
    public void ShouldFail(int code, params string[] parts)
    {
        Assert.Equal("", Output);
        Assert.Equal(code, Code);
        var line = Assert.Single(Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("lpips: ", line, StringComparison.Ordinal);
        Assert.DoesNotContain("internal error", line, StringComparison.Ordinal);
        Assert.All(parts, part => Assert.Contains(part, line, StringComparison.Ordinal));
    }

    public void ShouldBeUsage(params string[] parts)
    {
        Assert.Equal("", Output);
        Assert.Equal(2, Code);
        Assert.Contains("--help", Error, StringComparison.Ordinal);
        Assert.All(parts, part => Assert.Contains(part, Error, StringComparison.Ordinal));
    }
}
