using System.Runtime.CompilerServices;

namespace Perceptual;

/// <summary>
/// An array of floats that does not move and begins at a multiple of 64 bytes, the length of a cache line and of
/// the longest vector.
/// </summary>
// Safe: the array does not move and lives as long as this object. It has 16 floats more than asked for, or a large page
// more, of which rounding up the pointer takes one float less at most. Users of the pointer keep this object alive and
// stay within Length.
internal sealed unsafe class PinnedFloats
{
    private readonly float[] array;

    /// <param name="length">How many.</param>
    /// <param name="cleared">Whether all are 0; otherwise they are whatever was there, and the caller writes them
    /// all.</param>
    public PinnedFloats(long length, bool cleared = true)
    {
        if (length + 16 > Array.MaxLength)
            throw new ArgumentException($"the images are too large: {length} values do not fit in one array");
        // A large array has its large pages for itself: of one that it shares, it would be given small ones.
        const int LargePage = LargePages.Size / sizeof(float);
        var whole = (length + LargePage - 1) / LargePage * LargePage + LargePage;
        var isLarge = length >= LargePage && whole <= Array.MaxLength;
        var size = isLarge ? (int)whole : (int)length + 16;
        array = cleared ? GC.AllocateArray<float>(size, pinned: true)
            : GC.AllocateUninitializedArray<float>(size, pinned: true);
        LargePages.Ask(array);
        var (start, alignment) = ((nint)Unsafe.AsPointer(ref array[0]), isLarge ? LargePages.Size : 64);
        Pointer = (float*)((start + alignment - 1) / alignment * alignment);
        Length = length;
    }

    /// <summary>Valid while this object is alive.</summary>
    public float* Pointer { get; }

    public long Length { get; }
}
