using System.Security.Cryptography;

namespace Perceptual.Tests.Training;

[Trait("Category", "Numbers")]
public class ProceduralImagesTests
{
    public static TheoryData<int, int> Sizes => new() { { 16, 16 }, { 64, 64 }, { 97, 33 }, { 16, 200 }, { 256, 256 } };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Every_pixel_is_drawn_and_the_same_seed_gives_the_same_bytes(int width, int height)
    {
        var (first, again) = (new byte[3 * width * height], new byte[3 * width * height]);
        for (var seed = 0ul; seed < 40; seed++)
        {
            again.AsSpan().Fill(0xA5); // what was there before must not show
            ProceduralImages.Draw(first, width, height, seed);
            ProceduralImages.Draw(again, width, height, seed);
            Assert.Equal(first, again);
            first.AsSpan().Fill(0x5A);
        }
    }

    [Fact]
    public void Seeds_and_kinds_draw_different_images()
    {
        var images = new HashSet<string>();
        for (var seed = 0ul; seed < 100; seed++)
            foreach (var kind in Enum.GetValues<ProceduralImages.Kind>())
                images.Add(Convert.ToHexString(SHA256.HashData(Draw(64, seed, kind))));
        // A flat one, as an empty part of a screen, may come twice: about one in fifty is flat.
        Assert.InRange(images.Count, 490, 500);
    }

    // The bytes of the first run on x64 with AVX-512: other platforms and levels of vectors must give the same.
    [Theory]
    [InlineData(0, "D794EB8E339047FC")]
    [InlineData(1, "EF7DF940E60CFAC4")]
    [InlineData(2, "7FCD029DDDF56499")]
    [InlineData(3, "65FAC95932DFACC8")]
    [InlineData(4, "9E59E7DF674F3A94")]
    public void The_bytes_are_the_same_on_every_platform(int kind, string digest)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var seed = 0ul; seed < 50; seed++)
            hash.AppendData(Draw(64, seed, (ProceduralImages.Kind)kind));
        Assert.Equal(digest, Convert.ToHexString(hash.GetHashAndReset()[..8]));
    }

    [Fact]
    public void Kinds_are_as_likely_and_contrasted()
    {
        const int Count = 1000;
        var (counts, contrasted) = (new int[5], new int[5]);
        for (var seed = 0ul; seed < Count; seed++)
        {
            var kind = (int)ProceduralImages.KindOf(seed);
            var pixels = new byte[3 * 32 * 32];
            ProceduralImages.Draw(pixels, 32, 32, seed);
            counts[kind]++;
            if (Deviation(pixels) > 2)
                contrasted[kind]++;
        }
        // Five standard deviations of a binomial of 1000 and 1/5 are 63.
        Assert.All(counts, count => Assert.InRange(count, 137, 263));
        Assert.All(counts.Zip(contrasted),
            kind => Assert.True(kind.Second > 0.75 * kind.First, $"{kind.Second} of {kind.First} are contrasted"));
    }

    [Fact]
    public void A_draw_is_that_of_its_kind()
    {
        var pixels = new byte[3 * 40 * 40];
        for (var seed = 0ul; seed < 20; seed++)
        {
            ProceduralImages.Draw(pixels, 40, 40, seed);
            Assert.Equal(Draw(40, seed, ProceduralImages.KindOf(seed)), pixels);
        }
    }

    [Fact]
    public void Threads_draw_what_one_does()
    {
        var alone = Enumerable.Range(0, 50)
            .Select(seed => Draw(48, (ulong)seed, (ProceduralImages.Kind)(seed % 5))).ToArray();
        var together = new byte[alone.Length][];
        Parallel.For(0, alone.Length,
            seed => together[seed] = Draw(48, (ulong)seed, (ProceduralImages.Kind)(seed % 5)));
        Assert.Equal(alone, together);
    }

    [Fact]
    public void Drawing_allocates_nothing()
    {
        var pixels = new byte[3 * 64 * 64];
        for (var seed = 0ul; seed < 50; seed++)
            foreach (var kind in Enum.GetValues<ProceduralImages.Kind>())
            {
                // The least of a few tries: a collection may take the one buffer out of the pool between two draws.
                var least = Allocated(seed, kind);
                for (var again = 0; again < 5 && least > 0; again++)
                    least = Math.Min(least, Allocated(seed, kind));
                Assert.True(least == 0, $"{kind} of seed {seed} allocates {least} bytes");
            }

        long Allocated(ulong seed, ProceduralImages.Kind kind)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            ProceduralImages.Draw(pixels, 64, 64, seed, kind);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Theory]
    [InlineData(15, 64, 3 * 15 * 64)]
    [InlineData(64, 15, 3 * 15 * 64)]
    [InlineData(64, 64, 3 * 64 * 64 - 1)]
    public void Sizes_that_are_too_small_or_do_not_fit_are_refused(int width, int height, int length) =>
        Assert.Contains($"{width}x{height}",
            Assert.Throws<ArgumentException>(() => ProceduralImages.Draw(new byte[length], width, height, 1)).Message);

    private static byte[] Draw(int side, ulong seed, ProceduralImages.Kind kind)
    {
        var pixels = new byte[3 * side * side];
        ProceduralImages.Draw(pixels, side, side, seed, kind);
        return pixels;
    }

    // Of the green channel.
    private static double Deviation(byte[] pixels)
    {
        var green = pixels.Where((_, i) => i % 3 == 1).Select(value => (double)value).ToArray();
        var mean = green.Average();
        return Math.Sqrt(green.Average(value => (value - mean) * (value - mean)));
    }
}
