namespace Perceptual.Tests.Judgements;

public sealed class ScaleFileTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void What_is_written_is_read()
    {
        ScaleValue[] values = [new("r", "a,b", 0.1 + 0.2, new(0.25, 1.0 / 3), 0), new("r", "c", 2, new(1, 3), 0)];
        AtomicFile.Write(folder["scale.csv"], stream => ScaleFile.Write(stream, values));
        Assert.Equal(values, ScaleFile.Read(folder["scale.csv"]));
    }

    [Fact]
    public void Scales_of_AIC_3_and_columns_beside_them_are_read()
    {
        var path = Write("source,codec,level,jnd,psnr\n2,1,3,0.5,41\n2,6,1,1.5,38\n");
        var (values, numbers) = ScaleFile.Read(path, ["psnr"]);
        var none = new Interval(double.NaN, double.NaN);
        Assert.Equal([new("2", "1-3", 0.5, none, 0), new("2", "6-1", 1.5, none, 0)], values);
        Assert.Equal([41, 38], Assert.Single(numbers));
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("reference,distorted\nr,a\n", "has no column jnd")]
    [InlineData("reference,distorted,jnd\n", "has no line after its column names")]
    [InlineData("reference,distorted,jnd\nr,a,1\nr,a,2\n", "line 3: a of r is there twice")]
    [InlineData("reference,distorted,jnd\nr,a,x\n", "line 2: jnd is \"x\", not a number")]
    [InlineData("reference,distorted,jnd,low,high\nr,a,1,2,1\n", "line 2: its interval is the wrong way round")]
    [InlineData("reference,distorted,jnd,low\nr,a,1,2\n", "has no column high")]
    public void Bad_input_is_refused(string text, string part) => Assert.Contains(part,
        Assert.Throws<InvalidDataException>(() => ScaleFile.Read(Write(text))).Message, StringComparison.Ordinal);

    private string Write(string text)
    {
        File.WriteAllText(folder["scale.csv"], text);
        return folder["scale.csv"];
    }
}
