using MathNet.Numerics.Distributions;
using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.Optimization;

namespace Perceptual.Judgements;

/// <summary>How the chance of an answer grows with the difference of two images.</summary>
public enum ScaleLink
{
    /// <summary>By the normal distribution: Thurstone's law of comparative judgement, Case V.</summary>
    Thurstone,

    /// <summary>By the logistic distribution: Bradley and Terry's model.</summary>
    BradleyTerry,
}

/// <summary>Two images that are compared.</summary>
/// <param name="First">The number of the first image.</param>
/// <param name="Second">The number of the second image.</param>
/// <param name="Boost">The number of the boost of their differences; -1 if they are plain.</param>
internal readonly record struct ComparedPair(int First, int Second, int Boost);

/// <summary>
/// How likely answers are, given the distances x of images from their references in JND: the second of two images is
/// said to differ more with the chance l / 2 + (1 - l) F(c (x2 - x1)). F is the normal or the logistic distribution, c
/// is such that F(c) = 3/4, and l is the part of the questions that people answer without looking. "Not sure" counts as
/// half an answer for each. Boosted differences are those of b x^g instead of x.
/// </summary>
/// <remarks>
/// Parameters, in this order: the free distances, or their logarithms if there are boosts; log b and log g of each
/// boost; the logit of l of plain and of boosted questions, if people may lapse. Their priors are normal and wide. They
/// keep the best parameters finite where all answers agree.
/// </remarks>
internal sealed class ScaleModel
{
    private const int MaxSteps = 1000;
    private const double Precision = 1e-3; // of a parameter, in standard deviations
    private const double Surprise = 10; // times the squared deviation that is expected
    private const double Never = 1e-12; // the chance of any answer is at least this, so that no logarithm is infinite

    private readonly ScaleLink link;
    private readonly double?[] known;
    private readonly int[] parameterOf; // of an image; -1 if its distance is known
    private readonly IReadOnlyList<ComparedPair> pairs;
    private readonly bool isLogarithmic;
    private readonly int firstBoost;
    private readonly int firstLapse;
    private readonly bool hasLapses;
    private readonly double unit;

    /// <param name="link">F.</param>
    /// <param name="known">The distance of each image, where it is known.</param>
    /// <param name="pairs">The pairs that answers are about.</param>
    /// <param name="boosts">The number of boosts.</param>
    /// <param name="hasLapses">Whether people may lapse.</param>
    public ScaleModel(ScaleLink link, double?[] known, IReadOnlyList<ComparedPair> pairs, int boosts, bool hasLapses)
    {
        (this.link, this.known, this.pairs, this.hasLapses) = (link, known, pairs, hasLapses);
        parameterOf = new int[known.Length];
        for (var i = 0; i < known.Length; i++)
            parameterOf[i] = known[i] is null ? firstBoost++ : -1;
        isLogarithmic = boosts > 0;
        firstLapse = firstBoost + 2 * boosts;
        Count = firstLapse + (hasLapses ? isLogarithmic ? 2 : 1 : 0);
        unit = link == ScaleLink.Thurstone ? Normal.InvCDF(0, 1, 0.75) : Math.Log(3);
    }

    /// <summary>The number of parameters.</summary>
    public int Count { get; }

    /// <summary>The most likely parameters, given the answers and the priors.</summary>
    /// <param name="further">For each pair, how many said that the second differs more.</param>
    /// <param name="answers">For each pair, how many answered.</param>
    /// <param name="start">Where the search begins; null: where boosts do not matter, which has one optimum.</param>
    /// <exception cref="InvalidDataException">The search found no optimum.</exception>
    public double[] Fit(double[] further, double[] answers, double[]? start = null)
    {
        // In coordinates whose unit is a standard deviation, about, so that the precision means the same for all.
        var origin = start ?? Start(further, answers);
        var information = Evaluate(origin, further, answers).Information;
        double[] units = [.. Enumerable.Range(0, Count).Select(i => 1 / Math.Sqrt(information[i, i]))];
        var objective = ObjectiveFunction.GradientHessian(coordinates =>
        {
            var (value, gradient, curvature) = Evaluate(At(coordinates), further, answers);
            return (value, Vector<double>.Build.Dense(Count, i => units[i] * gradient[i]),
                Matrix<double>.Build.Dense(Count, Count, (i, j) => units[i] * curvature[i, j] * units[j]));
        });
        try
        {
            var found = new NewtonMinimizer(Precision, MaxSteps, useLineSearch: true)
                .FindMinimum(objective, Vector<double>.Build.Dense(Count));
            return At(found.MinimizingPoint);
        }
        catch (OptimizationException e)
        {
            throw new InvalidDataException($"no scale was found that explains the answers ({e.Message})", e);
        }

        double[] At(Vector<double> coordinates) => [.. origin.Select((value, i) => value + units[i] * coordinates[i])];
    }

    /// <summary>Whether the distance of an image is a parameter.</summary>
    public bool IsFree(int image) => parameterOf[image] >= 0;

    /// <summary>The distance of an image from its reference, in JND.</summary>
    public double Distance(double[] parameters, int image) =>
        parameterOf[image] < 0 ? known[image]!.Value
            : isLogarithmic ? Exp(parameters[parameterOf[image]]) : parameters[parameterOf[image]];

    /// <summary>b and g of a boost.</summary>
    public (double Factor, double Exponent) Boost(double[] parameters, int boost) =>
        (Exp(parameters[firstBoost + 2 * boost]), Exp(parameters[firstBoost + 2 * boost + 1]));

    /// <summary>The part of the questions that people answer without looking.</summary>
    public double LapseRate(double[] parameters, bool isBoosted) =>
        hasLapses ? Logistic(parameters[firstLapse + (isBoosted ? 1 : 0)]) : 0;

    /// <summary>The chance that the second image of a pair is said to differ more.</summary>
    public double Chance(double[] parameters, ComparedPair pair) => Possible(Of(parameters, pair, [], []));

    /// <summary>
    /// The negative logarithm of the probability of the answers and of the parameters, up to a constant; its gradient;
    /// and the expectation of its second derivatives (Fisher's information), which is never negative.
    /// </summary>
    public (double Value, double[] Gradient, double[,] Information) Evaluate(
        double[] parameters, double[] further, double[] answers)
    {
        var (value, gradient, information) = (0.0, new double[Count], new double[Count, Count]);
        Span<int> of = stackalloc int[5];
        Span<double> slopes = stackalloc double[5];
        for (var k = 0; k < pairs.Count; k++)
        {
            if (answers[k] == 0)
                continue;
            var chance = Possible(Of(parameters, pairs[k], of, slopes));
            value -= further[k] * Math.Log(chance) + (answers[k] - further[k]) * Math.Log(1 - chance);
            var spread = chance * (1 - chance);
            var residual = (further[k] - answers[k] * chance) / spread;
            // Of answers that surprise much, the expectation is too small, and steps would be too large.
            var (expected, found) = (answers[k] / spread,
                further[k] / (chance * chance) + (answers[k] - further[k]) / ((1 - chance) * (1 - chance)));
            var weight = found > Surprise * expected ? found : expected;
            for (var i = 0; i < of.Length; i++)
            {
                if (of[i] < 0)
                    continue;
                gradient[of[i]] -= residual * slopes[i];
                for (var j = 0; j < of.Length; j++)
                    if (of[j] >= 0)
                        information[of[i], of[j]] += weight * slopes[i] * slopes[j];
            }
        }
        for (var i = 0; i < Count; i++)
        {
            var (mean, deviation) = Prior(i);
            var distance = (parameters[i] - mean) / deviation;
            value += distance * distance / 2;
            gradient[i] += distance / deviation;
            information[i, i] += 1 / (deviation * deviation);
        }
        return (value, gradient, information);
    }

    // The chance of an answer; which parameters it depends on (-1: none), and its derivatives by them.
    private double Of(double[] parameters, ComparedPair pair, Span<int> of, Span<double> slopes)
    {
        var lapse = LapseRate(parameters, pair.Boost >= 0);
        var (first, second) = (Shown(parameters, pair.First, pair.Boost), Shown(parameters, pair.Second, pair.Boost));
        var difference = unit * (second.Value - first.Value);
        var clear = link == ScaleLink.Thurstone ? Normal.CDF(0, 1, difference) : Logistic(difference);
        if (of.IsEmpty)
            return lapse / 2 + (1 - lapse) * clear;
        var density = link == ScaleLink.Thurstone ? Normal.PDF(0, 1, difference) : clear * (1 - clear);
        var slope = (1 - lapse) * density * unit;
        (of[0], slopes[0]) = (parameterOf[pair.First], -slope * first.ByDistance);
        (of[1], slopes[1]) = (parameterOf[pair.Second], slope * second.ByDistance);
        var boost = pair.Boost < 0 ? -1 : firstBoost + 2 * pair.Boost;
        (of[2], slopes[2]) = (boost, slope * (second.Value - first.Value));
        (of[3], slopes[3]) = (boost < 0 ? -1 : boost + 1, slope * (second.ByExponent - first.ByExponent));
        (of[4], slopes[4]) = (hasLapses ? firstLapse + (pair.Boost < 0 ? 0 : 1) : -1,
            lapse * (1 - lapse) * (0.5 - clear));
        return lapse / 2 + (1 - lapse) * clear;
    }

    // The distance as people see it, and its derivatives by the parameter of the image and by log g.
    private (double Value, double ByDistance, double ByExponent) Shown(double[] parameters, int image, int boost)
    {
        var distance = Distance(parameters, image);
        if (boost < 0)
            return (distance, isLogarithmic ? distance : 1, 0);
        if (distance <= 0)
            return (0, 0, 0);
        var (factor, exponent) = Boost(parameters, boost);
        var value = Exp(Math.Log(factor) + exponent * Math.Log(distance));
        return (value, value * exponent, value * exponent * Math.Log(distance));
    }

    private double[] Start(double[] further, double[] answers)
    {
        double[] start = [.. Enumerable.Range(0, Count).Select(i => Prior(i).Mean)];
        if (!isLogarithmic)
            return start;
        var plain = new ScaleModel(link, known, [.. pairs.Select(pair => pair with { Boost = -1 })], 0, false);
        var seen = plain.Fit(further, answers); // of which most are boosted: about b x^g
        var (factor, exponent) = (Prior(firstBoost).Mean, Math.Exp(Prior(firstBoost + 1).Mean));
        for (var i = 0; i < firstBoost; i++)
            start[i] = (Math.Log(Math.Max(seen[i], 0.05)) - factor) / exponent;
        return start;
    }

    private (double Mean, double Deviation) Prior(int parameter) =>
        parameter >= firstLapse ? (-3, 1.5) // 5 % lapse; 0.3 to 50 %
            : parameter >= firstBoost ? ((parameter - firstBoost) % 2 == 0 ? Math.Log(2) : Math.Log(0.7), 1)
            : isLogarithmic ? (-1, 2) // 0.4 JND; 0.007 to 20
            : (0, 5);

    private static double Possible(double chance) => Never + (1 - 2 * Never) * chance;

    // Finite, wherever the search steps.
    private static double Exp(double x) => Math.Exp(Math.Min(x, 30));

    private static double Logistic(double x) => 1 / (1 + Math.Exp(-x));
}
