using System.Collections.Concurrent;

namespace Perceptual.Native;

/// <summary>
/// What callers hold by a number: a number is never given out twice, so one that was freed, or comes from elsewhere, is
/// not found.
/// </summary>
internal static class Handles
{
    // Odd, so that no two counts have the same product; a small number that a caller made up is none, nor is one of
    // another process.
    private const ulong Spread = 0x9E3779B97F4A7C15;
    private static readonly ulong Start = (ulong)Random.Shared.NextInt64();
    private static readonly ConcurrentDictionary<ulong, object> Objects = [];
    private static long count;

    public static ulong Add(object value)
    {
        var handle = unchecked(Start + (ulong)Interlocked.Increment(ref count) * Spread);
        Objects[handle] = value;
        return handle;
    }

    /// <exception cref="KeyNotFoundException">The handle is not one of such an object.</exception>
    public static T Get<T>(ulong handle, string name) where T : class =>
        Objects.GetValueOrDefault(handle) as T ?? throw Unknown(name);

    /// <exception cref="KeyNotFoundException">The handle is not one of an object.</exception>
    public static void Free(ulong handle)
    {
        if (!Objects.TryRemove(handle, out _))
            throw Unknown("the handle");
    }

    private static KeyNotFoundException Unknown(string name) =>
        new($"{name} is not a handle of what is needed here, or was freed");
}
