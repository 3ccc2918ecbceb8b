namespace Perceptual;

/// <summary>What the values of a metric mean.</summary>
/// <param name="Name">The name people call it by, such as "psnr" or "lpips-alex".</param>
/// <param name="LargerIsCloser">Whether larger values mean that the images are closer, as with PSNR, or
/// further apart.</param>
/// <param name="Range">The range of the values, in words: "0 to infinity, 0 = identical".</param>
/// <param name="MinimumSide">The smallest side that an image may have, in pixels.</param>
/// <param name="HasMap">Whether it can say where two images differ.</param>
public sealed record MetricInfo(string Name, bool LargerIsCloser, string Range, int MinimumSide, bool HasMap)
{
    /// <summary>How many decimals of a value are worth showing in a table.</summary>
    public int Decimals { get; init; } = 4;

    /// <summary>Who published it, such as "Wang et al. 2004"; empty if that is not known.</summary>
    public string Source { get; init; } = "";

    /// <summary>
    /// Whether it compares images of <see cref="ValueRange.LinearLight"/>, and refuses all others; otherwise it refuses
    /// these.
    /// </summary>
    public bool ComparesLinearLight { get; init; }

    /// <summary>Whether it compares images whose samples go beyond black and white,
    /// <see cref="ValueRange.WithOvershoot"/>.</summary>
    public bool ComparesOvershoot { get; init; }

    /// <summary>"larger is closer" or "larger is further apart".</summary>
    public string Direction => LargerIsCloser ? "larger is closer" : "larger is further apart";

    /// <summary>
    /// A value of the metric with its sign changed where larger is closer, so that larger is always further apart.
    /// Judgements are compared with this.
    /// </summary>
    public double Distance(double value) => LargerIsCloser ? -value : value;
}
