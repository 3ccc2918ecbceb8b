namespace Perceptual.Cli;

/// <summary>A topic of <c>lpips help</c>: what the short descriptions of options leave open.</summary>
/// <param name="Name">What <c>lpips help</c> calls it; no command has the same name.</param>
/// <param name="Summary">One line for the list of topics.</param>
/// <param name="Text">At most 120 columns wide.</param>
internal sealed record HelpTopic(string Name, string Summary, string Text)
{
    private const string Models = """
        LPIPS compares what a network sees in two images. These options say which network, with which weights.

          --net alex        AlexNet, the default, which the paper uses for its comparisons with people
          --net vgg         VGG16
          --net squeeze     SqueezeNet 1.1
          --net lite        a small network of our own that is part of the program. It needs no file and no download.
                            It imitates alex closely, but its numbers are its own: do not mix them with those of alex.
          --net random-NET  one of these networks with random Gaussian weights, drawn by --seed. It needs no file, and
                            it has no lin weights. The paper uses it as a baseline, "Net (Random)".

          --version 0.1     the scaling of the input and the lin weights that everybody reports; the default
          --version 0.0     those of the first release; not for lite
          --baseline        use no lin weights: every channel counts the same

        Weights of your own:
          --trunk FILE      the convolutions of --net
          --lin FILE        the lin weights of --net
          --weights FILE    a whole model, as `lpips train` and `lpips distill` write it. The file says which network
                            it is, so leave out --net, --trunk and --lin.
        The files may be safetensors or either format of torch. Checkpoints of networks that were tuned work too.

        The program looks for the published weights in one folder:
          1. the folder of --weights DIR, if you give it
          2. otherwise the folder that the environment variable PERCEPTUAL_WEIGHTS names, if it is set
          3. otherwise the cache folder: ~/.cache/perceptual/weights; on macOS ~/Library/Caches/perceptual/weights;
             on Windows %LOCALAPPDATA%\perceptual\weights
        If the cache folder lacks a file, the program fetches it. A folder that you name yourself must have all that
        is needed; if it does not, the exit code is 4. `lpips weights fetch alex --weights DIR` fills such a folder.
        Every file is checked against its digest each time it is loaded.

        --threads never changes a result: the same input gives the same bits with any number of threads.
        """;

    private const string Images = """
        PNG (8 and 16 bits), JPEG, WebP, AVIF, TIFF, GIF, BMP, PNM (PPM, PGM, PBM, PAM), NPY, NPZ, EXR, HDR, PFM and TGA
        files are read. Gray images become RGB. A file of a kind that is not known to be read right is refused, also
        HEIC of phones, JPEG XL and JPEG 2000; docs/images.md lists all kinds. Of several images in a file the first is
        read. The orientation that a file states is applied.

        NumPy arrays (NPY; NPZ of one) are (height, width), or with 1 or 3 channels last or first. --range MIN,MAX says
        which values are black and white, such as 0,1: floats need it, uint8 is 0,255 and uint16 0,65535 otherwise.

        Sizes must agree. --resize FILTER gives each distorted image the size of its reference; the filter
        (nearest, box, bilinear, bicubic, lanczos) is antialiased. Without that option, different sizes are an error,
        because a resized image has another distance.

        --crop-border N leaves out N pixels at each of the four edges of every image before anything is computed, after
        --resize. Papers on super-resolution do so with as many pixels as the scale has.

        --ignore x,y,width,height, or an image that is black where pictures are compared, takes an area of every
        distorted image from its reference before anything is computed. It may be given several times.

        Pixel values are used as they are stored. --icc converts them to sRGB through the embedded colour profile:
        relative colorimetric, or by the profile's own intent if it does not have that.

        An image with real transparency is an error unless --alpha says what to do:
          --alpha drop   ignore the transparency
          --alpha white  lay the image over white
          --alpha black  lay the image over black

        --max-pixels N refuses larger images before they are decoded. Without it the limit is 1000000000 pixels, and
        what has to be held whole, such as a progressive JPEG, may take a quarter of the memory.

        EXR, HDR and PFM hold linear light, which has no white. --metric hdr-flip compares it. Other metrics refuse it
        unless it is said how it becomes sRGB:
          --tone-map aces     a curve brings it to [0, 1]: aces, reinhard or hable; hdr-flip looks through it, too
          --exposure STOPS    multiplies it by 2 to this power before. Alone, what is above 1 is white.

        In folders, files whose extension is not that of an image are passed over, and counted on stderr.
        """;

    private const string Output = """
        Results go to stdout, row by row as they are ready. Errors and progress go to stderr.

        --format text  one line for each image: distance TAB path. `pairs` shows both paths. With --layers, what each
                       layer adds follows. Control characters in names are written as \t, \n or \u001b, so that a row
                       is a line; csv and json have the names as they are.
        --format csv   the columns reference,distorted,distance, then the layers with --layers. Numbers have every
                       digit.
        --format json  one object: "vectors" (the instructions that computed it: avx512, avx2, sse, neon or none),
                       "model" (net, version, calibrated, digest of the weights), "reference", and "results"
                       (distorted, distance, layers)

        Any --metric but a single LPIPS or onnx:FILE changes this: each metric has its own column, under its name. In
        JSON, "metrics" (name, direction, range) takes the place of "model", and each result has "values" by name. The
        PSNR of identical images is Infinity, which is a string in JSON. Of flip and hdr-flip, "details" has the pixels
        of a degree, which --ppd N or --viewing DISTANCE,WIDTH,PIXELS says (metres; 67.02 without), mean, min and max of
        the errors, weighted median and quartiles, and the exposures of hdr-flip.

        --pool takes the value from the map: its mean, max, p99 (99 % of the pixels have no more) or patch:N, the worst
        window of N x N pixels. The place follows as x, y, width, height.

        `folders` with several folders of images has a row for each reference and a block of columns for each method. At
        the end stand the means, and below them how far each method is from the first: mean difference, its 95 %
        interval, and p of Wilcoxon's signed-rank test after Holm's correction; * marks p < 0.05. --format markdown and
        latex show only the means: the best bold, the second underlined. --table FILE (.md, .tex, .csv, .json) writes
        them beside the rows. --intervals: 95 % intervals of the means by the bootstrap over the images.

        `folders` and `pairs` also show mean, standard deviation (of a sample: n - 1), standard error of the mean,
        smallest and largest value. With -o FILE they also write every value to a .csv or .json file. While they work,
        the rows are in FILE.part. If you stop the run, the same command continues after the last row, and another
        command says what differs. Images that have changed since are measured again.

        A file that cannot be read, or that has the wrong size, is named on stderr, the others are compared, and the
        exit code is 1. With --strict the first bad file ends the run. An output that is one of the inputs is refused.

        `pairs` compares all pairs, which shows how diverse a set is. With --consecutive it compares each image with
        the next one by name, which shows how much the frames of a film change. Each image goes through the network
        once if the features of all images fit into --memory. With --list FILE it compares the pairs of a table with
        the columns reference,distorted; paths are relative to its folder, and memory does not grow with its length.
        """;

    private const string Maps = """
        Maps show where two images differ. Their colours go from dark (0) to bright, and keep their order in grey.

          --map FILE          of `compare`: .png, .svg and .pdf are pictures for a paper, 8.5 cm wide. A .npy has the
                              values as float32.
          --map DIR           of `folders`: a folder with a .png of each pair; it must be new. The maps are those of the
                              first metric that has a map: `lpips metrics`.
          --map-style heat    the map alone; the default
          --map-style overlay the map over the reference, in grey
          --map-style panel   reference, distorted image and map side by side. `compare` with several images, at most 8,
                              shows each above its map.
          --map-max shared    the brightest colour is the largest value of all maps of the run; the default. A small
                              difference stays dark beside a large one.
          --map-max auto      each map has a scale of its own
          --map-max X         the brightest colour is X, in all runs; larger values have it too
        A picture states its scale, the metric and the value. It says so where the images are identical. Where an image
        is larger than 4096 pixels (1600 in a panel), a pixel of its map is the largest of those that it stands for.

        `lpips figure` draws magnified crops with the values below. The best value of each metric is bold.

        --plot FILE draws results: of `folders` how the values are distributed (the box has the middle half of the
        images, the line is the median, the whiskers have 90 %), of `evaluate`, `scale`, `train` and others what their
        help says. Bars with caps are 95 % intervals. All pictures are .png, .svg or .pdf; text is text in the last two.
        docs/figures.md has all kinds.
        """;

    private const string PairPage = """
        --report DIR makes a folder with a page, index.html, that shows the pairs, the worst first. It needs no server
        and no network. The folder holds copies of all images, so that it can be moved and sent. It must be new.

        A pair is shown side by side, with a slider, blinking, overlaid, or under its heat map; the worst place is
        outlined. The page has the values of every metric, search, states, a histogram, and what was run.

        The heat maps are of the first metric that has a map, all in one scale. The worst place is that of --pool, or
        the square of 64 pixels where the mean of the map is largest.

        With `compare --fail-above`, pairs are "changed" or "same". `folders --allow-unpaired` shows images without a
        partner as "missing" (only a reference) or "new". Files that cannot be read are "failed".

        PNG, JPEG, BMP and WebP are copied as they are; of all others the folder gets a PNG of 8 bits.

        docs/report.md has a picture, and all keys.
        """;

    private const string Explain = """
        `lpips compare --explain` says what a distance means. It looks for three simple distortions of the same
        reference that are just as far away, by the same metric:

          JPEG           of quality 100 to 1
          Gaussian blur  of sigma 0.1 to 50 pixels
          white noise    of sigma 0.1 to 255, Gaussian, of 255 grey levels

        Each line begins with the distance of that distortion, as measured. If the image is further away than the
        strongest distortion, or closer than the weakest, the line says so; in JSON and CSV the relation is "as",
        "closer" or "further". The search takes about 35 more distances, and fewer for further images.

        docs/distortions.md has an example.
        """;

    private const string Judgements = """
        `lpips evaluate` measures how well metrics agree with what people said about images.

        Data:
          2afc      BAPPS folders (2afc/val/traditional with ref, p0, p1 and judge), folders of such folders, or
                    tables with reference,p0,p1 and judge (the part of the people who chose p1), votes_p0,votes_p1, or
                    a row for each vote: choice (p0, p1 or notsure) and perhaps observer
          jnd       BAPPS folders (jnd/val/cnn with p0, p1 and same), folders of such folders, or tables with p0,p1 and
                    same (a part of the people), votes_same,votes_different, or choice (same, different or notsure)
          mos       a table with reference,distorted,mos; a larger opinion score means a better image
          recorded  tables with d0,d1,judge, and perhaps reference: distances that were computed elsewhere
        Columns of a table are separated by commas, semicolons or tabs, as in its first line. Images that two rows show
        the other way round are one triplet or pair.

        Scores:
          2afc      the part of the people that the metric agrees with; a tie counts half. The row `people` says how
                    well people agree with each other: the mean of j^2 + (1 - j)^2. The row `oracle` is the most that
                    any metric can reach: the mean of max(j, 1 - j).
          majority  the part of the triplets where the metric says what most people say, without undecided triplets
          jnd mAP   the area under the precision-recall curve of the pairs, sorted by distance (PASCAL VOC)
          mos       the rank correlations of Spearman (SRCC) and Kendall (KRCC, tau-b); after a fit of the logistic
                    curve with five parameters, Pearson's correlation (PLCC) and the root mean squared error (RMSE)
        Where larger values mean closer images, as with psnr, the negative value is taken as the distance. A score
        that does not exist is shown as -: a constant metric has no correlation, and infinite PSNR has no PLCC.

        Numbers in brackets are 95 % intervals from 1000 bootstrap samples. --bootstrap-by says what these draw: single
        triplets or pairs; a reference (of a pair, p0) with all that was judged with it, for what would be found with
        other references; or people with all their votes. By default it is references if one has several triplets.
        --versus shows how much better each metric is than one of them, from the same samples for both. * marks p < 0.05
        of a t-test with the bootstrap's standard error, after Holm's correction for all differences of the table. The
        columns `distortions`, `real algorithms` and `all` are the paper's averages over the sets of BAPPS.

        --format csv has every digit, and json what the metrics are; markdown and latex are for papers.

        With -o FILE, a run keeps its distances in FILE.part while it works. If you stop the run, the same command
        continues where it stopped.
        """;

    private static string Table() => $$"""
        `lpips evaluate 2afc DATA --metrics-file LIST.json` makes the table of the LPIPS paper: metrics by groups, with
        the scores of people. LIST.json is an array with an object for each metric:

          [
            { "name": "SSIM", "group": "classic", "metric": "ssim" },
            { "name": "AlexNet", "group": "supervised", "metric": "lpips-alex-baseline", "imagenetAccuracy": 0.565 },
            { "name": "k-means", "group": "unsupervised", "net": "alex", "trunk": "kmeans.pth", "baseline": true }
          ]

          name              what the table calls it
          group             {{string.Join(", ", MetricList.Groups.Take(4))}},
                            {{string.Join(", ", MetricList.Groups.Skip(4))}}; in this order
          metric            one name of `lpips metrics`; without it, the LPIPS of the next fields
          net, version, baseline, trunk, lin, weights
                            what the options mean: `lpips help models`; weights is a model file
          seed              of random weights
          imagenetAccuracy  the part of ImageNet's images that the network classifies rightly, 0 to 1
        Files are relative to the folder of LIST.json.

        Tables:
          2AFC              on each set; the last column is that of all sets: the paper's average, or the mean
          JND mAP           with --jnd DATA, as `lpips evaluate jnd` has it
          minus METRIC      with --versus METRIC
          correlation       of 2AFC with JND and with the accuracy on ImageNet, over the metrics that have both, by
                            their scores of all sets; the metrics are not resampled
          layers alone      the 2AFC score of what each layer adds to the distance, of all sets

        --format is as in `lpips help judgements`. -o FILE.json has the scores too, beside every value of the triplets.
        docs/table.md has a table, docs/paper-rows.md the paper's other networks.
        """;

    private const string Scales = """
        `lpips scale` makes a scale from people's answers about which of two images differs more from their reference.
        Its unit is the just noticeable difference: of 1 JND, 75 % say rightly which of two images is not the reference.

        Answers, a row each (CSV); "notsure" counts half for each:
          pairs     reference,p0,p1,answer   the answer (or choice) is the closer one: p0, p1 or notsure
          triplets  left,right,pivot,response and source   the response is the one that differs more from the pivot:
                    left, right, notsure, or skip (no answer). JPEG AIC-3's left_codec,left_level and so on do as well.
          both      observer (or worker) names the judge; trap is 1 where the answer is known. The image with the name
                    of the reference, or of the pivot, is the reference itself.

        The 95 % intervals are of 1000 bootstrap samples of the judges; of the answers, if there are no judges. All
        images of a reference must be compared, directly or through others. Where the reference itself is not, its
        closest image is 0. A wide prior (deviation 5 JND) keeps images finite about which all agree.

        --boosted    answers about differences made more visible (AIC-3, ISO/IEC 29170-3): one scale in plain JND
                     explains both; for each source a power law says how x JND look when boosted. Plain answers are
                     needed too.
        --lapses     people who do not look guess; without this, a wrong answer about a gross difference bends the scale
        --known      images of an earlier scale, which keep their values, join a new one to it
        --min-traps  judges below it are left out, and named. Judges whose answers are unlike those of others (by more
                     than 3 standard deviations) are named, and count.

        `lpips scale fit` maps a metric to JND by isotonic regression. The interval holds 95 % of the images of the
        study with similar values, predicted from other references. `lpips compare --jnd FIT` shows
          0.60 JND [0.40, 0.80]: about 31 % would tell the two apart
        that is 2 Phi(0.6 Phi^-1(0.75)) - 1: who cannot tell guesses, and half of them guess right. Beyond the values
        that the study covers there is no answer.

        `lpips evaluate jnd-scale` scores metrics: SRCC; after a logistic fit PLCC and RMSE; outliers, the part of the
        images outside the scale's intervals. The chance of as large a difference between equally good metrics is Meng,
        Rosenthal and Rubin's for SRCC and PLCC, and ITU-T P.1401's for RMSE. docs/scale.md has examples.
        """;

    private const string Bapps = """
        BAPPS is the data set of the LPIPS paper: what people said about images. It has three parts:

          2afc-val    1.1 GB, 36,344 triplets
          2afc-train  5.3 GB
          jnd         0.2 GB

        `lpips dataset fetch bapps` downloads and unpacks each part in a folder beside its place, such as
        DIR/2afc/val.part, and moves it to its place when it is complete. If a fetch is stopped, run it again: the
        download continues where it was, the unpacking starts again. A part that is complete is left alone. A part
        needs space for its archive and for its files at the same time. If you got the archive in another way, put it
        into that folder under its published name, such as twoafc_val.tar.gz.

        The authors publish no digests. `fetch` relies on https, on the length that the server states, on the check
        sum in the gzip file, and on the names of the files: each triplet must have its four files, each pair its
        three. 2afc-val must also have the published number of triplets; for the other two parts only rounded numbers
        are published. Only images and judgements are unpacked. An archive that has links, names that lead elsewhere
        or the same name twice is refused.

        `lpips dataset check DIR` looks for folders of triplets and pairs, down to four levels. It checks names and
        numbers as `fetch` does. It also checks that each judgement is a readable .npy file with one number from 0
        to 1, and that each PNG has all its chunks, undamaged, and the size of its partners. It does not decode
        pixels, and it does not read images of other formats.
        """;

    private const string Gate = """
        `lpips gate` compares each picture with the baseline of the same name in the same folder. Equal bytes are
        settled without decoding, equal pixels without a metric. Of all others it asks several witnesses; a picture
        has changed if one of them is above its limit. Limits, and what is ignored, are in perceptual.json beside the
        baselines:

          {
            "limits": { "colour:16": 2, "ssim-luma patch:16": 0.5 },
            "ignore": ["0,0,120,20", "mask.png"],
            "images": [{ "match": "charts/**", "limits": { "colour:16": 4, "lpips-lite": 0.05 } }]
          }

        Witnesses:
          colour:N          the largest difference (CIEDE2000) of the mean colours of a window of N x N pixels
          METRIC POOLING    the map of a metric of `lpips metrics`, pooled: "ssim patch:16"
          METRIC            the value of a metric where larger is further apart: "lpips-alex"

        Until there are limits in the file, they are stricter where a picture differs from its baseline at one place
        only: a program that draws in another way does so everywhere.

        In "images", * is anything within a part of a name, ** anything, ? one character; a later entry has the last
        word, and a limit of null takes a witness away. Ignored areas are taken from the baseline, so that what is
        there is not seen. An image of what is ignored is black where pictures are compared.

        Outcomes: same, changed, new, missing, other size, unreadable.

        `lpips gate learn` makes the limits from several runs of an unchanged program, so that one run of the whole
        set in a hundred fails although nothing changed. It plants defects on these pictures to say which share it
        finds.

        docs/gate.md has an example for GitHub Actions, how limits are learned, and what the gate finds and misses.
        """;

    private const string Clusters = """
        Large work is divided into N parts that know nothing of each other, on one machine or many:

          lpips folders a b --net vgg --shard 3/16 -o parts/3.shard        for each K from 1 to 16
          lpips merge parts/*.shard -o values.csv --format text            when all parts are there

        `folders`, `pairs`, `evaluate 2afc|jnd|mos|jnd-scale`, `gate` and `distort --pairs` take --shard K/N. What
        `lpips merge` prints and writes is what one run without --shard does, to the byte, and so is the exit code.
        That of a part is 0 once it is there: bad files and changed pictures are counted by merge.

        A part is kept in FILE.shard.part while it is made. If the task is stopped or killed, the same command goes on
        after the last row, on any machine that sees the same files; if the part is there already, it says so. Lost are
        at most the rows under way and those of the last 50 milliseconds. Images that have changed since are measured
        again.

        A part says what it belongs to: the program and its vectors, the metrics and the digests of their weights, the
        options, the names of all inputs. `lpips merge` names a part that is missing, there twice, not whole or of
        another run. Run it in the same folder: it reads lists, tables and weights again, but no images.

        Parts of machines with other vectors (avx512, avx2: `lpips --version`) are refused, because their last digits
        differ. With --vectors v3 all use avx2, also where there is avx512; v2 is sse.

        How the work is divided:
          folders, evaluate   references take turns, each with all that is compared with it
          pairs DIR           by blocks of images: 16 parts send each image through the network 5.3 times in all, N
                              parts less than 2 sqrt(N) times; once would need all features in one place
          pairs --list        rows take turns; up to 16 that follow each other with one reference stay together
          gate, distort       pictures and source images take turns; parts of distort are folders, NAME.shard

        docs/clusters.md has scripts for Slurm, Kubernetes and GNU parallel.
        """;

    private const string Distortions = """
        `lpips distort --list` shows every kind of distortion. Strength 0 leaves the image as it is, strength 1 is
        gross; the list says what that means for each kind. Some kinds draw something at random, such as noise or a
        direction: --seed decides it, and the same seed gives the same bytes. Images must have 8 bits a sample.

        --kind blur:0.4,jpeg:0.7 applies several kinds, one after the other. --strength is for kinds without a number
        of their own.

        --pairs N makes triplets for a study. Each is a patch of an image and two versions of the patch, each made by
        one to three kinds of random strengths. The images take turns. The folder gets ref, p0 and p1, where the
        three PNGs of a triplet have the same name, and triplets.csv with the columns

          reference,p0,p1,p0_kind,p0_seed,p1_kind,p1_seed,source,x,y

        With these, `lpips distort ref/000000.png --kind P0_KIND --seed P0_SEED -o p0.png` makes p0/000000.png again.
        When people have judged, add a column `judge`: `lpips help judgements`. The folder appears whole or not at
        all.

        docs/distortions.md has the table of all kinds.
        """;

    private const string PerceptualLoss = """
        `lpips optimize` changes an image, step by step, until LPIPS takes it for the reference. Adam moves the
        samples, on [-1, 1], against the gradient of the distance. What the network does not see stays as it was in
        the start image; so if you start from noise, some noise remains.

        Output:
          text  the distance and, after a tab, the step; the last line is that of the file written, with 8 bits
          json  "vectors" (the instructions that computed it), the last distance as "distance", the others as "steps"
          csv   step,distance; the last line is that of the file written

        Memory: about 2.5 kB for each pixel with vgg, 500 B with squeeze, 120 B with alex.

        docs/perceptual-loss.md has pictures.
        """;

    private const string Onnx = """
        `lpips export` writes the metric as one ONNX model (operator set 17, IR version 8):

          inputs   reference, distorted  float32 [N, 3, H, W]  RGB on [-1, 1]: v / 127.5 - 1 of 8-bit samples
          outputs  distance              float32 [N]           0 is identical, larger is further apart
                   layers                float32 [N, taps]     what each layer adds to the distance

        N, H and W are free. H and W must be at least the network's smallest side:
        """;

    private static string Networks() => $"""
        `--metric onnx:FILE` compares images by what any network in an ONNX file sees in them, in the form of LPIPS: at
        some of its feature maps, the taps, the channels of each pixel are scaled to length 1, and the squared
        differences are summed. ONNX Runtime computes the maps, on one thread for each image.

        Besides: onnx-baseline:FILE leaves lin weights out, and onnx-cosine:FILE and onnx-l2:FILE compare the embedding,
        one vector for an image, as is done with CLIP and DINO.

        `lpips network inspect FILE` shows the feature maps and which are compared: the last of each size, and as many
        ends of blocks, up to eight in all. The sizes of images that the network takes are found out by running it.

        The file does not say how the network takes images. `lpips network describe FILE.onnx --preset NAME` writes
        that to FILE.json beside it, with the taps; --taps A,B,C names others. The presets:
        {string.Join('\n', OnnxPreprocessing.Presets.Select(preset => $"  {preset.Name,-9}  {preset.Description}"))}
        If none is right, write one and change the file:
          channels   rgb or bgr
          range      the values of black and white, such as [0, 1]
          mean       is subtracted from each channel, in the network's order
          deviation  is what each channel is then divided by
          layout     nchw or nhwc, if the graph does not say
          size       any, multiple of N, or WIDTHxHEIGHT, to which images are resized; if left out, as it was measured
          taps       the names of the values that are compared
          embedding  the name of the value that is the embedding, if the graph does not give one vector only
          lin        a safetensors file of lin weights in the same folder; if left out, all channels count the same

        `lpips train DATA --net onnx:FILE -o DIR` makes lin weights from judgements, and --lin names them where there is
        one onnx:FILE. They are for this network and these taps, and refused for others.

        Images of another size than the network takes are resized (bilinear), and stderr says so.
        docs/networks.md has more.
        """;

    /// <summary>The one list of topics, in the order in which they are shown.</summary>
    public static IReadOnlyList<HelpTopic> All { get; } =
    [
        new("models", "which LPIPS: networks, versions, weights of your own, where weights are kept", Models),
        new("images", "file formats, sizes, transparency, colour profiles", Images),
        new("output", "results as text, JSON and CSV; maps; mean and spread", Output),
        new("maps", "figures: maps, crops, plots; PNG, SVG and PDF", Maps),
        new("report", "a page that shows the pairs, worst first", PairPage),
        new("explain", "what a distance means: compare --explain", Explain),
        new("clusters", "--shard and merge: one run on many machines", Clusters),
        new("witnesses", "gate: what is asked of pictures, limits, what is ignored, learning", Gate),
        new("judgements", "evaluate: data, scores and intervals", Judgements),
        new("table", "evaluate 2afc --metrics-file: the paper's table, by groups, with layers", Table()),
        new("scales", "scale: answers, JND, what a metric means to people", Scales),
        new("bapps", "dataset: how BAPPS is fetched and checked", Bapps),
        new("training", "train: what learns, from which data, and what is written", Training()),
        new("distillation", "distill: how a small network learns, and what is written", Distillation()),
        new("distortions", "distort: strengths, seeds, triplets for a study", Distortions),
        new("perceptual-loss", "optimize: how an image is changed, and what it takes", PerceptualLoss),
        new("unsupervised", "init: a trunk that is made without labels", Unsupervised()),
        new("networks", "--metric onnx:FILE: any network in an ONNX file", Networks()),
        new("onnx", "export: inputs and outputs of the model", $"{Onnx}\n{SmallestSides()}"),
    ];

    /// <summary>What <c>lpips help</c> prints.</summary>
    public static string List { get; } = $"""
        Topics:
        {string.Join('\n', All.Select(topic => $"  {topic.Name,-15}  {topic.Summary}"))}

        `lpips help TOPIC` explains one of them. `lpips --help` lists the commands, and `lpips COMMAND --help` or
        `lpips help COMMAND` shows the options of one.
        """;

    private static string SmallestSides() =>
        $"  {string.Join(", ", Network.All.Select(network => $"{network.Name} {network.MinimumSide}"))}";

    private static string Training() => $"""
        `lpips train` teaches LPIPS what people said about images, as the paper did.

        Modes:
          lin      the lin weights learn and the trunk stays; the features of each image are computed once.
                   --dropout 0 is much faster, and scored no worse (docs/training.md).
          tune     the trunk learns too; it begins with trained weights
          scratch  the trunk learns too; it begins with random weights

        Data are BAPPS folders (2afc/train/cnn with ref, p0, p1 and judge), folders of such folders, or tables, as
        `lpips help judgements` says for 2afc. You can give several.
        --validate DATA and --hold-out N are two ways to say what is scored before training and after each epoch.

        Lin weights begin random, as in the paper; --lin FILE begins with others, --lin published with those of LPIPS
        itself. Where there are too few triplets to learn from, stderr says so and proposes --batch and --epochs.

        The folder of -o gets:
          NET.safetensors         the model: trunk, lin weights, recipe, digests. Every command takes it as --weights.
          NAME-lin.safetensors    with --net onnx:NAME.onnx instead, its lin weights for --lin: `lpips help networks`
          NET.pth                 with --format pth, the same for Python: lpips.LPIPS(net='NET', model_path='NET.pth')
          log.csv                 {TrainingEpoch.CsvHeader}
                                  (epoch 0 is before training)
          held-out.csv            with --hold-out, the triplets that were not trained with, for `lpips evaluate 2afc`
          checkpoint.safetensors  what --resume continues from; written after each epoch and at Ctrl-C

        The same data, options and seed give the same bits on one machine, with any number of threads, and also if the
        training was stopped and resumed. docs/training.md has the recipe and what it reached.
        """;

    private static string Distillation() => $"""
        `lpips distill` teaches a small network to give the distances of a large one, its teacher. This is how lite was
        made. The small network begins as the teacher cut down.

        It learns from pairs of images that are made on the way. Of five references, four are patches of your
        photographs, at scales from 1 to 1/4, and one is a procedural picture. Each reference has three versions, made
        by one to three of the kinds that `lpips distort --list` shows. A reference and its versions make six pairs, and
        the network learns from them three times. Every fourth step has images of 128x128, the others of 64x64.

        Beside FILE.safetensors, which every command takes as --weights, it writes:
          FILE.csv                     {DistillationProgress.CsvHeader}
                                       (step 0 is before training)
          FILE.checkpoint.safetensors  what --resume continues from; written fifty times and at Ctrl-C

        The same images, options and seed give the same bits on one machine, with any number of threads, and also if the
        training was stopped and resumed. docs/lite.md has the recipe and what it reached.
        """;

    private static string Unsupervised()
    {
        const int Images = KMeansInitialization.MaximumImages, Patches = KMeansInitialization.MaximumPatches;
        const int Side = KMeansInitialization.Side;
        return $"""
            `lpips init kmeans` makes the trunk of a network from images alone, without labels. The filters of each
            layer are the centroids of what the layer reads (Krähenbühl et al., ICLR 2016). The paper has it as the
            row "K-means", to ask whether it matters what a network has learnt.

            A few hundred photographs are enough. At most {Images} of them, drawn by --seed, are used, with {Patches}
            patches for each layer. An image whose shorter side is longer than {Side} pixels is made smaller, and each
            is cut to {Side}x{Side}. The same seed and images give the same file on one machine.

            Every command takes the file as --trunk. There are no lin weights for it: add --baseline, or train some.
            For networks with random weights no file is needed: --net random-alex.

            docs/unsupervised.md has what it shows.
            """;
    }
}
