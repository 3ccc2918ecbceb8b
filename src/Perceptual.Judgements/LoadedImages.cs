namespace Perceptual.Judgements;

/// <summary>A loaded image.</summary>
/// <param name="Image">The image; null if its file is bad.</param>
/// <param name="Bytes">What it takes when it is prepared.</param>
internal sealed record LoadedImage(RgbImage? Image, long Bytes)
{
    /// <summary>It for comparison, unless that takes too much memory.</summary>
    public PreparedImage? Prepared { get; init; }

    /// <summary>What is wrong with the file; null if nothing is.</summary>
    public string? Problem { get; init; }
}

/// <summary>
/// A cache of decoded and prepared images. They are kept while they are in use, and then until their last announced
/// use; where the memory does not suffice, the longest unused images are dropped. May be used from several threads.
/// </summary>
/// <param name="count">Number of images.</param>
/// <param name="memory">Bytes for images that are not in use.</param>
/// <param name="prepare">Prepares the images with these numbers together.</param>
internal sealed class LoadedImages(int count, long memory, Func<IReadOnlyList<int>, LoadedImage[]> prepare)
{
    private readonly Lock gate = new();
    private readonly Entry[] entries = [.. Enumerable.Range(0, count).Select(_ => new Entry())];
    private readonly LinkedList<int> unused = []; // the longest unused first
    private long bytes;

    private sealed class Entry
    {
        public TaskCompletionSource<LoadedImage>? Image;
        public int Announced;
        public int InUse;
        public LinkedListNode<int>? Unused;
    }

    /// <summary>Announces a use of each of these images.</summary>
    public void Announce(IEnumerable<int> numbers)
    {
        foreach (var number in numbers)
            entries[number].Announced++;
    }

    /// <summary>
    /// Gets these images. The caller's thread first prepares all images that are not there, together, and then waits
    /// for those that other threads are preparing.
    /// </summary>
    public LoadedImage[] Take(IReadOnlyList<int> numbers)
    {
        var mine = new List<int>();
        lock (gate)
            foreach (var number in numbers)
            {
                var entry = entries[number];
                entry.InUse++;
                if (entry.Unused is not null)
                    unused.Remove(entry.Unused);
                entry.Unused = null;
                if (entry.Image is null)
                {
                    entry.Image = new(TaskCreationOptions.RunContinuationsAsynchronously);
                    mine.Add(number);
                }
            }
        if (mine.Count > 0)
            Prepare(mine);
        return [.. numbers.Select(number => entries[number].Image!.Task.GetAwaiter().GetResult())];
    }

    /// <summary>Ends an announced use of each of these images.</summary>
    public void Return(IReadOnlyList<int> numbers)
    {
        lock (gate)
        {
            foreach (var number in numbers)
            {
                var entry = entries[number];
                entry.Announced--;
                if (--entry.InUse > 0)
                    continue;
                if (entry.Announced > 0)
                    entry.Unused = unused.AddLast(number);
                else
                    Drop(entry);
            }
            while (bytes > memory && unused.First is { } oldest)
            {
                unused.Remove(oldest);
                entries[oldest.Value].Unused = null;
                Drop(entries[oldest.Value]);
            }
        }
    }

    private void Prepare(List<int> numbers)
    {
        try
        {
            var images = prepare(numbers);
            lock (gate)
                bytes += images.Sum(image => image.Bytes);
            for (var i = 0; i < images.Length; i++)
                entries[numbers[i]].Image!.SetResult(images[i]);
        }
        catch (Exception e)
        {
            // A thread that waits for one of them must not wait for ever.
            foreach (var number in numbers)
                entries[number].Image!.TrySetException(e);
            throw;
        }
    }

    private void Drop(Entry entry)
    {
        bytes -= entry.Image!.Task.Result.Bytes;
        entry.Image = null;
    }
}
