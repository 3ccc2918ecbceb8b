namespace Perceptual.Imaging;

/// <summary>One of the parts that a large piece of work is divided into, for a process of its own.</summary>
/// <param name="Number">Which one, from 1.</param>
/// <param name="Count">How many there are.</param>
public readonly record struct Shard(int Number, int Count)
{
    /// <summary>
    /// The number of the shard that a piece of work belongs to, where shards take turns. Each round starts one shard
    /// further: pieces that are large and small by turns would otherwise make large and small shards.
    /// </summary>
    /// <param name="piece">The number of the piece, from 0.</param>
    /// <param name="count">How many shards there are.</param>
    public static int InTurn(long piece, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(piece);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return (int)((piece + piece / count) % count) + 1;
    }
}
