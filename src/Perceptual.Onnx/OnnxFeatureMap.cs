namespace Perceptual.Onnx;

/// <summary>How a value of a graph holds a feature map.</summary>
public enum MapLayout
{
    /// <summary>[1, channels, height, width].</summary>
    ChannelsFirst,

    /// <summary>[1, height, width, channels].</summary>
    ChannelsLast,

    /// <summary>
    /// [1, tokens, channels], as transformers have it: some extra tokens (class, registers), then a grid.
    /// </summary>
    Tokens,

    /// <summary>
    /// [1, channels] or [1, channels, 1, 1]: one vector for the whole image, an embedding; of [1, tokens, channels] it
    /// is the first token.
    /// </summary>
    Vector,
}

/// <summary>A value of a graph that is a feature map or an embedding, as it was measured.</summary>
/// <param name="Name">The name of the value.</param>
/// <param name="Operator">The operator that makes it, such as "Relu".</param>
/// <param name="Layout">How its values lie.</param>
/// <param name="Channels">Channels.</param>
/// <param name="Height">Rows, for an image of <see cref="OnnxNetwork.MeasuredHeight"/> rows.</param>
/// <param name="Width">Columns, for an image of <see cref="OnnxNetwork.MeasuredWidth"/> columns.</param>
public sealed record OnnxFeatureMap(
    string Name, string Operator, MapLayout Layout, int Channels, int Height, int Width)
{
    /// <summary>Tokens before the grid; 0 in other layouts.</summary>
    public int Extra { get; init; }

    /// <summary>The side of the square of pixels that a token stands for; 0 in other layouts.</summary>
    public int Patch { get; init; }

    /// <summary>The layout as people write it: nchw, nhwc, tokens or vector.</summary>
    public string LayoutName => Layout switch
    {
        MapLayout.ChannelsFirst => "nchw",
        MapLayout.ChannelsLast => "nhwc",
        MapLayout.Vector => "vector",
        _ => Extra == 0 ? "tokens" : $"tokens, {Extra} before them",
    };
}
