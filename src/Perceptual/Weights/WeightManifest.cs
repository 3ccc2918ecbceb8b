namespace Perceptual;

/// <summary>A published weights file: its address, and what it must contain.</summary>
internal sealed record WeightEntry
{
    /// <summary>The file's name in a weights folder, with '/' between folder and name.</summary>
    public required string Name { get; init; }

    /// <summary>The network it belongs to.</summary>
    public required Network Network { get; init; }

    /// <summary>The version of lin weights; null for trunk weights.</summary>
    public LpipsVersion? Version { get; init; }

    /// <summary>Where its authors publish it.</summary>
    public required Uri Address { get; init; }

    /// <summary>
    /// The SHA-256 of the file at <see cref="Address"/> in lower-case hex, or its first digits if only these are known.
    /// </summary>
    public required string Sha256 { get; init; }

    /// <summary>
    /// The most bytes that the file at <see cref="Address"/> may have: a longer download is given up.
    /// </summary>
    public required long MaximumLength { get; init; }

    /// <summary>The number of a network's tensors, from the first, that <see cref="PinnedDigest"/> covers.</summary>
    public int PinnedTensors { get; init; }

    /// <summary>The <see cref="TensorDigest"/> of the first <see cref="PinnedTensors"/> tensors.</summary>
    public string PinnedDigest { get; init; } = "";
}

/// <summary>Every published file that LPIPS needs.</summary>
internal static class WeightManifest
{
    public static IReadOnlyList<WeightEntry> Published { get; } =
    [
        new()
        {
            Name = "alexnet.safetensors",
            Network = Network.Alex,
            Address = Torchvision("alexnet-owt-7be5be79.pth"),
            Sha256 = "7be5be79", // torchvision puts the first digits into the name
            MaximumLength = 300_000_000,
            PinnedTensors = 10, // all
            PinnedDigest = "aba921089308d2c97e766e06262864de3f2e8c175d56777d1636ef4004676c18",
        },
        Lin(Network.Alex, LpipsVersion.V01, "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0"),
        Lin(Network.Alex, LpipsVersion.V00, "18720f55913d0af89042f13faa7e536a6ce1444a0914e6db9461355ece1e8cd5"),
        new()
        {
            Name = "vgg16.safetensors",
            Network = Network.Vgg,
            Address = Torchvision("vgg16-397923af.pth"),
            Sha256 = "397923af",
            MaximumLength = 700_000_000,
            // The first four convolutions: only these were available to compute a digest of. The rest is checked
            // by the eight digits above when the file is fetched or imported, and later by the digest that the
            // store writes into it.
            PinnedTensors = 8,
            PinnedDigest = "70dabb4e23e330d1c47f9de45e9104b32b0e2a56cb807242f586a0147564a5a6",
        },
        Lin(Network.Vgg, LpipsVersion.V01, "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868"),
        Lin(Network.Vgg, LpipsVersion.V00, "b9e4236260c3dd988fc79d2a48d645d885afcbb21f9fd595e6744cf7419b582c"),
        new()
        {
            Name = "squeezenet1_1.safetensors",
            Network = Network.Squeeze,
            Address = Torchvision("squeezenet1_1-b8a52dc0.pth"),
            Sha256 = "b8a52dc0",
            MaximumLength = 10_000_000,
            PinnedTensors = 50, // all
            PinnedDigest = "141f4de7519b8a8a3fe5096f490e585bd704379a5e633f1431e8ea2e1523ce86",
        },
        Lin(Network.Squeeze, LpipsVersion.V01, "4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76"),
        Lin(Network.Squeeze, LpipsVersion.V00, "c27abd3a0145541baa50990817df58d3759c3f8154949f42af3b59b4e042d0bf"),
    ];

    private static Uri Torchvision(string file) => new($"https://download.pytorch.org/models/{file}");

    private static WeightEntry Lin(Network network, LpipsVersion version, string sha256)
    {
        var number = version == LpipsVersion.V00 ? "v0.0" : "v0.1";
        return new()
        {
            Name = $"lin/{network.Name}-{number}.pth",
            Network = network,
            Version = version,
            Address = new("https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/master/lpips/weights/"
                + $"{number}/{network.Name}.pth"),
            Sha256 = sha256,
            MaximumLength = 100_000, // the largest has 10,811
        };
    }
}
