namespace Perceptual.Study;

/// <summary>A way to ask people. Each is a file, one line in the list, and a script in web/methods.</summary>
internal abstract class Method
{
    /// <summary>Every method, in the order they are listed to people.</summary>
    public static IReadOnlyList<Method> All { get; } =
    [
        new TwoAlternatives(),
        new SameOrDifferent(),
        new PlainTriplets(),
        new BoostedTriplets(),
    ];

    public abstract string Name { get; }

    /// <summary>What it is, in one line.</summary>
    public abstract string Description { get; }

    /// <summary>What is asked at every trial.</summary>
    public abstract string Question { get; }

    public abstract IReadOnlyList<string> Instructions { get; }

    /// <summary>The answers as they are kept, whichever image is on which side.</summary>
    public abstract IReadOnlyList<string> Answers { get; }

    /// <summary>What people choose, in the order of <see cref="Answers"/> of a trial that is not flipped.</summary>
    public abstract IReadOnlyList<string> Choices { get; }

    public virtual bool HasReference => true;

    /// <summary>What people are warned of before they begin, and agree to; null if nothing.</summary>
    public virtual string? Warning => null;

    public static Method? Find(string name) => All.FirstOrDefault(method => method.Name == name);

    /// <summary>Whether what is exported has the sentinels among the answers, as traps.</summary>
    public virtual bool HasTraps => false;

    /// <summary>How much an answer says that p1 differs more from the reference than p0: 0, 0.5 or 1. Asked only of
    /// methods that have a reference.</summary>
    public virtual double Further(string answer) => answer switch
    {
        "p0" => 0,
        "p1" => 1,
        _ => 0.5,
    };

    /// <summary>Sentinels with an answer that everybody sees.</summary>
    /// <param name="reference">An image.</param>
    /// <param name="gross">The same, grossly distorted.</param>
    public abstract IEnumerable<Item> Sentinels(string reference, string gross);

    /// <summary>The answer that a choice means.</summary>
    /// <returns>Null if it is not a choice.</returns>
    public string? Answer(string choice, bool isFlipped)
    {
        var answer = Choices.Zip(Answers).Where(pair => pair.First == choice).Select(pair => pair.Second)
            .FirstOrDefault();
        return isFlipped ? Flip(answer) : answer;
    }

    /// <summary>The places on the page, and the image at each.</summary>
    public static IEnumerable<(string Place, string Image)> Places(Item item, bool isFlipped)
    {
        if (item.Reference is { } reference)
            yield return ("reference", reference);
        yield return ("left", isFlipped ? item.P1 : item.P0);
        yield return ("right", isFlipped ? item.P0 : item.P1);
    }

    /// <summary>Whether what is shown is made of the images and their references.</summary>
    public virtual bool IsMade => false;

    /// <summary>What is shown of an image: itself, unless a method makes something of it.</summary>
    public virtual RgbImage Made(RgbImage image, RgbImage reference) => image;

    /// <summary>Writes the answers in the forms that <c>lpips</c> reads.</summary>
    public abstract void Export(string folder, Definition definition, IReadOnlyList<Answer> answers);

    private static string? Flip(string? answer) => answer switch
    {
        "p0" => "p1",
        "p1" => "p0",
        _ => answer,
    };
}
