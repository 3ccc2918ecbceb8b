using Perceptual.Tests.Fuzz;
using SharpFuzz;

// Perceptual.Fuzz seeds FOLDER      writes small files for each target into a folder of its name
// Perceptual.Fuzz TARGET            is run by afl-fuzz
// Perceptual.Fuzz TARGET FILE...    feeds a target with files, and shows what goes wrong
using var targets = new FuzzTargets();
switch (args)
{
    case ["seeds", var folder]:
        foreach (var (i, (target, bytes)) in FuzzSeeds.All().Index())
        {
            Directory.CreateDirectory(Path.Combine(folder, target));
            File.WriteAllBytes(Path.Combine(folder, target, $"{i}"), bytes);
        }
        break;
    case [var target]:
        Fuzzer.OutOfProcess.Run(stream =>
        {
            using var bytes = new MemoryStream();
            stream.CopyTo(bytes);
            targets.Run(target, bytes.ToArray());
        });
        break;
    case [var target, .. var files]:
        foreach (var file in files)
        {
            Console.WriteLine(file);
            targets.Run(target, File.ReadAllBytes(file));
        }
        break;
}
