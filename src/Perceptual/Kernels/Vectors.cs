using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace Perceptual;

/// <summary>The vector instructions that the kernels compute with.</summary>
internal static class Vectors
{
    /// <summary>
    /// The widest vector instructions that processor, system and compiler allow this process: "avx512", "avx2", "sse",
    /// "neon", or "none" where .NET uses none. A distance's last digits, and the time it takes, depend on them.
    /// </summary>
    public static string Level =>
        Vector512.IsHardwareAccelerated ? "avx512"
        : Vector256.IsHardwareAccelerated ? "avx2"
        : !Vector128.IsHardwareAccelerated ? "none"
        : AdvSimd.IsSupported ? "neon" : "sse";
}
