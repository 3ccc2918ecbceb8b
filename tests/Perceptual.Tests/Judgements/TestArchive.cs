using System.Formats.Tar;
using System.IO.Compression;
using System.Text;

namespace Perceptual.Tests;

/// <summary>Archives made in a test, good and bad.</summary>
internal static class TestArchive
{
    public static readonly byte[] Png = MakePng();

    /// <summary>What BAPPS has: a float64 array of one element.</summary>
    public static readonly byte[] Judge = Npy("<f8", "(1,)", BitConverter.GetBytes(0.6));

    public static TarEntry File(string name, byte[]? content = null)
    {
        // Entries of pax hold the time they were made at.
        PosixTarEntry entry = name.Length > 100
            ? new PaxTarEntry(TarEntryType.RegularFile, name)
            : new UstarTarEntry(TarEntryType.RegularFile, name);
        entry.ModificationTime = DateTimeOffset.UnixEpoch;
        entry.DataStream = new MemoryStream(content ?? (name.EndsWith(".npy", StringComparison.Ordinal) ? Judge : Png));
        return entry;
    }

    public static TarEntry Link(TarEntryType type, string name, string target = "000000.png") =>
        new PaxTarEntry(type, name) { LinkName = target };

    public static byte[] Tar(params IEnumerable<TarEntry> entries)
    {
        var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, leaveOpen: true))
            foreach (var entry in entries)
                tar.WriteEntry(entry);
        return stream.ToArray();
    }

    public static byte[] Gzip(params IEnumerable<byte[]> pieces)
    {
        var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Optimal, leaveOpen: true))
            foreach (var piece in pieces)
                gzip.Write(piece);
        return stream.ToArray();
    }

    public static byte[] Npy(string type, string shape, byte[] values)
    {
        var header = Encoding.ASCII.GetBytes(
            $"{{'descr': '{type}', 'fortran_order': False, 'shape': {shape}, }}".PadRight(117) + "\n");
        return [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0, .. header, .. values];
    }

    private static byte[] MakePng()
    {
        using var folder = new TempFolder();
        ImageFile.WritePng(folder["a.png"], TestImages.Waves(9, 8, 1));
        return System.IO.File.ReadAllBytes(folder["a.png"]);
    }
}
