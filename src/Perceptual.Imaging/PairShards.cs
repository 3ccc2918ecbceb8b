namespace Perceptual.Imaging;

/// <summary>
/// Divides all pairs of some images among shards by blocks of images: a shard has the pairs of two blocks, so that few
/// images go through the networks in more than one shard. In all there are fewer than 2 n sqrt(count) passes of n
/// images.
/// </summary>
/// <remarks>
/// The images are cut into g blocks, g the smallest number with g (g + 1) / 2 at least the number of shards. Each pair
/// of two different blocks is a shard, of 2 n / g passes. The pairs within blocks are those of the shards that are
/// left, two blocks for each; if there are more blocks, the rest joins a shard that has the block already.
/// </remarks>
public sealed class PairShards
{
    private readonly int images;
    private readonly int count;
    private readonly bool consecutive;
    private readonly int blocks = 1;
    private readonly int[,] owners; // [block of the reference, block of the distorted image]

    /// <param name="images">How many images there are, at least two.</param>
    /// <param name="count">How many shards there are.</param>
    /// <param name="consecutive">Whether each image is compared with the next only; shards are then ranges of
    /// images.</param>
    public PairShards(int images, int count, bool consecutive = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(images, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        (this.images, this.count, this.consecutive) = (images, count, consecutive);
        while (blocks * (long)(blocks + 1) / 2 < count)
            blocks++;
        owners = new int[blocks, blocks];
        var last = 0;
        for (var a = 0; a < blocks; a++)
            for (var b = a + 1; b < blocks; b++)
                owners[a, b] = ++last;
        var alone = count - last; // shards for pairs within blocks: at least one
        for (var a = 0; a < blocks; a++)
            owners[a, a] = a < 2 * alone ? last + 1 + a % alone
                : a < blocks - 1 ? owners[a, a + 1]
                : owners[0, a];
    }

    /// <summary>The number of the shard that a pair belongs to, from 1.</summary>
    /// <param name="reference">The number of an image, from 0.</param>
    /// <param name="distorted">The number of a later image.</param>
    public int Owner(int reference, int distorted) => consecutive
        ? (int)(reference * (long)count / (images - 1)) + 1
        : owners[BlockOf(reference), BlockOf(distorted)];

    /// <summary>How many images go through the networks in a shard, if the memory suffices to keep them.</summary>
    public int Passes(int number) => consecutive
        ? Range(number) is var (from, to) && to > from ? to - from + 1 : 0
        : TilesOf(number).SelectMany(tile => tile.Images).Distinct().Count();

    /// <summary>The numbers of the references of a shard of consecutive pairs: a range.</summary>
    internal (int From, int To) Range(int number)
    {
        return (Begin(number - 1), Begin(number));

        int Begin(int shard) => (int)((shard * (long)(images - 1) + count - 1) / count);
    }

    /// <summary>The pairs of a shard, in the order of their references.</summary>
    internal IEnumerable<PairTile> TilesOf(int number)
    {
        for (var a = 0; a < blocks; a++)
        {
            int[] columns =
            [
                .. Enumerable.Range(a, blocks - a).Where(b => owners[a, b] == number).SelectMany(ImagesOf),
            ];
            if (columns.Length > 0)
                yield return new([.. ImagesOf(a)], columns);
        }
    }

    private int BlockOf(int image) => (int)((image * (long)blocks + blocks - 1) / images) is var block
        && Begin(block) > image ? block - 1 : block;

    private int Begin(int block) => (int)(block * (long)images / blocks);

    private IEnumerable<int> ImagesOf(int block) => Enumerable.Range(Begin(block), Begin(block + 1) - Begin(block));
}

/// <summary>Pairs of images: each reference with all later ones of some others.</summary>
/// <param name="References">The numbers of the references, in their order.</param>
/// <param name="Others">The numbers of the others, in their order.</param>
internal sealed record PairTile(int[] References, int[] Others)
{
    /// <summary>The numbers of all images of it; some twice.</summary>
    public IEnumerable<int> Images => References.Concat(Others);

    /// <summary>Where the others begin that come after a reference.</summary>
    public int After(int reference)
    {
        var place = Array.BinarySearch(Others, reference);
        return place >= 0 ? place + 1 : ~place;
    }
}
