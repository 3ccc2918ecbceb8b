namespace Perceptual.Native;

/// <summary>What a function returns: the numbers of <c>perceptual_status</c> in perceptual.h, but 7, which border.c
/// returns itself.</summary>
internal enum Status
{
    Ok,
    BadArgument,
    BadHandle,
    BadFile,
    NoWeights,
    NotSupported,
    OutOfMemory,
    Internal = 8,
    Stopped,
}
