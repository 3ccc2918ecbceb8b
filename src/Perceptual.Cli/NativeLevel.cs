using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Perceptual.Cli;

/// <summary>
/// Native code has the vectors it was compiled for and no others. So there are three programs: <c>lpips</c> runs on any
/// x64 processor, and beside it are the same for processors with AVX2 and with AVX-512.
/// </summary>
internal static partial class NativeLevel
{
    private const int StateLeaf = 0xD, ExtendedLeaf = unchecked((int)0x80000001);

    /// <summary>
    /// Starts the program for this processor in place of this one, or returns if this is it. The variables that switch
    /// vectors off under the just-in-time compiler do so here too.
    /// </summary>
    public static void Choose(string[] args)
    {
        // All constants: of this method nothing is left but where it is needed.
        if (RuntimeFeature.IsDynamicCodeSupported || RuntimeInformation.ProcessArchitecture != Architecture.X64
            || Vector256.IsHardwareAccelerated)
            return;
        if (Least(Best(X86Base.CpuId, CpuFlags(), IsOff), Asked(args)) is not { } level)
            return;
        var better = new FileInfo($"{Environment.ProcessPath}-{level}");
        // A link to this very program would become itself for ever.
        if (better.Exists && better.ResolveLinkTarget(returnFinalTarget: true)?.FullName != Environment.ProcessPath)
            // comes back only if it cannot run
            _ = Execute(better.FullName, [Environment.GetCommandLineArgs()[0], .. args, null]);
    }

    /// <summary>
    /// The level of the x86-64 psABI to compute at, null for the lowest. It is never one whose program .NET's runtime
    /// then refuses to start: the instructions are those that it asks for (minipal_getcpufeatures of its sources).
    /// </summary>
    /// <param name="cpuId">What the instruction CPUID answers, by leaf and sub-leaf.</param>
    /// <param name="flags">What the system says that the processor has, or null if it says nothing.</param>
    /// <param name="isOff">Whether the variable of a name switches vectors off.</param>
    internal static string? Best(
        Func<int, int, (int Eax, int Ebx, int Ecx, int Edx)> cpuId,
        IReadOnlyCollection<string>? flags,
        Func<string, bool> isOff)
    {
        if (isOff("DOTNET_EnableHWIntrinsic") || isOff("DOTNET_EnableAVX2") || !HasAvx2())
            return null;
        return isOff("DOTNET_EnableAVX512") || !HasAvx512() ? "x86-64-v3" : "x86-64-v4";

        bool HasAvx2()
        {
            const int FmaMovbeF16c = 1 << 12 | 1 << 22 | 1 << 29, OsXSaveAvx = 1 << 27 | 1 << 28; // leaf 1, ECX
            const int Bmi1Avx2Bmi2 = 1 << 3 | 1 << 5 | 1 << 8; // leaf 7, EBX
            const int Lzcnt = 1 << 5; // leaf 0x80000001, ECX; Linux calls it abm, and does not show it everywhere
            return (uint)cpuId(0, 0).Eax >= StateLeaf
                && Has(cpuId(1, 0).Ecx, FmaMovbeF16c | OsXSaveAvx)
                && Has(cpuId(7, 0).Ebx, Bmi1Avx2Bmi2)
                && (uint)cpuId(ExtendedLeaf - 1, 0).Eax >= unchecked((uint)ExtendedLeaf)
                && Has(cpuId(ExtendedLeaf, 0).Ecx, Lzcnt)
                && Keeps("avx", 2);
        }

        bool HasAvx512()
        {
            const int FDqCdBwVl = 1 << 16 | 1 << 17 | 1 << 28 | 1 << 30 | 1 << 31; // leaf 7, EBX
            return Has(cpuId(7, 0).Ebx, FDqCdBwVl) && Keeps("avx512f", 5, 6, 7);
        }

        // Whether the system keeps these parts of the processor's state for each thread: each lies, with its size
        // (EAX) from its offset (EBX) on, within what is kept (EBX of part 0). It does, too, where a later part is
        // kept and it is not; then the system does not show the flag.
        bool Keeps(string flag, params ReadOnlySpan<int> parts)
        {
            var kept = cpuId(StateLeaf, 0).Ebx;
            foreach (var part in parts)
                if (cpuId(StateLeaf, part) is var (size, offset, _, _) && (size == 0 || offset + size > kept))
                    return false;
            return flags?.Contains(flag) != false;
        }
    }

    /// <summary>The level that the command line asks for with --vectors, or null.</summary>
    internal static string? Asked(IReadOnlyList<string> args)
    {
        const string Option = "--vectors";
        for (var i = 0; i < args.Count; i++)
            if (args[i] == Option && i + 1 < args.Count)
                return "x86-64-" + args[i + 1];
            else if (args[i].StartsWith(Option + "=", StringComparison.Ordinal))
                return "x86-64-" + args[i][(Option.Length + 1)..];
        return null;
    }

    /// <summary>The program to start: the best, or one below it that is asked for; null for the lowest.</summary>
    internal static string? Least(string? best, string? asked) => asked switch
    {
        "x86-64-v2" => null,
        "x86-64-v3" => best is null ? null : asked,
        _ => best, // what is there, or no level: the option says so
    };

    /// <summary>What Linux says that the processor has, or null if it says nothing.</summary>
    internal static string[]? CpuFlags()
    {
        try
        {
            var lines = File.ReadLines("/proc/cpuinfo");
            return lines.FirstOrDefault(line => line.StartsWith("flags", StringComparison.Ordinal))?.Split(' ');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Whether a variable switches vectors off.</summary>
    internal static bool IsOff(string variable) => Environment.GetEnvironmentVariable(variable) == "0";

    private static bool Has(int register, int bits) => (register & bits) == bits;

    [LibraryImport("libc", EntryPoint = "execv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string path, string?[] args);
}
