using System.Text;

namespace Perceptual.Tests.Judgements;

public sealed class JudgementFilesTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Triplets_of_a_BAPPS_folder_are_joined_by_name()
    {
        // Written in another order than read, with extensions that sort differently.
        foreach (var name in new[] { "000002", "000000", "000001" })
            WriteTriplet("val/traditional", name);
        folder.Write("val/traditional/p1/000001.jpg", []);
        File.Delete(folder["val/traditional/p1/000001.png"]);
        folder.Write("val/traditional/judge/000001.npy", Npy("<f8", "()", 0.2));
        folder.Write("val/traditional/judge/000002.npy", Npy("<f4", "(1, 1, 1)", 1));
        folder.Write("val/traditional/ref/.DS_Store", [1]);
        var set = Assert.Single(JudgementFiles.ReadTriplets(folder["val/traditional"] + "/"));
        Assert.Equal("traditional", set.Name);
        Assert.Equal([0.6f, 0.2, 1], set.Items.Select(triplet => triplet.Judge));
        Assert.Equal(new Triplet(folder["val/traditional/ref/000001.png"], folder["val/traditional/p0/000001.png"],
            folder["val/traditional/p1/000001.jpg"], 0.2), set.Items[1]);

        WriteTriplet("val/cnn", "a");
        Assert.Equal(["cnn", "traditional"], JudgementFiles.ReadTriplets(folder["val"]).Select(each => each.Name));
    }

    [Fact]
    public void Just_noticeable_differences_are_read_in_the_same_way()
    {
        foreach (var name in new[] { "b", "a" })
        {
            folder.Write($"cnn/p0/{name}.png", []);
            folder.Write($"cnn/p1/{name}.png", []);
            folder.Write($"cnn/same/{name}.npy", Npy("<f4", "(1,)", name == "a" ? 0 : 1));
        }
        var set = Assert.Single(JudgementFiles.ReadJnd(folder["cnn"]));
        Assert.Equal([new JndPair(folder["cnn/p0/a.png"], folder["cnn/p1/a.png"], 0),
            new(folder["cnn/p0/b.png"], folder["cnn/p1/b.png"], 1)], set.Items);
        Refuses(() => JudgementFiles.ReadTriplets(folder["cnn"]), "ref");
    }

    [Theory]
    [InlineData("ref/b.png", "p0")]
    [InlineData("p1/b.png", "judge")]
    [InlineData("p0/b.png", "p1")]
    [InlineData("judge/b.npy", "p0")]
    public void A_missing_partner_is_named(string removed, string other)
    {
        WriteTriplet("set", "a");
        WriteTriplet("set", "b");
        File.Delete(folder["set/" + removed]);
        Refuses(() => JudgementFiles.ReadTriplets(folder["set"]), $"{Path.DirectorySeparatorChar}b.", "no partner b",
            Path.Combine(folder["set"], removed.Split('/')[0]));
        File.Delete(folder[$"set/{other}/a.{(other == "judge" ? "npy" : "png")}"]);
        Refuses(() => JudgementFiles.ReadTriplets(folder["set"]), "no partner");
    }

    [Theory]
    [InlineData("<f4", "(1,)", 1.5, "1.5, not in [0, 1]")]
    [InlineData("<f8", "()", double.NaN, "NaN, not in [0, 1]")]
    [InlineData("<f8", "(1,)", -0.1, "-0.1, not in [0, 1]")]
    [InlineData("<i4", "(1,)", 0, "type <i4", "float32 or float64")]
    [InlineData(">f4", "(1,)", 0, "type >f4")]
    [InlineData("<f4", "(2,)", 0, "shape (2)")]
    public void A_bad_judgement_is_refused_with_its_file(string type, string shape, double value, params string[] parts)
    {
        WriteTriplet("set", "a");
        var path = folder.Write("set/judge/a.npy", Npy(type, shape, value));
        Refuses(() => JudgementFiles.ReadTriplets(folder["set"]), [path, .. parts]);
    }

    [Fact]
    public void Folders_that_are_not_judgements_are_refused()
    {
        Directory.CreateDirectory(folder["empty"]);
        Refuses(() => JudgementFiles.ReadTriplets(folder["empty"]), folder["empty"], "ref, p0, p1 and judge");
        Refuses(() => JudgementFiles.ReadJnd(folder["empty"]), folder["empty"], "p0, p1 and same");
        Assert.Throws<DirectoryNotFoundException>(() => JudgementFiles.ReadTriplets(folder["none"]));

        WriteTriplet("set", "a");
        folder.Write("set/p0/a.bmp", []);
        Refuses(() => JudgementFiles.ReadTriplets(folder["set"]), "a.png", "a.bmp", "by name");
        foreach (var part in new[] { "ref", "p0", "p1", "judge" })
        {
            Directory.Delete(folder["set/" + part], recursive: true);
            Directory.CreateDirectory(folder["set/" + part]);
        }
        Refuses(() => JudgementFiles.ReadTriplets(folder["set"]), folder["set"], "no judgements");
        folder.Write("set/judge/a.txt", []);
        foreach (var part in new[] { "ref", "p0", "p1" })
            folder.Write($"set/{part}/a.png", []);
        Refuses(() => JudgementFiles.ReadTriplets(folder["set"]), "a.txt", "NumPy");
    }

    [Fact]
    public void A_table_of_triplets_has_judgements_or_votes()
    {
        foreach (var name in new[] { "a.jpg", "b, c.png", "sub/d.png" })
            folder.Write(name, []);
        Table("judged.csv", "note,p1,p0,judge,reference\nx,sub/d.png,\"b, c.png\",0.25,a.jpg\n");
        var set = Assert.Single(JudgementFiles.ReadTriplets(folder["judged.csv"]));
        Assert.Equal(("judged", new Triplet(folder["a.jpg"], folder["b, c.png"], folder["sub/d.png"], 0.25)),
            (set.Name, Assert.Single(set.Items)));

        Table("sub/votes.csv", "reference,p0,p1,votes_p0,votes_p1\na.jpg,a.jpg,a.jpg,3,1\na.jpg,a.jpg,a.jpg,0,2\n");
        Assert.Equal([0.25, 1], JudgementFiles.ReadTriplets(folder["sub/votes.csv"],
            folder.Root)[0].Items.Select(triplet => triplet.Judge));
        Refuses(() => JudgementFiles.ReadTriplets(folder["sub/votes.csv"]), "votes.csv, line 2",
            Path.Combine(folder["sub"], "a.jpg"));
    }

    [Theory]
    [InlineData(',')]
    [InlineData(';')]
    [InlineData('\t')]
    public void A_row_for_each_vote_says_the_same_as_the_votes_counted(char separator)
    {
        foreach (var name in new[] { "a", "b", "c", "d" })
            folder.Write(name, []);
        var counted = JudgementFiles.ReadTriplets(Table("counted.csv",
            "reference,p0,p1,votes_p0,votes_p1\na,b,c,2,1\nd,b,c,0.5,1.5\na,b,d,0,1\n"))[0];
        // The second vote saw the two the other way round, and what is known of a trap is no vote.
        var votes = JudgementFiles.ReadTriplets(Table("votes.csv", """
            observer,reference,p0,p1,choice,trap
            ann,a,b,c,p0,0
            bob,a,c,b,p1,0
            ann,d,b,c,notsure,0
            eve,a,b,c,p1,0
            eve,a,a,c,p1,1
            bob,d,b,c,p1,0
            ann,a,b,d,p1,0
            """.Replace(',', separator)))[0];
        Assert.Equal(counted.Items, votes.Items);
        Assert.Equal("votes", votes.Name);
        Assert.Null(counted.Votes);
        Assert.Equal(3, votes.Votes!.Observers);
        Assert.Equal(counted.Items.Select(item => item.Judge), votes.Votes.Of([0, 1, 2]));
        Assert.Equal([0.0, 0.75, 1], votes.Votes.Of([0, 1]));

        var nobody = JudgementFiles.ReadTriplets(
            Table("nobody.csv", "reference,p0,p1,answer\na,b,c,p1\na,c,b,p1\n"))[0];
        Assert.Equal((0.5, null), (Assert.Single(nobody.Items).Judge, nobody.Votes));
    }

    [Fact]
    public void A_table_of_pairs_has_fractions_votes_or_a_row_for_each_vote()
    {
        foreach (var name in new[] { "a", "b", "c" })
            folder.Write(name, []);
        var set = Assert.Single(JudgementFiles.ReadJnd(Table("same.csv", "p0,p1,same\na,b,0.25\na,c,1\n")));
        Assert.Equal([new JndPair(folder["a"], folder["b"], 0.25), new(folder["a"], folder["c"], 1)], set.Items);
        Assert.Equal(set.Items, JudgementFiles.ReadJnd(
            Table("votes.csv", "p0;p1;votes_same;votes_different\na;b;1;3\na;c;2;0\n"))[0].Items);
        var rows = JudgementFiles.ReadJnd(Table("rows.csv", "observer,p0,p1,choice\n"
            + "x,a,b,different\ny,b,a,same\nx,a,c,same\nz,b,a,different\nz,a,b,different\n"))[0];
        Assert.Equal(set.Items, rows.Items); // whichever came first, what was said of the two stays
        Assert.Equal(3, rows.Votes!.Observers);
        Refuses(() => JudgementFiles.ReadJnd(Table("bad.csv", "p0,p1,choice\na,b,p0\n")),
            "line 2: choice is \"p0\"; it must be different, same or notsure");
        Refuses(() => JudgementFiles.ReadJnd(Table("bad.csv", "p0,p1,judge\na,b,1\n")),
            "no column same, nor votes_different and votes_same, nor choice");
    }

    [Theory]
    [InlineData("reference,p0,p1,choice\na,a,a,left", "line 2: choice is \"left\"; it must be p0, p1 or notsure")]
    [InlineData("reference,p0,p1,choice,answer\na,a,a,p0,p0", "the columns answer and choice")]
    [InlineData("reference,p0,p1,choice,observer\na,a,a,p0,", "line 2: names no observer")]
    [InlineData("reference,p0,p1,choice,trap\na,a,a,p0,1", "has no votes")]
    [InlineData("reference,p0,p1,choice\na,gone,a,p0", "line 2", "gone")]
    [InlineData("reference,p0,p1\na,a,a", "no column judge", "votes_p0 and votes_p1", "choice")]
    [InlineData("reference,p0,p1,votes_p1\na,a,a,1", "no column votes_p0")]
    [InlineData("reference,p1,judge\na,a,1", "no column p0")]
    [InlineData("reference,p0,p1,judge\n", "no line")]
    [InlineData("reference,p0,p1,judge\na,a,a,0\na,a,a,1.5", "line 3", "judge is 1.5")]
    [InlineData("reference,p0,p1,judge\na,a,a,nan", "line 2", "NaN")]
    [InlineData("reference,p0,p1,judge\na,a,gone,0", "line 2", "gone")]
    [InlineData("reference,p0,p1,judge\na,,a,0", "line 2", "names no file")]
    [InlineData("reference,p0,p1,votes_p0,votes_p1\na,a,a,0,0", "line 2", "both 0")]
    [InlineData("reference,p0,p1,votes_p0,votes_p1\na,a,a,-1,2", "line 2", "votes_p0 is -1, not 0 or more")]
    public void A_bad_table_of_triplets_is_refused(string text, params string[] parts)
    {
        folder.Write("a", []);
        var path = Table("t.csv", text);
        Refuses(() => JudgementFiles.ReadTriplets(path), [path, .. parts]);
    }

    [Fact]
    public void Tables_of_opinions_and_of_recorded_distances_are_read()
    {
        folder.Write("a", []);
        var opinions = JudgementFiles.ReadOpinions(Table("mos.csv", "reference,distorted,mos,who\na,a,-3.5,x\n"));
        Assert.Equal(("mos", new OpinionPair(folder["a"], folder["a"], -3.5)),
            (opinions.Name, Assert.Single(opinions.Items)));
        Refuses(() => JudgementFiles.ReadOpinions(Table("bad.csv", "reference,distorted,mos\na,a,inf\n")),
            "line 2", "mos");

        var recorded = JudgementFiles.ReadRecorded(Table("alex.csv", "id,d0,d1,judge\n0,1e-3,0.5,0.8\n"));
        Assert.Equal(("alex", new RecordedTriplet(1e-3, 0.5, 0.8)), (recorded.Name, Assert.Single(recorded.Items)));
        recorded = JudgementFiles.ReadRecorded(Table("named.csv", "d0,d1,judge,reference\n1,2,1,sea\n"));
        Assert.Equal("sea", recorded.Items[0].Reference);
        Refuses(() => JudgementFiles.ReadRecorded(Table("bad.csv", "d0,d1,judge\n1,2,3\n")), "line 2", "judge is 3");
    }

    [Fact]
    public void The_judgements_of_materials_are_read()
    {
        var set = Assert.Single(JudgementFiles.ReadTriplets(Shared.Path("judgements/material/train.csv"),
            Shared.Path("judgements/material/images")));
        Assert.Equal(("train", 22_801), (set.Name, set.Items.Count));
        Assert.Equal(0.25, set.Items[0].Judge);
    }

    private void WriteTriplet(string set, string name)
    {
        foreach (var part in new[] { "ref", "p0", "p1" })
            folder.Write($"{set}/{part}/{name}.png", []);
        folder.Write($"{set}/judge/{name}.npy", Npy("<f4", "(1,)", 0.6));
    }

    private string Table(string name, string text) => folder.Write(name, Encoding.UTF8.GetBytes(text));

    private static byte[] Npy(string type, string shape, double value)
    {
        var header = Encoding.ASCII.GetBytes($"{{'descr': '{type}', 'fortran_order': False, 'shape': {shape}, }}\n");
        var bytes = type.EndsWith('8') ? BitConverter.GetBytes(value) : BitConverter.GetBytes((float)value);
        return [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0, .. header, .. bytes, .. shape == "(2,)" ? bytes : []];
    }

    private static void Refuses(Func<object> read, params string[] parts)
    {
        Exception problem = Assert.ThrowsAny<IOException>(() =>
        {
            try
            {
                read();
            }
            catch (InvalidDataException e)
            {
                throw new IOException(e.Message);
            }
        });
        Assert.All(parts, part => Assert.Contains(part, problem.Message, StringComparison.Ordinal));
    }
}
