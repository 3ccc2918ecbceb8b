using System.Runtime.Intrinsics;

namespace Perceptual.Tests.Kernels;

[Trait("Category", "Numbers")]
public class MatrixProductTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(7, 300, 33)] // more than one piece of the depth, columns and rows left over
    [InlineData(125, 20, 64)] // more than one block of rows
    [InlineData(40, 147, 48)] // three vectors of 16 columns
    public void Agrees_with_plain_loops_for_every_vector_however_the_matrices_lie(int rows, int depth, int columns)
    {
        var (a, b) = (Random(rows, depth, 1), Random(depth, columns, 2));
        foreach (var left in new[] { a, Turned(a) })
            foreach (var right in new[] { b, Turned(b) })
            {
                Check<SimdScalar>(true);
                Check<Simd128>(Vector128.IsHardwareAccelerated);
                Check<Simd256>(Vector256.IsHardwareAccelerated);
                Check<Simd512>(Vector512.IsHardwareAccelerated);

                void Check<T>(bool possible) where T : struct, ISimd<T>
                {
                    if (!possible)
                        return;
                    var product = new float[rows * columns];
                    MatrixProduct.Run<T>(left, right, product, threads: 2, symmetric: false);
                    for (var i = 0; i < rows; i++)
                        for (var j = 0; j < columns; j++)
                        {
                            double expected = 0, magnitude = 0;
                            for (var k = 0; k < depth; k++)
                            {
                                var term = (double)a.Values[i * depth + k] * b.Values[k * columns + j];
                                (expected, magnitude) = (expected + term, magnitude + Math.Abs(term));
                            }
                            // At most a rounding of half an ulp, 2^-24, for each product and each sum.
                            Assert.Equal(expected, product[i * columns + j],
                                2 * depth * Math.ScaleB(1, -24) * magnitude);
                        }
                }
            }
    }

    [Fact]
    public void A_symmetric_product_has_the_same_bits_though_half_of_it_is_not_computed()
    {
        var a = Random(150, 260, 3);
        var product = MatrixProduct.Of(a, a.Transposed, 1);
        Assert.Equal(product, MatrixProduct.Of(a, a.Transposed, 1, symmetric: true));
        Assert.Equal(product, MatrixProduct.Of(a, a.Transposed, 3));
        Assert.Equal(product[(20 * 150)..(35 * 150)], MatrixProduct.Of(a.Part(20, 15), a.Transposed, 1));
    }

    private static Matrix Random(int rows, int columns, int seed)
    {
        var random = new Random(seed);
        return new([.. Enumerable.Range(0, rows * columns).Select(_ => random.NextSingle() * 2 - 1)], rows, columns);
    }

    // The same matrix, stored by columns.
    private static Matrix Turned(Matrix matrix) => new Matrix(
        [.. Enumerable.Range(0, matrix.Values.Length)
            .Select(i => matrix.Values[i % matrix.Rows * matrix.Columns + i / matrix.Rows])], matrix.Columns,
            matrix.Rows).Transposed;
}
