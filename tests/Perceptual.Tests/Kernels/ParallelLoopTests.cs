namespace Perceptual.Tests.Kernels;

public class ParallelLoopTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Results_come_in_order_and_only_some_are_worked_on_ahead(int threads)
    {
        var (begun, running, most) = (0, 0, 0);
        var taken = 0;
        foreach (var result in ParallelLoop.InOrder(Enumerable.Range(0, 100), threads, Work))
        {
            Assert.Equal(taken * 2, result);
            taken++;
            Assert.InRange(Volatile.Read(ref begun), taken, taken + 4 * threads);
        }
        Assert.Equal((100, 100), (taken, begun));
        Assert.InRange(most, 1, threads);

        int Work(int piece)
        {
            Interlocked.Increment(ref begun);
            lock (Results)
                most = Math.Max(most, Interlocked.Increment(ref running));
            Thread.Sleep(piece % 3);
            Interlocked.Decrement(ref running);
            return 2 * piece;
        }
    }

    [Fact]
    public void The_first_failure_is_thrown_after_the_results_before_it_and_nothing_runs_on()
    {
        var results = new List<int>();
        var running = 0;
        var problem = Assert.Throws<InvalidDataException>(() => results.AddRange(
            ParallelLoop.InOrder(Enumerable.Range(0, 50), 4, piece =>
            {
                Interlocked.Increment(ref running);
                Thread.Sleep(piece == 7 ? 30 : 1);
                Interlocked.Decrement(ref running);
                return piece is 7 or 9 ? throw new InvalidDataException($"{piece}") : piece;
            })));
        Assert.Equal("7", problem.Message);
        Assert.Equal(0, running);
    }

    [Fact]
    public void Who_stops_taking_leaves_no_work_behind_and_cancelling_ends_it()
    {
        var running = 0;
        using var cancellation = new CancellationTokenSource();
        Assert.Equal([0, 1, 2], ParallelLoop.InOrder(Enumerable.Range(0, int.MaxValue), 4, Work).Take(3));
        Assert.Equal(0, running);
        var taken = 0;
        Assert.ThrowsAny<OperationCanceledException>(() =>
        {
            foreach (var _ in ParallelLoop.InOrder(
                Enumerable.Range(0, int.MaxValue), 4, Work, cancellation: cancellation.Token))
                if (++taken == 10)
                    cancellation.Cancel();
        });
        Assert.Equal((10, 0), (taken, running));

        int Work(int piece)
        {
            Interlocked.Increment(ref running);
            Thread.Sleep(1);
            Interlocked.Decrement(ref running);
            return piece;
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Every_piece_is_done_once_and_the_first_failure_is_thrown(int threads)
    {
        var times = new int[200];
        ParallelLoop.Run(times.Length, threads, piece => Interlocked.Increment(ref times[piece]));
        Assert.All(times, count => Assert.Equal(1, count));
        ParallelLoop.Run(0, threads, _ => throw new InvalidOperationException());
        var problem = Assert.Throws<InvalidDataException>(() => ParallelLoop.Run(times.Length, threads, piece =>
        {
            Interlocked.Increment(ref times[piece]);
            if (piece is 60 or 61)
            {
                Thread.Sleep(piece == 60 ? 30 : 0);
                throw new InvalidDataException($"{piece}");
            }
            Thread.Sleep(piece > 61 ? 5 : 0);
        }));
        Assert.Equal("60", problem.Message);
        Assert.All(times[..61], count => Assert.Equal(2, count));
        Assert.Equal(1, times[^1]);
    }

    [Fact]
    public void A_pool_whose_threads_help_elsewhere_holds_no_loop_up()
    {
        // As many crews as would take the pool minutes to find threads for.
        var crews = Enumerable.Range(0, 40).Select(_ => new Crew(16)).ToList();
        var done = new Thread(() => ParallelLoop.Run(8, 8, _ => { }));
        done.Start();
        Assert.True(done.Join(TimeSpan.FromSeconds(20)));
        crews.ForEach(crew => crew.Dispose());
    }

    private static readonly Lock Results = new();
}
