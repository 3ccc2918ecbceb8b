using System.Net;
using Perceptual.Tests;

namespace Perceptual.Cli.Tests;

public sealed class DatasetTests : IDisposable
{
    private readonly CommandLine lpips = new();

    public void Dispose() => lpips.Dispose();

    [Fact]
    public void A_part_is_fetched_listed_checked_and_left_alone()
    {
        var jnd = Jnd();
        string[] expected = [$"{lpips.PathOf(Path.Combine("d", "jnd", "val", "traditional"))}\t2 pairs",
            $"{lpips.PathOf(Path.Combine("d", "jnd", "val", "cnn"))}\t1 pairs"];
        foreach (var network in new HttpMessageHandler[] { new Answer(HttpStatusCode.OK, jnd),
            new Answer(HttpStatusCode.NotFound, []) })
        {
            var fetched = CommandLine.Run(network, "dataset", "fetch", "bapps", "--part jnd", "-o", lpips.PathOf("d"));
            Assert.Equal((0, ""), (fetched.Code, fetched.Error));
            Assert.Equal(expected, fetched.Lines);
        }
        var check = CommandLine.Run("dataset", "check", lpips.PathOf("d"));
        Assert.Equal((0, ""), (check.Code, check.Error));
        Assert.Equal(expected.Select(line => line + "\tok").Order(StringComparer.Ordinal), check.Lines);
    }

    [Fact]
    public void What_is_broken_is_named_on_stderr_and_counted_on_stdout()
    {
        CommandLine.Run(new Answer(HttpStatusCode.OK, Jnd()), "dataset", "fetch", "bapps", "--part jnd", "-o",
            lpips.PathOf("d"));
        var broken = lpips.PathOf(Path.Combine("d", "jnd", "val", "cnn", "same", "000000.npy"));
        File.WriteAllBytes(broken, [1, 2, 3]);
        var check = CommandLine.Run("dataset", "check", lpips.PathOf("d"));
        Assert.Equal((1, $"lpips: {broken}: not a NumPy array file"), (check.Code, check.Error.Trim()));
        Assert.Equal(["1 pairs\tproblems: 1", "2 pairs\tok"],
            check.Lines.Select(line => line[(line.IndexOf('\t', StringComparison.Ordinal) + 1)..]));
    }

    [Fact]
    public void Without_network_one_line_names_the_part_the_address_and_the_place() =>
        CommandLine.Run("dataset", "fetch", "bapps", "-o", lpips.PathOf("d")).ShouldFail(
            1, "2afc-val", "https://perceptual-similarity.s3.us-west-2.amazonaws.com/dataset/twoafc_val.tar.gz",
            Path.Combine(lpips.PathOf("d"), "2afc", "val.part"), "no network in tests");

    [Fact]
    public void What_is_not_the_published_part_is_refused_and_not_kept()
    {
        var triplet = TestArchive.Gzip(
            TestArchive.Tar(
                [.. new[] { "ref/0.png", "p0/0.png", "p1/0.png",
                    "judge/0.npy" }.Select(name => TestArchive.File("val/cnn/" + name))]));
        CommandLine.Run(new Answer(HttpStatusCode.OK, triplet), "dataset", "fetch", "bapps", "--part 2afc-val", "-o",
            lpips.PathOf("d")).ShouldFail(1, "4720 are published", "and 5 more");
        CommandLine.Run(new Answer(HttpStatusCode.OK, TestArchive.Gzip(TestArchive.Tar(TestArchive.File("../evil")))),
            "dataset", "fetch", "bapps", "--part jnd", "-o", lpips.PathOf("d"))
            .ShouldFail(1, "../evil", "leads out of the folder");
        Assert.All(Directory.EnumerateFiles(lpips.Folder, "*", SearchOption.AllDirectories),
            path => Assert.True(Path.GetExtension(path) is ".lock" or ".bad", path));
    }

    [Fact]
    public void Wrong_arguments_and_empty_folders_are_one_clear_line()
    {
        CommandLine.Run("dataset", "fetch", "bapps").ShouldBeUsage("-o");
        CommandLine.Run("dataset", "fetch", "tid2013", "-o", lpips.Folder).ShouldBeUsage("tid2013");
        CommandLine.Run("dataset", "fetch", "bapps", "--part 2afc-test", "-o", lpips.Folder).ShouldBeUsage("2afc-test");
        CommandLine.Run("dataset", "check", lpips.PathOf("none")).ShouldFail(1, lpips.PathOf("none"));
        CommandLine.Run("dataset", "check", lpips.Folder)
            .ShouldFail(1, lpips.Folder, "no folders of triplets or pairs");
    }

    private static byte[] Jnd() => TestArchive.Gzip(TestArchive.Tar(
        from name in new[] { "traditional/{0}/000000", "traditional/{0}/000001", "cnn/{0}/000000" }
        from kind in new[] { "p0", "p1", "same" }
        select TestArchive.File(
            $"jnd/val/{name.Replace("{0}", kind, StringComparison.Ordinal)}{(kind == "same" ? ".npy" : ".png")}")));

    private sealed class Answer(HttpStatusCode status, byte[] content) : HttpMessageHandler
    {
        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
            new(status) { Content = new ByteArrayContent(content) };

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken) =>
                Task.FromResult(Send(request, cancellationToken));
    }
}
