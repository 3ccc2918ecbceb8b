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
    [InlineData("reference,p0,p1\na,a,a", "no column judge")]
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
