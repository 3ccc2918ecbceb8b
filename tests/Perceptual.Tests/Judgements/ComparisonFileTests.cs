namespace Perceptual.Tests.Judgements;

public sealed class ComparisonFileTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Of_pairs_the_one_that_is_not_closer_is_further()
    {
        var answers = ComparisonFile.Read(Write("""
            observer,reference,p0,p1,answer,more
            7,r,a,b,p0,x
            7,r,r,b,p1,x
            8,r,a,b,notsure,x
            8,r,a,a,p0,x
            """));
        Assert.Equal(
            [
                new("r", "a", "b", 1, "7", false, false), new("r", "r", "b", 0, "7", false, false),
                new("r", "a", "b", 0.5, "8", false, false),
            ], answers);
    }

    [Fact]
    public void Triplets_are_of_names_or_of_codecs_and_levels()
    {
        var answers = ComparisonFile.Read(Write("""
            worker,source,left_codec,left_level,right_codec,right_level,pivot_codec,pivot_level,trap,response
            1,2,0,0,6,10,0,0,1,right
            1,2,6,3,6,1,0,0,0,left
            1,2,6,3,6,1,0,0,0,skip
            """), areBoosted: true);
        Assert.Equal(
            [new("2", "2", "6-10", 1, "1", true, true), new("2", "6-3", "6-1", 0, "1", true, false)], answers);
        Assert.Equal([new("o", "a", "o", 0.5, null, false, false)],
            ComparisonFile.Read(Write("left,right,pivot,response\na,o,o,notsure\n")));
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("d0,d1\n1,2\n", "neither the columns reference,p0,p1,answer of pairs nor left,right,pivot,response")]
    [InlineData("reference,p0,p1\nr,a,b\n", "has no column answer")]
    [InlineData("left,right,response\na,b,left\n", "has no column pivot")]
    [InlineData("reference,p0,p1,answer\n", "has no answers that compare two images")]
    [InlineData("reference,p0,p1,answer\nr,a,b,p0\nr,a,b,left\n", "line 3: answer is \"left\"; it must be p0, ")]
    [InlineData("left,right,pivot,response\na,b,o,p0\n", "line 2: response is \"p0\"; it must be left, ")]
    [InlineData("reference,p0,p1,answer\nr,,b,p0\n", "line 2: p0 names no image")]
    [InlineData("reference,p0,p1,answer,observer\nr,a,b,p0,\n", "line 2: names no observer")]
    [InlineData("reference,p0,p1,answer,trap\nr,a,b,p0,2\n", "line 2: trap is 2, not in [0, 1]")]
    [InlineData("reference,p0,p1,answer,trap\nr,a,b,p0,1\n", "line 2: is a trap, but neither of its images is the ref")]
    [InlineData("source,left,right,pivot,response\ns,a,b,o,left\ns,a,b,a,left\n", "line 3: its pivot is a, but")]
    public void Bad_input_is_refused_by_line(string text, string part)
    {
        var path = Write(text);
        var e = Assert.Throws<InvalidDataException>(() => ComparisonFile.Read(path));
        Assert.StartsWith(path, e.Message, StringComparison.Ordinal);
        Assert.Contains(part, e.Message, StringComparison.Ordinal);
    }

    private string Write(string text)
    {
        var path = folder["answers.csv"];
        File.WriteAllText(path, text);
        return path;
    }
}
