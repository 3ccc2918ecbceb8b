using MathNet.Numerics.Distributions;
using MathNet.Numerics.LinearAlgebra;

namespace Perceptual.Judgements;

/// <summary>A pair of images that people can be asked about, and what they have said.</summary>
/// <param name="Reference">The name of the reference.</param>
/// <param name="First">The name of the first image; that of the reference if it is the reference itself.</param>
/// <param name="Second">The name of the second image, likewise.</param>
/// <param name="Further">How many said that the second differs more from the reference; "not sure" is a half.</param>
/// <param name="Answers">How many answered.</param>
/// <param name="Waiting">How many were asked and have not answered yet.</param>
public sealed record AskedPair(
    string Reference, string First, string Second, double Further, int Answers, int Waiting);

/// <summary>
/// Which pairs to ask a person about, so that the answers tell most about a scale in JND (after Mikhailiuk et al.,
/// "Active Sampling for Pairwise Comparisons via Approximate Message Passing and Information Gain Maximization",
/// arXiv 2004.05691). What is known of the distances is a normal distribution: the estimate of Thurstone's Case V, as
/// <see cref="JndScale"/> makes it, and the inverse of Fisher's information. The gain of a pair is the mutual
/// information of its answer and the distances. Pairs are chosen one after another, each as if those before it had been
/// answered.
/// </summary>
public static class ActiveSampling
{
    private const int Nodes = 32; // of the quadrature

    private static readonly double Unit = Normal.InvCDF(0, 1, 0.75);
    private static readonly (double At, double Weight)[] GaussHermite = Rule();

    /// <summary>Chooses pairs for one person, none twice.</summary>
    /// <param name="pairs">The pairs; two of the same images count as one for a person.</param>
    /// <param name="count">How many to choose.</param>
    /// <param name="seed">Decides between pairs that tell as much.</param>
    /// <returns>Numbers of pairs, the most telling one first: <paramref name="count"/> or as many as there
    /// are.</returns>
    /// <exception cref="InvalidDataException">No scale was found that explains the answers.</exception>
    public static IReadOnlyList<int> Choose(IReadOnlyList<AskedPair> pairs, int count, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        var order = Enumerable.Range(0, pairs.Count).ToArray();
        new SplitMix64(seed).Shuffle<int>(order);
        var beliefs = order.GroupBy(pair => pairs[pair].Reference)
            .Select(group => new Belief([.. group], pairs)).ToArray();
        var chosen = new List<int>();
        while (chosen.Count < count && beliefs.MaxBy(belief => belief.BestGain) is { BestGain: >= 0 } best)
            chosen.Add(best.TakeBest());
        return chosen;
    }

    /// <summary>
    /// What an answer tells about the difference of two images, in nats: the entropy of the answer less what is
    /// expected of it once the difference is known.
    /// </summary>
    /// <param name="mean">Of the difference, which is normal, in JND.</param>
    /// <param name="variance">Of the difference.</param>
    internal static double Information(double mean, double variance)
    {
        var (deviation, chance, conditional) = (Math.Sqrt(variance), 0.0, 0.0);
        foreach (var (at, weight) in GaussHermite)
        {
            var known = Normal.CDF(0, 1, Unit * (mean + deviation * at));
            chance += weight * known;
            conditional += weight * Entropy(known);
        }
        return Math.Max(0, Entropy(chance) - conditional);
    }

    private static double Entropy(double chance) =>
        chance is <= 0 or >= 1 ? 0 : -chance * Math.Log(chance) - (1 - chance) * Math.Log(1 - chance);

    // For the mean of a function of a standard normal variable: eigenvalues of the matrix of the recurrence of Hermite's
    // polynomials, and squares of the first entries of its eigenvectors (Golub and Welsch, 1969).
    private static (double, double)[] Rule()
    {
        var recurrence = Matrix<double>.Build.Dense(
            Nodes, Nodes, (i, j) => Math.Abs(i - j) == 1 ? Math.Sqrt(Math.Max(i, j)) : 0);
        var found = recurrence.Evd(Symmetricity.Symmetric);
        return [.. found.EigenValues.Zip(found.EigenVectors.Row(0), (at, first) => (at.Real, first * first))];
    }

    // What is known of the images of a reference.
    private sealed class Belief
    {
        private readonly int[] numbers; // of the pairs, in the order in which they come if they tell as much
        private readonly ComparedPair[] compared;
        private readonly double[] gains; // of each pair; -1 if it is taken
        private readonly double[] means;
        private readonly double[,] covariance;
        private int best;

        public Belief(int[] numbers, IReadOnlyList<AskedPair> pairs)
        {
            this.numbers = numbers;
            var images = new Dictionary<string, int>();
            compared = [.. numbers.Select(k => new ComparedPair(
                Number(pairs[k].First), Number(pairs[k].Second), -1))];
            var reference = images.GetValueOrDefault(pairs[numbers[0]].Reference, -1);
            (means, covariance) = (new double[images.Count], new double[images.Count, images.Count]);
            var model = new ScaleModel(ScaleLink.Thurstone,
                [.. means.Select((_, image) => image == reference ? 0 : (double?)null)], compared, 0, false);
            if (model.Count > 0)
                Estimate(model, [.. numbers.Select(k => pairs[k].Further)],
                    [.. numbers.Select(k => (double)pairs[k].Answers)]);
            gains = new double[compared.Length];
            foreach (var (pair, k) in compared.Zip(numbers))
                for (var i = 0; i < pairs[k].Waiting; i++)
                    Expect(pair);
            Weigh();

            int Number(string name)
            {
                if (!images.TryGetValue(name, out var number))
                    images.Add(name, number = images.Count);
                return number;
            }
        }

        /// <summary>What the pair that tells most tells; -1 if all are taken.</summary>
        public double BestGain => gains[best];

        /// <summary>Takes that pair, as if it was answered.</summary>
        public int TakeBest()
        {
            var (taken, number) = (compared[best], numbers[best]);
            for (var k = 0; k < compared.Length; k++)
                if (compared[k] == taken || (compared[k].Second, compared[k].First) == (taken.First, taken.Second))
                    gains[k] = -1;
            Expect(taken);
            Weigh();
            return number;
        }

        private void Estimate(ScaleModel model, double[] further, double[] answers)
        {
            var found = model.Fit(further, answers);
            var inverse = Matrix<double>.Build.DenseOfArray(model.Evaluate(found, further, answers).Information)
                .Inverse();
            var parameter = 0;
            int[] parameters = [.. means.Select((_, image) => model.IsFree(image) ? parameter++ : -1)];
            for (var i = 0; i < means.Length; i++)
            {
                means[i] = model.Distance(found, i);
                for (var j = 0; j < means.Length; j++)
                    if (parameters[i] >= 0 && parameters[j] >= 0)
                        covariance[i, j] = inverse[parameters[i], parameters[j]];
            }
        }

        private (double Mean, double Variance) Difference(ComparedPair pair)
        {
            var (a, b) = (pair.First, pair.Second);
            return (means[b] - means[a], Math.Max(0, covariance[a, a] + covariance[b, b] - 2 * covariance[a, b]));
        }

        // The covariance after one more answer, as is expected over both answers. With z = c mean / s, where
        // s^2 = 1 + c^2 variance, the variance of the difference falls by (c variance / s)^2 n(z)^2 / (N(z) N(-z)).
        private void Expect(ComparedPair pair)
        {
            var (mean, variance) = Difference(pair);
            var spread = 1 + Unit * Unit * variance;
            var z = Unit * mean / Math.Sqrt(spread);
            var (density, tails) = (Normal.PDF(0, 1, z), Normal.CDF(0, 1, z) * Normal.CDF(0, 1, -z));
            if (tails == 0)
                return; // nobody doubts the answer
            var factor = Unit * Unit / spread * density * density / tails;
            double[] slopes = [.. means.Select((_, i) => covariance[i, pair.Second] - covariance[i, pair.First])];
            for (var i = 0; i < slopes.Length; i++)
                for (var j = 0; j < slopes.Length; j++)
                    covariance[i, j] -= factor * slopes[i] * slopes[j];
        }

        private void Weigh()
        {
            best = 0;
            for (var k = 0; k < compared.Length; k++)
            {
                if (gains[k] < 0)
                    continue;
                var (mean, variance) = Difference(compared[k]);
                gains[k] = Information(mean, variance);
            }
            for (var k = 1; k < gains.Length; k++)
                if (gains[k] > gains[best])
                    best = k;
        }
    }
}
