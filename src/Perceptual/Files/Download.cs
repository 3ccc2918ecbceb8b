using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace Perceptual;

/// <summary>How far a download is.</summary>
/// <param name="Name">What is fetched, such as "alexnet.safetensors", or done with it.</param>
/// <param name="Received">Bytes so far, those of an earlier, broken download included.</param>
/// <param name="Total">Bytes in all, if the server says.</param>
public readonly record struct DownloadProgress(string Name, long Received, long? Total);

/// <summary>One file of a server into one file on disk, going on where an earlier attempt was cut off.</summary>
/// <param name="http">What downloads.</param>
/// <param name="name">The file, for progress and messages.</param>
/// <param name="address">Where it is.</param>
/// <param name="maximumLength">More bytes than it has: a download beyond is given up.</param>
/// <param name="part">The file on disk. Beside it, under ".tag", stands which version of the file it is a part of, if
/// the server says.</param>
/// <param name="progress">Is told how far it is.</param>
/// <param name="retryDelay">The wait before a second attempt; it doubles with each further one.</param>
public sealed class Download(
    HttpClient http, string name, Uri address, long maximumLength, string part, IProgress<DownloadProgress>? progress,
    TimeSpan retryDelay)
{
    private const int Attempts = 5;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60); // without a byte

    /// <summary>Fetches the rest of the file. Its content is not judged here.</summary>
    /// <exception cref="HttpRequestException">The server or the network failed, several times if that
    /// could help.</exception>
    /// <exception cref="InvalidDataException">The server sends more than the file can have.</exception>
    /// <exception cref="IOException">The disk failed.</exception>
    public void Run(CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            cancellation.ThrowIfCancellationRequested();
            var before = PartLength;
            try
            {
                Attempt(before, cancellation);
                return;
            }
            catch (HttpRequestException e) when ((PartLength > before || attempt < Attempts) && MayPass(e))
            {
                if (PartLength > before)
                    attempt = 1; // it gets on
                cancellation.WaitHandle.WaitOne(retryDelay * (1 << (attempt - 1)));
            }
        }
    }

    /// <summary>Deletes what has come.</summary>
    public static void Discard(string part)
    {
        File.Delete(part);
        File.Delete(TagOf(part));
    }

    private static string TagOf(string part) => part + ".tag";

    // A server's hiccup and a cut connection may; no network, no such server, a forbidden address will
    // not within seconds.
    private static bool MayPass(HttpRequestException failure) => failure.StatusCode is null
        ? failure.HttpRequestError is not (HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError
            or HttpRequestError.ProxyTunnelError or HttpRequestError.SecureConnectionError)
        : failure.StatusCode is >= HttpStatusCode.InternalServerError or HttpStatusCode.RequestTimeout
            or HttpStatusCode.TooManyRequests;

    private long PartLength => File.Exists(part) ? new FileInfo(part).Length : 0;

    private void Attempt(long start, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (start > 0)
            request.Headers.Range = new RangeHeaderValue(start, null);
        using var response = Network(() => http.Send(request, HttpCompletionOption.ResponseHeadersRead, cancellation),
            cancellation);

        var range = response.Content.Headers.ContentRange;
        var tag = response.Headers.ETag?.ToString();
        switch (response.StatusCode)
        {
            case HttpStatusCode.OK: // the whole file, asked for or not
                start = 0;
                Discard(part);
                if (tag is not null)
                    File.WriteAllText(TagOf(part), tag);
                break;
            case HttpStatusCode.PartialContent
                when range is { Unit: "bytes" } && range.From == start && IsSameFile(tag):
                break;
            case HttpStatusCode.RequestedRangeNotSatisfiable when start > 0 && range?.Length == start:
                return; // all of it was there
            case HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable:
                Discard(part);
                throw new HttpRequestException(
                    string.Create(CultureInfo.InvariantCulture, $"the server did not go on at byte {start}"));
            default:
                throw new HttpRequestException(
                    string.Create(CultureInfo.InvariantCulture, $"the server answered {(int)response.StatusCode} "
                        + $"{response.ReasonPhrase}"), null, response.StatusCode);
        }
        var total = range?.Length ?? start + response.Content.Headers.ContentLength;
        CheckLength(total ?? 0);
        Receive(response, start, total, cancellation);
    }

    // Two halves of two versions are no file.
    private bool IsSameFile(string? tag) =>
        tag is null || !File.Exists(TagOf(part)) || File.ReadAllText(TagOf(part)) == tag;

    private void Receive(HttpResponseMessage response, long start, long? total, CancellationToken cancellation)
    {
        using var file = new FileStream(part, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, bufferSize: 0);
        file.SetLength(start);
        file.Position = start;
        using var body = Network(() => response.Content.ReadAsStream(cancellation), cancellation);
        var buffer = new byte[1 << 17];
        while (true)
        {
            progress?.Report(new(name, file.Length, total));
            var count = Network(() => ReadPatiently(body, buffer, cancellation), cancellation);
            if (count == 0)
                break;
            CheckLength(file.Length + count);
            file.Write(buffer, 0, count);
        }
        if (file.Length < total)
            throw new HttpRequestException(
                string.Create(CultureInfo.InvariantCulture,
                    $"the connection ended after {file.Length} of {total} bytes"));
        file.Flush(flushToDisk: true);
    }

    private void CheckLength(long length)
    {
        if (length > maximumLength)
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture,
                $"{name}: {address} sends more than the {maximumLength} bytes it may have"));
    }

    // A blocking read can neither be cancelled nor time out, an asynchronous one can.
    private static int ReadPatiently(Stream body, byte[] buffer, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Patience);
        return body.ReadAsync(buffer, limit.Token).AsTask().GetAwaiter().GetResult();
    }

    /// <summary>
    /// Does what touches the network, and tells its failures from those of the disk and from cancellation.
    /// </summary>
    private static T Network<T>(Func<T> action, CancellationToken cancellation)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
            throw new HttpRequestException(e is IOException ? e.Message : "the server fell silent", e);
        }
    }
}
