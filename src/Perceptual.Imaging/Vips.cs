using NetVips;

namespace Perceptual.Imaging;

/// <summary>The settings of libvips, which apply to the whole process.</summary>
internal static class Vips
{
    [ThreadStatic]
    private static int Warned;

    // Kept in a field because native code calls it. Without it, libvips writes its warnings to stderr.
    private static readonly Log.LogDelegate Count = (_, _, _) => Warned++;

    static Vips()
    {
        Cache.Max = 0; // no operation is needed twice
        Log.SetLogHandler("VIPS", Enums.LogLevelFlags.Warning, Count);
    }

    /// <summary>How often libvips has warned on this thread.</summary>
    public static int Warnings => Warned;

    /// <summary>Runs the static constructor, once.</summary>
    public static void Configure()
    {
    }
}
