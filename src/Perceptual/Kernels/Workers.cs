namespace Perceptual;

/// <summary>Runs independent pieces of work on a bounded number of threads. The pieces never depend on that number.</summary>
internal static class Workers
{
    public static void For(int count, int threads, Action<int> body, CancellationToken cancellation)
    {
        if (threads == 1 || count == 1)
        {
            for (var i = 0; i < count; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                body(i);
            }
            return;
        }
        var options = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellation };
        Parallel.For(0, count, options, body);
    }
}
