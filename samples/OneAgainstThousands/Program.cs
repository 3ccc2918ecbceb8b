// One image against thousands: the network runs once for each image, and comparing what it saw takes little. In the
// repository's folder:
//
//     dotnet run -c Release --project samples/OneAgainstThousands [IMAGE]
//
// The thousands are versions of the image, distorted in every way there is; the kinds are listed by how far they look.

using Perceptual;
using Perceptual.Distortions;
using Perceptual.Imaging;

const int Side = 64, Versions = 64;
var lpips = Lpips.Load(Network.Lite).WithThreads(1); // each call below has a thread of its own
var image = ImageFile.Read(args is [var path] ? path : "samples/reference.png");
image = image.Resize(Side, Side, ResizeFilter.Bilinear);

LpipsFeatures one = lpips.Extract(image);
var kinds = Distortion.All.AsParallel().AsOrdered().Select(kind =>
{
    var versions = Enumerable.Range(0, Versions)
        .Select(i => kind.Apply(image, strength: (i + .5) / Versions, seed: (ulong)i)).ToArray();
    IReadOnlyList<LpipsFeatures> many = lpips.Extract(versions); // small images go through side by side
    return (kind.Name, Distances: many.Select(other => lpips.Distance(one, other)).ToArray());
}).ToArray();

Console.WriteLine($"{kinds.Sum(kind => kind.Distances.Length)} versions of a picture of {image}, distances:");
Console.WriteLine($"{"kind",-22}    mean   nearest  furthest");
foreach (var (name, distances) in kinds.OrderBy(kind => kind.Distances.Average()))
    Console.WriteLine($"{name,-22} {distances.Average(),7:F4} {distances.Min(),9:F4} {distances.Max(),9:F4}");
