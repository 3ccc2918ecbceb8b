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
}

/// <summary>Exceptions as codes with a text, because none may cross the border.</summary>
internal static class Failure
{
    public static (Status Status, string Text) Of(Exception exception) => exception switch
    {
        OutOfMemoryException => (Status.OutOfMemory, "there is not enough memory"),
        KeyNotFoundException => (Status.BadHandle, exception.Message),
        ArgumentException => (Status.BadArgument, exception.Message.Split(" (Parameter '")[0]),
        WeightsUnavailableException => (Status.NoWeights, exception.Message),
        InvalidDataException or IOException or UnauthorizedAccessException => (Status.BadFile, exception.Message),
        NotSupportedException => (Status.NotSupported, exception.Message),
        _ => (Status.Internal, $"{exception.GetType().Name}: {exception.Message}"),
    };
}
