using System.Diagnostics;

namespace Perceptual.Testing;

/// <summary>
/// Asserts in a test of any framework that a picture looks as its baseline does, as <see cref="VisualGate"/> sees it
/// with the limits and masks of <c>perceptual.json</c>. The baseline is a file of the test project that is made when
/// there is none, but not where the variable <c>CI</c> is set; with <c>PERCEPTUAL_APPROVE=1</c> a picture that fails
/// becomes the baseline. It may be used from several threads and processes at a time.
/// </summary>
/// <example>
/// <code>
/// await Look.Matches(await page.ScreenshotAsync(), "login");
/// await Look.Matches(chart, "charts/sales", new() { Ignore = ["0,0,120,20"] });      // an RgbImage
/// await Look.Matches(() => window.TakePicture(), "window");      // once two in a row agree
/// </code>
/// </example>
public static class Look
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(0.1); // between two pictures

    /// <summary>Asserts that a picture looks as its baseline does.</summary>
    /// <inheritdoc cref="Compare(byte[], string, LookOptions?, CancellationToken)" path="/param"/>
    /// <inheritdoc cref="Compare(byte[], string, LookOptions?, CancellationToken)" path="/exception"/>
    /// <exception cref="LookException">It does not, or there is none and the variable <c>CI</c> is set.</exception>
    public static async Task Matches(
        byte[] picture, string name, LookOptions? options = null, CancellationToken cancellation = default) =>
        (await Compare(picture, name, options, cancellation)).Demand();

    /// <inheritdoc cref="Matches(byte[], string, LookOptions?, CancellationToken)"/>
    public static async Task Matches(
        Stream picture, string name, LookOptions? options = null, CancellationToken cancellation = default) =>
        (await Compare(picture, name, options, cancellation)).Demand();

    /// <summary>Asserts that the picture in a file looks as its baseline does.</summary>
    /// <inheritdoc cref="Matches(byte[], string, LookOptions?, CancellationToken)" path="/exception"/>
    /// <inheritdoc cref="Compare(string, string, LookOptions?, CancellationToken)" path="/param"/>
    public static async Task Matches(
        string path, string name, LookOptions? options = null, CancellationToken cancellation = default) =>
        (await Compare(path, name, options, cancellation)).Demand();

    /// <inheritdoc cref="Matches(byte[], string, LookOptions?, CancellationToken)"/>
    public static async Task Matches(
        RgbImage picture, string name, LookOptions? options = null, CancellationToken cancellation = default) =>
        (await Compare(picture, name, options, cancellation)).Demand();

    /// <summary>Takes a picture again and again until two in a row are the same, but for what is ignored, and asserts
    /// that it looks as its baseline does.</summary>
    /// <inheritdoc cref="Compare(Func{Task{byte[]}}, string, LookOptions?, CancellationToken)" path="/param"/>
    /// <inheritdoc cref="Compare(byte[], string, LookOptions?, CancellationToken)" path="/exception"/>
    /// <exception cref="LookException">It does not, or there is none and the variable <c>CI</c> is set, or no two in a
    /// row were the same for as long as <see cref="LookOptions.Patience"/> says.</exception>
    public static async Task Matches(Func<Task<byte[]>> take, string name, LookOptions? options = null,
        CancellationToken cancellation = default) =>
        (await Compare(take, name, options, cancellation)).Demand();

    /// <summary>Compares a picture with its baseline as <see cref="Matches(byte[], string, LookOptions?,
    /// CancellationToken)"/> does, and returns what was found.</summary>
    /// <param name="picture">The bytes of an image file, such as a PNG; a stream of them, which is read from its
    /// position to its end and left open; or an image in the range of <see cref="ValueRange.Byte"/>.</param>
    /// <param name="name">Its path in the folder of the baselines, with / between its parts; without an extension of
    /// images, .png is added.</param>
    /// <param name="options">What is ignored, where baselines are; the defaults of <see cref="LookOptions"/> if
    /// null.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ArgumentException">The name is not one on every platform or has the extension of another
    /// format, or something that is neither an area nor an image is to be ignored.</exception>
    /// <exception cref="InvalidDataException">The picture is damaged, transparent or none, or <c>perceptual.json</c>
    /// cannot be read.</exception>
    /// <exception cref="InvalidOperationException">It is not known which project the tests are of.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be written.</exception>
    /// <exception cref="WeightsUnavailableException">A witness needs weights that are not there.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public static Task<LookResult> Compare(
        byte[] picture, string name, LookOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(picture);
        var tested = new TestedPicture(name, options);
        return Task.Run(() => tested.Judge(picture, cancellation), cancellation);
    }

    /// <inheritdoc cref="Compare(byte[], string, LookOptions?, CancellationToken)"/>
    public static async Task<LookResult> Compare(
        Stream picture, string name, LookOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(picture);
        using var memory = new MemoryStream();
        await picture.CopyToAsync(memory, cancellation);
        return await Compare(memory.ToArray(), name, options, cancellation);
    }

    /// <summary>Compares the picture in a file with its baseline, and returns what was found.</summary>
    /// <param name="path">The path of an image file.</param>
    /// <param name="name">The path of the baseline, as for a picture in memory.</param>
    /// <param name="options">What is ignored, where baselines are; the defaults of <see cref="LookOptions"/> if
    /// null.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <inheritdoc cref="Compare(byte[], string, LookOptions?, CancellationToken)" path="/exception"/>
    /// <inheritdoc cref="LocalFile.OpenRead" path="/exception"/>
    public static async Task<LookResult> Compare(
        string path, string name, LookOptions? options = null, CancellationToken cancellation = default)
    {
        using var file = LocalFile.OpenRead(path);
        return await Compare(file, name, options, cancellation);
    }

    /// <inheritdoc cref="Compare(byte[], string, LookOptions?, CancellationToken)"/>
    public static Task<LookResult> Compare(
        RgbImage picture, string name, LookOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(picture);
        using var memory = new MemoryStream();
        ImageFile.WritePng(memory, picture);
        return Compare(memory.ToArray(), name, options, cancellation);
    }

    /// <summary>Takes a picture again and again until two in a row are the same, but for what is ignored, compares it
    /// with its baseline, and returns what was found.</summary>
    /// <param name="take">Takes a picture: the bytes of an image file. It is called in the context of the
    /// caller.</param>
    /// <param name="name">The path of the baseline, as for a picture that has been taken.</param>
    /// <param name="options">What is ignored, where baselines are; the defaults of <see cref="LookOptions"/> if
    /// null.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <inheritdoc cref="Compare(byte[], string, LookOptions?, CancellationToken)" path="/exception"/>
    public static async Task<LookResult> Compare(Func<Task<byte[]>> take, string name, LookOptions? options = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(take);
        var tested = new TestedPicture(name, options);
        var patience = (options ?? new()).Patience;
        var watch = Stopwatch.StartNew();
        var before = await take();
        while (true)
        {
            await Task.Delay(Pause, cancellation);
            var picture = await take();
            if (await Task.Run(() => tested.AreEqual(before, picture), cancellation))
                return await Task.Run(() => tested.Judge(picture, cancellation), cancellation);
            if (watch.Elapsed >= patience)
                return await Task.Run(() => tested.Restless(before, picture, patience, cancellation), cancellation);
            before = picture;
        }
    }
}
