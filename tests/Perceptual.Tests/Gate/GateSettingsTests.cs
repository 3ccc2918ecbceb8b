namespace Perceptual.Tests.Gate;

public sealed class GateSettingsTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void What_is_written_is_read()
    {
        var settings = new GateSettings
        {
            Limits = new Dictionary<string, double> { ["colour:8"] = 1.25, ["ssim patch:16"] = 0 },
            Ignore = ["1,2,3,4", "masks/\"<é>.png"],
            Images =
            [
                new("a*.png") { Limits = new Dictionary<string, double?> { ["colour:8"] = null, ["l2"] = 0.5 } },
                new("b.png") { Ignore = ["5,6,7,8"] },
            ],
            Learned = new(6, 40, 0.01, 0.95),
        };
        settings.Write(folder["perceptual.json"]);
        var read = GateSettings.Read(folder["perceptual.json"]);
        Assert.Equal(settings.Limits, read.Limits);
        Assert.Equal(settings.Ignore, read.Ignore);
        Assert.Equal(settings.Learned, read.Learned);
        Assert.Equal(["a*.png", "b.png"], read.Images.Select(rule => rule.Match));
        Assert.Equal(settings.Images[0].Limits, read.Images[0].Limits);
        Assert.Equal(settings.Images[1].Ignore, read.Images[1].Ignore);
        read.Write(folder["again.json"]);
        Assert.Equal(File.ReadAllBytes(folder["perceptual.json"]), File.ReadAllBytes(folder["again.json"]));
    }

    [Fact]
    public void A_later_rule_has_the_last_word_and_null_takes_a_witness_away()
    {
        var settings = Read("""
            {
              "limits": { "colour:8": 1, "colour:16": 2 },
              "ignore": ["0,0,1,1"],
              "images": [
                { "match": "x/**", "limits": { "colour:8": 3, "l2": 9 }, "ignore": ["1,1,1,1"] },
                { "match": "x/y/?.png", "limits": { "colour:8": 4, "colour:16": null } }
              ]
            }
            """);
        Assert.Equal("colour:8 1, colour:16 2", Limits("z.png"));
        Assert.Equal("colour:8 3, colour:16 2, l2 9", Limits("x/z.png"));
        Assert.Equal("colour:8 4, l2 9", Limits("x/y/z.png"));
        Assert.Equal("colour:8 3, colour:16 2, l2 9", Limits("x/y/zz.png"));
        Assert.Equal(["0,0,1,1", "1,1,1,1"], settings.IgnoreOf("x/z.png"));
        Assert.Equal(["0,0,1,1"], settings.IgnoreOf("xx/z.png"));

        string Limits(string name) =>
            string.Join(", ", settings.LimitsOf(name).Select(limit => $"{limit.Key} {limit.Value}"));
    }

    [Theory]
    [InlineData("*.png", "a.png", true)]
    [InlineData("*.png", "x/a.png", false)]
    [InlineData("**/*.png", "a.png", true)]
    [InlineData("**/*.png", "x/y/a.png", true)]
    [InlineData("x/**", "x/y/a.png", true)]
    [InlineData("x/**", "xy/a.png", false)]
    [InlineData("a?.png", "a/.png", false)]
    [InlineData("a+(1).png", "a+(1).png", true)]
    [InlineData("a.png", "aXpng", false)]
    [InlineData("[a-z].png", "b.png", false)]
    [InlineData("*a*a*a*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false)]
    public void Patterns_match_names(string pattern, string name, bool matches) =>
        Assert.Equal(matches, new GateRule(pattern).Matches(name));

    [Theory]
    [InlineData("""{ "limit": { "colour:8": 1 } }""", "limit", "limits, ignore, images, learned")]
    [InlineData("""{ "limits": { "color:8": 1 } }""", "color:8", "colour:N")]
    [InlineData("""{ "limits": { "colour:8": "1" } }""", "the limit of colour:8 is not a number")]
    [InlineData("""{ "limits": { "colour:8": -1 } }""", "the limit of colour:8 is not a number")]
    [InlineData("""{ "limits": { "colour:8": 1e999 } }""", "the limit of colour:8 is not a number")]
    [InlineData("""{ "limits": { "colour:8": null } }""", "colour:8 is null")]
    [InlineData("""{ "limits": { "colour:8": 1, "colour:8": 2 } }""", "colour:8 twice")]
    [InlineData("""{ "limits": {}, "limits": {} }""", "limits twice")]
    [InlineData("""{ "limits": 1 }""", "limits is not an object")]
    [InlineData("""{ "ignore": "1,2,3,4" }""", "ignore is not a list")]
    [InlineData("""{ "ignore": [1] }""", "ignore has something that is not a text")]
    [InlineData("""{ "images": [{ "limits": {} }] }""", "has no match")]
    [InlineData("""{ "images": [{ "match": "a", "mask": [] }] }""", "mask", "match, limits, ignore")]
    [InlineData("""{ "learned": { "runs": 3 } }""", "learned has no pictures")]
    [InlineData("""{ "learned": { "runs": 3, "when": 1 } }""", "when")]
    [InlineData("[]", "the file is not an object")]
    [InlineData("{ \"limits\": ", "is not JSON")]
    [InlineData("", "is not JSON")]
    [InlineData("{ // limits\n}", "is not JSON")]
    public void What_cannot_be_is_refused_by_name(string json, params string[] parts)
    {
        var message = Assert.Throws<InvalidDataException>(() => Read(json)).Message;
        Assert.StartsWith(folder["perceptual.json"], message, StringComparison.Ordinal);
        Assert.All(parts, part => Assert.Contains(part, message, StringComparison.Ordinal));
    }

    private GateSettings Read(string json)
    {
        File.WriteAllText(folder["perceptual.json"], json);
        return GateSettings.Read(folder["perceptual.json"]);
    }
}
