using System.CommandLine;
using System.Globalization;

namespace Perceptual.Cli;

/// <summary><c>lpips weights list | fetch NET | import FILE... | verify</c></summary>
internal static class WeightsCommand
{
    public const string Help = """
        `lpips help models` says where weights are looked for. Those of lite are part of the program.
        Exit codes: 0 fine, 1 failed or damaged weights, 2 usage, 4 weights missing, 130 interrupted

        Examples:
          lpips weights list
          lpips weights fetch vgg --weights /srv/perceptual
          lpips weights import alexnet-owt-7be5be79.pth alex.pth
          lpips weights verify
        """;

    public static Command Create(App app)
    {
        var command = new Command("weights", "List, fetch, import or verify the published weights on this machine.")
        {
            List(app),
            Fetch(app),
            Import(app),
            Verify(app),
        };
        return command;
    }

    private static Command List(App app)
    {
        var command = new Command("list",
            "Show every published file, where it is or where it comes from, and what is built in.");
        var weights = ModelOptions.WeightsOption($"The folder to look in. {ModelOptions.FolderDefault}");
        command.Add(weights);
        app.SetAction(command, (parsed, _) =>
        {
            foreach (var file in new WeightStore(parsed.GetValue(weights), app.Http).List())
            {
                var size = file.Path is null ? "missing" : Megabytes(file.Length!.Value);
                app.Output.WriteLine($"{file.Name}\t{size}\t{Printable.Escape(file.Path ?? file.Address.ToString())}");
            }
            foreach (var network in Network.All.Where(network => network.IsBuiltIn))
            {
                using var file = WeightStore.OpenBuiltIn(network);
                app.Output.WriteLine($"{network.FileName}.safetensors\t{Megabytes(file.Length)}\tbuilt in");
            }
            return ExitCode.Fine;
        });
        return command;

        static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:F2} MB");
    }

    private static Command Fetch(App app)
    {
        var command = new Command("fetch",
            "Fetch what a network needs: its convolution layers and both versions of its lin weights.");
        var net = new Argument<string>("NET") { Description = "The network." };
        net.AcceptOnlyFromAmong([.. Network.All.Select(network => network.Name)]);
        var weights = ModelOptions.WeightsOption($"The folder to keep it in. {ModelOptions.FolderDefault}");
        command.Add(net);
        command.Add(weights);
        app.SetAction(command, (parsed, cancellation) =>
        {
            var network = Network.All.Single(network => network.Name == parsed.GetValue(net));
            if (network.IsBuiltIn)
            {
                app.Say($"{network.Name} is built in: there is nothing to fetch");
                return ExitCode.Fine;
            }
            var folder = Made(parsed.GetValue(weights));
            foreach (var path in Progress.Downloads(app,
                progress => new WeightStore(folder, app.Http, progress).Fetch(network, cancellation)))
                app.Output.WriteLine(Printable.Escape(path));
            return ExitCode.Fine;
        });
        return command;
    }

    private static Command Import(App app)
    {
        var command = new Command("import",
            "Take over published files that you got in another way, on a machine without network.");
        var files = new Argument<string[]>("FILE")
        {
            Description = "Checkpoints of torchvision or lin weights; their content says which.",
            Arity = ArgumentArity.OneOrMore,
        };
        var weights = ModelOptions.WeightsOption($"The folder to keep them in. {ModelOptions.FolderDefault}");
        command.Add(files);
        command.Add(weights);
        app.SetAction(command, (parsed, cancellation) =>
        {
            var store = new WeightStore(Made(parsed.GetValue(weights)), app.Http);
            foreach (var file in parsed.GetValue(files)!)
                app.Output.WriteLine(Printable.Escape(store.Import(file, cancellation)));
            return ExitCode.Fine;
        });
        return command;
    }

    // A new folder is made, beside or in one that is there.
    private static string? Made(string? folder)
    {
        if (File.Exists(folder))
            throw new IOException($"{folder} is a file; --weights names the folder for the published weights here");
        if (folder is not null && Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(folder))))
            Directory.CreateDirectory(folder);
        return folder;
    }

    private static Command Verify(App app)
    {
        var command = new Command("verify", "Check the weights on this machine. Exit code 1 if any are damaged.");
        var weights = ModelOptions.WeightsOption($"The folder to look in. {ModelOptions.FolderDefault}");
        command.Add(weights);
        app.SetAction(command, (parsed, cancellation) =>
        {
            foreach (var network in Network.All.Where(network => network.IsBuiltIn))
            {
                Lpips.LoadWeights(network, new(), cancellation);
                app.Output.WriteLine($"{network.FileName}.safetensors\tok\tbuilt in");
            }
            var store = new WeightStore(parsed.GetValue(weights), app.Http);
            var checks = store.Verify();
            foreach (var check in checks.Where(check => check.Problem is null))
                app.Output.WriteLine($"{check.Name}\tok\t{Printable.Escape(check.Path)}");
            foreach (var check in checks.Where(check => check.Problem is not null))
                app.Say(LibraryTerms.Translate(check.Problem!));
            if (checks.Count == 0)
            {
                app.Say($"{store.Folder} has no published weights; `lpips weights fetch NET` fetches them");
                return ExitCode.WeightsMissing;
            }
            return checks.All(check => check.Problem is null) ? ExitCode.Fine : ExitCode.Failed;
        });
        return command;
    }
}
