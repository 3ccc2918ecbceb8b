using System.Security.Cryptography;

namespace Perceptual.Tests;

public class WeightStoreTests
{
    private static readonly WeightEntry Trunk = new()
    {
        Name = "tiny.safetensors",
        Network = Tiny.Network,
        Address = new("https://weights.example/models/tiny.pth"),
        Sha256 = Sha256(Tiny.Checkpoint)[..8],
        MaximumLength = 100_000,
        PinnedTensors = Tiny.Trunk.Tensors.Count,
        PinnedDigest = Tiny.Trunk.Digest,
    };

    /// <summary>As VGG16 is in the manifest: only the first tensors' digest is known.</summary>
    private static readonly WeightEntry HalfPinned = Trunk with
    {
        PinnedTensors = 2,
        PinnedDigest = TensorDigest.Of(Tiny.Trunk.Tensors.Values.Take(2))
    };

    private static readonly WeightEntry Lin = new()
    {
        Name = "lin/tiny-v0.1.pth",
        Network = Tiny.Network,
        Version = LpipsVersion.V01,
        Address = new("https://weights.example/lin/tiny.pth"),
        Sha256 = Sha256(Tiny.Lin),
        MaximumLength = 100_000,
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Missing_weights_are_fetched_once_slimmed_and_checked()
    {
        using var folder = new TempFolder();
        using var server = new BadServer(Good);
        var reports = new List<DownloadProgress>();
        var store = Store(folder["cache"], server, progress: new Reports(reports.Add));
        Assert.Equal(Tiny.Trunk.Digest, store.LoadTrunk(Tiny.Network, Cancellation).Digest);
        Assert.Equal(Tiny.Trunk.Digest, store.LoadTrunk(Tiny.Network, Cancellation).Digest);
        Assert.Equal([[0, 1, 2, 3], [0, 1, 2, 3, 4, 5]],
            store.LoadLin(Tiny.Network, LpipsVersion.V01, Cancellation).Layers);
        Assert.Equal(["/models/tiny.pth", "/lin/tiny.pth"], server.Requests.Select(request => request.Path));
        Assert.Equal(["cache/lin/tiny-v0.1.pth", "cache/tiny.safetensors"], folder.Files);
        Assert.Contains(new("tiny.safetensors", Tiny.Checkpoint.Length, Tiny.Checkpoint.Length), reports);
        using var file = File.OpenRead(folder["cache/tiny.safetensors"]);
        var read = Safetensors.Read(file, "x");
        Assert.DoesNotContain("classifier.1.weight", read.Tensors.Keys);
        Assert.Equal(("https://weights.example/models/tiny.pth", Tiny.Trunk.Digest),
            (read.Metadata["source"], read.Metadata["digest"]));
    }

    [Fact]
    public async Task Loading_while_others_work_fetches_reports_and_can_be_cancelled()
    {
        using var folder = new TempFolder();
        using var asked = new SemaphoreSlim(0);
        using var go = new SemaphoreSlim(0);
        using var server = new BadServer(request =>
        {
            asked.Release();
            go.Wait(Cancellation);
            return Good(request);
        });
        var reports = new List<DownloadProgress>();
        var store = Store(folder["cache"], server, progress: new Reports(reports.Add));
        using var cancel = new CancellationTokenSource();
        var cancelled = Lpips.LoadAsync(Tiny.Network, new() { Store = store }, cancel.Token);
        await asked.WaitAsync(Cancellation); // it returned although the server has not answered
        Assert.False(cancelled.IsCompleted);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        go.Release(10);
        // The weights come, but its layers are too thin for the kernels.
        await Assert.ThrowsAsync<NotSupportedException>(
            () => Lpips.LoadAsync(Tiny.Network, new() { Store = store }, Cancellation));
        Assert.Equal("lpips-lite", (await Lpips.LoadAsync(Network.Lite, null, Cancellation)).Info.Name);
        Assert.Contains(new("tiny.safetensors", Tiny.Checkpoint.Length, Tiny.Checkpoint.Length), reports);
    }

    [Fact]
    public void A_broken_download_goes_on_where_it_was_cut_off()
    {
        using var folder = new TempFolder();
        using var server = new BadServer(
            request => BadServer.Answer.Good(Tiny.Checkpoint, request.Start,
                cut: request.Number < 4 ? 1000 : int.MaxValue));
        Store(folder.Root, server).LoadTrunk(Tiny.Network, Cancellation);
        Assert.Equal([0, 1000, 2000, 3000], server.Requests.Select(request => request.Start));
    }

    [Fact]
    public void A_server_that_ignores_ranges_starts_over()
    {
        using var folder = new TempFolder();
        using var server = new BadServer(
            request => BadServer.Answer.Good(Tiny.Checkpoint, cut: request.Number == 1 ? 1000 : int.MaxValue));
        Store(folder.Root, server).LoadTrunk(Tiny.Network, Cancellation);
        Assert.Equal([0, 1000], server.Requests.Select(request => request.Start));
    }

    [Fact]
    public void A_version_noted_beside_a_download_goes_away_with_it()
    {
        using var folder = new TempFolder();
        using var server = new BadServer(
            request => BadServer.Answer.Good(Tiny.Checkpoint, request.Start, cut: 1000) is var good
            ? good with { Headers = [.. good.Headers, request.Number < 3 ? "ETag: \"old\"" : "ETag: \"new\""] } : good);
        Store(folder.Root, server).LoadTrunk(Tiny.Network, Cancellation);
        Assert.Equal([0, 1000, 2000, 0, 1000], server.Requests.Take(5).Select(request => request.Start));
        Assert.Equal(["tiny.safetensors"], folder.Files);
    }

    [Theory]
    [InlineData("Content-Range: bytes 0-9999/10000")]
    [InlineData("Content-Range: bytes */10000")]
    [InlineData("Content-Range: rows 10-9999/10000")]
    [InlineData("X-Nothing: here")]
    public void A_range_other_than_the_one_asked_for_is_not_appended(string header)
    {
        using var folder = new TempFolder();
        folder.Write("tiny.safetensors.part", Tiny.Checkpoint.AsSpan(0, 10));
        using var server = new BadServer(
            request => request.Number == 1
                ? new("206 Partial Content", [header, "Content-Length: 4"], [[1, 2, 3, 4]])
                : Good(request));
        Store(folder.Root, server).LoadTrunk(Tiny.Network, Cancellation);
        Assert.Equal([10, 0], server.Requests.Select(request => request.Start));
    }

    [Fact]
    public void A_complete_part_is_used_when_the_server_has_no_more()
    {
        using var folder = new TempFolder();
        folder.Write("tiny.safetensors.part", Tiny.Checkpoint);
        using var server = new BadServer(
            _ => new("416 Range Not Satisfiable",
                [$"Content-Range: bytes */{Tiny.Checkpoint.Length}", "Content-Length: 0"], []));
        Store(folder.Root, server).LoadTrunk(Tiny.Network, Cancellation);
        Assert.Equal(["tiny.safetensors"], folder.Files);
    }

    [Fact]
    public void A_part_longer_than_the_file_is_thrown_away()
    {
        using var folder = new TempFolder();
        folder.Write("tiny.safetensors.part", new byte[Tiny.Checkpoint.Length + 1]);
        using var server = new BadServer(request => request.Start > Tiny.Checkpoint.Length
            ? new("416 Range Not Satisfiable",
                [$"Content-Range: bytes */{Tiny.Checkpoint.Length}", "Content-Length: 0"], []) : Good(request));
        Store(folder.Root, server).LoadTrunk(Tiny.Network, Cancellation);
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public void Wrong_bytes_are_refused_with_both_digests_and_deleted()
    {
        using var folder = new TempFolder();
        var wrong = Tiny.Checkpoint.ToArray();
        wrong[^500] ^= 1;
        using var server = new BadServer(request => BadServer.Answer.Good(wrong, request.Start));
        var error = Assert.Throws<InvalidDataException>(
            () => Store(folder.Root, server).LoadTrunk(Tiny.Network, Cancellation));
        Assert.Contains(Sha256(wrong), error.Message, StringComparison.Ordinal);
        Assert.Contains(Trunk.Sha256, error.Message, StringComparison.Ordinal);
        Assert.StartsWith(folder["tiny.safetensors"], error.Message, StringComparison.Ordinal);
        Assert.Empty(folder.Files);
    }

    [Theory]
    [InlineData("404 Not Found", 1)]
    [InlineData("403 Forbidden", 1)]
    [InlineData("500 Internal Server Error", 5)]
    [InlineData("503 Service Unavailable", 5)]
    public void A_server_that_refuses_is_reported_with_file_address_and_folder(string status, int requests)
    {
        using var folder = new TempFolder();
        using var server = new BadServer(_ => BadServer.Answer.Error(status));
        AssertUnavailable(Store(folder.Root, server), folder.Root, status);
        Assert.Equal(requests, server.Requests.Count);
        Assert.Empty(folder.Files);
    }

    [Fact]
    public void A_server_that_recovers_is_asked_again()
    {
        using var folder = new TempFolder();
        using var server = new BadServer(
            request => request.Number < 5 ? BadServer.Answer.Error("503 Service Unavailable") : Good(request));
        Store(folder.Root, server).LoadTrunk(Tiny.Network, Cancellation);
    }

    [Fact]
    public void An_endless_body_is_given_up()
    {
        using var folder = new TempFolder();
        using var server = new BadServer(_ => new("200 OK", [], Enumerable.Repeat(new byte[4096], int.MaxValue)));
        var error = Assert.Throws<InvalidDataException>(
            () => Store(folder.Root, server).LoadTrunk(Tiny.Network, Cancellation));
        Assert.Contains("more than the 100000 bytes", error.Message, StringComparison.Ordinal);
        Assert.Empty(folder.Files);
    }

    [Fact]
    public void A_length_beyond_the_limit_is_refused_before_the_body()
    {
        using var folder = new TempFolder();
        using var server = new BadServer(_ => new("200 OK", ["Content-Length: 5000000000"], []));
        Assert.Throws<InvalidDataException>(() => Store(folder.Root, server).LoadTrunk(Tiny.Network, Cancellation));
        Assert.Single(server.Requests);
        Assert.Empty(folder.Files);
    }

    [Fact]
    public void A_length_longer_than_the_body_counts_as_cut_off()
    {
        using var folder = new TempFolder();
        using var server = new BadServer(_ => new("200 OK", ["Content-Length: 50000"], [Tiny.Checkpoint]));
        AssertUnavailable(Store(folder.Root, server), folder.Root, "");
        Assert.Equal(["tiny.safetensors.part"], folder.Files);
    }

    [Fact]
    public void A_length_shorter_than_the_file_is_found_by_the_digest()
    {
        using var folder = new TempFolder();
        using var server = new BadServer(_ => new("200 OK", ["Content-Length: 1000"], [Tiny.Checkpoint]));
        Assert.Throws<InvalidDataException>(() => Store(folder.Root, server).LoadTrunk(Tiny.Network, Cancellation));
        Assert.Empty(folder.Files);
    }

    [Fact]
    public void Cancelling_keeps_what_has_come_for_the_next_time()
    {
        using var folder = new TempFolder();
        using var cancellation = new CancellationTokenSource();
        var (over, gaveUp) = (new TaskCompletionSource(), false);
        IEnumerable<byte[]> Stalling()
        {
            yield return Tiny.Checkpoint[..1500];
            gaveUp = !over.Task.Wait(TimeSpan.FromMinutes(1)); // only for a store that waits for the server
        }
        using var server = new BadServer(request => request.Number == 1
            ? new("200 OK", [$"Content-Length: {Tiny.Checkpoint.Length}"], Stalling()) : Good(request));
        var store = Store(folder.Root, server, new Reports(progress =>
        {
            if (progress.Received == 1500)
                cancellation.Cancel();
        }));
        Assert.ThrowsAny<OperationCanceledException>(() => store.LoadTrunk(Tiny.Network, cancellation.Token));
        Assert.False(gaveUp);
        over.SetResult();
        Assert.Equal(["tiny.safetensors.part"], folder.Files);
        store.LoadTrunk(Tiny.Network, Cancellation);
        Assert.Equal([0, 1500], server.Requests.Select(request => request.Start));
    }

    [Fact]
    public async Task Stores_that_need_the_same_file_at_once_fetch_it_once()
    {
        using var folder = new TempFolder();
        using var started = new CountdownEvent(4);
        using var server = new BadServer(request =>
        {
            started.Wait(Cancellation);
            Thread.Sleep(200); // the others have started, and come as far as the lock or a request of their own
            return Good(request);
        });
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(() =>
        {
            started.Signal();
            Store(folder.Root, server).LoadTrunk(Tiny.Network, Cancellation);
        }, Cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        Assert.Single(server.Requests);
    }

    [Fact]
    public void Waiting_for_another_process_can_be_cancelled()
    {
        using var folder = new TempFolder();
        using var server = new BadServer(Good);
        using var cancellation = new CancellationTokenSource();
        using var held = new FileStream(folder["tiny.safetensors.lock"], FileMode.Create, FileAccess.ReadWrite,
            FileShare.None);
        Exception? error = null;
        var store = Store(folder.Root, server);
        var loading = new Thread(
            () => error = Record.Exception(() => store.LoadTrunk(Tiny.Network, cancellation.Token)));
        loading.Start();
        // until it waits for the lock
        while ((loading.ThreadState & (ThreadState.WaitSleepJoin | ThreadState.Stopped)) == 0)
            Thread.Sleep(1);
        cancellation.Cancel();
        Assert.True(loading.Join(TimeSpan.FromMinutes(1)), "it still waits for the lock");
        Assert.IsAssignableFrom<OperationCanceledException>(error);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public void Without_a_network_the_message_names_file_address_and_folder()
    {
        using var folder = new TempFolder();
        using var closed = new HttpClient(
            new SocketsHttpHandler
            {
                UseProxy = false,
                ConnectCallback = (_, _) => throw new System.Net.Sockets.SocketException(11001),
            });
        AssertUnavailable(new(null, null, folder.Root, closed, null, [Trunk, Lin]) { RetryDelay = TimeSpan.Zero },
            folder.Root, "weights.example");
        Assert.Empty(folder.Files);
    }

    [Fact]
    public void A_cache_folder_that_cannot_be_made_is_reported()
    {
        using var folder = new TempFolder();
        using var server = new BadServer(Good);
        folder.Write("file", [1]);
        AssertUnavailable(Store(folder["file/cache"], server), folder["file/cache"], "");
    }

    [Fact]
    public void A_file_that_cannot_be_written_while_slimming_leaves_nothing_behind()
    {
        using var folder = new TempFolder();
        using var server = new BadServer(Good);
        Directory.CreateDirectory(folder["tiny.safetensors"]);
        AssertUnavailable(Store(folder.Root, server), folder.Root, "is a folder");
        Assert.Empty(folder.Files);
    }

    [Fact]
    public void A_full_disk_while_downloading_leaves_nothing_behind()
    {
        using var folder = new TempFolder();
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess,
            "only root on Linux can mount a small disk");
        Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", folder.Root),
            "this process may not mount a small disk");
        try
        {
            using var server = new BadServer(Good);
            AssertUnavailable(Store(folder.Root, server), folder.Root, "space");
            Assert.Empty(folder.Files);
        }
        finally
        {
            Run("umount", folder.Root);
        }
    }

    [Fact]
    public void Every_flipped_bit_of_a_stored_file_is_noticed()
    {
        using var folder = new TempFolder();
        using var server = new BadServer(Good);
        Store(folder.Root, server).Fetch(Tiny.Network, Cancellation);
        foreach (var entry in new[] { Trunk, Lin, HalfPinned })
        {
            var store = new WeightStore(folder.Root, null, "", null, null, [entry]);
            Assert.Null(Assert.Single(store.Verify()).Problem);
            var good = File.ReadAllBytes(folder[entry.Name]);
            for (var i = 0; i < good.Length; i++)
            {
                var bad = good.ToArray();
                bad[i] ^= (byte)(1 << i % 8);
                File.WriteAllBytes(folder[entry.Name], bad);
                // Where all tensors are pinned, what the header says besides does not matter.
                if (store.Verify()[0].Problem is not { } problem)
                    Assert.Equal(Trunk.PinnedDigest,
                        entry == Trunk
                            ? TrunkWeights.Read(Tiny.Network, folder[entry.Name]).Digest
                            : $"{entry.Name}, byte {i}");
                else
                    Assert.StartsWith(folder[entry.Name], problem, StringComparison.Ordinal);
            }
            foreach (var length in new[] { 0, 1, good.Length / 2, good.Length - 1 })
            {
                File.WriteAllBytes(folder[entry.Name], good[..length]);
                Assert.NotNull(store.Verify()[0].Problem);
            }
            File.WriteAllBytes(folder[entry.Name], good);
        }
    }

    [Fact]
    public void Flipped_bits_of_the_real_files_are_noticed()
    {
        using var folder = new TempFolder();
        foreach (var name in new[] { "squeezenet1_1.safetensors", "lin/alex-v0.1.pth" })
        {
            var good = File.ReadAllBytes(Shared.Path("weights/" + name));
            folder.Write(name, good);
            var store = new WeightStore(folder.Root, null, "", null, null,
                [.. WeightManifest.Published.Where(entry => entry.Name == name)]);
            Assert.Null(Assert.Single(store.Verify()).Problem);
            var random = new Random(1);
            // The length of the header and its first brace, then anywhere in the values.
            foreach (var position in Enumerable.Range(0, 9)
                .Concat(Enumerable.Range(0, 40).Select(_ => random.Next(good.Length / 2, good.Length))))
            {
                Overwrite(folder[name], position, (byte)(good[position] ^ 1 << position % 8));
                Assert.True(store.Verify()[0].Problem is not null, $"{name}, byte {position}");
                Overwrite(folder[name], position, good[position]);
            }
        }
    }

    [Fact]
    public void Fetch_mends_a_damaged_file_and_leaves_good_ones_alone()
    {
        using var folder = new TempFolder();
        using var server = new BadServer(Good);
        var store = new WeightStore(folder.Root, null, folder["cache"], server.Client, null, [Trunk, Lin]);
        Assert.Equal([folder["tiny.safetensors"], folder["lin/tiny-v0.1.pth"]],
            store.Fetch(Tiny.Network, Cancellation));
        store.Fetch(Tiny.Network, Cancellation);
        Assert.Equal(2, server.Requests.Count);
        folder.Write("lin/tiny-v0.1.pth", [1, 2, 3]);
        var error = Assert.Throws<InvalidDataException>(
            () => store.LoadLin(Tiny.Network, LpipsVersion.V01, Cancellation));
        Assert.Contains(".Fetch(Network.Tiny)`", error.Message, StringComparison.Ordinal);
        store.Fetch(Tiny.Network, Cancellation);
        Assert.Equal(3, server.Requests.Count);
        Assert.Equal([null, null], store.Verify().Select(check => check.Problem));
    }

    [Fact]
    public void The_folder_given_or_else_the_variables_or_else_the_cache_is_the_only_one()
    {
        using var folder = new TempFolder();
        using var server = new BadServer(Good);
        string[] names = ["given", "variable", "cache"];
        foreach (var name in names)
            folder.Write(name + "/lin/tiny-v0.1.pth", Tiny.Lin);
        foreach (var used in names)
        {
            var variable = used switch { "given" => folder["gone"], "variable" => folder["variable"], _ => "" };
            var given = used == "given" ? folder["given"] : null;
            var store = new WeightStore(given, variable, folder["cache"], server.Client, null, [Trunk, Lin]);
            var requests = server.Requests.Count;
            var path = folder[used + "/lin/tiny-v0.1.pth"];
            Assert.Equal((folder[used], path), (store.Folder, store.List()[1].Path));
            Assert.Equal(path, Assert.Single(store.Verify()).Path);
            File.Delete(path);
            var missing = new StoredWeights(Lin.Name, Tiny.Network, LpipsVersion.V01, null, null, Lin.Address);
            Assert.Equal(missing, store.List()[1]);
            Assert.Empty(store.Verify());
            if (used != "cache")
                Assert.Throws<WeightsUnavailableException>(() => Load(store, Lin));
            Assert.Equal(requests, server.Requests.Count);
            // What is fetched or imported is found.
            Assert.Equal([folder[used + "/tiny.safetensors"], path], store.Fetch(Tiny.Network, Cancellation));
            Assert.Equal(path, store.Import(folder.Write("lin.pth", Tiny.Lin), Cancellation));
            Load(store, Lin);
        }
    }

    [Fact]
    public void What_a_named_folder_lacks_is_neither_fetched_nor_taken_from_another()
    {
        using var folder = new TempFolder();
        using var server = new BadServer(Good);
        Store(folder["cache"], server).Fetch(Tiny.Network, Cancellation);
        Directory.CreateDirectory(folder["named"]);
        var fetch = $"which has no weight files. `new WeightStore(\"{folder["named"]}\").Fetch(Network.Tiny)` puts";
        Missing($"which WeightStore was given and {fetch}");
        Missing($"which PERCEPTUAL_WEIGHTS names and {fetch}", byVariable: true);

        foreach (var name in new[] { "f.pt", "e.pth", "x.md", "lin/c.pth", "a.safetensors", "b.SAFETENSORS", "d.pth" })
            folder.Write("named/" + name, [1]);
        Missing("has a.safetensors, b.SAFETENSORS, d.pth, e.pth, f.pt and 1 more. `new");
        folder.Write("named/tiny.pth", [1]);
        Missing("has tiny.pth, a.safetensors, b.SAFETENSORS, d.pth, e.pth and 2 more. `new");

        // Of models of one's own, that with the network's name is meant rather than others.
        var (other, lin) = (new MemoryStream(), BuiltInWeights.Lin(Network.Lite, LpipsVersion.V01));
        ModelFile.Write(other, BuiltInWeights.Trunk(Network.Lite), lin, new Dictionary<string, string>());
        folder.Write("named/b.SAFETENSORS", other.ToArray()); // of another network
        var model = new MemoryStream();
        lin = Store(folder["cache"], server).LoadLin(Tiny.Network, LpipsVersion.V01, Cancellation);
        ModelFile.Write(model, Tiny.Trunk, lin, new Dictionary<string, string>());
        folder.Write("named/d.pth", model.ToArray());
        Missing($"; did you mean LpipsOptions.ModelFile = {folder["named/d.pth"]}? `new");
        folder.Write("named/tiny.pth", model.ToArray());
        Missing($"; did you mean LpipsOptions.ModelFile = {folder["named/tiny.pth"]}? `new");

        // A single file is meant, damaged or not, unless it is another of the published ones.
        Directory.Delete(folder["named"], recursive: true);
        folder.Write("named/mine.pth", [1]);
        Missing($"has mine.pth; did you mean LpipsOptions.ModelFile = {folder["named/mine.pth"]}? `new");
        File.Move(folder["named/mine.pth"], folder["named/tiny.safetensors"]);
        Missing("has tiny.safetensors. `new", of: Lin);
        Assert.Equal(2, server.Requests.Count); // of the cache folder

        void Missing(string part, bool byVariable = false, WeightEntry? of = null)
        {
            var (given, variable) = byVariable ? (null, folder["named"]) : (folder["named"], (string?)null);
            var store = new WeightStore(given, variable, folder["cache"], server.Client, null, [Trunk, Lin]);
            var error = Assert.Throws<WeightsUnavailableException>(() => Load(store, of ?? Trunk)).Message;
            var start = $"{(of ?? Trunk).Name} is missing from {folder["named"]}, which ";
            Assert.StartsWith(start, error, StringComparison.Ordinal);
            Assert.Contains(part, error, StringComparison.Ordinal);
            Assert.DoesNotContain("x.md", error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_folder_that_does_not_exist_is_named()
    {
        using var folder = new TempFolder();
        var given = Assert.Throws<DirectoryNotFoundException>(() => new WeightStore(folder["gone"]));
        Assert.Equal($"{folder["gone"]}, which WeightStore was given, does not exist", given.Message);
        var variable = Assert.Throws<DirectoryNotFoundException>(
            () => new WeightStore(null, folder["away"], folder.Root, null, null, []));
        Assert.Equal($"{folder["away"]}, which PERCEPTUAL_WEIGHTS names, does not exist", variable.Message);
        var file = Assert.Throws<DirectoryNotFoundException>(() => new WeightStore(folder.Write("file", [1])));
        Assert.Equal($"{folder["file"]}, which WeightStore was given, is a file, not a folder", file.Message);
    }

    [Fact]
    public void Published_files_are_recognised_by_content_and_imported()
    {
        using var folder = new TempFolder();
        var store = new WeightStore(null, null, folder["cache"], null, null, [HalfPinned, Lin]);
        Assert.Equal(folder["cache/tiny.safetensors"], store.Import(folder.Write("a", Tiny.Checkpoint), Cancellation));
        Assert.Equal(folder["cache/lin/tiny-v0.1.pth"], store.Import(folder.Write("b", Tiny.Lin), Cancellation));
        Assert.Equal(Tiny.Trunk.Digest, store.LoadTrunk(Tiny.Network, Cancellation).Digest);
        Assert.Equal(2, store.LoadLin(Tiny.Network, LpipsVersion.V01, Cancellation).Layers.Count);
        // what one store wrote, another takes
        var other = new WeightStore(null, null, folder["other"], null, null, [HalfPinned, Lin]);
        Assert.Equal(folder["other/tiny.safetensors"], other.Import(folder["cache/tiny.safetensors"], Cancellation));
        Assert.Equal(File.ReadAllBytes(folder["cache/tiny.safetensors"]),
            File.ReadAllBytes(folder["other/tiny.safetensors"]));
    }

    [Fact]
    public void Weights_that_are_not_provably_the_published_ones_are_not_imported()
    {
        using var folder = new TempFolder();
        var store = new WeightStore(folder.Root, null, "", null, null, [HalfPinned, Lin]);
        var repacked = Tiny.Safetensors(Tiny.Trunk.Tensors.Values); // the tensors unpinned here could be anybody's
        var others = TorchWriter.Zip(
            TrunkWeights.Random(Tiny.Network, 2).Tensors.Values.Select(tensor => SavedTensor.Of(tensor, tensor.Name)));
        var lin = TorchWriter.Zip(SavedTensor.Of(new("", [1, 4, 1, 1], new float[4]), "lin0.model.1.weight"));
        foreach (var content in new[] { repacked, others, lin })
        {
            var error = Assert.Throws<InvalidDataException>(
                () => store.Import(folder.Write("mine.pth", content), Cancellation));
            Assert.StartsWith(folder["mine.pth"], error.Message, StringComparison.Ordinal);
            Assert.Contains("LpipsOptions.TrunkFile", error.Message, StringComparison.Ordinal);
        }
        var whole = TorchWriter.Zip(Tiny.Trunk.Tensors.Values.Select(tensor => SavedTensor.Of(tensor, tensor.Name))
            .Append(SavedTensor.Of(new("", [1, 4, 1, 1], new float[4]), "lin0.model.1.weight")));
        var withLin = Assert.Throws<InvalidDataException>(
            () => store.Import(folder.Write("mine.pth", whole), Cancellation));
        Assert.Contains($"LpipsOptions.ModelFile = {folder["mine.pth"]}", withLin.Message, StringComparison.Ordinal);
        Assert.Equal(["mine.pth"], folder.Files);
        // with all tensors pinned, the container does not matter
        new WeightStore(folder.Root, null, "", null, null, [Trunk]).Import(folder.Write("mine.pth", repacked),
            Cancellation);
    }

    [Fact]
    public void A_stored_trunk_that_nothing_vouches_for_is_to_be_imported()
    {
        using var folder = new TempFolder();
        folder.Write("tiny.safetensors", Tiny.Safetensors(Tiny.Trunk.Tensors.Values, ("format", "pt")));
        var error = Assert.Throws<InvalidDataException>(
            () => new WeightStore(folder.Root, null, "", null, null, [HalfPinned]).LoadTrunk(Tiny.Network,
                Cancellation));
        Assert.Contains(".Import(FILE)`", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_of_other_weights_than_the_published_is_refused_for_that_whatever_else_is_wrong()
    {
        using var folder = new TempFolder();
        var (published, other) = (TrunkWeights.Random(Network.Squeeze, 0), TrunkWeights.Random(Network.Squeeze, 1));
        var trunk = Trunk with
        {
            Network = Network.Squeeze,
            PinnedTensors = published.Tensors.Count,
            PinnedDigest = published.Digest,
        };
        var store = new WeightStore(
            folder.Root, null, "", null, null, [trunk, Lin with { Network = Network.Squeeze }]);
        Write(other);
        var damaged = Assert.Throws<InvalidDataException>(() => Load(baseline: true));
        Assert.Contains($"have the SHA-256 {other.Digest}", damaged.Message, StringComparison.Ordinal);
        Assert.Equal(damaged.Message, Assert.Throws<InvalidDataException>(() => Load(baseline: false)).Message);
        Write(published);
        Assert.Equal(published.Digest, Load(baseline: true).Digest);
        Assert.Throws<WeightsUnavailableException>(() => Load(baseline: false));

        void Write(TrunkWeights weights)
        {
            using var file = File.Create(folder[trunk.Name]);
            Safetensors.Write(file, [.. weights.Tensors.Values], new Dictionary<string, string>());
        }

        Lpips Load(bool baseline) =>
            Lpips.Load(Network.Squeeze, new() { Store = store, Baseline = baseline }, Cancellation);
    }

    [Fact]
    public void The_real_weights_are_found_and_pass()
    {
        var folder = Shared.Path("weights");
        using var cache = new TempFolder();
        using var server = new BadServer(_ => BadServer.Answer.Error("404 Not Found"));
        var store = new WeightStore(null, folder, cache.Root, server.Client, null, WeightManifest.Published);
        Assert.Equal(8, store.Verify().Count(check => check.Problem is null));
        Assert.Equal(64, store.LoadTrunk(Network.Alex, Cancellation).Tensors["features.0.bias"].Values.Length);
        foreach (var network in new[] { Network.Alex, Network.Vgg, Network.Squeeze })
            foreach (var version in Enum.GetValues<LpipsVersion>())
                Assert.Equal(network.TapChannels.Count, store.LoadLin(network, version, Cancellation).Layers.Count);
        var missing = Assert.Throws<WeightsUnavailableException>(() => store.LoadTrunk(Network.Vgg, Cancellation));
        Assert.StartsWith($"vgg16.safetensors is missing from {folder}, ", missing.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("did you mean", missing.Message, StringComparison.Ordinal);
        Assert.Empty(server.Requests);

        var first = WeightFile.Read(Shared.Path("weights/vgg16_features0-7.safetensors")).Values;
        Assert.Equal(WeightManifest.Published.Single(entry => entry.Name == "vgg16.safetensors").PinnedDigest,
            TensorDigest.Of(first));

        var own = new WeightStore(cache.Root, null, cache.Root, null, null, WeightManifest.Published);
        own.Import(Shared.Path("weights/squeezenet1_1_features.legacy.pth"), Cancellation);
        own.Import(Shared.Path("weights/alexnet.safetensors"), Cancellation);
        Assert.Equal(["alexnet.safetensors", "squeezenet1_1.safetensors"], cache.Files);
        Assert.Equal([null, null], own.Verify().Select(check => check.Problem));
    }

    private static WeightStore Store(string cache, BadServer server, IProgress<DownloadProgress>? progress = null) =>
        new(null, null, cache, server.Client, progress, [Trunk, Lin]) { RetryDelay = TimeSpan.FromMilliseconds(1) };

    private static object Load(WeightStore store, WeightEntry entry) => entry.Version is { } version
        ? store.LoadLin(entry.Network, version, Cancellation)
        : store.LoadTrunk(entry.Network, Cancellation);

    private static BadServer.Answer Good(BadServer.Request request) =>
        BadServer.Answer.Good(request.Path.StartsWith("/lin/", StringComparison.Ordinal) ? Tiny.Lin : Tiny.Checkpoint,
            request.Start);

    private static string Sha256(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    private static void Overwrite(string path, int position, byte value)
    {
        using var file = File.OpenWrite(path);
        file.Position = position;
        file.WriteByte(value);
    }

    private static void AssertUnavailable(WeightStore store, string folder, string cause)
    {
        var error = Assert.Throws<WeightsUnavailableException>(() => store.LoadTrunk(Tiny.Network, Cancellation));
        foreach (var part in new[] { "tiny.safetensors", "https://weights.example/models/tiny.pth", folder, cause })
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    private static bool Run(string command, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo(command, arguments) { RedirectStandardError = true });
        process!.WaitForExit();
        return process.ExitCode == 0;
    }

    /// <summary>Progress at once, on the thread that reports.</summary>
    private sealed class Reports(Action<DownloadProgress> report) : IProgress<DownloadProgress>
    {
        public void Report(DownloadProgress value) => report(value);
    }
}
