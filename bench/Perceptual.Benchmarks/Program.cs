using BenchmarkDotNet.Running;
using Perceptual.Benchmarks;

if (args is ["peers", .. var options])
    return await PeersCommand.RunAsync(options);
if (args is ["evaluate", .. var evaluateOptions])
    return EvaluateCommand.Run(evaluateOptions);
if (args is ["folders", .. var foldersOptions])
    return FoldersCommand.Run(foldersOptions);
if (args is ["gradients", .. var gradientsOptions])
    return GradientsCommand.Run(gradientsOptions);
if (args is ["agreement", .. var agreementOptions])
    return AgreementCommand.Run(agreementOptions);
if (args is ["metrics", .. var metricsOptions])
    return MetricsCommand.Run(metricsOptions);
if (args is ["network", .. var networkOptions])
    return NetworkCommand.Run(networkOptions);
BenchmarkSwitcher.FromAssembly(typeof(LpipsBenchmarks).Assembly).Run(args);
return 0;
