using BenchmarkDotNet.Attributes;

namespace Perceptual.Benchmarks;

/// <summary>
/// One layer on one thread, for two images of 256 x 256: in each form that computes it, for each vector.
/// </summary>
public unsafe class ConvolutionBenchmarks
{
    public enum Form
    {
        Chosen,
        Direct,
    }

    private static readonly Dictionary<string, (ConvolutionShape Shape, int Side)> Layers = new()
    {
        ["alex conv1"] = (new(3, 64, 11, 4, 2), 256),
        ["alex conv2"] = (new(64, 192, 5, 1, 2), 31),
        ["alex conv4"] = (new(384, 256, 3, 1, 1), 15),
        ["vgg conv1_2"] = (new(64, 64, 3, 1, 1), 256),
        ["vgg conv3_2"] = (new(256, 256, 3, 1, 1), 64),
        ["vgg conv5_2"] = (new(512, 512, 3, 1, 1), 16),
        ["squeeze 1x1"] = (new(128, 32, 1, 1, 0), 31),
    };

    private readonly List<PinnedFloats> memory = [];
    private Convolver convolver = null!;
    private ConvolutionStep step;
    private PinnedFloats scratch = null!;

    [ParamsSource(nameof(LayerNames))]
    public string Layer { get; set; } = "";

    [Params(Form.Chosen, Form.Direct)]
    public Form Kernel { get; set; }

    /// <summary>Bits; 512 is slow where the processor has no such vectors.</summary>
    [Params(128, 256, 512)]
    public int Vector { get; set; }

    public static IEnumerable<string> LayerNames => Layers.Keys;

    [GlobalSetup]
    public void Setup()
    {
        const int Images = 2;
        var (shape, side) = Layers[Layer];
        var random = new Random(1);
        var weight = Enumerable.Range(0, shape.Outputs * shape.Inputs * shape.Kernel * shape.Kernel)
            .Select(_ => random.NextSingle() - 0.5f).ToArray();
        var bias = new float[shape.Outputs];
        convolver = Vector switch
        {
            512 => Create<Simd512>(shape, weight, bias),
            256 => Create<Simd256>(shape, weight, bias),
            _ => Create<Simd128>(shape, weight, bias),
        };
        var input = new RowBuffer(shape.Inputs, Convolver.LanesOf(shape.Inputs), side, side);
        var outputSide = shape.OutputLength(side);
        var output = new RowBuffer(shape.Outputs, RowBuffer.Lanes, outputSide, outputSide);
        convolver.Reserve(input, output);
        (input.First, input.End, input.Capacity) = (-input.Above, side, input.Above + side + input.Below);
        (output.End, output.Capacity) = (outputSide, outputSide);
        foreach (var buffer in new[] { input, output })
        {
            memory.Add(new(Images * buffer.ImageLength + 1024));
            buffer.Data = memory[^1].Pointer;
        }
        for (var i = 0L; i < memory[0].Length; i++)
            memory[0].Pointer[i] = random.NextSingle();
        var offsets = GC.AllocateUninitializedArray<int>(convolver.OffsetCount, pinned: true);
        convolver.FillOffsets(input, offsets);
        scratch = new(convolver.ScratchLength + 16);
        step = new(input, output, 0, offsets, Images, 0, outputSide, Threads: 1);
    }

    [Benchmark]
    public void Run()
    {
        for (var task = 0; task < convolver.CountTasks(step); task++)
            convolver.Run(step, task, scratch.Pointer);
    }

    private Convolver Create<T>(ConvolutionShape shape, float[] weight, float[] bias) where T : struct, ISimd<T>
    {
        if (Kernel != Form.Direct || shape is not { Stride: 1 })
            return Convolver.Choose<T>(shape, weight, bias);
        var direct = new DirectConvolver<T, Sixteen>(shape, floor: 0);
        direct.SetWeights(weight, bias);
        return direct;
    }
}
