using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace Perceptual;

/// <summary>How far a download is.</summary>
/// <param name="Name">What is fetched or worked on, such as "alexnet.safetensors".</param>
/// <param name="Received">Bytes so far, with those of an earlier, broken download.</param>
/// <param name="Total">Bytes in all, if the server says.</param>
public readonly record struct DownloadProgress(string Name, long Received, long? Total);

/// <summary>Downloads one file to disk, and continues where an earlier attempt was cut off.</summary>
/// <param name="http">The client to download with.</param>
/// <param name="name">The file's name in progress reports and messages.</param>
/// <param name="address">The file's address.</param>
/// <param name="maximumLength">The most bytes that the file may have: a longer download is given up.</param>
/// <param name="part">The file on disk. A second file, with ".tag" added to its name, holds the server's entity tag, if
/// it sends one.</param>
/// <param name="progress">Receives progress reports; may be null.</param>
/// <param name="retryDelay">The wait before the second attempt; it doubles with each further one.</param>
public sealed class Download(
    HttpClient http, string name, Uri address, long maximumLength, string part, IProgress<DownloadProgress>? progress,
    TimeSpan retryDelay)
{
    private const int Attempts = 5;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60); // without a byte

    /// <summary>Fetches the rest of the file. Its content is not checked here.</summary>
    /// <exception cref="HttpRequestException">The server or the network failed, also when tried again where that
    /// could help.</exception>
    /// <exception cref="InvalidDataException">The server sends more than the most bytes the file may have.</exception>
    /// <exception cref="IOException">The disk failed.</exception>
    public void Run(CancellationToken cancellation)
    {
        var longest = PartLength; // so far: a server that sends the same bytes again and again does not get on
        for (var attempt = 1; ; attempt++)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                Attempt(PartLength, cancellation);
                return;
            }
            catch (HttpRequestException e) when ((PartLength > longest || attempt < Attempts) && MayPass(e))
            {
                if (PartLength > longest)
                    (longest, attempt) = (PartLength, 1); // it makes progress
                cancellation.WaitHandle.WaitOne(retryDelay * (1 << (attempt - 1)));
            }
        }
    }

    /// <summary>Deletes a partial download and its tag.</summary>
    public static void Discard(string part)
    {
        File.Delete(part);
        File.Delete(TagOf(part));
    }

    private static string TagOf(string part) => part + ".tag";

    // A server's error or a cut connection may pass within seconds. No network, no such server or no access will not.
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
                    string.Create(CultureInfo.InvariantCulture, $"the server did not continue at byte {start}"));
            default:
                throw new HttpRequestException(
                    string.Create(CultureInfo.InvariantCulture,
                        $"the server answered {(int)response.StatusCode} {response.ReasonPhrase}"),
                    null, response.StatusCode);
        }
        var total = range?.Length ?? start + response.Content.Headers.ContentLength;
        CheckLength(total ?? 0);
        Receive(response, start, total, cancellation);
    }

    // Parts of two versions do not make one file.
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
            throw new HttpRequestException(string.Create(CultureInfo.InvariantCulture,
                $"the connection ended after {file.Length} of {total} bytes"));
        file.Flush(flushToDisk: true);
    }

    private void CheckLength(long length)
    {
        if (length > maximumLength)
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture,
                $"{name}: {address} sends more than the {maximumLength} bytes it may have"));
    }

    // A blocking read can neither be cancelled nor time out; an asynchronous read can.
    private static int ReadPatiently(Stream body, byte[] buffer, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Patience);
        return body.ReadAsync(buffer, limit.Token).AsTask().GetAwaiter().GetResult();
    }

    /// <summary>
    /// Runs an action on the network. Its failures become <see cref="HttpRequestException"/>, which tells them from
    /// failures of the disk and from cancellation.
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
