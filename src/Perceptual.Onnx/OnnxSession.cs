using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Perceptual.Onnx;

/// <summary>
/// A part of a model that ONNX Runtime has loaded: from the image to some values. It may be run from several threads at
/// a time; each run uses one, so that no result depends on their number. The only place that knows ONNX Runtime, whose
/// library is loaded here.
/// </summary>
internal sealed class OnnxSession : IDisposable
{
    private readonly InferenceSession session;
    private readonly OnnxTensor input;
    private readonly string[] outputs;
    private readonly string path;

    private OnnxSession(InferenceSession session, OnnxTensor input, string[] outputs, string path) =>
        (this.session, this.input, this.outputs, this.path) = (session, input, outputs, path);

    /// <param name="model">The model.</param>
    /// <param name="input">The input that takes the image.</param>
    /// <param name="shape">Its dimensions; -1 is a free one.</param>
    /// <param name="outputs">The values that a run gives.</param>
    /// <param name="optimize">Whether to take time now for less time in each run.</param>
    /// <exception cref="InvalidDataException">ONNX Runtime is not on this system, or refuses the model.</exception>
    public static OnnxSession Open(
        OnnxModel model, OnnxTensor input, IReadOnlyList<long> shape, IEnumerable<string> outputs, bool optimize = true)
    {
        string[] names = [.. outputs];
        try
        {
            Configure();
            using var options = new SessionOptions
            {
                GraphOptimizationLevel = optimize
                    ? GraphOptimizationLevel.ORT_ENABLE_ALL : GraphOptimizationLevel.ORT_DISABLE_ALL,
                ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
                IntraOpNumThreads = 1,
                InterOpNumThreads = 1,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
            };
            if (!optimize)
                options.AddSessionConfigEntry("session.disable_prepacking", "1");
            options.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", model.Folder);
            return new(new(model.With(names, input, shape), options), input, names, model.Path);
        }
        catch (OnnxRuntimeException e)
        {
            throw new InvalidDataException($"{model.Path}: ONNX Runtime refuses it: {Reason(e)}", e);
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException)
        {
            throw new InvalidDataException($"{model.Path}: only ONNX Runtime runs such files, and it does not come for "
                + RuntimeInformation.RuntimeIdentifier, e);
        }
    }

    /// <summary>
    /// The types and shapes of the outputs, without a run, which may need much memory if all values are outputs; null
    /// if only a run shows them all.
    /// </summary>
    public (TensorElementType Type, long[] Shape)[]? InferredShapes()
    {
        var shapes = new (TensorElementType Type, long[] Shape)[outputs.Length];
        for (var k = 0; k < shapes.Length; k++)
        {
            var info = session.OutputMetadata[outputs[k]];
            if (!info.IsTensor || info.Dimensions.Length == 0 || info.Dimensions.Any(length => length < 0))
                return null; // no dimensions are those of a single number, or unknown
            shapes[k] = (info.ElementDataType, Array.ConvertAll(info.Dimensions, length => (long)length));
        }
        return shapes;
    }

    /// <summary>Runs the model.</summary>
    /// <param name="shape">The dimensions of the image, without free ones.</param>
    /// <param name="fill">Writes the image, whose elements have the type of the input.</param>
    /// <param name="take">Takes the outputs, which do not outlive the call.</param>
    /// <param name="cancellation">Stops it within an operator or two.</param>
    /// <exception cref="InvalidDataException">The network cannot be run on such an image.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public T Run<T>(long[] shape, SpanAction fill, Func<IReadOnlyList<OrtValue>, T> take,
        CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        try
        {
            using var image = OrtValue.CreateAllocatedTensorValue(
                OrtAllocator.DefaultInstance, (TensorElementType)input.Type, shape);
            fill(image.GetTensorMutableRawData());
            using var options = new RunOptions();
            using var stop = cancellation.Register(() => options.Terminate = true);
            using var results = session.Run(options, [input.Name], [image], outputs);
            return take(results);
        }
        catch (OnnxRuntimeException e)
        {
            cancellation.ThrowIfCancellationRequested();
            throw new InvalidDataException($"{path}: the network cannot be run on an image of "
                + $"{string.Join('x', shape)}: {Reason(e)}", e);
        }
    }

    public void Dispose() => session.Dispose();

    // What it has to say, and to Microsoft, is not for our users.
    private static void Configure()
    {
        if (OrtEnv.IsCreated)
            return;
        var options = new EnvironmentCreationOptions
        {
            logId = "perceptual",
            logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        OrtEnv.CreateInstanceWithOptions(ref options).DisableTelemetryEvents();
    }

    // Without the name of the error and the place in its sources: "[ErrorCode:Fail] Load model failed:file.cc:1 f ...".
    private static string Reason(OnnxRuntimeException e)
    {
        var message = e.Message;
        if (message.StartsWith('[') && message.IndexOf("] ", StringComparison.Ordinal) is > 0 and var end)
            message = message[(end + 2)..];
        return UntrustedText.Printable(message.Trim());
    }

    internal delegate void SpanAction(Span<byte> bytes);
}
