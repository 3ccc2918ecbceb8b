using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Perceptual;

/// <summary>A matrix in an array, by rows or by columns.</summary>
/// <param name="Values">The array.</param>
/// <param name="Rows">Number of rows.</param>
/// <param name="Columns">Number of columns.</param>
/// <param name="RowStep">Values from a row to the next.</param>
/// <param name="ColumnStep">Values from a column to the next.</param>
/// <param name="Start">Index of the first value.</param>
public readonly record struct Matrix(float[] Values, int Rows, int Columns, int RowStep, int ColumnStep, int Start = 0)
{
    /// <summary>A matrix by rows.</summary>
    public Matrix(float[] values, int rows, int columns) : this(values, rows, columns, columns, 1)
    {
    }

    /// <summary>Rows and columns exchanged; no value is copied.</summary>
    public Matrix Transposed => new(Values, Columns, Rows, ColumnStep, RowStep, Start);

    internal bool IsWithinArray => Rows >= 0 && Columns >= 0 && Start >= 0 && RowStep >= 0 && ColumnStep >= 0
        && (Rows == 0 || Columns == 0 || Start + (Rows - 1L) * RowStep + (Columns - 1L) * ColumnStep < Values.Length);

    /// <summary>
    /// The product of two matrices, stored by rows and computed by the convolutions' kernel. It has the same bits for
    /// any number of threads.
    /// </summary>
    /// <param name="a">[rows, depth]</param>
    /// <param name="b">[depth, columns]</param>
    /// <param name="threads">Number of threads to use.</param>
    /// <param name="symmetric">Whether the product is known to be symmetric, so that half of it need not
    /// be computed.</param>
    /// <exception cref="ArgumentException">The sizes do not fit, or a matrix is larger than its array.</exception>
    public static float[] Product(Matrix a, Matrix b, int threads, bool symmetric = false) =>
        MatrixProduct.Of(a, b, threads, symmetric);

    /// <summary>Rows [from, from + count).</summary>
    public Matrix Part(int from, int count) => this with { Rows = count, Start = Start + from * RowStep };
}

/// <summary>
/// The product of two matrices, by the convolutions' micro-kernel. It has the same bits for any number of threads.
/// </summary>
internal static class MatrixProduct
{
    /// <summary>The product a b, stored by rows.</summary>
    /// <param name="a">[rows, depth]</param>
    /// <param name="b">[depth, columns]</param>
    /// <param name="threads">Number of threads to use.</param>
    /// <param name="symmetric">Whether the product is known to be symmetric, so that half of it need not
    /// be computed.</param>
    public static float[] Of(Matrix a, Matrix b, int threads, bool symmetric = false)
    {
        if (a.Columns != b.Rows || !a.IsWithinArray || !b.IsWithinArray)
            throw new ArgumentException($"matrices of {a.Rows}x{a.Columns} and {b.Rows}x{b.Columns} have no product, "
                + "or are larger than their arrays");
        var product = new float[checked(a.Rows * b.Columns)];
        if (Vector512.IsHardwareAccelerated)
            Run<Simd512>(a, b, product, threads, symmetric);
        else if (Vector256.IsHardwareAccelerated)
            Run<Simd256>(a, b, product, threads, symmetric);
        else if (Vector128.IsHardwareAccelerated)
            Run<Simd128>(a, b, product, threads, symmetric);
        else
            Run<SimdScalar>(a, b, product, threads, symmetric);
        for (var i = 0; symmetric && i < a.Rows; i++)
            for (var j = 0; j < i; j++)
                product[i * a.Rows + j] = product[j * a.Rows + i];
        return product;
    }

    /// <inheritdoc cref="Of"/>
    /// <typeparam name="T">The vector type.</typeparam>
    internal static void Run<T>(Matrix a, Matrix b, float[] product, int threads, bool symmetric)
        where T : struct, ISimd<T> =>
        ParallelLoop.Run((a.Rows + Block<T>.Rows - 1) / Block<T>.Rows, threads, block =>
            Block<T>.Run(a, b, product, block * Block<T>.Rows, symmetric));

    /// <summary>Some rows of the product.</summary>
    // Safe: Of checks that the matrices lie within their arrays and have a depth in common; a packed block has at most
    // Depth by Rows or Columns values, for which memory is allocated, and its rest is zeros.
    private static unsafe class Block<T> where T : struct, ISimd<T>
    {
        private const int Pixels = MicroKernel<T, One>.Pixels;

        /// <summary>Enough rows that packing b's columns for them costs little.</summary>
        public const int Rows = 20 * Pixels;

        // The packed part of a stays in the second-level cache, two vectors of b's columns in the first.
        private const int Depth = 256;

        private static int Columns => MicroKernel<T, One>.Channels;

        public static void Run(Matrix a, Matrix b, float[] product, int row, bool symmetric)
        {
            var rows = Math.Min(Rows, a.Rows - row);
            var memory = (float*)NativeMemory.AlignedAlloc(
                (nuint)((Depth * (Rows + Columns) + Columns + 2 * 16 * Pixels) * sizeof(float)), 64);
            var packedB = memory; // [depth, columns]
            var zeros = packedB + Depth * Columns;
            var sums = zeros + Columns; // [vector, row, 16]
            var packedA = sums + 2 * 16 * Pixels; // [depth, rows]
            var offsets = stackalloc int[Depth];
            for (var k = 0; k < Depth; k++)
                offsets[k] = k * Rows;
            new Span<float>(zeros, Columns).Clear();
            new Span<float>(packedA, Depth * Rows).Clear();
            for (var from = 0; from < a.Columns; from += Depth)
            {
                var depth = Math.Min(Depth, a.Columns - from);
                Pack(a.Transposed, from, depth, row, rows, packedA, Rows);
                for (var column = symmetric ? row / Columns * Columns : 0; column < b.Columns; column += Columns)
                {
                    var columns = Math.Min(Columns, b.Columns - column);
                    if (columns < Columns)
                        new Span<float>(packedB, Depth * Columns).Clear();
                    Pack(b, from, depth, column, columns, packedB, Columns);
                    for (var i = 0; i < rows; i += Pixels)
                    {
                        MicroKernel<T, One>.Run(Columns, packedA + i, offsets, depth, packedB, zeros, sums, 16 * Pixels,
                            Pixels, float.NegativeInfinity, packedB);
                        for (var p = 0; p < Math.Min(Pixels, rows - i); p++)
                        {
                            var target = product.AsSpan((row + i + p) * b.Columns + column, columns);
                            for (var j = 0; j < target.Length; j++)
                                target[j] += sums[j / T.Count * 16 * Pixels + p * 16 + j % T.Count];
                        }
                    }
                }
            }
            NativeMemory.AlignedFree(memory);
        }

        // The target is stored by rows with this step, whether the matrix is stored by rows or by columns.
        private static void Pack(Matrix matrix, int firstRow, int rows, int firstColumn, int columns,
            float* target, int step)
        {
            fixed (float* values = matrix.Values)
            {
                var from = values + matrix.Start + firstRow * matrix.RowStep + firstColumn * matrix.ColumnStep;
                if (matrix.ColumnStep == 1)
                    for (var y = 0; y < rows; y++)
                        new ReadOnlySpan<float>(from + y * matrix.RowStep, columns)
                            .CopyTo(new(target + y * step, columns));
                else
                    for (var x = 0; x < columns; x++)
                        for (var y = 0; y < rows; y++)
                            target[y * step + x] = from[y * matrix.RowStep + x * matrix.ColumnStep];
            }
        }
    }
}
