using System.Runtime.CompilerServices;

namespace Perceptual;

/// <summary>
/// An array of floats that does not move and begins at a multiple of 64 bytes, the length of a cache line and of
/// the longest vector.
/// </summary>
// Safe: the array does not move and lives as long as this object. It has 16 floats more than asked for, of which
// rounding up the pointer takes 15 at most. Users of the pointer keep this object alive and stay within Length.
internal sealed unsafe class PinnedFloats
{
    private readonly float[] array;

    public PinnedFloats(long length)
    {
        if (length + 16 > Array.MaxLength)
            throw new ArgumentException($"the images are too large: {length} values do not fit in one array");
        array = GC.AllocateArray<float>((int)length + 16, pinned: true); // zeros that the system has not made yet
        LargePages.Ask(array);
        var start = (nint)Unsafe.AsPointer(ref array[0]);
        Pointer = (float*)((start + 63) / 64 * 64);
        Length = length;
    }

    /// <summary>Valid while this object is alive.</summary>
    public float* Pointer { get; }

    public long Length { get; }
}
