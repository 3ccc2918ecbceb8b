namespace Perceptual.Imaging;

/// <summary>The two bytes that begin what zlib has coded (RFC 1950).</summary>
internal static class ZlibHeader
{
    public const int Length = 2;

    private const int Dictionary = 0x20; // in the second byte

    /// <summary>
    /// Whether the text before the first byte is said to be somewhere else, which is so in no image file.
    /// <see cref="System.IO.Compression.ZLibStream"/> throws an exception for it that nobody can catch by its name.
    /// </summary>
    /// <param name="stream">At the header; its position stays.</param>
    public static bool NeedsDictionary(Stream stream)
    {
        var start = stream.Position;
        stream.ReadByte();
        var flags = stream.ReadByte();
        stream.Position = start;
        return flags >= 0 && (flags & Dictionary) != 0;
    }
}
