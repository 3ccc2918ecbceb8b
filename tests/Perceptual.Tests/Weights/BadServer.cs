using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Perceptual.Tests;

/// <summary>An HTTP server on this machine that answers each request as the test wants, in any broken way.</summary>
internal sealed class BadServer : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly Func<Request, Answer> answer;
    private readonly List<Request> requests = [];

    public BadServer(Func<Request, Answer> answer)
    {
        this.answer = answer;
        listener.Start();
        Client = new(new Rewriter((IPEndPoint)listener.LocalEndpoint));
        new Thread(Serve) { IsBackground = true }.Start();
    }

    /// <summary>A client for which every address is this server.</summary>
    public HttpClient Client { get; }

    public IReadOnlyList<Request> Requests
    {
        get
        {
            lock (requests)
                return [.. requests];
        }
    }

    public void Dispose()
    {
        listener.Dispose();
        Client.Dispose();
    }

    private void Serve()
    {
        while (true)
            try
            {
                var connection = listener.AcceptTcpClient();
                new Thread(() => Handle(connection)) { IsBackground = true }.Start();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }
    }

    private void Handle(TcpClient connection)
    {
        try
        {
            using (connection)
            using (var stream = connection.GetStream())
            {
                var reader = new StreamReader(stream, Encoding.ASCII);
                var path = reader.ReadLine()!.Split(' ')[1];
                var start = 0L;
                while (reader.ReadLine() is { Length: > 0 } line)
                    if (line.StartsWith("Range: bytes=", StringComparison.OrdinalIgnoreCase))
                        start = long.Parse(line["Range: bytes=".Length..].TrimEnd('-'),
                            System.Globalization.CultureInfo.InvariantCulture);
                int number;
                lock (requests)
                {
                    requests.Add(new(path, start, requests.Count + 1));
                    number = requests.Count;
                }
                var (status, headers, body) = answer(new(path, start, number));
                stream.Write(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nConnection: "
                    + $"close\r\n{string.Concat(headers.Select(header => header + "\r\n"))}\r\n"));
                foreach (var piece in body)
                    stream.Write(piece);
            }
        }
        catch (IOException)
        {
            // the client has hung up
        }
    }

    /// <summary>A request: the path, the byte it asks to start from, and its number, from 1.</summary>
    internal sealed record Request(string Path, long Start, int Number);

    /// <summary>An answer, sent as it is; the connection ends after the body.</summary>
    internal sealed record Answer(string Status, string[] Headers, IEnumerable<byte[]> Body)
    {
        /// <summary>What a good server does, ranges included; cut off after some bytes if asked to.</summary>
        public static Answer Good(byte[] file, long start = 0, int cut = int.MaxValue)
        {
            var rest = file[(int)start..];
            string[] headers = [$"Content-Length: {rest.Length}",
                .. start > 0
                    ? [$"Content-Range: bytes {start}-{file.Length - 1}/{file.Length}"]
                    : Array.Empty<string>()];
            return new(start > 0 ? "206 Partial Content" : "200 OK", headers, [rest[..Math.Min(cut, rest.Length)]]);
        }

        public static Answer Error(string status) => new(status, ["Content-Length: 0"], []);
    }

    private sealed class Rewriter(IPEndPoint server) : DelegatingHandler(new SocketsHttpHandler { UseProxy = false })
    {
        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.RequestUri = new($"http://{server}{request.RequestUri!.PathAndQuery}");
            return base.Send(request, cancellationToken);
        }
    }
}
