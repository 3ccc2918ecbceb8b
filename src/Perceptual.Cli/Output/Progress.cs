using Spectre.Console;

namespace Perceptual.Cli;

/// <summary>Progress bars on stderr, for people only: silent where stderr is not a terminal.</summary>
internal static class Progress
{
    // Work that is over sooner needs no bar.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Runs work that counts its steps.</summary>
    public static T Steps<T>(App app, string title, int steps, Func<Action, T> work) => Show(app, bar =>
    {
        var done = 0;
        return work(() => bar(title, Interlocked.Increment(ref done), steps));
    });

    /// <summary>Runs work that says at each step how far it has come.</summary>
    public static T Titled<T>(App app, int steps, Func<Action<string>, T> work) => Show(app, bar =>
    {
        var done = 0;
        return work(title => bar(title, ++done, steps));
    });

    /// <summary>Runs work that says what it does, and how many of its steps are done.</summary>
    public static T Phases<T>(App app, Func<Action<string, int, int>, T> work) =>
        Show(app, bar => work((title, done, steps) => bar(title, done, steps)));

    /// <summary>Runs work that may fetch weights.</summary>
    public static T Downloads<T>(App app, Func<IProgress<DownloadProgress>, T> work) =>
        Show(app, bar => work(new Relay(download => bar(download.Name, download.Received, download.Total ?? 0))));

    /// <summary>Whether there is somebody to see a bar.</summary>
    public static bool HasBar(App app) => app.Error is StandardStream && !Console.IsErrorRedirected;

    /// <summary>Whether results go to the terminal that the bar is on.</summary>
    public static bool IsAmongResults(App app) =>
        HasBar(app) && app.Output is StandardStream && !Console.IsOutputRedirected;

    /// <summary>Leaves the terminal as it was, although the work that a bar is shown for goes on.</summary>
    public static void Abandon(App app)
    {
        const string ShowCursor = "\e[?25h";
        if (HasBar(app))
            app.Error.Write(ShowCursor);
    }

    /// <summary>
    /// Runs work that says what it does, how far it has come, and how far it has to go (0 if it does not know).
    /// </summary>
    public static T Show<T>(App app, Func<Action<string, double, double>, T> work)
    {
        if (!HasBar(app))
            return work((_, _, _) => { });

        // Left to itself, Spectre.Console asks whether stdout is a terminal.
        var console = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Out = new AnsiConsoleOutput(Console.Error), // it knows how wide that is
                Ansi = AnsiSupport.Yes,
                Interactive = InteractionSupport.Yes,
            });
        var latest = ("", 0.0, 0.0);
        var gate = new Lock();
        var running = Task.Run(() => work((title, value, maximum) =>
        {
            lock (gate)
                latest = (title, value, maximum);
        }));
        if (Task.WaitAny([running], Patience) < 0)
            console.Progress().AutoClear(true).Start(context =>
            {
                ProgressTask? bar = null;
                do
                {
                    lock (gate)
                    {
                        var (title, value, maximum) = latest;
                        if (title.Length == 0)
                            continue;
                        bar ??= context.AddTask(title);
                        bar.Description = Markup.Escape(title);
                        bar.IsIndeterminate = maximum <= 0;
                        bar.MaxValue = Math.Max(maximum, 1);
                        bar.Value = value;
                    }
                }
                while (Task.WaitAny([running], TimeSpan.FromMilliseconds(100)) < 0);
            });
        return running.GetAwaiter().GetResult();
    }

    // Progress<T> would report on another thread, out of order.
    private sealed class Relay(Action<DownloadProgress> report) : IProgress<DownloadProgress>
    {
        public void Report(DownloadProgress value) => report(value);
    }
}
