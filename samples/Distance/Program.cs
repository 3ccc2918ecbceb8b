// How far apart do images look? In the repository's folder:
//
//     dotnet run -c Release --project samples/Distance [REFERENCE DISTORTED...]

using Perceptual;
using Perceptual.Imaging;

if (args.Length < 2)
    args = ["samples/reference.png", "samples/blurred.png", "samples/noisy.png", "samples/shifted.png"];

var lpips = Lpips.Load(Network.Lite); // part of the library; Network.Alex, LPIPS itself, is fetched once
var reference = ImageFile.Read(args[0]);
foreach (var path in args[1..])
{
    var result = lpips.Compare(reference, ImageFile.Read(path));
    var layers = string.Join(" + ", result.Layers.Select(layer => $"{layer:F4}"));
    Console.WriteLine($"{result.Distance:F4} = {layers}  {path}");
}
