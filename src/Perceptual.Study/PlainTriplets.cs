namespace Perceptual.Study;

/// <summary>Plain triplet comparison of ISO/IEC 29170-3: which of two versions differs more from the pivot, each of
/// which can be switched to the pivot in place.</summary>
internal sealed class PlainTriplets : Method
{
    public override string Name => "ptc";

    public override string Description => "two versions, each toggled with the original in place: which differs more?";

    public override string Question => "Which one differs more from the original?";

    public override IReadOnlyList<string> Instructions =>
    [
        "You will see two versions of an image, one on the left and one on the right. The button “Original”, "
            + "or the space bar, puts the original in the place of both, and takes it away again.",
        "Switch to and fro as often as you like, at least once, and choose the version that differs more from the "
            + "original. If you cannot tell, choose “Not sure”.",
    ];

    public override IReadOnlyList<string> Answers => ["p0", "p1", "notsure"];

    public override IReadOnlyList<string> Choices => ["left", "right", "notsure"];

    public override bool HasTraps => true;

    public override IEnumerable<Item> Sentinels(string reference, string gross) =>
        [new(reference, gross, reference, "p0"), new(reference, reference, gross, "p1")];

    public override void Export(string folder, Definition definition, IReadOnlyList<Answer> answers) =>
        AnswerFiles.WriteTripletComparisons(folder, definition, answers);
}
