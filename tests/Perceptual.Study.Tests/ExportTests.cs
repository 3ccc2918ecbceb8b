using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Perceptual.Study.Tests;

/// <summary>What becomes of the answers.</summary>
public sealed class ExportTests
{
    [Fact]
    public async Task What_is_exported_is_read_as_BAPPS_with_the_votes_that_were_given()
    {
        await using var study = await TestStudy.Start();
        foreach (var choice in new[] { "p0", "p1", "p1" })
        {
            using var judge = await Judge.Begin(study.Server.Address);
            await judge.Finish(trial => Task.FromResult(Side(study, trial, choice)));
        }
        var folder = study["export"];
        Exporter.Write(study.Path, folder);
        var set = Assert.Single(JudgementFiles.ReadTriplets(Path.Combine(folder, "bapps", "2afc", "val")));
        Assert.Equal(6, set.Items.Count);
        Assert.All(set.Items, item => Assert.Equal(2 / 3.0, item.Judge, 1e-6));
        Assert.Empty(BappsFolder.Find(Path.Combine(folder, "bapps"))[0].Check());
        var table = JudgementFiles.ReadTriplets(Path.Combine(folder, "triplets.csv"))[0];
        Assert.Equal(set.Items.Select(item => (item.Judge, Digest(item.Reference), Digest(item.P0), Digest(item.P1))),
            table.Items.Select(item => ((double)(float)item.Judge, Digest(item.Reference), Digest(item.P0),
                Digest(item.P1))));
        Assert.Equal("observer,reference,p0,p1,answer", File.ReadLines(Path.Combine(folder, "answers.csv")).First());
    }

    [Fact]
    public async Task What_has_a_name_like_that_of_an_unfinished_folder_is_left_alone()
    {
        await using var study = await TestStudy.Start();
        using (var judge = await Judge.Begin(study.Server.Address))
            await judge.Finish(trial => Task.FromResult(Side(study, trial, "right answer")));
        Directory.CreateDirectory(study["export.part"]);
        File.WriteAllText(study["export.part/precious"], "kept");
        Exporter.Write(study.Path, study["export"]);
        Assert.Equal("kept", File.ReadAllText(study["export.part/precious"]));
        Assert.Equal(["export", "export.part"], Directory.GetDirectories(Path.GetDirectoryName(study.Path)!)
            .Select(Path.GetFileName).Where(name => name!.StartsWith("export", StringComparison.Ordinal)).Order());
    }

    [Fact]
    public async Task The_manifest_has_the_digest_of_every_file_and_the_log_has_everybody()
    {
        await using var study = await TestStudy.Start(items: 12);
        using (var honest = await Judge.Begin(study.Server.Address))
            await honest.Finish(trial => Task.FromResult(Side(study, trial, "right answer")));
        using (var careless = await Judge.Begin(study.Server.Address))
            await careless.Finish(_ => Task.FromResult("left")); // half of the sentinels, and always one side
        var folder = study["export"];
        Exporter.Write(study.Path, folder);
        var manifest = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "manifest.json")))!;
        foreach (var (name, digest) in manifest["files"]!.AsObject())
            Assert.Equal(Digest(Path.Combine(folder, name)), (string)digest!);
        Assert.Equal(Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Length - 1,
            manifest["files"]!.AsObject().Count);
        Assert.Equal(["sentinels", "one side", "repeats"],
            manifest["excluded"]!.AsArray().Select(one => (string)one!["rule"]!));
        Assert.All(manifest["excluded"]!.AsArray(), one => Assert.Equal(2, (int)one!["observer"]!));
        Assert.Equal((24, 12), ((int)manifest["answers"]!, (int)manifest["answersKept"]!));
        var log = File.ReadLines(Path.Combine(folder, "log.jsonl")).Select(line => JsonNode.Parse(line)!).ToArray();
        Assert.Equal(2 * (1 + 3 + 12 + 4 + 4), log.Length);
        Assert.DoesNotContain(File.ReadLines(Path.Combine(folder, "answers.csv")), line => line[0] == '2');
    }

    [Fact]
    public async Task Answers_of_triplet_comparisons_have_the_columns_of_AIC_3_and_the_side_that_was_chosen()
    {
        await using var study = await TestStudy.Start("ptc");
        using (var judge = await Judge.Begin(study.Server.Address))
            await judge.Finish(trial => Task.FromResult(Side(study, trial, "right answer")));
        Exporter.Write(study.Path, study["export"]);
        using var csv = new CsvFile(study["export/answers.csv"]);
        var traps = 0;
        while (csv.Read())
            if (csv[csv.Column("trap")] == "1")
            {
                traps++;
                var gross = csv[csv.Column("left_codec")] == "99" ? "left" : "right";
                Assert.Equal(gross, csv[csv.Column("response")]);
            }
            else
                Assert.Equal("1", csv[csv.Column("same")]);
        Assert.Equal(4, traps);
        Assert.Equal("worker,assignment,order,source,left_codec,left_level,right_codec,right_level,pivot_codec,"
            + "pivot_level,same,cross,bias,trap,response,milliseconds",
            File.ReadLines(study["export/answers.csv"]).First());
    }

    // The side on which an answer is, looked up where no judge can look.
    private static string Side(TestStudy study, JsonNode trial, string answer)
    {
        var (isOfSentinels, item, isFlipped) = study.Study.Store.Read(open => open.Rows(
            row => (row.GetString(0) is "practice" or "sentinel", row.GetInt32(1), row.GetBoolean(2)),
            "select kind, item, flipped from trial where id = $1", (string)trial["id"]!))[0];
        if (isOfSentinels)
            answer = study.Definition.Sentinels[item].Answer!;
        else if (answer == "right answer")
            answer = "p0"; // as often on either side
        return answer == "p0" != isFlipped ? "left" : "right";
    }

    private static string Digest(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));
}
