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
        var next = -1;
        var (failed, failure) = (count, (Exception?)null); // the first piece that failed
        var gate = new Lock();
        Parallel.For(0, Math.Min(threads, count), new() { MaxDegreeOfParallelism = threads }, _ =>
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
                            (failed, failure) = (piece, e);
                }
#pragma warning restore CA1031
        });
        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
        cancellation.ThrowIfCancellationRequested();
    }
}
