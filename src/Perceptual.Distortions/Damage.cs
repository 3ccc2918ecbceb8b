namespace Perceptual.Distortions;

/// <summary>Parts of the image are lost.</summary>
internal static class Damage
{
    private const int Side = 8; // of the blocks, in pixels, as in JPEG

    private delegate void Filling(Planes image, int x, int y, ref SplitMix64 random);

    public static void Dropout(Planes image, double part, ulong seed) =>
        LoseBlocks(image, part, seed, static (image, x, y, ref _) =>
        {
            for (var c = 0; c < 3; c++)
                for (var dy = 0; dy < Math.Min(Side, image.Height - y); dy++)
                    image[c].Slice((y + dy) * image.Width + x, Math.Min(Side, image.Width - x)).Clear();
        });

    /// <summary>Fills lost blocks from elsewhere in the image, as video decoders do where packets are lost.</summary>
    public static void Concealment(Planes image, double part, ulong seed)
    {
        var original = image.Samples.ToArray();
        LoseBlocks(image, part, seed, (image, x, y, ref random) =>
        {
            var (width, height) = (Math.Min(Side, image.Width - x), Math.Min(Side, image.Height - y));
            var (left, top) = (random.Next(image.Width - width + 1), random.Next(image.Height - height + 1));
            for (var c = 0; c < 3; c++)
                for (var dy = 0; dy < height; dy++)
                    original.AsSpan((c * image.Height + top + dy) * image.Width + left, width)
                        .CopyTo(image[c][((y + dy) * image.Width + x)..]);
        });
    }

    private static void LoseBlocks(Planes image, double part, ulong seed, Filling fill)
    {
        var (columns, rows) = ((image.Width + Side - 1) / Side, (image.Height + Side - 1) / Side);
        int[] blocks = [.. Enumerable.Range(0, columns * rows)];
        var random = new SplitMix64(seed);
        var lost = Math.Max((int)Math.Round(part * blocks.Length), 1);
        for (var i = 0; i < lost; i++)
        {
            var other = i + random.Next(blocks.Length - i);
            (blocks[i], blocks[other]) = (blocks[other], blocks[i]);
            fill(image, blocks[i] % columns * Side, blocks[i] / columns * Side, ref random);
        }
    }
}
