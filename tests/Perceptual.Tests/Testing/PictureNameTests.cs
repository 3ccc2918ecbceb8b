namespace Perceptual.Tests.Testing;

public class PictureNameTests
{
    [Theory]
    [InlineData("page", "page.png")]
    [InlineData("page.png", "page.png")]
    [InlineData("page.webp", "page.webp")]
    [InlineData("v1.2", "v1.2.png")]
    [InlineData("charts/Größe 1 (dark)", "charts/Größe 1 (dark).png")]
    [InlineData("日本/😀", "日本/😀.png")]
    [InlineData("console", "console.png")]
    public void A_name_is_that_of_a_file(string name, string file) =>
        Assert.Equal(file, PictureName.FileOf(name, byPlatform: false));

    [Theory]
    [InlineData("")]
    [InlineData("/page")]
    [InlineData("page/")]
    [InlineData("a//b")]
    [InlineData("..")]
    [InlineData("../page")]
    [InlineData("a/../../page")]
    [InlineData("./page")]
    [InlineData(".hidden")]
    [InlineData(@"..\page")]
    [InlineData("C:page")]
    [InlineData("page:stream")]
    [InlineData("what?")]
    [InlineData("a|b")]
    [InlineData("a<b>")]
    [InlineData("\"a\"")]
    [InlineData("*")]
    [InlineData("page.")]
    [InlineData("page ")]
    [InlineData("a /b")]
    [InlineData("a\nb")]
    [InlineData("a\u009bb")]
    [InlineData("a\0b")]
    [InlineData("a\ud800b")]
    [InlineData("con")]
    [InlineData("x/NUL.png")]
    [InlineData("Com1")]
    [InlineData("lpt¹.txt")]
    public void A_name_that_leads_elsewhere_or_that_not_every_file_system_takes_is_refused(string name)
    {
        var refused = Assert.Throws<ArgumentException>(() => PictureName.FileOf(name, byPlatform: false));
        Assert.DoesNotContain('\n', refused.Message);
    }
}
