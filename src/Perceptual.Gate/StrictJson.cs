using System.Globalization;
using System.Text.Json;

namespace Perceptual.Gate;

/// <summary>JSON that says exactly what it may say.</summary>
internal static class StrictJson
{
    /// <summary>The fields of an object.</summary>
    /// <exception cref="InvalidDataException">It is no object, or has a field twice.</exception>
    public static IEnumerable<(string Name, JsonElement Value)> Fields(JsonElement value, string where)
    {
        if (value.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException($"{where} is not an object: write it in braces");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var field in value.EnumerateObject())
            yield return seen.Add(field.Name)
                ? (field.Name, field.Value)
                : throw new InvalidDataException($"{where} has {UntrustedText.Printable(field.Name)} twice");
    }

    /// <summary>The items of a list.</summary>
    /// <exception cref="InvalidDataException">It is no list.</exception>
    public static IEnumerable<JsonElement> Items(JsonElement value, string where) =>
        value.ValueKind == JsonValueKind.Array
            ? value.EnumerateArray()
            : throw new InvalidDataException($"{where} is not a list: write it in brackets");

    /// <summary>A finite number of a range.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public static double Number(JsonElement value, string where, double least) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number)
            && number >= least
            ? number
            : throw new InvalidDataException(string.Create(
                CultureInfo.InvariantCulture, $"{where} is not a number of at least {least}"));

    /// <summary>A field that is not known.</summary>
    public static InvalidDataException Unknown(string name, string where, params string[] known) =>
        new($"{where} has a field {UntrustedText.Printable(name)}, which is not known; there are "
            + string.Join(", ", known));

    /// <summary>Writes a list, unless it is empty.</summary>
    public static void WriteTexts(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        if (texts.Count == 0)
            return;
        json.WriteStartArray(name);
        foreach (var text in texts)
            json.WriteStringValue(text);
        json.WriteEndArray();
    }
}
