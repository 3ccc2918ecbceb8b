using Perceptual.Tests;

namespace Perceptual.Study.Tests;

public sealed class NewStudyTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void An_image_that_occurs_often_is_kept_once()
    {
        var made = Make("2afc", "reference,p0,p1\na.png,b.png,c.png\na.png,c.png,b.png\nb.png,a.png,c.png\n");
        Assert.Equal(["a.png", "b.png", "c.png", "gross-a.png", "gross-b.png"], made.Images.Keys.Order());
        Assert.Equal([new("a.png", "b.png", "c.png"), new("a.png", "c.png", "b.png"), new("b.png", "a.png", "c.png")],
            made.Items);
    }

    [Fact]
    public void Boosted_versions_differ_twice_as_much_from_their_reference_and_are_twice_as_large()
    {
        Flat("a.png", 100);
        Flat("b.png", 110);
        Flat("c.png", 20);
        var made = Make("btc", "reference,p0,p1\na.png,b.png,c.png\n", makeImages: false);
        Assert.Equal((100, 16), Shown(made.Items[0].Reference!));
        Assert.Equal((120, 16), Shown(made.Items[0].P0));
        Assert.Equal((0, 16), Shown(made.Items[0].P1)); // 100 - 2 * 80, below black

        (int Value, int Width) Shown(string name)
        {
            var image = ImageFile.Read(folder[$"study/images/{name}"]);
            var row = new float[image.Width];
            image.CopyStoredRow(1, 3, row);
            return ((int)row[5], image.Width);
        }
    }

    [Fact]
    public void Images_of_other_sizes_than_their_reference_are_refused_by_name_and_nothing_is_left()
    {
        ImageFile.WritePng(folder["small.png"], TestImages.Waves(20, 24, 1));
        var error = Assert.Throws<InvalidDataException>(
            () => Make("2afc", "reference,p0,p1\na.png,b.png,c.png\na.png,b.png,small.png\n"));
        Assert.Equal("small.png is 20x24 but a.png is 32x24", error.Message);
        Assert.Equal(["a.png", "b.png", "c.png", "small.png", "t.csv"], folder.Files);
    }

    [Fact]
    public void Codecs_and_levels_of_the_table_are_kept_and_otherwise_counted()
    {
        var given = Make("ptc", "reference,p0,p1,source,p0_codec,p0_level,p1_codec,p1_level\n"
            + "a.png,b.png,c.png,7,6,2,6,5\n");
        Assert.Equal((7, 0, 0), Label(given, "a.png"));
        Assert.Equal((7, 6, 5), Label(given, "c.png"));
        Directory.Delete(folder["study"], recursive: true);
        var counted = Make("ptc", "reference,p0,p1\na.png,b.png,c.png\n");
        Assert.Equal(((1, 1, 1), (1, 1, 2)), (Label(counted, "b.png"), Label(counted, "c.png")));

        static (int, int, int) Label(Definition made, string name) =>
            (made.Images[name].Source, made.Images[name].Codec, made.Images[name].Level);
    }

    [Theory]
    [InlineData("\"method\": \"2afc\"", "\"method\": \"3afc\"", "there is no method 3afc")]
    [InlineData("\"votesPerItem\": 5", "\"votesPerItem\": 0", "votesPerItem is 0")]
    [InlineData("\"zoom\": 0", "\"zoom\": 0, \"zooom\": 1", "zooom")]
    [InlineData("\"fastShare\": 0.2", "\"fastShare\": 1.5", "exclusion.fastShare is 1.5")]
    [InlineData("\"p0\": \"b.png\"", "\"p0\": \"../b.png\"", "../b.png is not among the images")]
    [InlineData("\"b.png\": {", "\"../b.png\": {", "../b.png is not the name of a PNG file")]
    public void A_definition_that_is_not_sound_is_refused_by_name(string what, string with, string why)
    {
        Make("2afc", "reference,p0,p1\na.png,b.png,c.png\n");
        var text = File.ReadAllText(folder["study/study.json"]);
        Assert.Contains(what, text, StringComparison.Ordinal);
        File.WriteAllText(folder["study/study.json"], text.Replace(what, with, StringComparison.Ordinal));
        var error = Assert.Throws<InvalidDataException>(() => new StudyFolder(folder["study"])).Message;
        Assert.StartsWith(folder["study/study.json"], error, StringComparison.Ordinal);
        Assert.Contains(why, error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_image_that_was_changed_is_refused_by_name()
    {
        Make("2afc", "reference,p0,p1\na.png,b.png,c.png\n");
        ImageFile.WritePng(folder["study/images/b.png"], TestImages.Waves(32, 24, 99));
        var error = Assert.Throws<InvalidDataException>(() => new StudyFolder(folder["study"])).Message;
        Assert.StartsWith(folder["study/images/b.png"], error, StringComparison.Ordinal);
    }

    private void Flat(string name, byte value)
    {
        var pixels = new byte[3 * 8 * 8];
        Array.Fill(pixels, value);
        ImageFile.WritePng(folder[name], RgbImage.FromInterleaved(pixels, 8, 8));
    }

    private Definition Make(string method, string table, bool makeImages = true)
    {
        foreach (var (i, name) in new[] { "a.png", "b.png", "c.png" }.Index())
            if (makeImages)
                ImageFile.WritePng(folder[name], TestImages.Waves(32, 24, i));
        File.WriteAllText(folder["t.csv"], table);
        return NewStudy.Make(folder["study"], Method.Find(method)!, folder["t.csv"]);
    }
}
