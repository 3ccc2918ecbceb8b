using System.Text;

namespace Perceptual.Cli;

/// <summary>
/// stdout, where a failure to write is an error that says so; or stderr, where there is nobody left to tell.
/// </summary>
internal sealed class StandardStream(TextWriter stream, bool isResult) : TextWriter
{
    public override Encoding Encoding => stream.Encoding;

    public override void Write(char value) => Try(() => stream.Write(value));

    public override void Write(string? value) => Try(() => stream.Write(value));

    public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

    public override void WriteLine(string? value) => Try(() => stream.WriteLine(value));

    public override void Flush() => Try(stream.Flush);

    private void Try(Action write)
    {
        try
        {
            write();
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
