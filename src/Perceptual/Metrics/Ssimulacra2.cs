using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Perceptual;

/// <summary>
/// SSIMULACRA 2.1 (Sneyers, Cloudinary, 2023): at six scales, each half the size of the one before, and for X, Y and B
/// of JPEG XL, how unlike the structure is, how much edge there is that the reference has not, and how much of its edge
/// is lost. The value is made of a weighted sum of the means and the fourth norms of these errors.
/// </summary>
internal sealed class Ssimulacra2() : Metric(
    new("ssimulacra2", LargerIsCloser: true, "-infinity to 100, 100 = identical", LeastSide, HasMap: true)
    {
        Source = "Sneyers 2023, v2.1",
    })
{
    private const int LeastSide = 8; // a smaller scale has no other below it
    private const int MostScales = 6;
    private const int Planes = 3;
    private const int Errors = 3; // structure, edges added, edges lost
    private const int Norms = 2 * Errors; // of a plane at one scale: the means, then the fourth norms
    private const float C2 = 0.0009f;

    /// <summary>The author's weights, [plane, scale, norm].</summary>
    internal static readonly double[] Weights =
    [
        0, 0.0007376606707406586, 0,
        0, 0.0007793481682867309, 0,
        0, 0.0004371155730107379, 0,
        1.1041726426657346, 0.00066284834129271, 0.00015231632783718752,
        0, 0.0016406437456599754, 0,
        1.8422455520539298, 11.441172603757666, 0,
        0.0007989109436015163, 0.000176816438078653, 0,
        1.8787594979546387, 10.94906990605142, 0,
        0.0007289346991508072, 0.9677937080626833, 0,
        0.00014003424285435884, 0.9981766977854967, 0.00031949755934435053,
        0.0004550992113792063, 0, 0,
        0.0013648766163243398, 0, 0,
        0, 0, 0,
        7.466890328078848, 0, 17.445833984131262,
        0.0006235601634041466, 0, 0,
        6.683678146179332, 0.00037724407979611296, 1.027889937768264,
        225.20515300849274, 0, 0,
        19.213238186143016, 0.0011401524586618361, 0.001237755635509985,
        176.39317598450694, 0, 0,
        24.43300999870476, 0.28520802612117757, 0.0004485436923833408,
        0, 0, 0,
        34.77906344483772, 44.835625328877896, 0,
        0, 0, 0,
        0, 0, 0,
        0, 0.0008680556573291698, 0,
        0, 0, 0,
        0, 0.0005313191874358747, 0,
        0.00016533814161379112, 0, 0,
        0, 0, 0,
        0.0004179171803251336, 0.0017290828234722833, 0,
        0.0020827005846636437, 0, 0,
        8.826982764996862, 23.19243343998926, 0,
        95.1080498811086, 0.9863978034400682, 0.9834382792465353,
        0.0012286405048278493, 171.2667255897307, 0.9807858872435379,
        0, 0, 0,
        0.0005130064588990679, 0, 0.00010854057858411537,
    ];

    protected internal override MetricValue Run(
        RgbRowReader reference, RgbRowReader distorted, bool withMap, CancellationToken cancellation)
    {
        var bands = new RowBands([reference, distorted], Colour.SingleLinear, 1);
        List<(int Width, int Height)> sizes = [(reference.Width, reference.Height)];
        while (sizes.Count < MostScales && Math.Min(sizes[^1].Width, sizes[^1].Height) >= LeastSide)
        {
            bands.Shrink(2, zeros: false, reach: 1, border: 0);
            sizes.Add(((sizes[^1].Width + 1) / 2, (sizes[^1].Height + 1) / 2));
        }
        Scale[] scales = [.. sizes.Select((size, scale) => new Scale(size, (bands.Band >> scale) + 2, withMap)
        {
            // What a pixel adds to the map is each of its errors by the weights of both norms.
            MapWeights = [.. Enumerable.Range(0, Errors).Select(error => Vector256.Create(
            [
                .. Enumerable.Range(0, Planes).Select(plane => WeightsOf(plane, scale, sizes.Count))
                    .Select(weights => weights[error] + weights[Errors + error]),
                0,
            ]))],
        })];
        bands.Run(Threads, (scale, rows, y) => scales[scale].Across(rows, y), cancellation,
            after: (scale, end, crew) => scales[scale].Down(end, crew));
        return new(Score(scales))
        {
            Map = withMap ? PixelMap.Sum(scales.Select(scale => scale.Map!), reference.Width, reference.Height) : null,
        };
    }

    private static double Score(Scale[] scales)
    {
        var sum = 0.0;
        for (var plane = 0; plane < Planes; plane++)
            for (var scale = 0; scale < scales.Length; scale++)
            {
                var weights = WeightsOf(plane, scale, scales.Length);
                for (var norm = 0; norm < Norms; norm++)
                    sum += weights[norm] * scales[scale].Norm(plane, norm);
            }
        // The polynomial and the power are the author's.
        sum *= 0.9562382616834844;
        sum = 2.326765642916932 * sum - 0.020884521182843837 * sum * sum + 6.248496625763138e-05 * sum * sum * sum;
        return sum > 0 ? 100 - 10 * Math.Pow(sum, 0.6276336467831387) : 100;
    }

    // The author's program takes its list in order. Where an image is too small for six scales, that is not the place
    // of the plane and the scale, but it is the value people have.
    private static double[] WeightsOf(int plane, int scale, int scales) =>
        Weights[((plane * scales + scale) * Norms)..((plane * scales + scale + 1) * Norms)];

    /// <summary>
    /// The errors of a scale. Colours are [a | b], each X, Y, B and 0; what is blurred is that, its square and
    /// [a * b | 0].
    /// </summary>
    private sealed class Scale
    {
        private const int Blurs = 3;
        private const int TileColumns = 64;

        private readonly int width, height, capacity;
        private readonly Vector256<float>[][] colours; // [row % capacity][column]
        private readonly Vector256<float>[][] across; // blurred along rows, [row % capacity][blur, column]
        private readonly Vector256<float>[] state; // of the blur along columns, [column, blur, value]
        private readonly Vector256<double>[] sums; // of X, Y, B and 0, [tile, norm]
        private int next = 1 - RecursiveGaussian.Reach; // the next row of the blur along columns

        /// <param name="size">Columns and rows.</param>
        /// <param name="band">The most rows that come at a time.</param>
        /// <param name="withMap">Whether there is a map.</param>
        public Scale((int Width, int Height) size, int band, bool withMap)
        {
            (width, height) = size;
            capacity = Math.Min(height, band + 2 * RecursiveGaussian.Reach);
            colours = [.. Enumerable.Range(0, capacity).Select(_ => new Vector256<float>[width])];
            across = [.. Enumerable.Range(0, capacity).Select(_ => new Vector256<float>[Blurs * width])];
            state = new Vector256<float>[width * Blurs * RecursiveGaussian.State];
            sums = new Vector256<double>[(width + TileColumns - 1) / TileColumns * Norms];
            Map = withMap ? new(width, height) : null;
        }

        public PixelMap? Map { get; }

        /// <summary>For each error, of X, Y, B and 0.</summary>
        public required Vector256<double>[] MapWeights { get; init; }

        /// <summary>Blurs along a row.</summary>
        // Safe: the padded row has Pad zeros on both sides of width values, and across as many rows of width values as
        // there are blurs.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public unsafe void Across(RowWindow rows, int y)
        {
            const int Pad = RecursiveGaussian.Pad;
            var colour = colours[y % capacity];
            Fill(rows, y, colour);
            var padded = ArrayPool<Vector256<float>>.Shared.Rent(width + 2 * Pad);
            padded.AsSpan(0, Pad).Clear();
            padded.AsSpan(Pad + width, Pad).Clear();
            fixed (Vector256<float>* row = padded, blurred = across[y % capacity])
                for (var blur = 0; blur < Blurs; blur++)
                {
                    for (var x = 0; x < width; x++)
                        row[Pad + x] = blur switch
                        {
                            0 => colour[x],
                            1 => colour[x] * colour[x],
                            _ => Vector256.Create(
                                colour[x].GetLower() * colour[x].GetUpper(), Vector128<float>.Zero),
                        };
                    RecursiveGaussian.Across(row + Pad, width, blurred + blur * width);
                }
            ArrayPool<Vector256<float>>.Shared.Return(padded);
        }

        /// <summary>Blurs along columns as far as rows have come, and adds the errors up.</summary>
        public void Down(int end, Crew crew)
        {
            var (from, to) = (next, end == height ? height : end - RecursiveGaussian.Reach + 1);
            next = Math.Max(from, to);
            crew.Run(sums.Length / Norms, (tile, _) =>
            {
                for (var y = from; y < to; y++)
                    Down(tile, y);
            });
        }

        public double Norm(int plane, int norm)
        {
            var sum = 0.0;
            for (var tile = 0; tile < sums.Length / Norms; tile++)
                sum += sums[tile * Norms + norm][plane];
            var mean = sum / ((double)width * height);
            return norm < Errors ? mean : Math.Sqrt(Math.Sqrt(mean));
        }

        // Safe: rows have eight columns more than the image, and eight colours of six values are kept in the buffer.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static unsafe void Fill(RowWindow rows, int y, Span<Vector256<float>> colour)
        {
            var buffer = stackalloc float[2 * Planes * Vector256<float>.Count];
            for (var x = 0; x < colour.Length; x += Vector256<float>.Count)
            {
                for (var image = 0; image < 2; image++)
                {
                    var (red, green, blue) = (Load(image, 0), Load(image, 1), Load(image, 2));
                    var xyb = buffer + image * Planes * Vector256<float>.Count;
                    ToXyb(red, green, blue, xyb);
                }
                for (var i = 0; i < Math.Min(Vector256<float>.Count, colour.Length - x); i++)
                    colour[x + i] = Vector256.Create(
                        buffer[i], buffer[8 + i], buffer[16 + i], 0, buffer[24 + i], buffer[32 + i], buffer[40 + i], 0);

                Vector256<float> Load(int image, int plane)
                {
                    var row = rows.Row(image, plane, y)[x..];
                    return Vector256.Narrow(Vector256.Create<double>(row), Vector256.Create<double>(row[4..]));
                }
            }
        }

        // JPEG XL's, operation by operation; then X, Y and B - Y are shifted and scaled to lie on about [0, 1].
        // Safe: the caller has room for three vectors.
        private static unsafe void ToXyb(
            Vector256<float> red, Vector256<float> green, Vector256<float> blue, float* xyb)
        {
            var l = RootOf(0.3f, 1 - 0.078f - 0.3f, 0.078f);
            var m = RootOf(0.23f, 1 - 0.078f - 0.23f, 0.078f);
            var s = RootOf(0.24342269f, 0.20476745f, 1 - 0.24342269f - 0.20476745f);
            var (x, y) = ((l - m) * 0.5f, (l + m) * 0.5f);
            (x * 14 + Vector256.Create(0.42f)).Store(xyb);
            (y + Vector256.Create(0.01f)).Store(xyb + Vector256<float>.Count);
            (s - y + Vector256.Create(0.55f)).Store(xyb + 2 * Vector256<float>.Count);

            Vector256<float> RootOf(float ofRed, float ofGreen, float ofBlue)
            {
                const float Bias = 0.0037930733f, RootOfBias = 0.1559542f;
                var mixed = Fused(Vector256.Create(ofBlue), blue, Vector256.Create(Bias));
                mixed = Fused(Vector256.Create(ofGreen), green, mixed);
                return CubeRoot(Fused(Vector256.Create(ofRed), red, mixed), Vector256.Create(-RootOfBias));
            }
        }

        // The cube root of positive values, plus a number: Newton's method for the inverse of the root, from an
        // approximation whose exponent is right.
        private static Vector256<float> CubeRoot(Vector256<float> value, Vector256<float> plus)
        {
            var third = Vector256.Create(1f / 3);
            var exponents = Vector256.ShiftRightLogical(value.AsInt32(), 23) * 0x002AAAAA;
            var inverse = (Vector256.Create(0x54800000) - exponents).AsSingle();
            for (var i = 0; i < 3; i++)
            {
                var square = inverse * inverse;
                inverse = Fused(-(third * value), square * square, Vector256.Create(4f / 3) * inverse);
            }
            var fourth = inverse * inverse * (inverse * inverse);
            inverse = Fused(third, Fused(-value, fourth, inverse), inverse);
            return Fused(inverse * inverse, value, plus);
        }

        private static Vector256<float> Fused(Vector256<float> a, Vector256<float> b, Vector256<float> c) =>
            Vector256.FusedMultiplyAdd(a, b, c);

        // Safe: all rows have Blurs * width values, and the state that many times State.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private unsafe void Down(int tile, int y)
        {
            const int Reach = RecursiveGaussian.Reach;
            var (first, end) = (tile * TileColumns, Math.Min(width, (tile + 1) * TileColumns));
            var (above, below) = (Row(y - Reach - 1), Row(y + Reach - 1));
            fixed (Vector256<float>* upper = above, lower = below, states = state)
                for (var x = first; x < end; x++)
                {
                    var at = states + x * Blurs * RecursiveGaussian.State;
                    var means = RecursiveGaussian.Down(Sum(upper, lower, x), at);
                    var squares = RecursiveGaussian.Down(
                        Sum(upper, lower, width + x), at + RecursiveGaussian.State);
                    var products = RecursiveGaussian.Down(
                        Sum(upper, lower, 2 * width + x), at + 2 * RecursiveGaussian.State);
                    if (y >= 0)
                        Add(tile, y, x, means, squares, products.GetLower());
                }

            Vector256<float>[]? Row(int row) => row >= 0 && row < height ? across[row % capacity] : null;

            static Vector256<float> Sum(Vector256<float>* upper, Vector256<float>* lower, int at) =>
                (upper == null ? default : upper[at]) + (lower == null ? default : lower[at]);
        }

        // In single precision where the author's program is.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Add(int tile, int y, int x, Vector256<float> means, Vector256<float> squares,
            Vector128<float> product)
        {
            var (meanA, meanB) = (means.GetLower(), means.GetUpper());
            var difference = meanA - meanB;
            var numerator = (product - meanA * meanB) * 2 + Vector128.Create(C2);
            var denominator = squares.GetLower() - meanA * meanA + (squares.GetUpper() - meanB * meanB)
                + Vector128.Create(C2);
            var structure = (Vector128<float>.One - difference * difference) * numerator / denominator;
            var unlike = Positive(Vector256<double>.One - Wide(structure));
            var colour = colours[y % capacity][x];
            var edges = (Vector256<double>.One + Wide(Vector128.Abs(colour.GetUpper() - meanB)))
                / (Vector256<double>.One + Wide(Vector128.Abs(colour.GetLower() - meanA))) - Vector256<double>.One;
            var (added, lost) = (Positive(edges), Positive(-edges));
            var of = sums.AsSpan(tile * Norms, Norms);
            of[0] += unlike;
            of[1] += added;
            of[2] += lost;
            of[3] += Fourth(unlike);
            of[4] += Fourth(added);
            of[5] += Fourth(lost);
            if (Map is not null)
                Map.Row(y)[x] = (float)Vector256.Sum(
                    unlike * MapWeights[0] + added * MapWeights[1] + lost * MapWeights[2]);

            static Vector256<double> Wide(Vector128<float> value) => Vector256.WidenLower(value.ToVector256Unsafe());

            static Vector256<double> Positive(Vector256<double> value) =>
                Vector256.Max(value, Vector256<double>.Zero);

            static Vector256<double> Fourth(Vector256<double> value) => value * value * (value * value);
        }
    }
}
