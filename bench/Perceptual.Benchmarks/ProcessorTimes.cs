using System.Globalization;

namespace Perceptual.Benchmarks;

/// <summary>What all processors together have done since the system started.</summary>
/// <param name="Busy">Time spent on any program, in this virtual machine or on others of its host.</param>
/// <param name="Total">All time.</param>
internal sealed record ProcessorTimes(TimeSpan Busy, TimeSpan Total)
{
    private const int TicksPerSecond = 100;

    /// <summary>The times until now; null where the system does not say, which Linux alone does.</summary>
    public static ProcessorTimes? Now()
    {
        const string Stat = "/proc/stat";
        if (!File.Exists(Stat))
            return null;
        // cpu user nice system idle iowait irq softirq steal; what follows is part of user and nice.
        var ticks = File.ReadLines(Stat).First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..9]
            .Select(text => long.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        var total = ticks.Sum();
        return total == 0 ? null : new(Time(total - ticks[3] - ticks[4]), Time(total));

        static TimeSpan Time(long ticks) => TimeSpan.FromSeconds((double)ticks / TicksPerSecond);
    }

    /// <summary>The share of the time since then that was busy with other than our own work, from 0 to 1.</summary>
    public double ShareOfOthers(ProcessorTimes earlier, TimeSpan own) =>
        Math.Clamp((Busy - earlier.Busy - own) / (Total - earlier.Total), 0, 1);
}
