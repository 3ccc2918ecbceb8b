namespace Perceptual.Study;

/// <summary>Which of two versions is closer to the reference, as BAPPS was made (Zhang et al., CVPR 2018).</summary>
internal sealed class TwoAlternatives : Method
{
    public override string Name => "2afc";

    public override string Description => "a reference and two versions: which is closer?";

    public override string Question => "Which one looks more like the reference?";

    public override IReadOnlyList<string> Instructions =>
    [
        "You will see an image, the reference, and two altered versions of it, one on the left and one on the right.",
        "Choose the version that looks more like the reference. If you cannot decide, choose the one you would guess.",
    ];

    public override IReadOnlyList<string> Answers => ["p0", "p1"];

    public override IReadOnlyList<string> Choices => ["left", "right"];

    // The answer is the closer one.
    public override double Further(string answer) => answer == "p0" ? 1 : 0;

    public override IEnumerable<Item> Sentinels(string reference, string gross) =>
        [new(reference, reference, gross, "p0"), new(reference, gross, reference, "p1")];

    public override void Export(string folder, Definition definition, IReadOnlyList<Answer> answers) =>
        AnswerFiles.WriteTriplets(folder, definition, answers);
}
