using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;

namespace Perceptual.Tests;

public class BappsStoreTests
{
    private static readonly byte[] Good = TinyBapps.Archive();

    private static readonly string[] GoodFiles =
        [.. TinyBapps.Names.Select(name => "data/2afc/" + name).Order(StringComparer.Ordinal)];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void A_part_is_fetched_unpacked_and_counted()
    {
        using var folder = new TempFolder();
        using var server = new BadServer(request => BadServer.Answer.Good(Good, request.Start));
        var reports = new List<DownloadProgress>();
        var found = Store(folder, server, new Reports(reports.Add)).Fetch(TinyBapps.Part, Cancellation);
        Assert.Equal([(folder["data/2afc/val/cnn"], 3), (folder["data/2afc/val/color"], 2)],
            found.Select(subset => (subset.Path, subset.Count)));
        Assert.Equal(GoodFiles, folder.Files);
        Assert.Equal(TestArchive.Png, File.ReadAllBytes(folder["data/2afc/val/cnn/p1/000002.png"]));
        Assert.Equal(TestArchive.Judge, File.ReadAllBytes(folder["data/2afc/val/color/judge/000001.npy"]));
        Assert.False(Directory.Exists(folder["data/2afc/val.part"]));
        Assert.Equal(["/dataset/twoafc_val.tar.gz"], server.Requests.Select(request => request.Path));
        Assert.Contains(new("twoafc_val.tar.gz", Good.Length, Good.Length), reports);
        Assert.Contains(new("unpacking twoafc_val.tar.gz", Good.Length, Good.Length), reports);
    }

    [Fact]
    public void A_part_that_is_there_is_left_alone()
    {
        using var folder = new TempFolder();
        using var server = new BadServer(request => BadServer.Answer.Good(Good, request.Start));
        Store(folder, server).Fetch(TinyBapps.Part, Cancellation);
        folder.Write("data/2afc/val.part/twoafc_val.tar.gz.fetched", [1]); // by a process killed at the very end
        folder.Write("data/2afc/val.part/unpacked.tmp/cnn/ref/000000.png", [1]);
        Assert.Equal([3, 2], Store(folder, server).Fetch(TinyBapps.Part, Cancellation).Select(subset => subset.Count));
        Assert.Single(server.Requests);
        Assert.Equal(GoodFiles, folder.Files);
    }

    [Fact]
    public void An_archive_and_notes_that_somebody_put_there_are_used_and_kept()
    {
        using var folder = new TempFolder();
        const string Given = "data/2afc/val.part/twoafc_val.tar.gz", Notes = "data/2afc/val.part/notes.txt";
        folder.Write(Given, Good);
        folder.Write(Notes, "by bittorrent"u8);
        Offline(folder).Fetch(TinyBapps.Part, Cancellation);
        Assert.Equal(GoodFiles.Concat([Given, Notes]).Order(StringComparer.Ordinal),
            folder.Files.Order(StringComparer.Ordinal));
        // A bad one is refused, not deleted and not renamed.
        Directory.Delete(folder["data/2afc/val"], recursive: true);
        folder.Write(Given, Good.AsSpan(0, Good.Length - 20));
        Assert.Throws<InvalidDataException>(() => Offline(folder).Fetch(TinyBapps.Part, Cancellation));
        Assert.Equal([Notes, Given], folder.Files.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_server_that_says_too_much_does_not_cost_what_has_come()
    {
        using var folder = new TempFolder();
        const string Part = "data/2afc/val.part/twoafc_val.tar.gz.fetched.part";
        folder.Write(Part, Good.AsSpan(0, 100));
        var part = TinyBapps.Part with { MaximumLength = Good.Length - 1 };
        using var server = new BadServer(request => BadServer.Answer.Good(Good, request.Start));
        Assert.Throws<InvalidDataException>(() => Store(folder, server).Fetch(part, Cancellation));
        Assert.Equal(Good[..100], File.ReadAllBytes(folder[Part]));
    }

    [Fact]
    public void A_part_that_is_there_in_part_is_neither_overwritten_nor_taken_for_whole()
    {
        using var folder = new TempFolder();
        using var server = new BadServer(request => BadServer.Answer.Good(Good, request.Start));
        Store(folder, server).Fetch(TinyBapps.Part, Cancellation);
        File.Delete(folder["data/2afc/val/cnn/p1/000001.png"]);
        var before = folder.Files.ToArray();
        var error = Assert.Throws<InvalidDataException>(
            () => Store(folder, server).Fetch(TinyBapps.Part, Cancellation));
        Assert.Contains($"{folder["data/2afc/val/cnn/ref/000001.png"]} has no partner "
            + $"in {folder["data/2afc/val/cnn/p1"]}", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, folder.Files);
        Assert.Single(server.Requests);
    }

    [Fact]
    public void A_connection_cut_again_and_again_goes_on_where_it_was()
    {
        using var folder = new TempFolder();
        var step = Good.Length / 9; // more cuts than attempts without any byte
        using var server = new BadServer(request => BadServer.Answer.Good(Good, request.Start, cut: step));
        Store(folder, server).Fetch(TinyBapps.Part, Cancellation);
        Assert.Equal(Enumerable.Range(0, server.Requests.Count).Select(i => (long)i * step),
            server.Requests.Select(request => request.Start));
        Assert.True(server.Requests.Count >= 9);
        Assert.Equal(GoodFiles, folder.Files);
    }

    [Fact]
    public void An_interrupted_download_is_gone_on_with_by_the_next_run()
    {
        using var folder = new TempFolder();
        using var cancellation = new CancellationTokenSource();
        var (over, gaveUp) = (new TaskCompletionSource(), false);
        IEnumerable<byte[]> Stalling()
        {
            yield return Good[..300];
            gaveUp = !over.Task.Wait(TimeSpan.FromMinutes(1)); // only for a store that waits for the server
        }
        using var server = new BadServer(request => request.Number == 1
            ? new("200 OK", ["ETag: \"one\"", $"Content-Length: {Good.Length}"], Stalling())
            : Tagged("\"one\"", Good, request.Start));
        var progress = new Reports(report =>
        {
            if (report.Received == 300)
                cancellation.Cancel();
        });
        Assert.ThrowsAny<OperationCanceledException>(
            () => Store(folder, server, progress).Fetch(TinyBapps.Part, cancellation.Token));
        Assert.False(gaveUp);
        over.SetResult();
        Assert.Equal(["data/2afc/val.part/twoafc_val.tar.gz.fetched.part",
            "data/2afc/val.part/twoafc_val.tar.gz.fetched.part.tag"],
            folder.Files);
        Store(folder, server).Fetch(TinyBapps.Part, Cancellation);
        Assert.Equal([0, 300], server.Requests.Select(request => request.Start));
        Assert.Equal(GoodFiles, folder.Files);
    }

    [Fact]
    public void Halves_of_two_versions_are_not_put_together()
    {
        using var folder = new TempFolder();
        folder.Write("data/2afc/val.part/twoafc_val.tar.gz.fetched.part", new byte[300]);
        folder.Write("data/2afc/val.part/twoafc_val.tar.gz.fetched.part.tag", "\"old\""u8);
        using var server = new BadServer(request => Tagged("\"new\"", Good, request.Start));
        Store(folder, server).Fetch(TinyBapps.Part, Cancellation);
        Assert.Equal([300, 0], server.Requests.Select(request => request.Start));
        Assert.Equal(GoodFiles, folder.Files);
    }

    [Fact]
    public void Unpacking_that_was_killed_is_redone_without_a_second_download()
    {
        using var folder = new TempFolder();
        folder.Write("data/2afc/val.part/twoafc_val.tar.gz.fetched", Good);
        folder.Write("data/2afc/val.part/unpacked.tmp/cnn/ref/000000.png", [1, 2, 3]);
        folder.Write("data/2afc/val.part/unpacked.tmp/cnn/ref/999999.png", [1, 2, 3]);
        using var server = new BadServer(_ => BadServer.Answer.Error("404 Not Found"));
        Store(folder, server).Fetch(TinyBapps.Part, Cancellation);
        Assert.Empty(server.Requests);
        Assert.Equal(GoodFiles, folder.Files);
        Assert.Equal(TestArchive.Png, File.ReadAllBytes(folder["data/2afc/val/cnn/ref/000000.png"]));
    }

    [Fact]
    public void Interrupted_unpacking_leaves_the_archive_alone_and_nothing_half_unpacked()
    {
        using var folder = new TempFolder();
        using var cancellation = new CancellationTokenSource();
        var entries = 0;
        var progress = new Reports(report =>
        {
            if (report.Name.StartsWith("unpacking", StringComparison.Ordinal) && ++entries == 8)
            {
                Assert.NotEmpty(Directory.EnumerateFiles(folder["data/2afc/val.part/unpacked.tmp/cnn/p0"]));
                cancellation.Cancel();
            }
        });
        using var server = new BadServer(request => BadServer.Answer.Good(Good, request.Start));
        Assert.ThrowsAny<OperationCanceledException>(
            () => Store(folder, server, progress).Fetch(TinyBapps.Part, cancellation.Token));
        Assert.Equal(["data/2afc/val.part/twoafc_val.tar.gz.fetched"], folder.Files);
        Store(folder, server).Fetch(TinyBapps.Part, Cancellation);
        Assert.Single(server.Requests);
        Assert.Equal(GoodFiles, folder.Files);
    }

    [Fact]
    public async Task Fetches_of_the_same_part_at_once_fetch_it_once()
    {
        using var folder = new TempFolder();
        using var started = new CountdownEvent(3);
        using var server = new BadServer(request =>
        {
            started.Wait(Cancellation);
            Thread.Sleep(200); // the others have started, and come as far as the lock or a request of their own
            return BadServer.Answer.Good(Good, request.Start);
        });
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Factory.StartNew(() =>
        {
            started.Signal();
            Store(folder, server).Fetch(TinyBapps.Part, Cancellation);
        }, Cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        Assert.Single(server.Requests);
        Assert.Equal(GoodFiles, folder.Files);
    }

    [Theory]
    [InlineData("404 Not Found", 1)]
    [InlineData("503 Service Unavailable", 5)]
    public void A_server_that_refuses_is_reported_with_address_and_place(string status, int requests)
    {
        using var folder = new TempFolder();
        using var server = new BadServer(_ => BadServer.Answer.Error(status));
        var error = Assert.Throws<IOException>(() => Store(folder, server).Fetch(TinyBapps.Part, Cancellation));
        Assert.All([status, "2afc-val", TinyBapps.Part.Address.AbsoluteUri, folder["data/2afc/val.part"]],
            part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
        Assert.Equal(requests, server.Requests.Count);
        Assert.Empty(folder.Files);
    }

    [Fact]
    public void A_length_longer_than_the_body_counts_as_cut_off()
    {
        using var folder = new TempFolder();
        using var server = new BadServer(
            request => request.Start == 0 ? new("200 OK", [$"Content-Length: {Good.Length + 10}"], [Good])
            : new("206 Partial Content", ["Content-Length: 10",
                $"Content-Range: bytes {Good.Length}-{Good.Length + 9}/{Good.Length + 10}"], []));
        Assert.Contains("could not be fetched",
            Assert.Throws<IOException>(() => Store(folder, server).Fetch(TinyBapps.Part, Cancellation)).Message,
            StringComparison.Ordinal);
        Assert.Equal(["data/2afc/val.part/twoafc_val.tar.gz.fetched.part"], folder.Files);
    }

    [Fact]
    public void More_than_the_archive_can_have_is_given_up()
    {
        using var folder = new TempFolder();
        using var endless = new BadServer(_ => new("200 OK", [], Enumerable.Repeat(new byte[4096], int.MaxValue)));
        Assert.Contains("more than the 100000 bytes",
            Assert.Throws<InvalidDataException>(
                () => Store(folder, endless).Fetch(TinyBapps.Part, Cancellation)).Message, StringComparison.Ordinal);
        Assert.InRange(new FileInfo(folder[Assert.Single(folder.Files)]).Length, 0, 100_000);
        File.Delete(folder[folder.Files.Single()]);
        using var announced = new BadServer(_ => new("200 OK", ["Content-Length: 5000000000000"], []));
        Assert.Throws<InvalidDataException>(() => Store(folder, announced).Fetch(TinyBapps.Part, Cancellation));
        Assert.Single(announced.Requests);
        Assert.Empty(folder.Files);
    }

    [Fact]
    public void A_page_in_place_of_the_archive_is_refused()
    {
        Refused("<html>Log in to this network</html>"u8.ToArray(), "twoafc_val.tar.gz",
            TinyBapps.Part.Address.AbsoluteUri, "not a tar.gz");
        Refused([], "not a tar.gz");
        Refused(TestArchive.Tar(TestArchive.File("val/cnn/ref/000000.png")), "not a tar.gz"); // not compressed
        Refused(TestArchive.Gzip("just a text, and longer than a header of tar is "u8.ToArray(), new byte[1000]),
            "has 0 complete triplets");
        Refused(TestArchive.Gzip(TestArchive.Tar(TestArchive.File("other/thing.txt"))),
            "has 0 complete triplets, 3 are published");
    }

    [Fact]
    public void Every_truncation_of_the_archive_is_refused()
    {
        for (var length = 0; length < Good.Length; length += length < Good.Length - 20 ? 37 : 1)
            Refused(Good[..length]);
        // between two files, where nothing else is missing
        Refused(TestArchive.Gzip(TestArchive.Tar([.. TinyBapps.Names.Select(name => TestArchive.File(name))]))[..^5],
            "cut short");
    }

    [Fact]
    public void Every_damaged_byte_of_the_archive_is_noticed()
    {
        var tar = Decompressed(Good)!;
        for (var i = 0; i < Good.Length; i += i is < 20 || i > Good.Length - 20 ? 1 : 41)
        {
            var bad = Good.ToArray();
            bad[i] ^= (byte)(1 << i % 8);
            // when and where it was compressed; bits that mean nothing
            if (i is >= 4 and < 10 || Decompressed(bad) is { } same && same.SequenceEqual(tar))
                Unpacked(bad);
            else
                Refused(bad);
        }

        static byte[]? Decompressed(byte[] archive)
        {
            try
            {
                using var gzip = new GZipStream(new MemoryStream(archive), CompressionMode.Decompress);
                var content = new MemoryStream();
                gzip.CopyTo(content);
                return content.ToArray();
            }
            catch (InvalidDataException)
            {
                return null;
            }
        }
    }

    [Fact]
    public void No_mutated_tar_file_leads_out_of_the_folder_or_to_another_error()
    {
        var tar = TestArchive.Tar([.. TinyBapps.Names.Select(name => TestArchive.File(name))]);
        var random = new Random(1);
        var (unpacked, refused) = (0, 0);
        for (var i = 0; i < 150; i++)
        {
            var bad = tar.ToArray();
            var block = 512 * random.Next(tar.Length / 512);
            if (i % 4 == 0)
                random.NextBytes(bad.AsSpan(block, random.Next(1, 512)));
            else
                bad[block + random.Next(512)] = (byte)random.Next(256);
            if (i % 2 == 0)
                Resign(bad, block);
            using var folder = new TempFolder();
            folder.Write("data/2afc/val.part/twoafc_val.tar.gz.fetched", TestArchive.Gzip(bad));
            try
            {
                Offline(folder).Fetch(TinyBapps.Part, Cancellation);
                Assert.Equal(GoodFiles, folder.Files);
                unpacked++;
            }
            catch (InvalidDataException)
            {
                Assert.Equal(["data/2afc/val.part/twoafc_val.tar.gz.bad"], folder.Files);
                refused++;
            }
        }
        Assert.True(unpacked > 10 && refused > 10, $"{unpacked} unpacked, {refused} refused");
    }

    [Theory]
    [InlineData("../evil.png")]
    [InlineData("..")]
    [InlineData("val/cnn/ref/../../../../../evil.png")]
    [InlineData("val/cnn/../ref/evil.png")]
    [InlineData("/tmp/evil.png")]
    [InlineData("//server/share/val/cnn/ref/evil.png")]
    [InlineData("C:/val/cnn/ref/evil.png")]
    [InlineData("val/cnn/ref/a:b.png")]
    [InlineData("val/cnn/ref\\..\\..\\evil.png")]
    [InlineData("\\evil.png")]
    public void An_entry_that_leads_out_of_the_folder_is_refused_by_name(string name)
    {
        Refused(TinyBapps.Archive(TestArchive.File(name)), name, "leads out of the folder");
        Refused(TinyBapps.Archive(TestArchive.Link(TarEntryType.SymbolicLink, name)), "leads out of the folder");
        Refused(TinyBapps.Archive(new PaxTarEntry(TarEntryType.Directory, name)), "leads out of the folder");
    }

    [Theory]
    [InlineData(TarEntryType.SymbolicLink)]
    [InlineData(TarEntryType.HardLink)]
    [InlineData(TarEntryType.CharacterDevice)]
    [InlineData(TarEntryType.BlockDevice)]
    [InlineData(TarEntryType.Fifo)]
    public void Links_and_devices_are_refused_by_name(TarEntryType type)
    {
        foreach (var name in new[] { "val/cnn/ref/000009.png", "val/cnn/ref", "elsewhere" })
            Refused(TinyBapps.Archive(type is TarEntryType.SymbolicLink or TarEntryType.HardLink
                ? TestArchive.Link(type, name, "/etc/passwd") : new PaxTarEntry(type, name)), name, $"{type}");
    }

    [Theory]
    [InlineData("CON.png")]
    [InlineData("nul.tar.png")]
    [InlineData("com1.png")]
    [InlineData("a b.png")]
    [InlineData("é.png")]
    [InlineData("a?.png")]
    [InlineData("a\t.png")]
    public void A_name_that_is_not_one_on_every_system_is_refused(string name) =>
        Refused(TinyBapps.Archive(TestArchive.File("val/cnn/ref/" + name)), "not valid on every system");

    [Fact]
    public void A_name_too_long_for_some_systems_is_refused() =>
        Refused(TinyBapps.Archive(TestArchive.File($"val/cnn/ref/{new string('a', 300)}.png")),
            "not valid on every system");

    [Fact]
    public void A_name_that_is_there_twice_is_refused()
    {
        Refused(TinyBapps.Archive(TestArchive.File("val/cnn/ref/000001.png")), "val/cnn/ref/000001.png", "twice");
        Refused(TinyBapps.Archive(TestArchive.File("other/val/cnn/ref/000001.png")), "twice");
        Refused(TinyBapps.Archive(TestArchive.File("val/cnn/ref/a.png"), TestArchive.File("val/cnn/ref/A.png")),
            "A.png", "twice");
    }

    [Fact]
    public void A_huge_file_is_refused_before_it_is_written()
    {
        var header = TestArchive.Tar(new UstarTarEntry(TarEntryType.RegularFile, "val/cnn/ref/huge.png"))[..512];
        foreach (var size in new[] { "00100000001", "77777777777" }) // octal: 16 MiB and a byte, 8 GiB
        {
            Encoding.ASCII.GetBytes(size).CopyTo(header, 124);
            Resign(header, 0);
            Refused(TestArchive.Gzip(header, new byte[4096]), "val/cnn/ref/huge.png",
                "bytes; none has more than 16777216");
        }
        "\x80\0\0\0\x7f"u8.CopyTo(header.AsSpan(124)); // binary, beyond 64 bits of a file
        header.AsSpan(128, 8).Fill(0xff);
        Resign(header, 0);
        Refused(TestArchive.Gzip(header, new byte[4096]));
    }

    [Fact]
    public void A_header_with_endless_attributes_is_refused()
    {
        foreach (var kind in "xgLK")
        {
            var header = TestArchive.Tar(new UstarTarEntry(TarEntryType.RegularFile, "a"))[..512];
            header[156] = (byte)kind;
            if (kind is 'L' or 'K') // of GNU
                "ustar  \0"u8.CopyTo(header.AsSpan(257));
            "10000000000"u8.CopyTo(header.AsSpan(124)); // octal: 1 GiB
            Resign(header, 0);
            Refused(TestArchive.Gzip([header, .. Enumerable.Repeat(new byte[1 << 16], 20)]));
        }
    }

    [Fact]
    public void More_entries_than_the_part_can_have_are_refused()
    {
        // 40 in all
        Unpacked(TinyBapps.Archive([.. Enumerable.Range(0, 20).Select(i => TestArchive.File($"notes/{i}.txt", []))]));
        Refused(TinyBapps.Archive([.. Enumerable.Range(0, 21).Select(i => TestArchive.File($"notes/{i}.txt", []))]),
            "more than 40 files and folders");
    }

    [Fact]
    public void A_gzip_bomb_is_given_up()
    {
        var zeros = new byte[600_000];
        Unpacked(TinyBapps.Archive(TestArchive.File("notes.txt", zeros)));
        Refused(TinyBapps.Archive(TestArchive.File("notes.txt", zeros), TestArchive.File("more.txt", zeros)),
            "more than the 1000000 bytes");
        // after the end of the tar file
        var tar = TestArchive.Tar([.. TinyBapps.Names.Select(name => TestArchive.File(name))]);
        Refused(TestArchive.Gzip([tar, .. Enumerable.Repeat(zeros, 100)]), "more than the 1000000 bytes");
        // a file within limits, full of nothing, on the way to the disk
        Refused(TinyBapps.Archive(TestArchive.File("val/cnn/ref/bomb.png", new byte[2_000_000])),
            "more than the 1000000 bytes");
    }

    [Fact]
    public void What_is_neither_image_nor_judgement_of_the_part_is_passed_over()
    {
        var entries =
            new List<TarEntry> { new PaxGlobalExtendedAttributesTarEntry(
                new Dictionary<string, string> { ["comment"] = "made in a test" }),
                new PaxTarEntry(TarEntryType.Directory, "val/") };
        entries.AddRange(TinyBapps.Names.Select(name => TestArchive.File("./" + name)));
        entries.AddRange(new[] { "._val", "val/cnn/ref/._000000.png", "val/cnn/.DS_Store", "val/cnn/ref/Thumbs.db",
            "val/other/ref/000000.png", "val/cnn/ref/a.npy", "README" }
            .Select(name => TestArchive.File(name, [1, 2, 3])));
        Unpacked(TestArchive.Gzip(TestArchive.Tar(entries)));
    }

    [Theory]
    [InlineData(TarEntryFormat.V7)]
    [InlineData(TarEntryFormat.Ustar)]
    [InlineData(TarEntryFormat.Gnu)]
    public void Every_format_of_tar_is_read(TarEntryFormat format)
    {
        var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, format, leaveOpen: true))
            foreach (var name in TinyBapps.Names)
                tar.WriteEntry(format switch
                {
                    TarEntryFormat.V7 => new V7TarEntry(TarEntryType.V7RegularFile,
                        name)
                    { DataStream = TestArchive.File(name).DataStream },
                    TarEntryFormat.Ustar => new UstarTarEntry(TarEntryType.RegularFile,
                        name)
                    { DataStream = TestArchive.File(name).DataStream },
                    _ => new GnuTarEntry(TarEntryType.RegularFile,
                        name)
                    { DataStream = TestArchive.File(name).DataStream },
                });
        Unpacked(TestArchive.Gzip(stream.ToArray()));
    }

    [Fact]
    public void Missing_partners_and_wrong_counts_are_refused()
    {
        byte[] Without(params string[] names) =>
            TestArchive.Gzip(
                TestArchive.Tar([.. TinyBapps.Names.Except(names).Select(name => TestArchive.File(name))]));

        Refused(Without("val/cnn/judge/000001.npy"), Path.Combine("cnn", "ref", "000001.png"), "has no partner");
        Refused(Without([.. TinyBapps.Names.Where(name => name.Contains("000001", StringComparison.Ordinal))]),
            "has 2 complete triplets, 3 are published");
        Refused(Without([.. TinyBapps.Names.Where(name => name.Contains("color", StringComparison.Ordinal))]),
            "has 0 complete triplets, 2 are published");
        Refused(
            TinyBapps.Archive(
                [.. new[] { "ref/9.png", "p0/9.png", "p1/9.png", "judge/9.npy" }.Select(
                    name => TestArchive.File("val/color/" + name))]), "has 3 complete triplets, 2 are published");
    }

    [Fact]
    public void Where_counts_are_only_known_roughly_triplets_must_be_whole_and_there()
    {
        var part = TinyBapps.Part with { Subsets = [new("cnn", 56_600, false), new("color", 38_100, false)] };
        using var folder = new TempFolder();
        folder.Write("data/2afc/val.part/twoafc_val.tar.gz.fetched", Good);
        Assert.Equal([3, 2], Offline(folder).Fetch(part, Cancellation).Select(subset => subset.Count));
        folder.Write("again/2afc/val.part/twoafc_val.tar.gz.fetched",
            TestArchive.Gzip(TestArchive.Tar([.. TinyBapps.Names.Take(12).Select(name => TestArchive.File(name))])));
        var error = Assert.Throws<InvalidDataException>(
            () => new BappsStore(folder["again"]).Fetch(part, Cancellation));
        Assert.Contains("color is empty", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_named()
    {
        using var folder = new TempFolder();
        folder.Write("data", [1]);
        var error = Assert.Throws<IOException>(() => Offline(folder).Fetch(TinyBapps.Part, Cancellation));
        Assert.Contains(folder["data"], error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("kept", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_disk_keeps_the_download_and_nothing_half_unpacked()
    {
        using var folder = new TempFolder();
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess,
            "only root on Linux can mount a small disk");
        var noise = new byte[40_000];
        new Random(1).NextBytes(noise);
        // 45 kB packed, 130 kB in files
        var archive = TinyBapps.Archive(TestArchive.File("val/cnn/ref/noise.png", noise));
        Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", folder.Root),
            "this process may not mount a small disk");
        try
        {
            using var server = new BadServer(request => BadServer.Answer.Good(archive, request.Start));
            AssertFull();
            Assert.Equal(["data/2afc/val.part/twoafc_val.tar.gz.fetched.part"], folder.Files);
            Assert.True(Run("mount", "-o", "remount,size=64k", folder.Root));
            AssertFull();
            Assert.Equal(["data/2afc/val.part/twoafc_val.tar.gz.fetched"], folder.Files);
            Assert.Equal(archive, File.ReadAllBytes(folder["data/2afc/val.part/twoafc_val.tar.gz.fetched"]));
            Assert.Equal(2, server.Requests.Count);
            Assert.True(server.Requests[1].Start > 0);

            void AssertFull()
            {
                var error = Assert.Throws<IOException>(() => Store(folder, server).Fetch(TinyBapps.Part, Cancellation));
                Assert.All(["space", folder["data/2afc/val.part"]],
                    part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
            }
        }
        finally
        {
            Run("umount", folder.Root);
        }
    }

    [Fact]
    public void The_published_parts_are_those_of_the_authors_script_and_of_the_recorded_distances()
    {
        Assert.Equal(["2afc-val", "2afc-train", "jnd"], BappsPart.All.Select(part => part.Name));
        Assert.Equal(["twoafc_val.tar.gz", "twoafc_train.tar.gz", "jnd.tar.gz"],
            BappsPart.All.Select(part => part.Archive));
        foreach (var subset in BappsPart.All[0].Subsets)
            Assert.Equal(File.ReadLines(Shared.Path($"bapps/{subset.Name}.csv")).Count() - 1, subset.Count);
    }

    private static BappsStore Store(
        TempFolder folder, BadServer server, IProgress<DownloadProgress>? progress = null) =>
        new(folder["data"], server.Client, progress) { RetryDelay = TimeSpan.FromMilliseconds(1) };

    /// <summary>For archives that lie where a finished download would.</summary>
    private static BappsStore Offline(TempFolder folder) => new(folder["data"]);

    private static BadServer.Answer Tagged(string tag, byte[] file, long start) =>
        BadServer.Answer.Good(file, start) is var good
            ? good with { Headers = [.. good.Headers, $"ETag: {tag}"] }
            : good;

    /// <summary>
    /// What the server sent is refused with a message of these parts. Nothing of it is unpacked, in the folder or
    /// beside it, and it is not taken again.
    /// </summary>
    private static void Refused(byte[] archive, params string[] parts)
    {
        using var folder = new TempFolder();
        folder.Write("data/2afc/val.part/twoafc_val.tar.gz.fetched", archive);
        var error = Assert.Throws<InvalidDataException>(() => Offline(folder).Fetch(TinyBapps.Part, Cancellation));
        Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
        Assert.DoesNotContain('\n', error.Message);
        Assert.Equal(new[] { "data", "data/2afc", "data/2afc/val.lock", "data/2afc/val.part",
            "data/2afc/val.part/twoafc_val.tar.gz.bad" }.Select(name => folder[name]),
            Directory.EnumerateFileSystemEntries(folder.Root, "*", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal));
    }

    private static void Unpacked(byte[] archive)
    {
        using var folder = new TempFolder();
        folder.Write("data/2afc/val.part/twoafc_val.tar.gz.fetched", archive);
        Offline(folder).Fetch(TinyBapps.Part, Cancellation);
        Assert.Equal(GoodFiles, folder.Files);
        Assert.All(GoodFiles,
            file => Assert.Equal(file.EndsWith(".npy", StringComparison.Ordinal) ? TestArchive.Judge : TestArchive.Png,
                File.ReadAllBytes(folder[file])));
    }

    /// <summary>Makes the check sum of a header right again.</summary>
    private static void Resign(byte[] tar, int header)
    {
        tar.AsSpan(header + 148, 8).Fill((byte)' ');
        var sum = tar.AsSpan(header, 512).ToArray().Sum(b => b);
        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(tar, header + 148);
    }

    private static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private sealed class Reports(Action<DownloadProgress> report) : IProgress<DownloadProgress>
    {
        public void Report(DownloadProgress value) => report(value);
    }
}
