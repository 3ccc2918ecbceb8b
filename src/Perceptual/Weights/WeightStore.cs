using System.Security.Cryptography;

namespace Perceptual;

/// <summary>A published weights file and whether a store has it.</summary>
/// <param name="Name">The file's name in a weights folder, such as "alexnet.safetensors"
/// or "lin/alex-v0.1.pth".</param>
/// <param name="Network">The network it belongs to.</param>
/// <param name="Version">The version of lin weights; null for trunk weights.</param>
/// <param name="Path">Where it was found; null if it was not.</param>
/// <param name="Length">Its length in bytes; null if it was not found.</param>
/// <param name="Address">Where its authors publish it.</param>
public sealed record StoredWeights(
    string Name, Network Network, LpipsVersion? Version, string? Path, long? Length, Uri Address);

/// <summary>
/// Finds the published weights in one folder: the one given, else the one that the environment variable
/// PERCEPTUAL_WEIGHTS names, else the user's cache folder. A file that is missing from the cache folder is fetched when
/// it is loaded; a given or named folder must have it. The digest of each file is checked each time it is loaded.
/// Networks are kept as safetensors of their convolutions only: 10 MB of AlexNet's 233. Stores in several threads and
/// processes can share a folder.
/// </summary>
public sealed class WeightStore
{
    private const string Given = "which WeightStore was given";
    private const string Variable = "PERCEPTUAL_WEIGHTS";
    private const string Instead = "Or use `Network.Lite`, which needs no download; its numbers follow those of LPIPS "
        + "with alex, but are its own";
    private static readonly HttpClient SharedClient = new();
    private const int NamedFiles = 5; // the most files of a folder that a message names
    private readonly IReadOnlyList<WeightEntry> entries;
    private readonly string? namedBy; // who chose the folder, or null for the cache folder
    private readonly HttpClient http;
    private readonly IProgress<DownloadProgress>? progress;

    /// <summary>A store over a folder.</summary>
    /// <param name="directory">An existing folder; null for the variable's or, without one, the cache folder.</param>
    /// <param name="http">The client to download with; null for one that follows the system's proxy settings.</param>
    /// <param name="progress">Receives the progress of downloads, on the thread that loads.</param>
    /// <exception cref="DirectoryNotFoundException">The folder given, or named by the variable, does
    /// not exist.</exception>
    public WeightStore(string? directory = null, HttpClient? http = null, IProgress<DownloadProgress>? progress = null)
        : this(directory, Environment.GetEnvironmentVariable(Variable), CacheFolder(), http, progress,
            WeightManifest.Published)
    {
    }

    internal WeightStore(string? directory, string? variable, string cache, HttpClient? http,
        IProgress<DownloadProgress>? progress, IReadOnlyList<WeightEntry> entries)
    {
        (Folder, namedBy) = directory is not null ? (directory, Given)
            : variable is { Length: > 0 } ? (variable, $"which {Variable} names")
            : (cache, null);
        if (namedBy is not null && !Directory.Exists(Folder))
        {
            var problem = File.Exists(Folder) ? "is a file, not a folder" : "does not exist";
            throw new DirectoryNotFoundException($"{Folder}, {namedBy}, {problem}");
        }
        this.http = http ?? SharedClient;
        this.progress = progress;
        this.entries = entries;
    }

    /// <summary>
    /// The folder that files are looked for in, and fetched and imported to. The cache folder is created
    /// with its first file.
    /// </summary>
    public string Folder { get; }

    /// <summary>The wait before the second attempt of a download; it doubles with each further one.</summary>
    internal TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>The published or built-in weights of a network.</summary>
    /// <exception cref="WeightsUnavailableException">A given or named folder lacks them, or they could not
    /// be fetched.</exception>
    /// <exception cref="InvalidDataException">The file found, or the file that the server sent, is not the
    /// published one.</exception>
    public TrunkWeights LoadTrunk(Network network, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(network);
        if (network.IsBuiltIn)
            return BuiltInWeights.Trunk(network);
        var (trunk, check) = OpenTrunk(network, cancellation);
        check();
        return trunk;
    }

    /// <summary>The published weights of a network, and the check whether they are that, still to be run.</summary>
    internal (TrunkWeights Trunk, Action Check) OpenTrunk(Network network, CancellationToken cancellation)
    {
        var entry = Entry(network, null);
        return OpenTrunk(entry, Locate(entry, cancellation));
    }

    /// <summary>The published or built-in lin weights of a network.</summary>
    /// <exception cref="ArgumentException">There are no lin weights of this version.</exception>
    /// <inheritdoc cref="LoadTrunk" path="/exception"/>
    public LinWeights LoadLin(Network network, LpipsVersion version, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(network);
        if (network.IsBuiltIn)
            return BuiltInWeights.Lin(network, version);
        var entry = Entry(network, version);
        return ReadLin(entry, Locate(entry, cancellation));
    }

    /// <summary>
    /// The trained weights of a network that come with the library, as a model file, "lite.safetensors".
    /// </summary>
    /// <exception cref="ArgumentException">The network is not built in.</exception>
    public static Stream OpenBuiltIn(Network network)
    {
        ArgumentNullException.ThrowIfNull(network);
        return BuiltInWeights.Open(network);
    }

    /// <summary>Every published file, and whether the folder has it.</summary>
    public IReadOnlyList<StoredWeights> List() =>
    [
        .. entries.Select(entry =>
        {
            var path = Find(entry);
            return new StoredWeights(entry.Name, entry.Network, entry.Version, path,
                path is null ? null : new FileInfo(path).Length, entry.Address);
        }),
    ];

    /// <summary>
    /// Fetches a network's trunk weights and both versions of its lin weights into the folder, where they are
    /// missing or damaged.
    /// </summary>
    /// <returns>The paths of the three files; none for a built-in network.</returns>
    /// <exception cref="WeightsUnavailableException">A file cannot be fetched.</exception>
    /// <exception cref="InvalidDataException">The file that the server sent is not the published one.</exception>
    public IReadOnlyList<string> Fetch(Network network, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(network);
        var wanted = entries.Where(entry => entry.Network.Name == network.Name);
        return [.. wanted.Select(entry => Fetch(entry, cancellation))];
    }

    /// <summary>
    /// Imports a published file that was downloaded in another way: a torchvision checkpoint, a safetensors file of a
    /// network, or a file of lin weights. The kind is recognised by the content.
    /// </summary>
    /// <returns>The path of the installed file.</returns>
    /// <exception cref="InvalidDataException">The file is damaged, or not a published one.</exception>
    /// <exception cref="WeightsUnavailableException">The folder cannot be written.</exception>
    public string Import(string path, CancellationToken cancellation = default)
    {
        using var stream = LocalFile.OpenRead(path);
        WeightFile.CheckLength(stream, path);
        var sha256 = Sha256(stream);
        if (entries.FirstOrDefault(entry => entry.Version is not null && entry.Sha256 == sha256) is { } lin)
            return Install(lin, target =>
                AtomicFile.Write(target, stream.CopyTo), replace: true, cancellation);

        var tensors = WeightFile.Read(stream, path);
        var trunks = entries.Where(entry => entry.Version is null).ToList();
        if (TrunkWeights.Recognise(trunks.Select(entry => entry.Network), tensors, path) is not { } network)
            throw NotPublished(path);
        if (tensors.ContainsKey(LinWeights.Key(0)))
            throw new InvalidDataException($"{path}: is a whole model, with lin weights too; it needs no store: give "
                + $"the file as it is, LpipsOptions.ModelFile = {path}");
        var trunk = TrunkWeights.From(network, tensors, path);
        var found = trunks.Single(entry => entry.Network == network);
        var proven = PinnedDigest(found, trunk) == found.PinnedDigest
            && (found.PinnedTensors == trunk.Tensors.Count || sha256.StartsWith(found.Sha256, StringComparison.Ordinal)
                || IsOurs(found, path));
        return proven
            ? Install(found, target => WriteSlim(target, found, trunk), replace: true, cancellation)
            : throw NotPublished(path);
    }

    /// <summary>Checks every published file that the folder has.</summary>
    /// <returns>For each file its name, its path, and the problem in one line; null if there is none.</returns>
    public IReadOnlyList<(string Name, string Path, string? Problem)> Verify() =>
    [
        .. entries.Select(entry => (Entry: entry, Path: Find(entry))).Where(found => found.Path is not null)
            .Select(found => (found.Entry.Name, found.Path!, Problem(found.Entry, found.Path!))),
    ];

    private static InvalidDataException NotPublished(string path) =>
        new($"{path}: is not one of the published weights, or not provably so; weights of your own need no store: "
            + "give the file as LpipsOptions.TrunkFile or LpipsOptions.LinFile");

    private WeightEntry Entry(Network network, LpipsVersion? version) =>
        entries.FirstOrDefault(entry => entry.Network.Name == network.Name && entry.Version == version)
            ?? throw new ArgumentException($"there are no published weights of {network.Name}", nameof(network));

    // The code that makes this store, for messages.
    private string Again => namedBy == Given ? $"new WeightStore(\"{Folder}\")" : "new WeightStore()";

    private static string InCode(Network network) => char.ToUpperInvariant(network.Name[0]) + network.Name[1..];

    private string PathOf(WeightEntry entry) => Path.Combine([Folder, .. entry.Name.Split('/')]);

    private string? Find(WeightEntry entry) => PathOf(entry) is var path && File.Exists(path) ? path : null;

    private string Locate(WeightEntry entry, CancellationToken cancellation) =>
        Find(entry) ?? (namedBy is null ? Fetch(entry, cancellation) : throw Missing(entry));

    // The message names the files that are there instead: often the folder is one that training wrote, with a model
    // of the user's own.
    private WeightsUnavailableException Missing(WeightEntry entry)
    {
        string[] files =
        [
            .. WeightFile.NamesIn(Folder)
                .OrderBy(name => Path.GetFileNameWithoutExtension(name) != entry.Network.Name),
        ];
        string[] named = [.. files.Take(NamedFiles)];
        var likely = named.FirstOrDefault(name => ModelFile.IsOne(Path.Combine(Folder, name), entry.Network))
            ?? (files is [var only] && entries.All(other => other.Name != only) ? only : null);
        var there = files.Length == 0 ? "no weight files"
            : files.Length == named.Length ? string.Join(", ", named)
            : $"{string.Join(", ", named)} and {files.Length - named.Length} more";
        var question = likely is null
            ? "."
            : $"; did you mean LpipsOptions.ModelFile = {Path.Combine(Folder, likely)}?";
        return new($"{entry.Name} is missing from {Folder}, {namedBy} and which has {there}{question} "
            + $"`new WeightStore(\"{Folder}\").Fetch(Network.{InCode(entry.Network)})` puts the published weights "
            + "there");
    }

    private (TrunkWeights Trunk, Action Check) OpenTrunk(WeightEntry entry, string path)
    {
        using var stream = LocalFile.OpenRead(path);
        WeightFile.CheckLength(stream, path);
        var file = Safetensors.Read(stream, path);
        var trunk = TrunkWeights.From(entry.Network, file.Tensors, path);
        return (trunk, () => CheckTrunk(entry, path, file, trunk));
    }

    private void CheckTrunk(WeightEntry entry, string path, Safetensors file, TrunkWeights trunk)
    {
        if (PinnedDigest(entry, trunk) is var digest && digest != entry.PinnedDigest)
            throw new InvalidDataException($"{path}: its first {entry.PinnedTensors} tensors have the SHA-256 "
                + $"{digest}, the published ones {entry.PinnedDigest}; {Remedy(entry)}");
        if (entry.PinnedTensors == trunk.Tensors.Count)
            return;
        // Where only some tensors are pinned, the others are checked by the header that the store wrote when it had the
        // published file. It contains the digest of all tensors, and is the same for the same tensors.
        if (file.Header.AsSpan().SequenceEqual(Safetensors.HeaderOf(trunk.Tensors.Values, Metadata(entry, trunk))))
            return;
        throw new InvalidDataException(file.Metadata.TryGetValue("digest", out var promised)
            ? $"{path}: its tensors have the SHA-256 {trunk.Digest}, its header says "
                + $"{UntrustedText.Printable(promised)} or is damaged; {Remedy(entry)}"
            : $"{path}: was not written by WeightStore, so it cannot be checked; import the original with "
                + $"`{Again}.Import(FILE)`");
    }

    private LinWeights ReadLin(WeightEntry entry, string path)
    {
        using var stream = LocalFile.OpenRead(path);
        var sha256 = Sha256(stream);
        return sha256 == entry.Sha256
            ? LinWeights.From(entry.Network, WeightFile.Read(stream, path), path)
            : throw new InvalidDataException(
                $"{path}: its SHA-256 is {sha256}, the published file's is {entry.Sha256}; {Remedy(entry)}");
    }

    private string Remedy(WeightEntry entry) => $"`{Again}.Fetch(Network.{InCode(entry.Network)})` replaces it";

    private string? Problem(WeightEntry entry, string path)
    {
        try
        {
            if (entry.Version is null)
                OpenTrunk(entry, path).Check();
            else
                ReadLin(entry, path);
            return null;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    private bool IsOurs(WeightEntry entry, string path) => Problem(entry, path) is null;

    private static string PinnedDigest(WeightEntry entry, TrunkWeights trunk) =>
        entry.PinnedTensors == trunk.Tensors.Count
            ? trunk.Digest
            : TensorDigest.Of(trunk.Tensors.Values.Take(entry.PinnedTensors));

    private static Dictionary<string, string> Metadata(WeightEntry entry, TrunkWeights trunk) => new()
    {
        ["digest"] = trunk.Digest,
        ["source"] = entry.Address.AbsoluteUri,
    };

    private static string Sha256(Stream stream)
    {
        stream.Position = 0;
        var digest = Convert.ToHexStringLower(SHA256.HashData(stream));
        stream.Position = 0;
        return digest;
    }

    private string Fetch(WeightEntry entry, CancellationToken cancellation) => Install(entry, target =>
    {
        var part = target + ".part";
        try
        {
            new Download(http, entry.Name, entry.Address, entry.MaximumLength, part, progress, RetryDelay)
                .Run(cancellation);
            CheckPart(entry, part, target);
            if (entry.Version is null)
                WriteSlim(target, entry, TrunkWeights.Read(entry.Network, part));
            else
                File.Move(part, target, overwrite: true);
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            throw; // the part received is kept, so that the next attempt can continue
        }
        catch
        {
            Download.Discard(part);
            throw;
        }
        Download.Discard(part);
    }, replace: false, cancellation);

    private static void CheckPart(WeightEntry entry, string part, string target)
    {
        using var stream = LocalFile.OpenRead(part);
        if (Sha256(stream) is var sha256 && !sha256.StartsWith(entry.Sha256, StringComparison.Ordinal))
            throw new InvalidDataException($"{target}: the file that {entry.Address} sent has the SHA-256 {sha256}, "
                + $"the published file's is {entry.Sha256}{(entry.Sha256.Length < 64 ? "..." : "")}");
    }

    /// <summary>Writes a file into the folder while no other thread or process does.</summary>
    private string Install(WeightEntry entry, Action<string> write, bool replace, CancellationToken cancellation)
    {
        var target = PathOf(entry);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            using var held = LocalFile.Lock(target + ".lock", cancellation);
            // The owner of the lock before may have written the file.
            if (replace || !File.Exists(target) || Problem(entry, target) is not null)
                write(target);
            return target;
        }
        catch (HttpRequestException e)
        {
            throw new WeightsUnavailableException($"{entry.Name} could not be fetched into {Folder}: "
                + $"{e.Message.TrimEnd('.')}. Download {entry.Address} on another machine and import it with "
                + $"`{Again}.Import(FILE)`. {Instead}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new WeightsUnavailableException(
                $"{entry.Name} from {entry.Address} cannot be written to {Folder}: {e.Message.TrimEnd('.')}. "
                + $"Name another folder: `new WeightStore(DIR)."
                + $"{(replace ? "Import(FILE)" : $"Fetch(Network.{InCode(entry.Network)})")}`. {Instead}", e);
        }
    }

    private static void WriteSlim(string target, WeightEntry entry, TrunkWeights trunk) =>
        AtomicFile.Write(
            target, stream => Safetensors.Write(stream, [.. trunk.Tensors.Values], Metadata(entry, trunk)));

    /// <summary>perceptual/weights in the user's cache folder on this platform.</summary>
    private static string CacheFolder()
    {
        string Known(Environment.SpecialFolder folder) =>
            Environment.GetFolderPath(folder, Environment.SpecialFolderOption.DoNotVerify);

        var root = OperatingSystem.IsWindows() ? Known(Environment.SpecialFolder.LocalApplicationData)
            : OperatingSystem.IsMacOS()
                ? Path.Combine(Known(Environment.SpecialFolder.UserProfile), "Library", "Caches")
            // a relative path counts as unset
            : Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { } given && Path.IsPathRooted(given) ? given
            : Path.Combine(Known(Environment.SpecialFolder.UserProfile), ".cache");
        return Path.Combine(root, "perceptual", "weights");
    }
}
