using Perceptual.Study;

return await new App(Console.Out, Console.Error).RunAsync(args);
