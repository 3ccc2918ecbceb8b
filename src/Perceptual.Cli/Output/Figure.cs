using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using SkiaSharp;

namespace Perceptual.Cli;

/// <summary>
/// A picture for a paper that is drawn once and written as PNG, SVG or PDF, with text as text in the last two. Its unit
/// is a quarter of a millimetre.
/// </summary>
/// <param name="width">In units.</param>
/// <param name="height">In units.</param>
/// <param name="draw">Draws it, on white.</param>
internal sealed partial class Figure(float width, float height, Action<SKCanvas> draw)
{
    /// <summary>The width of a column in a journal of two columns, 8.5 cm.</summary>
    public const float Column = 340;

    /// <summary>The width of its page, 17.5 cm.</summary>
    public const float Page = 700;

    /// <summary>The size of letters, 7 points.</summary>
    public const float LetterSize = 10;

    /// <summary>From one line of text to the next.</summary>
    public const float LineHeight = 13;

    private const float UnitsPerMillimetre = 4, PointsPerUnit = 72 / 25.4f / UnitsPerMillimetre;

    /// <summary>The endings of the files that can be written.</summary>
    public static readonly string[] Endings = [".png", ".svg", ".pdf"];

    // The first that is there; they look alike.
    private static readonly string[] Families = ["Arial", "Helvetica", "Liberation Sans", "DejaVu Sans"];

    private static readonly Lazy<SKTypeface> Plain = new(() => Typeface(SKFontStyle.Normal));
    private static readonly Lazy<SKTypeface> Bold = new(() => Typeface(SKFontStyle.Bold));

    /// <summary>Pixels of a unit in a PNG, for 305 dots per inch.</summary>
    public float PixelsPerUnit { get; init; } = 3;

    /// <summary>The name of the letters.</summary>
    public static string Family => Plain.Value.FamilyName;

    /// <summary>Refuses a file that no picture can be written to.</summary>
    public static void Check(Command command, Option<string> option)
    {
        option.RequireEnding(Endings);
        command.Validators.Add(result =>
        {
            if (result.GetValue(option) is not { } file)
                return;
            if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(file))))
                result.AddError($"{option.Name} {file}: its folder does not exist");
            if (Directory.Exists(file))
                result.AddError($"{option.Name} {file} is a folder; name a file");
            if (!CanDraw())
                result.AddError($"{option.Name} {file}: {NoSkia}");
        });
    }

    /// <summary>Why nothing can be drawn.</summary>
    public const string NoSkia = "this program came without SkiaSharp, which draws; install the one for your system";

    /// <summary>Whether SkiaSharp is there for this system.</summary>
    public static bool CanDraw()
    {
        try
        {
            new SKPaint().Dispose();
            return true;
        }
        catch (Exception e) when (e is TypeInitializationException or DllNotFoundException)
        {
            return false;
        }
    }

    /// <summary>Whether the system has letters to write with.</summary>
    public static bool HasLetters() => SKFontManager.Default.FontFamilyCount > 0;

    /// <summary>Writes the file, in the form of its ending; it appears whole or not at all.</summary>
    /// <inheritdoc cref="AtomicFile(string)" path="/exception"/>
    public void Write(App app, string path)
    {
        if (!HasLetters())
            app.Say($"{path} has no text: there is no font on this system");
        AtomicFile.Write(path, Write(path));
    }

    private Action<Stream> Write(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".svg" => WriteSvg,
        ".pdf" => WritePdf,
        _ => WritePng,
    };

    private void WritePng(Stream stream)
    {
        var info = new SKImageInfo((int)MathF.Ceiling(width * PixelsPerUnit - 0.01f),
            (int)MathF.Ceiling(height * PixelsPerUnit - 0.01f), SKColorType.Rgba8888, SKAlphaType.Opaque);
        using var surface = SKSurface.Create(info)
            ?? throw new IOException($"a picture of {info.Width}x{info.Height} does not fit into the memory");
        surface.Canvas.Clear(SKColors.White);
        surface.Canvas.Scale(PixelsPerUnit);
        draw(surface.Canvas);
        using var image = surface.Snapshot();
        using var png = image.Encode(SKEncodedImageFormat.Png, 100);
        png.SaveTo(stream);
    }

    // Skia states the size in pixels, and papers need one in millimetres; and a place for each letter, so that text
    // could not be changed.
    private void WriteSvg(Stream stream)
    {
        using var memory = new MemoryStream();
        using (var canvas = SKSvgCanvas.Create(SKRect.Create(width, height), memory))
        {
            using var white = new SKPaint { Color = SKColors.White };
            canvas.DrawRect(0, 0, width, height, white);
            draw(canvas);
        }
        var text = Encoding.UTF8.GetString(memory.GetBuffer(), 0, (int)memory.Length);
        text = Places().Replace(text, "").Replace($"font-family=\"{Family}\"",
            $"font-family=\"{string.Join(", ", Families.Prepend(Family).Distinct())}, sans-serif\"",
            StringComparison.Ordinal);
        var end = text.IndexOf('>', text.IndexOf("<svg", StringComparison.Ordinal));
        stream.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
            $"""
            <?xml version="1.0" encoding="utf-8"?>
            <svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
             width="{width / UnitsPerMillimetre}mm" height="{height / UnitsPerMillimetre}mm"
             viewBox="0 0 {width} {height}"{text.AsSpan(end)}
            """).ReplaceLineEndings("\n")));
    }

    private void WritePdf(Stream stream)
    {
        using var document = SKDocument.CreatePdf(stream);
        using var canvas = document.BeginPage(width * PointsPerUnit, height * PointsPerUnit);
        canvas.Scale(PointsPerUnit);
        draw(canvas);
        document.EndPage();
        document.Close();
    }

    /// <summary>Draws text on one line; y is where its letters stand.</summary>
    public static void Text(SKCanvas canvas, string text, float x, float y,
        SKTextAlign align = SKTextAlign.Left, bool bold = false, SKColor? colour = null)
    {
        using var font = Font(text, bold);
        using var paint = new SKPaint { Color = colour ?? SKColors.Black, IsAntialias = true };
        canvas.DrawText(text, x, y, align, font, paint);
    }

    /// <summary>How wide text is.</summary>
    public static float Measure(string text, bool bold = false)
    {
        using var font = Font(text, bold);
        return font.MeasureText(text);
    }

    /// <summary>Text that is no wider than this: the middle of what is too long is left out.</summary>
    public static string Fit(string text, float width, bool bold = false)
    {
        text = Printable.Escape(text);
        if (Measure(text, bold) <= width)
            return text;
        for (var kept = text.Length - 1; kept > 1; kept--)
            if ($"{text[..((kept + 1) / 2)]}…{text[^(kept / 2)..]}" is var shorter && Measure(shorter, bold) <= width)
                return shorter;
        return "…";
    }

    /// <summary>Text as lines that are no wider than this, broken between words.</summary>
    public static IReadOnlyList<string> Lines(string text, float width)
    {
        var lines = new List<string>();
        foreach (var word in text.Split(' '))
            if (lines.Count > 0 && $"{lines[^1]} {word}" is var longer && Measure(longer) <= width)
                lines[^1] = longer;
            else
                lines.Add(word);
        return lines;
    }

    private static SKFont Font(string text, bool bold)
    {
        var usual = (bold ? Bold : Plain).Value;
        // Names of files may be in any script.
        var typeface = usual.ContainsGlyphs(text) || text.EnumerateRunes().Select(rune => SKFontManager.Default
            .MatchCharacter(rune.Value)).FirstOrDefault(other => other?.ContainsGlyphs(text) == true) is not { } found
            ? usual : found;
        // Letters stand where they would at any size: a PNG is drawn larger than it is laid out.
        return new(typeface, LetterSize)
        {
            Subpixel = true,
            LinearMetrics = true,
            Hinting = SKFontHinting.None,
            Edging = SKFontEdging.Antialias,
        };
    }

    // All but the first place of a text's letters, and the white space around it.
    [GeneratedRegex("(?<=<text [^>]*[xy]=\"[^\",]*), [^\"]*(?=\")|(?<=<text [^>]*>)\\s+|\\s+(?=</text>)")]
    private static partial Regex Places();

    private static SKTypeface Typeface(SKFontStyle style) =>
        Families.Where(SKFontManager.Default.FontFamilies.Contains)
            .Select(family => SKFontManager.Default.MatchFamily(family, style))
            .FirstOrDefault(found => found is not null)
        ?? SKTypeface.Default;
}
