namespace Perceptual.Tests.Tensors;

public sealed unsafe class PinnedFloatsTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(17)]
    [InlineData((1 << 19) - 1)]
    [InlineData(1 << 19)]
    [InlineData((1 << 20) + 17)]
    public void They_are_zeros_from_a_cache_line_on_and_large_ones_from_a_large_page_on(int length)
    {
        // what an array before them leaves behind must not be seen
        for (var round = 0; round < 4; round++)
        {
            var floats = new PinnedFloats(length);
            Assert.Equal(0, (nint)floats.Pointer % 64);
            if (length >= 1 << 19)
                Assert.Equal(0, (nint)floats.Pointer % LargePages.Size);
            var span = new Span<float>(floats.Pointer, (int)floats.Length);
            Assert.Equal(length, span.Length);
            Assert.False(span.ContainsAnyExcept(0f));
            span.Fill(1);
            GC.KeepAlive(floats);
            GC.Collect();
        }
    }

    [Fact]
    public void Many_of_them_do_not_lie_in_each_other()
    {
        var all = Enumerable.Range(0, 12).Select(i => new PinnedFloats((1 << 18) * i + 5)).ToArray();
        for (var i = 0; i < all.Length; i++)
            new Span<float>(all[i].Pointer, (int)all[i].Length).Fill(i);
        for (var i = 0; i < all.Length; i++)
            Assert.False(new Span<float>(all[i].Pointer, (int)all[i].Length).ContainsAnyExcept(i));
        GC.KeepAlive(all);
    }
}
