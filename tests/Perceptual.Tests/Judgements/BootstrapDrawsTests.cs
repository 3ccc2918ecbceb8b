namespace Perceptual.Tests.Judgements;

public class BootstrapDrawsTests
{
    [Fact]
    public void Groups_are_drawn_with_all_their_judgements_as_a_plain_loop_draws_them()
    {
        string[] groups = ["b", "a", "b", "c", "b", "a", "d"];
        double[] values = [1, 2, 4, 8, 16, 32, 64];
        var replicates = BootstrapDraws.OfGroups(groups).Replicates(values, 7, MeanOf);
        string[] inOrder = ["b", "a", "c", "d"];
        for (var b = 0; b < replicates.Length; b++)
        {
            var random = SplitMix64.Stream(7, (ulong)b);
            var taken = new List<double>();
            for (var draw = 0; draw < inOrder.Length; draw++)
            {
                var group = inOrder[random.Next(inOrder.Length)];
                for (var i = 0; i < groups.Length; i++)
                    if (groups[i] == group)
                        taken.Add(values[i]);
            }
            Assert.Equal(taken.Sum() / taken.Count, replicates[b]);
        }
    }

    [Fact]
    public void Single_judgements_and_groups_of_one_are_drawn_as_the_plain_bootstrap_draws_them()
    {
        double[] values = [.. Enumerable.Range(0, 30).Select(i => Math.Sin(i))];
        var plain = Bootstrap.OfMean(values, 3);
        Assert.Equal(plain, BootstrapDraws.OfJudgements(30).Replicates(values, 3, MeanOf));
        Assert.Equal(plain,
            BootstrapDraws.OfGroups(Enumerable.Range(0, 30).Select(i => $"{i}")).Replicates(values, 3, MeanOf));
    }

    [Fact]
    public void People_are_drawn_with_all_their_votes_as_a_plain_loop_draws_them()
    {
        // Judgement, person, choice; the last judgement has only one vote, so that resamples without it lack it.
        (int Judgement, int Person, double Choice)[] all =
            [(0, 0, 1), (0, 1, 0), (0, 2, 0.5), (1, 0, 0), (1, 0, 1), (1, 2, 0), (2, 1, 1)];
        var votes = new Votes(3, [.. Enumerable.Range(0, 3).Select(judgement => all
            .Where(vote => vote.Judgement == judgement).Select(vote => (vote.Person, vote.Choice)).ToArray())]);
        var draws = BootstrapDraws.OfObservers(votes);
        Assert.Equal(3, draws.Count);
        var replicates = draws.Replicates([0.5, 1 / 3.0, 1], 5, MeanOf);
        var lacking = 0;
        for (var b = 0; b < replicates.Length; b++)
        {
            var random = SplitMix64.Stream(5, (ulong)b);
            int[] people = [random.Next(3), random.Next(3), random.Next(3)];
            var judged = new List<double>();
            for (var judgement = 0; judgement < 3; judgement++)
            {
                var choices = people.SelectMany(person => all
                    .Where(vote => vote.Judgement == judgement && vote.Person == person)).ToArray();
                if (choices.Length > 0)
                    judged.Add(choices.Sum(vote => vote.Choice) / choices.Length);
            }
            lacking += judged.Count < 3 ? 1 : 0;
            Assert.Equal(judged.Sum() / judged.Count, replicates[b], 1e-15);
        }
        Assert.InRange(lacking, 200, 400); // (2/3)^3 of 1000, and those of the second person alone
        Assert.Equal([0.5, 1 / 3.0, 1], votes.Of([0, 1, 2]));
    }

    // 20 references, 20 triplets each, whose values share a part: of 100 such studies the interval of references holds
    // the true mean in about 95, that of triplets in far fewer.
    [Fact]
    public void Where_judgements_of_a_reference_are_alike_only_its_draws_have_intervals_that_hold_the_truth()
    {
        var random = new GaussianRandom(11);
        string[] references = [.. Enumerable.Range(0, 400).Select(i => $"{i / 20}")];
        var (byReference, byTriplet) = (0, 0);
        for (var study = 0; study < 100; study++)
        {
            double[] shared = [.. Enumerable.Range(0, 20).Select(_ => random.Next())];
            double[] values = [.. Enumerable.Range(0, 400).Select(i => shared[i / 20] + random.Next())];
            byReference += Holds(BootstrapDraws.OfGroups(references), values);
            byTriplet += Holds(BootstrapDraws.OfJudgements(400), values);
        }
        Assert.InRange(byReference, 84, 99); // percentiles of 20 draws are a little narrow
        Assert.InRange(byTriplet, 10, 60);

        int Holds(BootstrapDraws draws, double[] values) =>
            Bootstrap.Percentiles(draws.Replicates(values, 1, MeanOf, 300)) is var interval
            && interval.Low <= 0 && interval.High >= 0 ? 1 : 0;
    }

    private static double MeanOf(ReadOnlySpan<int> indices, double[] values)
    {
        var sum = 0.0;
        foreach (var i in indices)
            sum += values[i];
        return sum / indices.Length;
    }
}
