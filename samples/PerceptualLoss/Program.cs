// LPIPS as a loss: gradient descent moves an image towards another. In the repository's folder:
//
//     dotnet run -c Release --project samples/PerceptualLoss [FROM TOWARDS RESULT.png]

using Perceptual;
using Perceptual.Imaging;

var (from, towards, result) = args is [var a, var b, var c]
    ? (a, b, c)
    : ("samples/blurred.png", "samples/reference.png", null);
var lpips = Lpips.Load(Network.Lite);
var start = ImageFile.Read(from);
LpipsFeatures target = lpips.Extract(ImageFile.Read(towards)); // once for all steps

var (width, height) = (start.Width, start.Height);
var planes = new float[3][];
for (var channel = 0; channel < 3; channel++)
{
    planes[channel] = new float[width * height];
    for (var y = 0; y < height; y++)
        start.CopyRow(channel, y, planes[channel].AsSpan(y * width, width)); // on [-1, 1]
}

var gradient = new float[3 * width * height];
for (var step = 0; step <= 100; step++)
{
    var image = RgbImage.FromPlanes(planes[0], planes[1], planes[2], width, height, ValueRange.Signed);
    double distance = lpips.DistanceAndGradient(target, image, gradient);
    if (step % 10 == 0)
        Console.WriteLine($"step {step,3}: {distance:F4}");
    // Steps that grow shorter, whatever the gradient's length; Adam does better (ImageOptimizer, Perceptual.Training).
    var rate = 4 / (1 + step / 10f) / MathF.Sqrt(gradient.Sum(value => value * value));
    for (var i = 0; i < gradient.Length; i++)
    {
        ref var sample = ref planes[i / (width * height)][i % (width * height)];
        sample = Math.Clamp(sample - rate * gradient[i], -1, 1);
    }
}

if (result is not null)
{
    var bytes = Array.ConvertAll(planes, plane =>
        Array.ConvertAll(plane, sample => (byte)MathF.Round((sample + 1) * 127.5f)));
    ImageFile.WritePng(result, RgbImage.Own(bytes, width, height));
}
