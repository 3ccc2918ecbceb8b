using System.Runtime.ExceptionServices;

namespace Perceptual;

/// <summary>Runs independent pieces of work in parallel.</summary>
public static class ParallelLoop
{
    /// <summary>
    /// Runs pieces 0 to <paramref name="count"/> - 1, begun in this order. Once a piece has failed, no further piece is
    /// begun, but all pieces before it are done. The exception thrown is therefore always that of the first piece that
    /// fails, whatever the timing.
    /// </summary>
    /// <param name="count">Number of pieces.</param>
    /// <param name="threads">The largest number of pieces that run at a time.</param>
    /// <param name="work">Does a piece, given its number.</param>
    /// <param name="cancellation">Stops the loop between two pieces.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled and no piece
    /// had failed.</exception>
    public static void Run(int count, int threads, Action<int> work, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        Crew.CheckThreads(threads);
        var loop = new Loop(count, work, cancellation);
        for (var helper = 1; helper < Math.Min(threads, count); helper++)
            ThreadPool.QueueUserWorkItem(static loop => loop.Help(), loop, preferLocal: false);
        loop.Work();
        loop.Close();
        if (loop.Failure is not null)
            ExceptionDispatchInfo.Throw(loop.Failure);
        cancellation.ThrowIfCancellationRequested();
    }

    /// <summary>
    /// The results of pieces in the order of the pieces, as they are ready: some are worked on ahead of the one that is
    /// waited for, and no more are in memory. What is thrown is the failure of the first piece that fails.
    /// </summary>
    /// <param name="pieces">The pieces.</param>
    /// <param name="threads">How many run at a time, at most.</param>
    /// <param name="work">Does a piece.</param>
    /// <param name="ahead">How many pieces for each thread may be worked on, or wait for one before them.</param>
    /// <param name="cancellation">Stops it between two pieces.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was signalled.</exception>
    public static IEnumerable<TResult> InOrder<T, TResult>(
        IEnumerable<T> pieces, int threads, Func<T, TResult> work, int ahead = 4,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(pieces);
        ArgumentNullException.ThrowIfNull(work);
        Crew.CheckThreads(threads);
        return Results();

        IEnumerable<TResult> Results()
        {
            var scheduler = new ConcurrentExclusiveSchedulerPair(TaskScheduler.Default, threads).ConcurrentScheduler;
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            using var next = pieces.GetEnumerator();
            var begun = new Queue<Task<TResult>>();
            try
            {
                for (var more = true; ;)
                {
                    while (begun.Count < ahead * (long)threads && more && (more = next.MoveNext()))
                    {
                        var piece = next.Current;
                        begun.Enqueue(Task.Factory.StartNew(
                            () => work(piece), ended.Token, TaskCreationOptions.DenyChildAttach, scheduler));
                    }
                    if (begun.Count == 0)
                        yield break;
                    yield return begun.Dequeue().GetAwaiter().GetResult();
                    cancellation.ThrowIfCancellationRequested();
                }
            }
            finally
            {
                // The caller may take away what they work on.
                ended.Cancel();
                ((Task)Task.WhenAll(begun)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing)
                    .GetAwaiter().GetResult();
            }
        }
    }

    // Parallel.For waits for helpers that have not begun, and every thread of the pool may be helping a crew whose
    // caller is in such a loop. A crew would not, but its threads spin, and pieces may take seconds.
    private sealed class Loop(int count, Action<int> work, CancellationToken cancellation)
    {
        private readonly object gate = new();
        private int next = -1;
        private int failed = count; // the first piece that failed
        private int helpers; // that have begun and not ended
        private bool isClosed;

        public Exception? Failure { get; private set; }

        public void Work()
        {
            while (Interlocked.Increment(ref next) is var piece && piece < Volatile.Read(ref failed)
                && !cancellation.IsCancellationRequested)
                try
                {
                    work(piece);
                }
#pragma warning disable CA1031 // whatever it is, the caller gets it
                catch (Exception e)
                {
                    lock (gate)
                        if (piece < failed)
                            (failed, Failure) = (piece, e);
                }
#pragma warning restore CA1031
        }

        public void Help()
        {
            lock (gate)
            {
                if (isClosed)
                    return;
                helpers++;
            }
            Work();
            lock (gate)
                if (--helpers == 0)
                    Monitor.PulseAll(gate);
        }

        /// <summary>Waits for the helpers that have begun, and lets no other begin.</summary>
        public void Close()
        {
            lock (gate)
            {
                isClosed = true;
                while (helpers > 0)
                    Monitor.Wait(gate);
            }
        }
    }
}
