using BenchmarkDotNet.Running;
using Perceptual.Benchmarks;

if (args is ["peers", .. var options])
    return PeersCommand.Run(options);
BenchmarkSwitcher.FromAssembly(typeof(LpipsBenchmarks).Assembly).Run(args);
return 0;
