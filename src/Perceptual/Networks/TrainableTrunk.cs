using System.Numerics;

namespace Perceptual;

/// <summary>Adds the derivative by the features of a tap to their gradient, which has the same layout.</summary>
internal delegate void TapGradient(int tap, RowBuffer features, RowBuffer gradient);

/// <summary>
/// A network that keeps all its activations, so that gradients can be propagated back through its layers to its weights
/// and to the images. Features have the same bits as those of <see cref="Trunk"/>; all results have the same bits for
/// any number of threads. One call at a time.
/// </summary>
// Safe: see RowBuffer. All buffers hold whole images, and are made for their number and size before they are read.
internal sealed unsafe class TrainableTrunk
{
    private readonly Network network;
    private readonly TrainableStage[] stages;
    private readonly bool weightGradients;
    private RowBuffer[] buffers = []; // the images, then the output of each stage
    private RowBuffer[] gradients = []; // the derivative by each of them
    private PinnedFloats[] memory = [];
    private readonly Scratch scratch = new();
    private int images;
    private int room; // the number of images that the buffers have room for

    /// <param name="network">The layers.</param>
    /// <param name="weights">"NAME.weight" and "NAME.bias" of every convolution, of the right shapes.</param>
    /// <param name="inputGradient">Whether the derivative by the images is wanted.</param>
    /// <param name="weightGradients">Whether the derivatives by the weights are wanted.</param>
    public TrainableTrunk(Network network, IReadOnlyDictionary<string, Tensor> weights, bool inputGradient,
        bool weightGradients)
    {
        network.CheckKernels();
        this.network = network;
        this.weightGradients = weightGradients;
        stages = [.. network.Stages.Select((stage, i) =>
            new TrainableStage(stage, weights, inputGradient || weightGradients && i > 0, weightGradients))];
        if (weightGradients)
            WeightGradients = stages.SelectMany(stage => stage.Stage.Convolutions.Zip(stage.WeightGradients))
                .SelectMany(pair => new[]
                {
                    ($"{pair.First.Name}.weight", pair.Second.Weight), ($"{pair.First.Name}.bias", pair.Second.Bias),
                }).ToDictionary();
    }

    /// <summary>Keeps the memory that the features point to alive.</summary>
    public object Memory => memory;

    /// <summary>
    /// The derivative by the weights, summed over the images, under keys such as "features.0.weight": [outputs, inputs,
    /// kernel, kernel].
    /// </summary>
    public IReadOnlyDictionary<string, float[]> WeightGradients { get; } = new Dictionary<string, float[]>();

    /// <summary>Replaces the weights.</summary>
    public void SetWeights(IReadOnlyDictionary<string, Tensor> weights)
    {
        foreach (var stage in stages)
            stage.SetWeights(weights);
    }

    /// <summary>Sends images of one size through the network together.</summary>
    /// <returns>The features at the taps; valid until the next call.</returns>
    /// <exception cref="ArgumentException">The images are too large for their activations to be kept.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public IReadOnlyList<RowBuffer> Forward(
        IReadOnlyList<RgbRowReader> readers, float[] shift, float[] scale, Crew crew, CancellationToken cancellation)
    {
        Prepare(readers.Count, readers[0].Width, readers[0].Height, crew.Threads);
        crew.Run(images,
            (image, _) => Trunk.ReadRows(readers[image], buffers[0], image, 0, buffers[0].Height, shift, scale));
        var taps = new List<RowBuffer>();
        for (var i = 0; i < stages.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var output = buffers[i + 1];
            stages[i].Forward(buffers[i], output, images, crew, scratch);
            if (stages[i].Stage.Tap)
                taps.Add(output);
        }
        return taps;
    }

    /// <summary>Propagates gradients back from the taps of the last <see cref="Forward"/>.</summary>
    /// <param name="head">Adds the derivative of the loss at a tap; called for the last tap first.</param>
    /// <param name="crew">The threads.</param>
    /// <param name="cancellation">Stops the work between two layers.</param>
    public void Backward(TapGradient head, Crew crew, CancellationToken cancellation)
    {
        var tap = network.TapChannels.Count;
        for (var i = stages.Length - 1; i >= 0; i--)
        {
            cancellation.ThrowIfCancellationRequested();
            var (stage, input, output, gradient) = (stages[i], buffers[i], buffers[i + 1], gradients[i + 1]);
            if (i == stages.Length - 1)
                ForPlanes(gradient, crew, (image, plane) => gradient.Clear(image, plane, 0, gradient.Height));
            if (stage.Stage.Tap)
                head(--tap, output, gradient);
            if (stage.Stage.Pool is { } pool)
            {
                ForPlanes(output, crew, (image, plane) => MaxPooling.RunBack(
                    pool.Kernel, pool.Stride, input, output, gradient, gradients[i], image, plane));
                continue;
            }
            ForPlanes(output, crew, (image, plane) => StopWhereZero(output, gradient, image, plane));
            stage.Backward(input, gradient, gradients[i], images, crew, scratch);
        }
    }

    /// <summary>Copies the derivative by the samples of an image on [-1, 1], after <see cref="Backward"/>.</summary>
    /// <param name="image">The number of the image.</param>
    /// <param name="scale">As in <see cref="Forward"/>.</param>
    /// <param name="gradient">[3, height, width]</param>
    public void CopyInputGradient(int image, float[] scale, Span<float> gradient)
    {
        // The transposed convolution of a stride writes every stride-th row and column, for each first row and column,
        // as channels of their own.
        var (from, first) = (gradients[0], stages[0].Stage.Convolutions[0]);
        var (stride, padding, height, width) = (first.Stride, first.Padding, buffers[0].Height, buffers[0].Width);
        if (stride == 1)
            padding = 0; // the transposed convolution has taken it into account
        for (var c = 0; c < 3; c++)
            for (var y = 0; y < height; y++)
                for (var x = 0; x < width; x++)
                {
                    var (row, column) = ((y + padding) / stride, (x + padding) / stride);
                    var channel = ((y + padding) % stride * stride + (x + padding) % stride) * 3 + c;
                    var (plane, lane) = (channel / RowBuffer.Lanes, channel % RowBuffer.Lanes);
                    gradient[(c * height + y) * width + x] = row < from.Height && column < from.Width
                        ? from.Row(image, plane, row)[column * RowBuffer.Lanes + lane] / scale[c]
                        : 0; // no window reaches it
                }
    }

    private void ForPlanes(RowBuffer buffer, Crew crew, Action<int, int> action) =>
        crew.Run(images * buffer.Planes, (task, _) => action(task / buffer.Planes, task % buffer.Planes));

    // The gradient of ReLU.
    private static void StopWhereZero(RowBuffer output, RowBuffer gradient, int image, int plane)
    {
        for (var y = 0; y < output.Height; y++)
        {
            float* values = output.Row(image, plane, y), row = gradient.Row(image, plane, y);
            for (var x = 0; x < output.Width * RowBuffer.Lanes; x += Vector<float>.Count)
                Vector.Store(Vector.ConditionalSelect(Vector.GreaterThan(Vector.Load(values + x), Vector<float>.Zero),
                    Vector.Load(row + x), Vector<float>.Zero), row + x);
        }
    }

    private void Prepare(int count, int width, int height, int threads)
    {
        images = count;
        if (count > room || buffers[0].Width != width || buffers[0].Height != height)
        {
            room = count;
            buffers = new RowBuffer[stages.Length + 1];
            gradients = new RowBuffer[stages.Length + 1];
            buffers[0] = new(3, 1, height, width);
            for (var i = 0; i < stages.Length; i++)
            {
                buffers[i + 1] = stages[i].Output(buffers[i]);
                gradients[i + 1] = new(buffers[i + 1].Channels, RowBuffer.Lanes, buffers[i + 1].Height,
                    buffers[i + 1].Width);
            }
            gradients[0] = stages[0].BackShape is { } shape
                ? new(shape.Outputs, RowBuffer.Lanes, shape.OutputLength(buffers[1].Height),
                    shape.OutputLength(buffers[1].Width))
                : new(3, RowBuffer.Lanes, 0, 0);
            for (var i = 0; i < stages.Length; i++)
            {
                stages[i].Reserve(buffers[i], buffers[i + 1]);
                stages[i].ReserveBack(gradients[i], gradients[i + 1]);
            }
            memory = [.. buffers.Concat(gradients).Select(buffer => Place(buffer, count))];
            for (var i = 0; i < stages.Length; i++)
                stages[i].FillOffsets(buffers[i], gradients[i + 1]);
        }
        scratch.Reserve(stages.Index().Max(stage => stage.Item.ScratchLength(buffers[stage.Index + 1])), threads);
    }

    // Gives a buffer memory for all rows, zeroed, and some to spare: kernels read a few pixels beyond the last row.
    private static PinnedFloats Place(RowBuffer buffer, int images)
    {
        (buffer.First, buffer.End) = (-buffer.Above, buffer.Height);
        buffer.Capacity = buffer.Above + buffer.Height + buffer.Below;
        var memory = new PinnedFloats(images * buffer.ImageLength + 1024);
        buffer.Data = memory.Pointer;
        return memory;
    }

    /// <summary>A stage that computes gradients too.</summary>
    private sealed class TrainableStage : StageKernels
    {
        private readonly float[] turned = [];
        private readonly Convolver? back;
        private int[][] offsets = [];
        private int[] backOffsets = [];

        public TrainableStage(
            Stage stage, IReadOnlyDictionary<string, Tensor> weights, bool inputGradient, bool weightGradients)
            : base(stage, weights)
        {
            if (weightGradients)
                WeightGradients = [.. Shapes.Select(WeightGradient.Choose)];
            if (!inputGradient || stage.Pool is not null)
                return;
            var shape = TransposedConvolution.Shape(Shapes);
            turned = new float[shape.Outputs * shape.Depth];
            TransposedConvolution.Turn(Shapes, Weights(weights), turned);
            back = Convolver.Choose(shape, turned, new float[shape.Outputs], relu: false);
        }

        public WeightGradient[] WeightGradients { get; } = [];

        /// <summary>
        /// The shape of the convolution from the derivative by the output to the derivative by the input.
        /// </summary>
        public ConvolutionShape? BackShape => back?.Shape;

        public override long ScratchLength(RowBuffer output) =>
            Math.Max(base.ScratchLength(output), back?.ScratchLength ?? 0);

        private ConvolutionShape[] Shapes => [.. Stage.Convolutions.Select(convolution => convolution.Shape)];

        public override void SetWeights(IReadOnlyDictionary<string, Tensor> weights)
        {
            base.SetWeights(weights);
            if (back is null)
                return;
            TransposedConvolution.Turn(Shapes, Weights(weights), turned);
            back.SetWeights(turned, new float[back.Shape.Outputs]);
        }

        public void ReserveBack(RowBuffer inputGradient, RowBuffer outputGradient)
        {
            foreach (var weightGradient in WeightGradients)
                weightGradient.Reserve(outputGradient);
            back?.Reserve(outputGradient, inputGradient);
        }

        public void FillOffsets(RowBuffer input, RowBuffer outputGradient)
        {
            offsets = Offsets(input, outputGradient);
            backOffsets = back is null ? [] : Offsets(back, outputGradient);
        }

        public void Forward(RowBuffer input, RowBuffer output, int images, Crew crew, Scratch scratch) =>
            Run(input, output, offsets, images, 0, output.Height, crew, scratch);

        /// <summary>
        /// For convolutions only: computes the gradients from the derivative by their output before ReLU.
        /// </summary>
        public void Backward(
            RowBuffer input, RowBuffer outputGradient, RowBuffer inputGradient, int images, Crew crew, Scratch scratch)
        {
            var channel = 0;
            foreach (var weightGradient in WeightGradients)
            {
                weightGradient.Run(input, outputGradient, channel, images, crew);
                channel += weightGradient.Shape.Outputs;
            }
            if (back is null)
                return;
            var step = new ConvolutionStep(
                outputGradient, inputGradient, 0, backOffsets, images, 0, inputGradient.Height, crew.Threads);
            Convolve(back, step, crew, scratch);
        }

        private float[][] Weights(IReadOnlyDictionary<string, Tensor> weights) =>
            [.. Stage.Convolutions.Select(convolution => Weight(weights, convolution))];
    }
}

/// <summary>
/// The transposed convolution: it takes a derivative by the output of convolutions to the derivative by their input.
/// Outputs and inputs change places and the kernel is rotated by half a turn. Convolutions of one input whose outputs
/// are stacked become one convolution with the largest kernel. With a stride, the input's rows and columns fall into
/// stride x stride sets that see different parts of the kernel: each set has channels of its own.
/// </summary>
internal static class TransposedConvolution
{
    public static ConvolutionShape Shape(IReadOnlyList<ConvolutionShape> shapes)
    {
        var largest = shapes.MaxBy(shape => shape.Kernel);
        var (stride, kernel) = (largest.Stride, (largest.Kernel + largest.Stride - 1) / largest.Stride);
        return new(shapes.Sum(shape => shape.Outputs), stride * stride * largest.Inputs, kernel, 1,
            stride == 1 ? kernel - 1 - largest.Padding : kernel - 1);
    }

    /// <summary>
    /// Writes [inputs, outputs, kernel, kernel]; with a stride [row in the stride, column in the stride, input,
    /// outputs, kernel, kernel].
    /// </summary>
    public static void Turn(IReadOnlyList<ConvolutionShape> shapes, IReadOnlyList<float[]> weights, float[] turned)
    {
        var shape = Shape(shapes);
        var (inputs, area, first) = (shapes[0].Inputs, shape.Kernel * shape.Kernel, 0);
        for (var k = 0; k < shapes.Count; k++)
        {
            var (kernel, stride, weight, from) = (shapes[k].Kernel, shapes[k].Stride, weights[k], first);
            var margin = stride == 1 ? (shape.Kernel - kernel) / 2 : 0; // a smaller kernel lies in the middle
            var places = new int[kernel * kernel]; // where each part of a kernel goes
            for (var tap = 0; tap < places.Length; tap++)
            {
                var (y, x) = (tap / kernel, tap % kernel);
                places[tap] = (y % stride * stride + x % stride) * inputs * shape.Inputs * area
                    + (shape.Kernel - 1 - margin - y / stride) * shape.Kernel + shape.Kernel - 1 - margin - x / stride;
            }
            ParallelLoop.Run(inputs, Environment.ProcessorCount, i =>
            {
                for (var o = 0; o < shapes[k].Outputs; o++)
                {
                    var source = weight.AsSpan((o * inputs + i) * places.Length, places.Length);
                    var target = (i * shape.Inputs + from + o) * area;
                    for (var tap = 0; tap < source.Length; tap++)
                        turned[target + places[tap]] = source[tap];
                }
            });
            first += shapes[k].Outputs;
        }
    }
}
