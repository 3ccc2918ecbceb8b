using NetVips;

namespace Perceptual.Imaging;

/// <summary>The settings of libvips, which are one for the process.</summary>
internal static class Vips
{
    // Kept in a field because native code calls it.
    private static readonly Log.LogDelegate Silence = (_, _, _) => { };

    static Vips()
    {
        Cache.Max = 0; // no operation is asked for twice
        Log.SetLogHandler("VIPS", Enums.LogLevelFlags.Warning, Silence); // what matters is an error
    }

    /// <summary>Sets them, if that was not done yet.</summary>
    public static void Configure()
    {
    }
}
