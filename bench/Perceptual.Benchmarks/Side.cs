using System.Diagnostics;

namespace Perceptual.Benchmarks;

/// <summary>One of those that are measured in turn, and its times.</summary>
/// <param name="name">What a table calls it.</param>
/// <param name="run">Runs it so many times and gives the milliseconds of each.</param>
internal sealed class Side(string name, Func<int, double[]> run)
{
    private static readonly TimeSpan WarmUpTime = TimeSpan.FromMilliseconds(700);

    private readonly List<double> times = [];

    public Side(string name, Action run)
        : this(name, runs => [.. Enumerable.Range(0, runs).Select(_ => Milliseconds(run))])
    {
    }

    public string Name => name;

    /// <summary>How many were measured.</summary>
    public int Runs => times.Count;

    public double Median =>
        (times.Order().ElementAt((times.Count - 1) / 2) + times.Order().ElementAt(times.Count / 2)) / 2;

    /// <summary>A tenth of the times are at most this; of less than eleven, the least.</summary>
    public double LowestDecile => times.Order().ElementAt((times.Count - 1) / 10);

    /// <summary>Runs it at least once; gives the milliseconds of the last run.</summary>
    public double WarmUp()
    {
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            var time = run(1)[0];
            if (Stopwatch.GetElapsedTime(start) > WarmUpTime)
                return time;
        }
    }

    public void Measure(int runs) => times.AddRange(run(runs));

    private static double Milliseconds(Action run)
    {
        var start = Stopwatch.GetTimestamp();
        run();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }
}
