using System.Text;

namespace Perceptual.Cli;

/// <summary>
/// stdout, where a failure to write is an error that says so; or stderr, where there is nobody left to tell.
/// </summary>
/// <param name="stream">The stream; null if it is closed.</param>
/// <param name="isResult">Whether it is stdout.</param>
internal sealed class StandardStream(TextWriter? stream, bool isResult) : TextWriter
{
    public override Encoding Encoding => stream?.Encoding ?? Encoding.UTF8;

    /// <summary>
    /// Whether stdout is open. If it and stdin were closed at the start, the runtime's first pipe has taken their
    /// places: both ends are ours.
    /// </summary>
    public static bool IsOpen() => !OperatingSystem.IsLinux()
        || File.ResolveLinkTarget("/proc/self/fd/1", returnFinalTarget: false) is not { Name: var name }
        || !name.StartsWith("pipe:", StringComparison.Ordinal)
        || File.ResolveLinkTarget("/proc/self/fd/0", returnFinalTarget: false)?.Name != name;

    public override void Write(char value) => Try(stream => stream.Write(value));

    public override void Write(string? value) => Try(stream => stream.Write(value));

    public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

    public override void WriteLine(string? value) => Try(stream => stream.WriteLine(value));

    public override void Flush() => Try(stream => stream.Flush());

    private void Try(Action<TextWriter> write)
    {
        try
        {
            write(stream ?? throw new ObjectDisposedException(nameof(stream)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            // .NET has no other words for a stream that was closed at the start.
            var why = e is IOException ? e.Message : "it is closed";
            if (isResult)
                throw new IOException($"the results cannot be written to stdout: {why}", e);
        }
    }
}
