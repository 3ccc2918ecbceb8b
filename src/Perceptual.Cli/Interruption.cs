using System.Runtime.InteropServices;

namespace Perceptual.Cli;

/// <summary>
/// Ctrl-C, SIGTERM and SIGHUP. The first cancels the command; once it has had its time to put things in order, or at
/// a second signal, the program ends whatever it does. A signal that was ignored at the start, as nohup does with
/// SIGHUP, stays ignored.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource cancel = new();
    private readonly TaskCompletionSource end = new();
    private readonly Func<TimeSpan> patience;
    private readonly PosixSignalRegistration[] signals;

    /// <param name="patience">How long the command may go on once it is cancelled; asked for then.</param>
    public Interruption(Func<TimeSpan> patience)
    {
        this.patience = patience;
        var ignored = Ignored();
        signals =
        [
            .. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP }
                .Where(signal => (ignored >> (Number(signal) - 1) & 1) == 0)
                .Select(signal => PosixSignalRegistration.Create(signal, Interrupt)),
        ];
    }

    /// <summary>Is cancelled at the first signal.</summary>
    public CancellationToken Token => cancel.Token;

    /// <summary>Ends when the command is no longer waited for.</summary>
    public Task End => end.Task;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var signal in signals)
            signal.Dispose();
        cancel.Dispose();
    }

    private void Interrupt(PosixSignalContext context)
    {
        context.Cancel = true;
        if (cancel.IsCancellationRequested)
        {
            end.TrySetResult();
            return;
        }
        _ = Task.Delay(patience()).ContinueWith(_ => end.TrySetResult(), TaskScheduler.Default);
        cancel.Cancel();
    }

    private static int Number(PosixSignal signal) => signal switch
    {
        PosixSignal.SIGHUP => 1,
        PosixSignal.SIGINT => 2,
        _ => 15,
    };

    // Linux alone says it; elsewhere .NET leaves them ignored or not.
    private static ulong Ignored()
    {
        const string Status = "/proc/self/status", Name = "SigIgn:";
        var line = OperatingSystem.IsLinux() && File.Exists(Status)
            ? File.ReadLines(Status).FirstOrDefault(line => line.StartsWith(Name, StringComparison.Ordinal))
            : null;
        return line is null ? 0 : Convert.ToUInt64(line[Name.Length..].Trim(), 16);
    }
}
