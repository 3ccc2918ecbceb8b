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
        // Native code leaves this to us (native.substitutions.xml of the command), so that it loads libvips only here.
        if (!ModuleInitializer.VipsInitialized && ModuleInitializer.Exception is null)
            ModuleInitializer.Initialize();
        if (!ModuleInitializer.VipsInitialized)
            return;
        Cache.Max = 0; // no operation is needed twice
        Log.SetLogHandler("VIPS", Enums.LogLevelFlags.Warning, Count);
    }

    /// <summary>How often libvips has warned on this thread.</summary>
    public static int Warnings => Warned;

    /// <summary>Whether there is a libvips on this system.</summary>
    public static bool IsThere => ModuleInitializer.VipsInitialized;

    /// <summary>Runs the static constructor, once.</summary>
    /// <exception cref="InvalidDataException">There is no libvips on this system.</exception>
    public static void Configure()
    {
        if (!IsThere)
            throw new InvalidDataException("only libvips reads and writes such files, and it is not on this system; "
                + "install it, or use a plain PNG, BMP, PNM or TGA");
    }
}
