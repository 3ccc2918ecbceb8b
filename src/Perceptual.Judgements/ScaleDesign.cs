using MathNet.Numerics.Distributions;

namespace Perceptual.Judgements;

/// <summary>The answers of one judge to one kind of question; a single answer, if nobody knows whose it is.</summary>
internal sealed record Ballot(string? Name, bool IsBoosted, IReadOnlyList<Comparison> Answers)
{
    public int Traps { get; } = Answers.Count(answer => answer.IsTrap);

    // Right is that the image differs more than the reference itself.
    public int TrapsRight { get; } = Answers.Count(answer => answer.IsTrap
        && answer.Further == (answer.First == answer.Reference ? 1 : 0));

    /// <summary>The ballots in the order of their first answers.</summary>
    public static Ballot[] Of(IReadOnlyList<Comparison> comparisons)
    {
        var ballots = new List<(string? Name, bool IsBoosted, List<Comparison> Answers)>();
        var known = new Dictionary<(string, bool), int>();
        foreach (var answer in comparisons)
            if (answer.Judge is { } judge && known.TryGetValue((judge, answer.IsBoosted), out var ballot))
            {
                ballots[ballot].Answers.Add(answer);
            }
            else
            {
                if (answer.Judge is not null)
                    known.Add((answer.Judge, answer.IsBoosted), ballots.Count);
                ballots.Add((answer.Judge, answer.IsBoosted, [answer]));
            }
        return [.. ballots.Select(each => new Ballot(each.Name, each.IsBoosted, each.Answers))];
    }

    public bool Misses(double minimumTraps) => TrapsRight < minimumTraps * Traps;
}

/// <summary>Which images and pairs of images answers are about, and how often each answer was given.</summary>
internal sealed class ScaleDesign
{
    private const int MaxImages = 1000; // the time of a fit grows with the cube

    private readonly Dictionary<(string Reference, string Name), int> numbers = [];
    private readonly List<(string Reference, string Name)> images = [];
    private readonly List<ComparedPair> pairs = [];
    private readonly List<string> boosted = [];
    private readonly (int Pair, double Further)[][] answers; // of each ballot
    private readonly int[] origin; // of each image: that which is 0, if its reference was not compared; or -1

    /// <exception cref="InvalidDataException">See <see cref="JndScale.Of"/>.</exception>
    public ScaleDesign(IReadOnlyList<Ballot> ballots, ScaleOptions options)
    {
        var known = new Dictionary<ComparedPair, int>();
        answers = [.. ballots.Select(ballot => ballot.Answers.Select(answer => Number(answer, known)).ToArray())];
        if (images.Count > MaxImages)
            throw new InvalidDataException($"the answers are about {images.Count} images, at most {MaxImages} can be "
                + "scaled at a time; scale a part of the references");
        double?[] distances = [.. images.Select(image => image.Name == image.Reference ? 0
            : options.Known.TryGetValue(image, out var distance) ? distance : (double?)null)];
        foreach (var group in Enumerable.Range(0, images.Count).GroupBy(i => images[i].Reference))
            Check([.. group], distances);
        origin = [.. images.Select(_ => -1)];
        Model = new(options.Link, distances, pairs, boosted.Count, options.HasLapses);
    }

    public ScaleModel Model { get; }

    public IReadOnlyList<(string Reference, string Name)> Images => images;

    /// <summary>The references with boosted answers.</summary>
    public IReadOnlyList<string> Boosted => boosted;

    /// <summary>
    /// How often each answer was given to each pair, if each ballot counts so many times (null: once).
    /// </summary>
    public (double[] Further, double[] Answers) Count(int[]? times)
    {
        var (further, all) = (new double[pairs.Count], new double[pairs.Count]);
        for (var b = 0; b < answers.Length; b++)
            if ((times?[b] ?? 1) is > 0 and var count)
                foreach (var (pair, answer) in answers[b])
                {
                    further[pair] += count * answer;
                    all[pair] += count;
                }
        return (further, all);
    }

    /// <summary>Where a reference was not compared, the image closest to it is 0 from now on.</summary>
    public void SetOrigins(double[] parameters)
    {
        foreach (var group in Enumerable.Range(0, images.Count).GroupBy(i => images[i].Reference))
            if (group.All(i => Model.IsFree(i)))
            {
                var closest = group.MinBy(i => Model.Distance(parameters, i));
                foreach (var i in group)
                    origin[i] = closest;
            }
    }

    /// <summary>The distances of all images, in JND.</summary>
    public double[] Distances(double[] parameters) =>
    [
        .. images.Select((_, i) => Model.Distance(parameters, i)
            - (origin[i] < 0 ? 0 : Model.Distance(parameters, origin[i]))),
    ];

    /// <summary>How many answers each image is part of.</summary>
    public int[] AnswersOf()
    {
        var count = new int[images.Count];
        foreach (var (pair, _) in answers.SelectMany(ballot => ballot))
        {
            count[pairs[pair].First]++;
            count[pairs[pair].Second]++;
        }
        return count;
    }

    /// <summary>How well a judge, of those who are used or of others, agrees with the scale.</summary>
    public Judge Judge(Ballot ballot, bool isExcluded, double[] parameters)
    {
        var (surprise, variance) = (0.0, 0.0);
        foreach (var answer in ballot.Answers)
            if (answer.Further != 0.5 && numbers.TryGetValue((answer.Reference, answer.First), out var first)
                && numbers.TryGetValue((answer.Reference, answer.Second), out var second)
                && (answer.IsBoosted ? boosted.IndexOf(answer.Reference) : -1) is var boost
                && boost >= 0 == answer.IsBoosted)
            {
                var chance = Model.Chance(parameters, new(first, second, boost));
                var (yes, no) = (Math.Log(chance), Math.Log(1 - chance));
                surprise += (answer.Further == 1 ? yes : no) - (chance * yes + (1 - chance) * no);
                variance += chance * (1 - chance) * (yes - no) * (yes - no);
            }
        return new(ballot.Name!, ballot.IsBoosted, ballot.Answers.Count, ballot.Traps, ballot.TrapsRight, isExcluded,
            variance > 0 ? surprise / Math.Sqrt(variance) : double.NaN);
    }

    /// <summary>Pearson's test of the fit over the pairs.</summary>
    public GoodnessOfFit GoodnessOfFit(double[] parameters, double[] further, double[] all)
    {
        var statistic = 0.0;
        for (var k = 0; k < pairs.Count; k++)
        {
            var chance = Model.Chance(parameters, pairs[k]);
            var residual = further[k] - all[k] * chance;
            statistic += residual * residual / (all[k] * chance * (1 - chance));
        }
        var freedom = Math.Max(0, pairs.Count - Model.Count);
        return new(statistic, freedom, freedom == 0 ? double.NaN : 1 - ChiSquared.CDF(freedom, statistic));
    }

    // The pair of an answer, the image that was named first on the left; and how much the answer counts for the other.
    private (int, double) Number(Comparison answer, Dictionary<ComparedPair, int> known)
    {
        var (first, second) = (Number((answer.Reference, answer.First)), Number((answer.Reference, answer.Second)));
        var boost = answer.IsBoosted ? boosted.IndexOf(answer.Reference) : -1;
        if (answer.IsBoosted && boost < 0)
        {
            boost = boosted.Count;
            boosted.Add(answer.Reference);
        }
        var pair = new ComparedPair(Math.Min(first, second), Math.Max(first, second), boost);
        if (!known.TryGetValue(pair, out var number))
        {
            known.Add(pair, number = pairs.Count);
            pairs.Add(pair);
        }
        return (number, first < second ? answer.Further : 1 - answer.Further);
    }

    private int Number((string, string) image)
    {
        if (!numbers.TryGetValue(image, out var number))
        {
            numbers.Add(image, number = images.Count);
            images.Add(image);
        }
        return number;
    }

    // The images of a reference must hang together.
    private void Check(int[] group, double?[] distances)
    {
        var reference = images[group[0]].Reference;
        var named = UntrustedText.Printable(reference);
        var own = pairs.Where(pair => images[pair.First].Reference == reference).ToArray();
        if (boosted.Contains(reference))
        {
            if (own.All(pair => pair.Boost >= 0))
                throw new InvalidDataException($"the answers about {named} are all boosted; plain answers are needed "
                    + "too, to tell how much the boost adds");
            if (group.All(i => distances[i] is null))
                throw new InvalidDataException($"{named} itself is in none of the boosted comparisons of its images");
        }
        var reached = new HashSet<int>(group.Where(i => distances[i] is not null));
        if (reached.Count == 0)
            reached.Add(group[0]);
        while (own.FirstOrDefault(pair => reached.Contains(pair.First) != reached.Contains(pair.Second)) is var next
            && next != default)
        {
            reached.Add(next.First);
            reached.Add(next.Second);
        }
        if (group.FirstOrDefault(i => !reached.Contains(i), -1) is >= 0 and var apart)
            throw new InvalidDataException($"of the images of {named}, "
                + $"{UntrustedText.Printable(images[apart].Name)} was never compared with "
                + $"{UntrustedText.Printable(images[reached.First()].Name)}, not even through others: a scale needs "
                + "comparisons that connect all images");
    }
}
