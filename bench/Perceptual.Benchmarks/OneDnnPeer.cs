using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Perceptual.Benchmarks;

/// <summary>
/// The trunk in oneDNN, without the head: a program of its own, called with the network, the shape, the threads and the
/// algorithm. It writes "ready"; then it reads numbers of runs, a line each, and writes the milliseconds of each run in
/// a line. It ends when its input does, so it does not outlive us however we end.
/// </summary>
internal sealed class OneDnnPeer : IDisposable
{
    // The threads of OpenMP wait actively for a while after a run; that time would be ours.
    private static readonly TimeSpan UntilThreadsSleep = TimeSpan.FromMilliseconds(20);

    private readonly string program;
    private readonly CancellationToken cancellation;
    private readonly Process process;
    private readonly CancellationTokenRegistration kill;

    /// <param name="program">The path of the program.</param>
    /// <param name="one">What it computes.</param>
    /// <param name="threads">Its threads.</param>
    /// <param name="algorithm">"auto" or "direct".</param>
    /// <param name="cancellation">Kills it.</param>
    /// <exception cref="IOException">The program cannot be started or does not do what it should.</exception>
    public OneDnnPeer(string program, Case one, int threads, string algorithm, CancellationToken cancellation)
    {
        (this.program, this.cancellation) = (program, cancellation);
        string[] arguments = [one.Network.Name, one.Shape, threads.ToString(CultureInfo.InvariantCulture), algorithm];
        try
        {
            process = Process.Start(new ProcessStartInfo(program, arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            })!;
        }
        catch (Win32Exception e)
        {
            throw new IOException($"--onednn {program}: {e.Message}", e);
        }
        kill = cancellation.Register(Kill);
        try
        {
            var answer = Answer();
            if (answer != "ready")
                throw Failed($"wrote '{answer}' and not 'ready' when called with {string.Join(' ', arguments)}");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What it has taken of the processors so far.</summary>
    public TimeSpan ProcessorTime => process.TotalProcessorTime;

    /// <summary>The milliseconds of so many runs.</summary>
    /// <exception cref="IOException">The program has ended or does not answer with times.</exception>
    public double[] Run(int runs)
    {
        try
        {
            process.StandardInput.WriteLine(runs.ToString(CultureInfo.InvariantCulture));
            process.StandardInput.Flush();
        }
        catch (IOException)
        {
            // It has ended: the next line says so.
        }
        var answer = Answer();
        var times = Array.ConvertAll(answer.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var time)
                ? time
                : double.NaN);
        if (times.Length != runs || !times.All(time => time > 0))
            throw Failed($"was asked for the milliseconds of {runs} runs and wrote '{answer}'");
        Thread.Sleep(UntilThreadsSleep);
        return times;
    }

    public void Dispose()
    {
        kill.Dispose();
        Kill();
        process.Dispose();
    }

    // With those that it started, if it is a script.
    private void Kill() => process.Kill(entireProcessTree: true);

    private string Answer()
    {
        if (process.StandardOutput.ReadLine() is { } answer)
            return answer;
        process.WaitForExit();
        cancellation.ThrowIfCancellationRequested();
        throw Failed($"has ended with exit code {process.ExitCode}; is it a program as docs/performance describes?");
    }

    private IOException Failed(string how) => new($"--onednn {program} {how}");
}
