using System.Text;
using Perceptual.Cli;

NativeLevel.Choose(args);
if (OperatingSystem.IsWindows())
    Console.OutputEncoding = Encoding.UTF8;

using var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
var output = new StandardStream(StandardStream.IsOpen() ? Console.Out : null, isResult: true);
var error = new StandardStream(Console.Error, isResult: false);
return await new App(output, error, http).RunAsync(args);
