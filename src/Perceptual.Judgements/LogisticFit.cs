namespace Perceptual.Judgements;

/// <summary>
/// The five-parameter logistic that maps a metric's values to opinion scores before a linear correlation is computed
/// (Sheikh, Sabir and Bovik, "A statistical evaluation of recent full reference image quality assessment
/// algorithms", 2006, after VQEG's final report of 2000): q(x) = b1 (1/2 - 1 / (1 + exp(b2 (x - b3)))) + b4 x + b5,
/// fitted by least squares.
/// </summary>
/// <remarks>
/// Levenberg and Marquardt's method, in double precision, on x and y scaled to mean 0 and deviation 1. Because there
/// are local optima, it starts from fifteen curves and takes the best result: b2 is 1/2, 1, 2, 4 or 8 and b3 is -1, 0
/// or 1, with the b1, b4 and b5 (of which q is a linear function) that fit best. A search ends when a step reduces the
/// sum of squares by less than 1e-12 of it, when no step reduces it, or after 200 steps.
/// </remarks>
public sealed class LogisticFit
{
    private const int Parameters = 5;
    private const int MaxSteps = 200;

    private readonly double[] beta;

    private LogisticFit(double[] beta, double plcc, double rmse)
    {
        this.beta = beta;
        Plcc = plcc;
        Rmse = rmse;
    }

    /// <summary>The parameters b1 to b5.</summary>
    public IReadOnlyList<double> Beta => beta;

    /// <summary>
    /// Pearson's correlation of the fitted and the given scores, on [-1, 1], 1 the best; NaN if all scores are equal.
    /// </summary>
    public double Plcc { get; }

    /// <summary>
    /// The root of the mean squared difference of the fitted and the given scores, in their unit; 0 is the best.
    /// </summary>
    public double Rmse { get; }

    /// <summary>The opinion score that the curve gives for a value of the metric.</summary>
    public double Predict(double x) => Value(beta, x);

    /// <summary>Fits the curve.</summary>
    /// <param name="x">A metric's values; larger may be better or worse.</param>
    /// <param name="y">The opinion scores.</param>
    /// <exception cref="ArgumentException">Numbers of values differ, there are fewer than six, or one is NaN
    /// or infinite.</exception>
    public static LogisticFit Of(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        if (x.Length != y.Length)
            throw new ArgumentException($"{x.Length} values and {y.Length} scores are not pairs");
        if (x.Length <= Parameters)
            throw new ArgumentException($"{x.Length} scores are too few to fit {Parameters} parameters to");
        var (xs, meanX, deviationX) = Standardise(x);
        var (ys, meanY, deviationY) = Standardise(y);

        var fitted = Starts(xs, ys).Select(start => Refine(xs, ys, start)).MinBy(end => Squares(end, xs, ys))!;
        // back to the units of x and y: q = meanY + deviationY f((x - meanX) / deviationX)
        double[] beta =
        [
            deviationY * fitted[0],
            fitted[1] / deviationX,
            meanX + deviationX * fitted[2],
            deviationY * fitted[3] / deviationX,
            meanY + deviationY * (fitted[4] - fitted[3] * meanX / deviationX),
        ];
        var predicted = Array.ConvertAll(xs, value => Value(fitted, value));
        return new(beta, Correlation.Pearson(predicted, ys),
            deviationY * Math.Sqrt(Squares(fitted, xs, ys) / xs.Length));
    }

    private static (double[] Values, double Mean, double Deviation) Standardise(ReadOnlySpan<double> values)
    {
        var copy = values.ToArray();
        if (!copy.All(double.IsFinite))
            throw new ArgumentException("a curve cannot be fitted to values that are NaN or infinite");
        var mean = copy.Average();
        var deviation = Math.Sqrt(copy.Sum(value => (value - mean) * (value - mean)) / copy.Length);
        if (deviation == 0)
            deviation = 1;
        return (Array.ConvertAll(copy, value => (value - mean) / deviation), mean, deviation);
    }

    private static IEnumerable<double[]> Starts(double[] x, double[] y)
    {
        foreach (var slope in new[] { 0.5, 1, 2, 4, 8 })
            foreach (var centre in new[] { -1.0, 0, 1 })
            {
                var normal = new double[3, 3];
                var right = new double[3];
                for (var i = 0; i < x.Length; i++)
                    Accumulate(normal, right, [Sigmoid(slope * (x[i] - centre)) - 0.5, x[i], 1], y[i]);
                var linear = Solve(normal, right, 1e-9);
                yield return [linear[0], slope, centre, linear[1], linear[2]];
            }
    }

    private static double[] Refine(double[] x, double[] y, double[] beta)
    {
        var squares = Squares(beta, x, y);
        var damping = 1e-3;
        for (var step = 0; step < MaxSteps && damping < 1e12; step++)
        {
            var normal = new double[Parameters, Parameters];
            var right = new double[Parameters];
            for (var i = 0; i < x.Length; i++)
            {
                var s = Sigmoid(beta[1] * (x[i] - beta[2]));
                var slope = beta[0] * s * (1 - s);
                Accumulate(normal, right, [s - 0.5, slope * (x[i] - beta[2]), -slope * beta[1], x[i], 1],
                    y[i] - Value(beta, x[i]));
            }
            var change = Solve(normal, right, damping);
            var next = beta.Zip(change, (b, c) => b + c).ToArray();
            var gain = squares - Squares(next, x, y);
            if (!(gain > 0))
            {
                damping *= 10;
                continue;
            }
            (beta, squares) = (next, squares - gain);
            damping = Math.Max(damping / 10, 1e-12);
            if (gain < 1e-12 * squares)
                break;
        }
        return beta;
    }

    private static double Squares(double[] beta, double[] x, double[] y)
    {
        var sum = 0.0;
        for (var i = 0; i < x.Length; i++)
        {
            var residual = y[i] - Value(beta, x[i]);
            sum += residual * residual;
        }
        return sum;
    }

    private static double Value(double[] beta, double x) =>
        beta[0] * (Sigmoid(beta[1] * (x - beta[2])) - 0.5) + beta[3] * x + beta[4];

    // 1/2 - 1 / (1 + exp(t)) = sigmoid(t) - 1/2, and an infinite exp of a large t gives the right limit
    private static double Sigmoid(double t) => 1 / (1 + Math.Exp(-t));

    private static void Accumulate(double[,] normal, double[] right, ReadOnlySpan<double> row, double value)
    {
        for (var i = 0; i < row.Length; i++)
        {
            right[i] += row[i] * value;
            for (var j = 0; j < row.Length; j++)
                normal[i, j] += row[i] * row[j];
        }
    }

    // Cholesky's method. The damping enlarges the diagonal of the matrix, by a factor and by a tiny constant.
    // Directions that the data do not determine get no change.
    private static double[] Solve(double[,] matrix, double[] right, double damping)
    {
        var n = right.Length;
        var lower = new double[n, n];
        var solution = new double[n];
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j <= i; j++)
            {
                var sum = i == j ? matrix[i, i] * (1 + damping) + 1e-12 * damping : matrix[i, j];
                for (var k = 0; k < j; k++)
                    sum -= lower[i, k] * lower[j, k];
                lower[i, j] = i != j ? (lower[j, j] == 0 ? 0 : sum / lower[j, j]) : Math.Sqrt(Math.Max(sum, 0));
            }
            solution[i] = right[i];
            for (var k = 0; k < i; k++)
                solution[i] -= lower[i, k] * solution[k];
            solution[i] = lower[i, i] == 0 ? 0 : solution[i] / lower[i, i];
        }
        for (var i = n - 1; i >= 0; i--)
        {
            for (var k = i + 1; k < n; k++)
                solution[i] -= lower[k, i] * solution[k];
            solution[i] = lower[i, i] == 0 ? 0 : solution[i] / lower[i, i];
        }
        return solution;
    }
}
