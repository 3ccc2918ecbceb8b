using System.Collections.Concurrent;

namespace Perceptual;

/// <summary>Takes rows [from, to) of a tap, of all images, as soon as they are computed.</summary>
internal delegate void TapSink(int tap, RowBuffer features, int from, int to);

/// <summary>A network with its weights: takes rows of images and gives rows of features at the taps.</summary>
// Safe: see RowBuffer. The workspace is made for the number and size of the images before they are read, and
// belongs to one call.
internal sealed unsafe class Trunk
{
    /// <summary>
    /// Bytes that the activations of one call take at most, approximately, unless an image is so wide that the fewest
    /// possible rows need more.
    /// </summary>
    public const long DefaultBandMemory = 160L << 20;

    // An image goes through the network in bands of rows. Each layer waits until each thread has enough work to make
    // reading the weights worth while, but no longer, so that the rows it reads are still in the cache.
    private const int PixelsForThread = 6144;

    private readonly StageKernels[] stages;
    private readonly long bandMemory;
    private readonly ConcurrentBag<Workspace> workspaces = [];
    private Size? lastSize; // of the images before, often as large

    /// <param name="network">The layers.</param>
    /// <param name="weights">"NAME.weight" and "NAME.bias" of every convolution, of the right shapes.</param>
    /// <param name="bandMemory">Bytes for the activations of one call; wide images take more if four rows
    /// need it.</param>
    public Trunk(Network network, IReadOnlyDictionary<string, Tensor> weights, long bandMemory = DefaultBandMemory)
    {
        network.CheckKernels();
        this.bandMemory = bandMemory;
        stages = [.. network.Stages.Select(stage => new StageKernels(stage, weights))];
    }

    /// <summary>The number of images of a size that fit into the memory as a whole, from 1 to 64.</summary>
    public int ImagesAtOnce(int width, int height, int threads)
    {
        var last = lastSize;
        if (last?.Width != width || last.Height != height)
        {
            var layout = new Layout(stages, 1, width, height, width * height, threads);
            lastSize = last = new(width, height, (int)Math.Clamp(bandMemory / sizeof(float) / layout.Length, 1, 64));
        }
        return last.AtOnce;
    }

    /// <summary>Sends images of one size through the network together.</summary>
    /// <param name="images">Their rows on [-1, 1].</param>
    /// <param name="shift">What is subtracted from each channel of the input.</param>
    /// <param name="scale">What each channel of the input is then divided by.</param>
    /// <param name="crew">The threads.</param>
    /// <param name="sink">Receives the features.</param>
    /// <param name="cancellation">Stops the work between two steps.</param>
    public void Run(IReadOnlyList<RgbRowReader> images, float[] shift, float[] scale, Crew crew, TapSink sink,
        CancellationToken cancellation)
    {
        if (!workspaces.TryTake(out var workspace))
            workspace = new();
        workspace.Prepare(stages, images.Count, images[0].Width, images[0].Height, crew.Threads, bandMemory);
        new Pass(stages, workspace, images, shift, scale, crew, sink, cancellation).Run();
        workspaces.Add(workspace);
    }

    /// <summary>Reads the next rows of an image, [from, to), into a buffer with planes of one lane.</summary>
    public static void ReadRows(RgbRowReader reader, RowBuffer buffer, int image, int from, int to, float[] shift,
        float[] scale)
    {
        for (var y = from; y < to; y++)
            reader.ReadRow(buffer.Row(image, 0, y), buffer.Row(image, 1, y), buffer.Row(image, 2, y), shift, scale);
    }

    private sealed record Size(int Width, int Height, int AtOnce);

    /// <summary>
    /// The buffers for images of one size, with as many rows of each layer as must be in memory at a time.
    /// </summary>
    private sealed class Layout
    {
        private readonly int[] stepRows;

        public Layout(StageKernels[] stages, int images, int width, int height, int pixels, int threads)
        {
            Images = images;
            Buffers = new RowBuffer[stages.Length + 1];
            stepRows = new int[stages.Length];
            Buffers[0] = new(3, 1, height, width);
            for (var i = 0; i < stages.Length; i++)
                Buffers[i + 1] = stages[i].Output(Buffers[i]);
            // Whatever a stage is first asked of a map, it packs its weights for it: let the stages do so side by side.
            ParallelLoop.Run(stages.Length, threads, i => stages[i].ScratchLength(Buffers[i + 1]));
            for (var i = 0; i < stages.Length; i++)
            {
                stages[i].Reserve(Buffers[i], Buffers[i + 1]);
                stepRows[i] = stages[i].StepRows(Buffers[i + 1], images, pixels);
            }
            Band = height / Buffers[1].Height * stepRows[0];
            // A pass without values finds how many rows each buffer holds at most.
            Restart();
            while (!Buffers[^1].IsComplete)
            {
                Extend(0, Math.Min(height, Buffers[0].End + Band));
                for (var i = 0; i < stages.Length; i++)
                    Extend(i + 1, Ready(stages, i));
                for (var i = 0; i < stages.Length; i++)
                    Buffers[i].First = stages[i].Keep(Buffers[i], Buffers[i + 1]);
                Buffers[^1].First = Buffers[^1].End;
            }

            void Extend(int i, int end)
            {
                var buffer = Buffers[i];
                buffer.End = end;
                buffer.Capacity = Math.Max(buffer.Capacity,
                    end + (buffer.IsComplete ? buffer.Below : 0) - buffer.First);
            }
        }

        public int Images { get; }

        /// <summary>Rows of the image that are read at a time.</summary>
        public int Band { get; }

        public RowBuffer[] Buffers { get; }

        /// <summary>
        /// Floats of memory for all buffers, with some to spare: kernels read a few pixels beyond the last row.
        /// </summary>
        public long Length => Buffers.Sum(buffer => Aligned(Images * buffer.ImageLength)) + 1024;

        /// <inheritdoc cref="StageKernels.Ready"/>
        public int Ready(StageKernels[] stages, int stage) =>
            stages[stage].Ready(Buffers[stage], Buffers[stage + 1], stepRows[stage]);

        public void Place(PinnedFloats memory)
        {
            var next = memory.Pointer;
            foreach (var buffer in Buffers)
            {
                buffer.Data = next;
                next += Aligned(Images * buffer.ImageLength);
            }
        }

        public void Restart()
        {
            foreach (var buffer in Buffers)
                (buffer.First, buffer.End) = (-buffer.Above, 0);
        }

        private static long Aligned(long length) => (length + 15) / 16 * 16;
    }

    /// <summary>Memory that is kept from one call to the next.</summary>
    private sealed class Workspace
    {
        private Layout? layout;
        private PinnedFloats? memory;

        public Layout Layout => layout!;

        public int[][][] Offsets { get; private set; } = []; // [stage, convolver, offset], pinned

        public Scratch Scratch { get; } = new();

        public void Prepare(StageKernels[] stages, int images, int width, int height, int threads, long bandMemory)
        {
            if (layout is null || layout.Images != images || layout.Buffers[0].Width != width
                || layout.Buffers[0].Height != height)
            {
                var next = Fit(stages, images, width, height, threads, bandMemory);
                if (memory is null || memory.Length < next.Length)
                    memory = new(next.Length);
                for (var at = 0L; at < next.Length; at += 1 << 28)
                    new Span<float>(memory.Pointer + at, (int)Math.Min(1 << 28, next.Length - at)).Clear();
                next.Place(memory);
                Offsets = [.. stages.Select((stage, i) => stage.Offsets(next.Buffers[i], next.Buffers[i + 1]))];
                layout = next;
            }
            var outputs = Layout.Buffers[1..];
            Scratch.Reserve(stages.Zip(outputs).Max(stage => stage.First.ScratchLength(stage.Second)), threads);
        }

        private static Layout Fit(
            StageKernels[] stages, int images, int width, int height, int threads, long bandMemory)
        {
            for (var pixels = PixelsForThread * threads; ; pixels /= 2)
            {
                var layout = new Layout(stages, images, width, height, pixels, threads);
                if (layout.Length * sizeof(float) <= bandMemory || pixels == 1)
                    return layout;
            }
        }
    }

    /// <summary>One call: the images go through in bands.</summary>
    private sealed class Pass(
        StageKernels[] stages, Workspace workspace, IReadOnlyList<RgbRowReader> images, float[] shift, float[] scale,
        Crew crew, TapSink sink, CancellationToken cancellation)
    {
        private readonly Layout layout = workspace.Layout;
        private readonly RowBuffer[] buffers = workspace.Layout.Buffers;
        private readonly List<(RowBuffer Buffer, int Image, int Plane, int Keep)> shifts = [];

        public void Run()
        {
            layout.Restart();
            foreach (var buffer in buffers)
                if (buffer.Above > 0)
                    ForPlanes(buffer, (image, plane) => buffer.Clear(image, plane, -buffer.Above, 0));
            while (!buffers[^1].IsComplete)
            {
                cancellation.ThrowIfCancellationRequested();
                if (!buffers[0].IsComplete)
                    Read(Math.Min(layout.Band, buffers[0].Height - buffers[0].End));
                var tap = 0;
                for (var i = 0; i < stages.Length; i++)
                {
                    var (from, to) = (buffers[i + 1].End, layout.Ready(stages, i));
                    if (to > from)
                    {
                        cancellation.ThrowIfCancellationRequested();
                        stages[i].Run(
                            buffers[i], buffers[i + 1], workspace.Offsets[i], images.Count, from, to, crew,
                            workspace.Scratch);
                        SetEnd(buffers[i + 1], to);
                        if (stages[i].Stage.Tap)
                            sink(tap, buffers[i + 1], from, to);
                    }
                    tap += stages[i].Stage.Tap ? 1 : 0;
                }
                Shift();
            }
        }

        private void Read(int rows)
        {
            var buffer = buffers[0];
            crew.Run(images.Count,
                (image, _) => ReadRows(images[image], buffer, image, buffer.End, buffer.End + rows, shift, scale));
            SetEnd(buffer, buffer.End + rows);
        }

        private void SetEnd(RowBuffer buffer, int end)
        {
            buffer.End = end;
            if (buffer.IsComplete && buffer.Below > 0)
                ForPlanes(buffer, (image, plane) => buffer.Clear(image, plane, end, end + buffer.Below));
        }

        private void Shift()
        {
            shifts.Clear();
            for (var i = 0; i < buffers.Length; i++)
            {
                var buffer = buffers[i];
                var keep = i < stages.Length ? stages[i].Keep(buffer, buffers[i + 1]) : buffer.End;
                if (buffer.End == keep)
                    buffer.First = keep; // nothing to move
                else if (keep > buffer.First)
                    for (var task = 0; task < images.Count * buffer.Planes; task++)
                        shifts.Add((buffer, task / buffer.Planes, task % buffer.Planes, keep));
            }
            crew.Run(shifts.Count,
                (task, _) => shifts[task].Buffer.Shift(shifts[task].Image, shifts[task].Plane, shifts[task].Keep));
            foreach (var (buffer, _, _, keep) in shifts)
                buffer.First = keep;
        }

        private void ForPlanes(RowBuffer buffer, Action<int, int> action) =>
            crew.Run(images.Count * buffer.Planes, (task, _) => action(task / buffer.Planes, task % buffer.Planes));
    }
}
