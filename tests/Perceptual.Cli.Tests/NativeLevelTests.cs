using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Perceptual.Cli.Tests;

public class NativeLevelTests
{
    private const string V3 = "x86-64-v3", V4 = "x86-64-v4";

    // Where the parts of its state lie that a processor can keep: AVX, three of AVX-512, protection keys.
    private static readonly Part[] Intel =
        [new(2, 256, 0x240), new(5, 64, 0x440), new(6, 512, 0x480), new(7, 1024, 0x680), new(9, 8, 0xA80)];

    private static readonly Part[] Amd =
        [new(2, 256, 0x240), new(5, 64, 0x340), new(6, 512, 0x380), new(7, 1024, 0x580), new(9, 8, 0x980)];

    private static readonly Processor Zen5 = new(0x10, 0x7EF8320B, 0xF1BF97A9, 0x75C237FF, 0x988, Amd);
    private static readonly Processor Haswell = new(0xD, 0x7FFAFBFF, 0x000027AB, 0x21, 0x340, Intel[..1]);

    [Fact]
    public void A_processor_with_avx512_gets_its_program() => Assert.Equal(V4, Best(Zen5, "avx", "avx512f"));

    [Fact]
    public void Processors_without_avx512_get_that_of_avx2()
    {
        Assert.Equal(V3, Best(Haswell, "avx"));
        var alderLake = new Processor(0x20, 0x7FFAFBFF, 0x239C27EB, 0x121, 0xA88, [Intel[0], Intel[4]]);
        Assert.Equal(V3, Best(alderLake, "avx"));
        // As recorded on an EPYC of family 25, model 1: protection keys lie after the place of AVX-512.
        var milan = new Processor(0x10, 0xFFFA3203, 0x219C07AB, 0x004003F3, 0x988, [Amd[0], Amd[4]]);
        Assert.Equal(V3, Best(milan, "avx"));
    }

    [Fact]
    public void Older_processors_get_the_lowest()
    {
        Assert.Null(Best(new(0xB, 0x0098E3BD, 0, 0x1, 0, []))); // Nehalem
        Assert.Null(Best(new(0xD, 0x1FBAE3FF, 0, 0x1, 0x340, Intel[..1]), "avx")); // Sandy Bridge: AVX, but not AVX2
    }

    [Fact]
    public void Lzcnt_counts_although_the_system_does_not_show_it_as_abm()
    {
        Assert.Equal(V3, Best(Haswell, "fpu", "sse2", "avx"));
        Assert.Equal(V4, Best(Zen5, "fpu", "sse2", "avx", "avx512f"));
        Assert.Null(Best(Haswell with { Extended = 0x01 }, "avx", "avx2", "abm"));
    }

    [Fact]
    public void A_system_that_says_nothing_is_no_reason_to_be_slow()
    {
        Assert.Equal(V3, NativeLevel.Best(Haswell.CpuId, null, _ => false));
        Assert.Equal(V4, NativeLevel.Best(Zen5.CpuId, null, _ => false));
    }

    [Fact]
    public void Registers_that_the_system_does_not_keep_are_not_used()
    {
        Assert.Null(Best(Haswell with { Kept = 0x240 }, "avx"));
        Assert.Null(Best(Haswell with { Leaf1 = Haswell.Leaf1 & ~(1u << 27) }, "avx")); // OSXSAVE
        foreach (var kept in new[] { 0x340, 0x380, 0x580, 0x97F })
            Assert.Equal(V3, Best(Zen5 with { Kept = kept }, "avx", "avx512f"));
        Assert.Equal(V4, Best(Zen5 with { Kept = 0x980 }, "avx", "avx512f"));
        // The protection keys, which are kept, lie after them.
        Assert.Equal(V3, Best(Zen5, "avx"));
        Assert.Null(Best(Zen5, "fpu"));
        Assert.Null(Best(Zen5, "avx512f"));
    }

    [Fact]
    public void Leaves_that_are_not_there_are_not_read()
    {
        Assert.Null(Best(Haswell with { MaxLeaf = 6 }, "avx"));
        Assert.Null(Best(Haswell with { MaxLeaf = 0xC }, "avx"));
        Assert.Null(Best(Haswell with { MaxExtendedLeaf = 0x80000000 }, "avx"));
        Assert.Null(Best(Haswell with { MaxExtendedLeaf = 0 }, "avx"));
    }

    // minipal_getcpufeatures of .NET 10 asks for these, and a program compiled for a level does not start without one.
    [Fact]
    public void Every_instruction_that_the_runtime_asks_for_is_needed()
    {
        foreach (var bit in new[] { 12, 22, 27, 28, 29 }) // FMA, MOVBE, OSXSAVE, AVX, F16C
            Assert.Null(Best(Zen5 with { Leaf1 = Zen5.Leaf1 & ~(1u << bit) }, "avx", "avx512f"));
        foreach (var bit in new[] { 3, 5, 8 }) // BMI1, AVX2, BMI2
            Assert.Null(Best(Zen5 with { Leaf7 = Zen5.Leaf7 & ~(1u << bit) }, "avx", "avx512f"));
        Assert.Null(Best(Zen5 with { Extended = Zen5.Extended & ~(1u << 5) }, "avx", "avx512f")); // LZCNT
        foreach (var bit in new[] { 16, 17, 28, 30, 31 }) // AVX-512 F, DQ, CD, BW, VL
            Assert.Equal(V3, Best(Zen5 with { Leaf7 = Zen5.Leaf7 & ~(1u << bit) }, "avx", "avx512f"));
    }

    [Theory]
    [InlineData("DOTNET_EnableAVX512", V3)]
    [InlineData("DOTNET_EnableAVX2", null)]
    [InlineData("DOTNET_EnableHWIntrinsic", null)]
    public void Variables_switch_levels_off(string variable, string? level) =>
        Assert.Equal(level, NativeLevel.Best(Zen5.CpuId, ["avx", "avx512f"], name => name == variable));

    [Theory]
    [InlineData("pairs a", V4, V4)]
    [InlineData("pairs a --vectors v4", V4, V4)]
    [InlineData("pairs a --vectors v3", V4, V3)]
    [InlineData("pairs a --vectors=v3", V4, V3)]
    [InlineData("pairs a --vectors v2", V4, null)]
    [InlineData("pairs a --vectors v4", V3, V3)] // then the option says that it is not there
    [InlineData("pairs a --vectors v3", null, null)]
    [InlineData("pairs a --vectors v9", V3, V3)]
    [InlineData("pairs a --vectors", V3, V3)]
    public void An_option_asks_for_a_level_at_most_the_best(string arguments, string? best, string? level) =>
        Assert.Equal(level, NativeLevel.Least(best, NativeLevel.Asked(arguments.Split(' '))));

    [Fact]
    public void Here_it_is_the_level_that_the_runtime_found()
    {
        Assert.SkipUnless(X86Base.IsSupported && RuntimeInformation.ProcessArchitecture == Architecture.X64, "not x64");
        var best = NativeLevel.Best(X86Base.CpuId, NativeLevel.CpuFlags(), NativeLevel.IsOff);
        Assert.Equal(Avx512F.IsSupported ? V4 : Avx2.IsSupported ? V3 : null, best);
    }

    private static string? Best(Processor processor, params string[] flags) =>
        NativeLevel.Best(processor.CpuId, flags, _ => false);

    // Size and offset in bytes.
    private readonly record struct Part(int Number, int Size, int Offset);

    /// <summary>What CPUID answers on a processor: the registers that are asked for, of all others every bit.</summary>
    private sealed record Processor(uint MaxLeaf, uint Leaf1, uint Leaf7, uint Extended, int Kept, Part[] Parts)
    {
        public uint MaxExtendedLeaf { get; init; } = 0x80000008;

        public (int Eax, int Ebx, int Ecx, int Edx) CpuId(int leaf, int subLeaf) => ((uint)leaf, subLeaf) switch
        {
            (0, _) => ((int)MaxLeaf, -1, -1, -1),
            (0x80000000, _) => ((int)MaxExtendedLeaf, -1, -1, -1),
            (var basic and < 0x80000000, _) when basic > MaxLeaf => (-1, -1, -1, -1),
            (var extended and > 0x80000000, _) when extended > MaxExtendedLeaf => (-1, -1, -1, -1),
            (1, _) => (-1, -1, (int)Leaf1, -1),
            (7, 0) => (-1, (int)Leaf7, -1, -1),
            (0xD, 0) => (-1, Kept, -1, -1),
            (0xD, _) when Parts.FirstOrDefault(part => part.Number == subLeaf) is var (_, size, offset) =>
                (size, offset, 0, 0),
            (0x80000001, _) => (-1, -1, (int)Extended, -1),
            _ => (-1, -1, -1, -1),
        };
    }
}
