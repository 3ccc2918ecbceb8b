namespace Perceptual.Tests;

[Trait("Category", "Numbers")]
public class MuonTests
{
    private const int Rows = 20, Columns = 45;

    [Fact]
    public void A_matrix_keeps_its_singular_vectors_and_its_singular_values_come_near_1()
    {
        double[] values = [.. Enumerable.Range(0, Rows).Select(i => Math.Pow(0.7, i) * 3)];
        var length = Math.Sqrt(values.Sum(value => value * value));
        var goals = Array.ConvertAll(values, value =>
        {
            var s = value / length;
            for (var round = 0; round < 5; round++)
                s = 3.4445 * s - 4.7750 * s * s * s + 2.0315 * s * s * s * s * s;
            return s;
        });
        Assert.All(goals[..12], goal => Assert.InRange(goal, 0.65, 1.25));
        var expected = Matrix(goals);
        var actual = Muon.Orthogonalise(Array.ConvertAll(Matrix(values), value => (float)value), Rows);
        // Each round multiplies what is wrong in small singular values by at most 3.4445: some 500 roundings of 6e-8 in
        // all.
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], 1e-4);
    }

    [Fact]
    public void A_step_goes_against_the_mean_of_the_gradients()
    {
        var parameter = new Tensor("w", [Rows, 5, 3, 3],
            Array.ConvertAll(Matrix([.. Enumerable.Repeat(1.0, Rows)]), value => (float)value));
        var muon = new Muon([parameter], 0.9);
        var (expected, mean) = (Array.ConvertAll(parameter.Values, value => (double)value), new double[Rows * Columns]);
        var random = new Random(2);
        for (var step = 0; step < 3; step++)
        {
            float[] gradient = [.. mean.Select(_ => random.NextSingle() - 0.5f)], ahead = new float[mean.Length];
            for (var i = 0; i < mean.Length; i++)
            {
                mean[i] = 0.9 * mean[i] + 0.1 * gradient[i];
                ahead[i] = (float)(0.9 * mean[i] + 0.1 * gradient[i]);
            }
            foreach (var (i, value) in Muon.Orthogonalise(ahead, Rows).Index())
                expected[i] -= 0.02 * value;
            muon.Step([gradient], 0.02, threads: 2);
        }
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], parameter.Values[i], 1e-5); // means in single precision
        Assert.Equal("muon.mean.w", muon.State[0].Name);
    }

    [Fact]
    public void No_gradient_is_no_step() =>
        Assert.All(Muon.Orthogonalise(new float[Rows * Columns], Rows), value => Assert.Equal(0, value));

    // With these singular values; the singular vectors are cosines.
    private static double[] Matrix(double[] values)
    {
        var matrix = new double[Rows * Columns];
        for (var i = 0; i < Rows; i++)
            for (var j = 0; j < Columns; j++)
                for (var k = 0; k < Rows; k++)
                    matrix[i * Columns + j] += Cosine(k, i, Rows) * values[k] * Cosine(k, j, Columns);
        return matrix;

        static double Cosine(int frequency, int place, int length) =>
            Math.Sqrt((frequency == 0 ? 1.0 : 2.0) / length)
                * Math.Cos(Math.PI * frequency * (2 * place + 1) / (2 * length));
    }
}
