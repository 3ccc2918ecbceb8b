namespace Perceptual;

/// <summary>
/// The threads of one call. The caller's own thread works on each step's tasks; threads of the pool help when
/// they are free. Nobody waits for a helper that has not taken a task, so a busy thread pool makes a call slower
/// but cannot stop it.
/// </summary>
public sealed class Crew : IDisposable
{
    // A step's tasks are divided into this many shares for each thread: claiming a share costs as much as
    // claiming one task.
    private const int Shares = 8;

    private readonly Lock gate = new();
    private Action<int, int> body = (_, _) => { }; // (task, worker)
    private long step; // its number in the upper half, its count of tasks in the lower
    private long claims; // the step's number in the upper half, the count of claimed shares in the lower
    private int done;
    private volatile bool dismissed;
    private Exception? failure;

    /// <param name="threads">The largest number of threads that work at a time, including the caller's own.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is not from 1 to <see cref="MaximumThreads"/>.</exception>
    public Crew(int threads)
    {
        CheckThreads(threads);
        Threads = threads;
        for (var worker = 1; worker < threads; worker++)
            ThreadPool.UnsafeQueueUserWorkItem(static state => state.Crew.Help(state.Worker),
                (Crew: this, Worker: worker), preferLocal: false);
    }

    /// <summary>
    /// The most threads that a call may use: four for each processor, and at least 64. More would only take memory.
    /// </summary>
    public static int MaximumThreads { get; } = Math.Max(64, 4 * Environment.ProcessorCount);

    /// <summary>The largest number of threads that work at a time; workers are numbered from 0.</summary>
    public int Threads { get; }

    /// <exception cref="ArgumentOutOfRangeException">A number of threads is not from 1 to
    /// <see cref="MaximumThreads"/>.</exception>
    public static void CheckThreads(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(threads, MaximumThreads);
    }

    /// <summary>
    /// Runs tasks, and returns when all are done; throws the exception of a task that failed. One call at a time.
    /// </summary>
    /// <param name="tasks">Number of tasks.</param>
    /// <param name="action">Does a task, given its number and the worker's.</param>
    public void Run(int tasks, Action<int, int> action)
    {
        ArgumentNullException.ThrowIfNull(action);
        if (Threads == 1 || tasks == 1)
        {
            for (var i = 0; i < tasks; i++)
                action(i, 0);
            return;
        }
        // A worker that still claims tasks of the step before sees that the numbers differ.
        var number = ((claims >> 32) + 1) << 32;
        Volatile.Write(ref step, number | (uint)tasks);
        body = action;
        done = 0;
        Volatile.Write(ref claims, number);
        Work(0);
        var wait = new SpinWait();
        while (Volatile.Read(ref done) < tasks)
            wait.SpinOnce(sleep1Threshold: -1);
        if (failure is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
    }

    /// <summary>Releases the helping threads.</summary>
    public void Dispose() => dismissed = true;

    private void Help(int worker)
    {
        var seen = 0L;
        var wait = new SpinWait();
        while (!dismissed)
        {
            var current = Volatile.Read(ref claims) >> 32;
            if (current == seen)
            {
                wait.SpinOnce(sleep1Threshold: -1);
                continue;
            }
            seen = current;
            Work(worker);
            wait.Reset();
        }
    }

    private void Work(int worker)
    {
        while (true)
        {
            var claim = Interlocked.Increment(ref claims) - 1;
            var current = Volatile.Read(ref step);
            var tasks = (int)(current & uint.MaxValue);
            var share = Math.Max(1, tasks / (Shares * Threads));
            var first = (claim & uint.MaxValue) * share;
            if (claim >> 32 != current >> 32 || first >= tasks)
                return;
            var end = (int)Math.Min(first + share, tasks);
            try
            {
                for (var task = (int)first; task < end; task++)
                    body(task, worker);
            }
#pragma warning disable CA1031 // whatever it is, the caller throws it again
            catch (Exception e)
            {
                lock (gate)
                    failure ??= e;
            }
#pragma warning restore CA1031
            Interlocked.Add(ref done, end - (int)first);
        }
    }
}
