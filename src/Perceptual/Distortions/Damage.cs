namespace Perceptual;

/// <summary>Parts that are lost.</summary>
internal static class Damage
{
    private const int Side = 8; // of the blocks, as of JPEG

    public static void Dropout(Planes image, double part, ulong seed)
    {
        var (columns, rows) = ((image.Width + Side - 1) / Side, (image.Height + Side - 1) / Side);
        int[] blocks = [.. Enumerable.Range(0, columns * rows)];
        var random = new SplitMix64(seed);
        var lost = Math.Max((int)Math.Round(part * blocks.Length), 1);
        for (var i = 0; i < lost; i++)
        {
            var other = i + random.Next(blocks.Length - i);
            (blocks[i], blocks[other]) = (blocks[other], blocks[i]);
            var (x, y) = (blocks[i] % columns * Side, blocks[i] / columns * Side);
            for (var c = 0; c < 3; c++)
                for (var dy = 0; dy < Math.Min(Side, image.Height - y); dy++)
                    image[c].Slice((y + dy) * image.Width + x, Math.Min(Side, image.Width - x)).Clear();
        }
    }
}
