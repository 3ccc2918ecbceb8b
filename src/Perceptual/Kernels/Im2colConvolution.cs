using System.Buffers;
using System.Numerics;

namespace Perceptual;

/// <summary>
/// Convolution, bias and ReLU as a matrix product: weights [outputs, depth] times the windows of the input [depth, pixels],
/// which are laid out (im2col) a tile of pixels and a slice of the depth at a time, so that both stay in cache.
/// Every output value is one chain of multiply-adds over the depth in ascending order, whatever the tile it falls in:
/// its bits do not depend on the number of threads.
/// </summary>
internal sealed class Im2colConvolution
{
    // The micro-kernel keeps 4 outputs x 3 vectors of pixels in registers: 12 sums, 3 windows and 1 weight fill AVX2's 16.
    private const int Rows = 4;
    private const int Vectors = 3;
    private static readonly int Panel = Vectors * Vector<float>.Count; // pixels

    // A slice of a panel, 256 x 24 floats, is 24 KB and stays in a first-level cache of 32 KB.
    private const int SliceDepth = 256;

    // A slice of a tile, 256 x 240 floats, is 240 KB and stays in a second-level cache.
    private const int TilePixels = 240;

    private readonly ConvolutionShape shape;
    private readonly float[] weight; // [outputs / Rows, depth, Rows], zeros where outputs end
    private readonly float[] bias; // [outputs] and zeros up to a multiple of Rows

    /// <param name="shape">The convolution.</param>
    /// <param name="weight">[outputs, inputs, kernel, kernel]</param>
    /// <param name="bias">[outputs]</param>
    public Im2colConvolution(ConvolutionShape shape, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias)
    {
        this.shape = shape;
        var depth = shape.Depth;
        var blocks = (shape.Outputs + Rows - 1) / Rows;
        this.weight = new float[blocks * depth * Rows];
        this.bias = new float[blocks * Rows];
        bias.CopyTo(this.bias);
        for (var o = 0; o < shape.Outputs; o++)
            for (var k = 0; k < depth; k++)
                this.weight[(o / Rows * depth + k) * Rows + o % Rows] = weight[o * depth + k];
    }

    /// <summary>Writes the outputs to the channels of <paramref name="output"/> that begin at <paramref name="firstChannel"/>.</summary>
    public void Run(FeatureMap input, FeatureMap output, int firstChannel, int threads, CancellationToken cancellation)
    {
        var padded = shape.Padding == 0 ? input : Pad(input, shape.Padding);
        var pixels = output.PlaneLength;
        var tiles = (pixels + TilePixels - 1) / TilePixels;
        tiles = (tiles + threads - 1) / threads * threads;
        var perTile = (pixels + tiles - 1) / tiles;
        perTile = (perTile + Panel - 1) / Panel * Panel;
        Workers.For((pixels + perTile - 1) / perTile, threads, tile =>
        {
            var first = tile * perTile;
            RunTile(padded, output, firstChannel, first, Math.Min(perTile, pixels - first));
        }, cancellation);
    }

    private unsafe void RunTile(FeatureMap input, FeatureMap output, int firstChannel, int firstPixel, int pixels)
    {
        var panels = (pixels + Panel - 1) / Panel;
        var windows = ArrayPool<float>.Shared.Rent(panels * Panel * SliceDepth); // [panels, slice, Panel]
        var origins = ArrayPool<int>.Shared.Rent(panels * Panel); // where each pixel's window begins in an input plane
        for (var p = 0; p < panels * Panel; p++)
        {
            var pixel = firstPixel + Math.Min(p, pixels - 1); // the pixels beyond the end repeat the last and are not stored
            origins[p] = (pixel / output.Width * input.Width + pixel % output.Width) * shape.Stride;
        }

        fixed (float* weights = weight, biases = bias, window = windows, source = input.Values, results = output.Values)
        fixed (int* origin = origins)
        {
            var partial = stackalloc float[Rows * Panel];
            for (var slice = 0; slice < shape.Depth; slice += SliceDepth)
            {
                var depth = Math.Min(SliceDepth, shape.Depth - slice);
                var last = slice + depth == shape.Depth;
                for (var panel = 0; panel < panels; panel++)
                {
                    var packed = window + panel * depth * Panel;
                    Pack(source, input, origin + panel * Panel, slice, depth, packed);
                    var whole = Math.Min(Panel, pixels - panel * Panel);
                    for (var block = 0; block * Rows < shape.Outputs; block++)
                    {
                        var rows = Math.Min(Rows, shape.Outputs - block * Rows);
                        var a = weights + ((long)block * shape.Depth + slice) * Rows;
                        var target = results + (long)(firstChannel + block * Rows) * output.PlaneLength + firstPixel + panel * Panel;
                        var start = slice == 0 ? biases + block * Rows : null;
                        if (rows == Rows && whole == Panel)
                        {
                            MultiplyAdd(a, packed, depth, target, output.PlaneLength, start, last);
                            continue;
                        }
                        // At the edges the sums go through a small buffer of full size.
                        for (var r = 0; r < rows; r++)
                            new ReadOnlySpan<float>(target + (long)r * output.PlaneLength, whole).CopyTo(new Span<float>(partial + r * Panel, Panel));
                        MultiplyAdd(a, packed, depth, partial, Panel, start, last);
                        for (var r = 0; r < rows; r++)
                            new ReadOnlySpan<float>(partial + r * Panel, whole).CopyTo(new Span<float>(target + (long)r * output.PlaneLength, whole));
                    }
                }
            }
        }
        ArrayPool<int>.Shared.Return(origins);
        ArrayPool<float>.Shared.Return(windows);
    }

    /// <summary>Lays out a slice of the windows of one panel of pixels as [depth, Panel].</summary>
    private unsafe void Pack(float* source, FeatureMap input, int* origin, int slice, int depth, float* packed)
    {
        var adjacent = origin[Panel - 1] - origin[0] == Panel - 1; // all in one row, and the stride is 1
        var (kernel, width) = (shape.Kernel, input.Width);
        for (var k = slice; k < slice + depth; k++, packed += Panel)
        {
            var (channel, tap) = (k / (kernel * kernel), k % (kernel * kernel));
            var from = source + (long)channel * input.PlaneLength + tap / kernel * width + tap % kernel;
            if (adjacent)
                for (var v = 0; v < Panel; v += Vector<float>.Count)
                    Vector.Store(Vector.Load(from + origin[0] + v), packed + v);
            else
                for (var p = 0; p < Panel; p++)
                    packed[p] = from[origin[p]];
        }
    }

    /// <summary>sums[4, 3 vectors] += a[depth, 4] x windows[depth, 3 vectors], begun at the bias, ended by ReLU.</summary>
    private static unsafe void MultiplyAdd(float* a, float* windows, int depth, float* target, long targetStride, float* start, bool last)
    {
        var n = Vector<float>.Count;
        float* t0 = target, t1 = t0 + targetStride, t2 = t1 + targetStride, t3 = t2 + targetStride;
        Vector<float> s00, s01, s02, s10, s11, s12, s20, s21, s22, s30, s31, s32;
        if (start != null)
        {
            s00 = s01 = s02 = new Vector<float>(start[0]);
            s10 = s11 = s12 = new Vector<float>(start[1]);
            s20 = s21 = s22 = new Vector<float>(start[2]);
            s30 = s31 = s32 = new Vector<float>(start[3]);
        }
        else
        {
            (s00, s01, s02) = (Vector.Load(t0), Vector.Load(t0 + n), Vector.Load(t0 + 2 * n));
            (s10, s11, s12) = (Vector.Load(t1), Vector.Load(t1 + n), Vector.Load(t1 + 2 * n));
            (s20, s21, s22) = (Vector.Load(t2), Vector.Load(t2 + n), Vector.Load(t2 + 2 * n));
            (s30, s31, s32) = (Vector.Load(t3), Vector.Load(t3 + n), Vector.Load(t3 + 2 * n));
        }
        for (var k = 0; k < depth; k++, a += Rows, windows += 3 * n)
        {
            var (w0, w1, w2) = (Vector.Load(windows), Vector.Load(windows + n), Vector.Load(windows + 2 * n));
            var b = new Vector<float>(a[0]);
            s00 = Vector.MultiplyAddEstimate(b, w0, s00);
            s01 = Vector.MultiplyAddEstimate(b, w1, s01);
            s02 = Vector.MultiplyAddEstimate(b, w2, s02);
            b = new Vector<float>(a[1]);
            s10 = Vector.MultiplyAddEstimate(b, w0, s10);
            s11 = Vector.MultiplyAddEstimate(b, w1, s11);
            s12 = Vector.MultiplyAddEstimate(b, w2, s12);
            b = new Vector<float>(a[2]);
            s20 = Vector.MultiplyAddEstimate(b, w0, s20);
            s21 = Vector.MultiplyAddEstimate(b, w1, s21);
            s22 = Vector.MultiplyAddEstimate(b, w2, s22);
            b = new Vector<float>(a[3]);
            s30 = Vector.MultiplyAddEstimate(b, w0, s30);
            s31 = Vector.MultiplyAddEstimate(b, w1, s31);
            s32 = Vector.MultiplyAddEstimate(b, w2, s32);
        }
        if (last)
        {
            var zero = Vector<float>.Zero;
            (s00, s01, s02) = (Vector.Max(s00, zero), Vector.Max(s01, zero), Vector.Max(s02, zero));
            (s10, s11, s12) = (Vector.Max(s10, zero), Vector.Max(s11, zero), Vector.Max(s12, zero));
            (s20, s21, s22) = (Vector.Max(s20, zero), Vector.Max(s21, zero), Vector.Max(s22, zero));
            (s30, s31, s32) = (Vector.Max(s30, zero), Vector.Max(s31, zero), Vector.Max(s32, zero));
        }
        Store(s00, s01, s02, t0);
        Store(s10, s11, s12, t1);
        Store(s20, s21, s22, t2);
        Store(s30, s31, s32, t3);

        static void Store(Vector<float> x, Vector<float> y, Vector<float> z, float* target)
        {
            Vector.Store(x, target);
            Vector.Store(y, target + Vector<float>.Count);
            Vector.Store(z, target + 2 * Vector<float>.Count);
        }
    }

    private static FeatureMap Pad(FeatureMap input, int padding)
    {
        var padded = new FeatureMap(input.Channels, input.Height + 2 * padding, input.Width + 2 * padding);
        padded.Values.AsSpan().Clear();
        for (var c = 0; c < input.Channels; c++)
            for (var y = 0; y < input.Height; y++)
                input.Plane(c).Slice(y * input.Width, input.Width).CopyTo(padded.Plane(c).Slice((y + padding) * padded.Width + padding));
        return padded;
    }
}
