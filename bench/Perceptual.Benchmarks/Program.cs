using BenchmarkDotNet.Running;
using Perceptual.Benchmarks;

if (args is ["peers", .. var options])
    return PeersCommand.Run(options);
if (args is ["evaluate", .. var evaluateOptions])
    return EvaluateCommand.Run(evaluateOptions);
if (args is ["gradients", .. var gradientsOptions])
    return GradientsCommand.Run(gradientsOptions);
BenchmarkSwitcher.FromAssembly(typeof(LpipsBenchmarks).Assembly).Run(args);
return 0;
