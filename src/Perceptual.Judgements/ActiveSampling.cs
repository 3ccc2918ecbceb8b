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
/// Which pairs to ask a person about, so that the intervals of a scale in JND become narrow with few answers. What is
/// known of the distances is a normal distribution: the estimate of Thurstone's Case V, as <see cref="JndScale"/> makes
/// it, and the inverse of Fisher's information. Pairs are chosen one after another, each as if those before it had been
/// answered: the one whose answer takes most from the sum of the variances of all distances, as is expected.
/// </summary>
/// <remarks>
/// ASAP (Mikhailiuk et al., arXiv 2004.05691) goes by the information gain instead. That values the place of one image
/// among its neighbours as highly as the distance of all of them from the reference, which all intervals share; the
/// numbers are in docs/scale.md.
/// </remarks>
public static class ActiveSampling
{
    private static readonly double Unit = Normal.InvCDF(0, 1, 0.75);

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
    /// What one more answer is expected to take from the variance of a normal difference, over the variance squared:
    /// (c / s)^2 n(z)^2 / (N(z) N(-z)), where z = c mean / s, s^2 = 1 + c^2 variance, and n and N are the density and
    /// the distribution of a standard normal variable.
    /// </summary>
    /// <param name="mean">Of the difference of the two images, in JND.</param>
    /// <param name="variance">Of the difference.</param>
    internal static double Gain(double mean, double variance)
    {
        var spread = 1 + Unit * Unit * variance;
        var z = Unit * mean / Math.Sqrt(spread);
        var (density, tails) = (Normal.PDF(0, 1, z), Normal.CDF(0, 1, z) * Normal.CDF(0, 1, -z));
        return tails == 0 ? 0 : Unit * Unit / spread * density * density / tails; // 0: nobody doubts the answer
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

        // The expected gain of an answer, and the covariance of the difference and each distance.
        private (double Gain, double[] Slopes) Look(ComparedPair pair)
        {
            var (a, b) = (pair.First, pair.Second);
            double[] slopes = [.. means.Select((_, i) => covariance[i, b] - covariance[i, a])];
            return (Gain(means[b] - means[a], Math.Max(0, slopes[b] - slopes[a])), slopes);
        }

        // The covariance after one more answer, as is expected.
        private void Expect(ComparedPair pair)
        {
            var (gain, slopes) = Look(pair);
            for (var i = 0; i < slopes.Length; i++)
                for (var j = 0; j < slopes.Length; j++)
                    covariance[i, j] -= gain * slopes[i] * slopes[j];
        }

        private void Weigh()
        {
            best = 0;
            for (var k = 0; k < compared.Length; k++)
            {
                if (gains[k] >= 0)
                {
                    var (gain, slopes) = Look(compared[k]);
                    gains[k] = gain * slopes.Sum(slope => slope * slope);
                }
                if (gains[k] > gains[best])
                    best = k;
            }
        }
    }
}
