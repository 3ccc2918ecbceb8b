namespace Perceptual.Study;

/// <summary>Same or different: one image after the other, each for a second, as the just noticeable differences of
/// BAPPS were collected (Zhang et al., CVPR 2018).</summary>
internal sealed class SameOrDifferent : Method
{
    public override string Name => "jnd";

    public override string Description => "one image for 1 s, after 250 ms another: same or different?";

    public override string Question => "Were the two images the same, or different?";

    public override IReadOnlyList<string> Instructions =>
    [
        "You will see one image for a second and, after a short pause, another for a second. There is no second look.",
        "Say whether the two were the same or different. Some are the same. If you are not certain, guess.",
    ];

    public override IReadOnlyList<string> Answers => ["same", "different"];

    public override IReadOnlyList<string> Choices => ["same", "different"];

    public override bool HasReference => false;

    public override IEnumerable<Item> Sentinels(string reference, string gross) =>
        [new(null, reference, reference, "same"), new(null, reference, gross, "different")];

    public override void Export(string folder, Definition definition, IReadOnlyList<Answer> answers) =>
        AnswerFiles.WritePairs(folder, definition, answers);
}
