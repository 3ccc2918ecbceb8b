namespace Perceptual.Cli;

/// <summary>The exit codes of the process.</summary>
internal static class ExitCode
{
    public const int Fine = 0;
    public const int Failed = 1;
    public const int Usage = 2;
    public const int AboveThreshold = 3;
    public const int WeightsMissing = 4;
    public const int Interrupted = 130;
}
