/* What the C library promises a program, tried in one that has signal handlers, threads, guard pages and forks of its
 * own. Prints a line for each promise kept; ends with 1 at the first that is not. Run by tests/native.sh. */
#define _GNU_SOURCE
#include <fenv.h>
#include <math.h>
#include <perceptual.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPECT(condition) ((condition) ? (void)0 : broken(#condition, __LINE__))
#define EXPECT_CODE(code, call) expect_code(code, call, #call, __LINE__)

enum { SIDE = 40, THREADS = 8, CALLS = 10000, FORKS = 100 };

static perceptual_handle lpips;
static double expected;

static void broken(const char *what, int line)
{
    fprintf(stderr, "check.c:%d: not so: %s (%s)\n", line, what, perceptual_last_error());
    _exit(1);
}

static void expect_code(int code, int found, const char *call, int line)
{
    if (found != code || (strlen(perceptual_last_error()) == 0) != (code == PERCEPTUAL_OK)) {
        fprintf(stderr, "check.c:%d: %d, not %d: %s (%s)\n", line, found, code, call, perceptual_last_error());
        _exit(1);
    }
}

/* A buffer with a page that must not be touched right behind it (at_end) or right before it. */
static void *guarded(size_t length, int at_end)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (length + page - 1) / page * page;
    char *start = mmap(NULL, room + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(start != MAP_FAILED && mprotect(start + page, room, PROT_READ | PROT_WRITE) == 0);
    return start + page + (at_end ? room - length : 0);
}

static void fill(unsigned char *pixels, size_t length, unsigned seed)
{
    for (size_t i = 0; i < length; i++)
        pixels[i] = (unsigned char)((i * 2654435761u + seed * 40503u) >> 16 ^ i / 7);
}

/* An image of 8 bits whose rows have a gap; the last ends with the buffer. */
static perceptual_image image_of(unsigned seed, int at_end)
{
    int64_t stride = 3 * SIDE + 5;
    size_t length = (size_t)stride * (SIDE - 1) + 3 * SIDE;
    unsigned char *pixels = guarded(length, at_end);
    fill(pixels, length, seed);
    return (perceptual_image){.data = pixels, .width = SIDE, .height = SIDE, .stride = stride};
}

/* The same pixels as planes of floats on [0, 1]. */
static perceptual_image floats_of(const perceptual_image *image, int at_end)
{
    float *planes = guarded(3 * SIDE * SIDE * sizeof *planes, at_end);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++)
                planes[(c * SIDE + y) * SIDE + x] =
                    ((const unsigned char *)image->data)[y * image->stride + 3 * x + c] / 255.0f;
    return (perceptual_image){
        .data = planes, .width = SIDE, .height = SIDE, .format = PERCEPTUAL_FLOAT_PLANES, .maximum = 1};
}

static double distance_of(const perceptual_image *a, const perceptual_image *b)
{
    double value = NAN;
    EXPECT_CODE(PERCEPTUAL_OK, perceptual_distance(lpips, a, b, &value, NULL, 0));
    return value;
}

static void load(void)
{
    perceptual_options options = {.net = "lite", .threads = 2};
    EXPECT_CODE(PERCEPTUAL_OK, perceptual_load(&options, &lpips));
}

static void check_child(pid_t child, const char *what)
{
    int status;
    EXPECT(child > 0 && waitpid(child, &status, 0) == child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        broken(what, __LINE__);
}

static void a_child_forked_before_the_first_call_works(void)
{
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        load();
        perceptual_image a = image_of(1, 1), b = image_of(2, 1);
        _exit(distance_of(&a, &b) > 0 ? 0 : 1);
    }
    check_child(child, "a child that was forked before the first call can use the library");
}

static volatile sig_atomic_t caught[65];
static sigjmp_buf back;

static void on_signal(int number)
{
    caught[number]++;
}

static void on_fault(int number)
{
    caught[number]++;
    siglongjmp(back, 1);
}

static void own(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = handler == on_fault ? SA_ONSTACK : SA_RESTART};
    EXPECT(sigaction(number, &action, NULL) == 0);
}

static void *fault(void *unused)
{
    volatile int *volatile nowhere = NULL;
    int before = caught[SIGSEGV];
    if (sigsetjmp(back, 1) == 0)
        *nowhere = 1;
    EXPECT(caught[SIGSEGV] == before + 1);
    return unused;
}

static void *measure(void *unused)
{
    perceptual_image a = image_of(1, 1), b = image_of(2, 1);
    distance_of(&a, &b);
    return unused;
}

static void signals_arrive(void)
{
    static const int plain[] = {SIGINT, SIGCHLD, SIGTERM, SIGUSR1, SIGPIPE};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        caught[plain[i]] = 0;
        EXPECT(raise(plain[i]) == 0 && caught[plain[i]] == 1);
    }
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    check_child(child, "a child ends");
    EXPECT(caught[SIGCHLD] == 2);
    fault(NULL);
}

static void the_handlers_of_the_host_are_called(void)
{
    struct sigaction before[65], after;
    static const int numbers[] = {SIGINT, SIGCHLD, SIGTERM, SIGUSR1, SIGPIPE};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        own(numbers[i], on_signal);
    own(SIGSEGV, on_fault);
    for (int number = 1; number < 65; number++)
        sigaction(number, NULL, &before[number]);
    load();
    measure(NULL);
    printf("signals whose handler the runtime has replaced:");
    for (int number = 1; number < 65; number++)
        if (sigaction(number, NULL, &after) == 0 && after.sa_sigaction != before[number].sa_sigaction) {
            printf(" %d", number);
            EXPECT(number == SIGSEGV || number == SIGFPE || number >= SIGRTMIN);
        }
    printf("\n");
    signals_arrive();
    own(SIGSEGV, on_fault); /* a host that comes later */
    signals_arrive();
    measure(NULL);
}

static void activations_are_not_negative_and_only_their_bytes_are_touched(
    perceptual_handle features, int layers, int at_end)
{
    for (int layer = 0; layer < layers; layer++) {
        int32_t channels, height, width;
        EXPECT_CODE(PERCEPTUAL_OK, perceptual_features_size(features, layer, &channels, &height, &width));
        EXPECT(channels > 1 && height > 0 && height == width && height <= SIDE);
        int64_t length = (int64_t)channels * height * width, positive = 0;
        float *values = guarded((size_t)length * sizeof *values, at_end);
        EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_features_copy(features, layer, values, length - 1));
        EXPECT_CODE(PERCEPTUAL_OK, perceptual_features_copy(features, layer, values, length));
        for (int64_t i = 0; i < length; i++) {
            EXPECT(values[i] >= 0);
            positive += values[i] > 0;
        }
        EXPECT(positive > length / 20);
    }
}

static void values_are_right_and_only_their_bytes_are_touched(void)
{
    double first = NAN;
    for (int at_end = 0; at_end < 2; at_end++) {
        perceptual_image pairs[2][2] = {{image_of(1, at_end), image_of(3, at_end)},
            {image_of(2, at_end), image_of(4, at_end)}};
        perceptual_image *a = pairs[0], *b = pairs[1], floats = floats_of(b, at_end);
        perceptual_info info;
        EXPECT_CODE(PERCEPTUAL_OK, perceptual_describe(lpips, &info));
        EXPECT(info.layers > 1 && info.has_map && info.has_gradient && !info.larger_is_closer && info.threads == 2);
        double *values = guarded(2 * sizeof *values, at_end), sum = 0, value;
        double *layers = guarded(2 * (size_t)info.layers * sizeof *layers, at_end);
        EXPECT_CODE(PERCEPTUAL_OK, perceptual_batch(lpips, a, b, 2, values, layers, 2 * info.layers));
        EXPECT(values[0] > 0 && values[0] == distance_of(a, b) && values[1] == distance_of(a + 1, b + 1));
        EXPECT(values[0] != values[1] && distance_of(a, a) == 0);
        for (int i = 0; i < info.layers; i++)
            sum += layers[info.layers + i];
        EXPECT(fabs(sum / values[1] - 1) < 1e-9);
        EXPECT(fabs(distance_of(a, &floats) / values[0] - 1) < 1e-4);
        EXPECT(at_end == 0 || first == values[0]);
        first = values[0];

        float *map = guarded(SIDE * SIDE * sizeof *map, at_end);
        double mean = 0;
        EXPECT_CODE(PERCEPTUAL_OK, perceptual_map(lpips, a, b, map, SIDE * SIDE, &value));
        for (int i = 0; i < SIDE * SIDE; i++)
            mean += map[i] / (SIDE * SIDE);
        EXPECT(value == values[0] && fabs(mean / value - 1) < 0.1);

        perceptual_handle one, other;
        EXPECT_CODE(PERCEPTUAL_OK, perceptual_extract(lpips, a, &one));
        EXPECT_CODE(PERCEPTUAL_OK, perceptual_extract(lpips, b, &other));
        EXPECT_CODE(PERCEPTUAL_OK, perceptual_compare(lpips, one, other, &value, layers, info.layers));
        EXPECT(value == values[0]);
        activations_are_not_negative_and_only_their_bytes_are_touched(one, info.layers, at_end);
        EXPECT_CODE(PERCEPTUAL_OK, perceptual_free(one));
        EXPECT_CODE(PERCEPTUAL_BAD_HANDLE, perceptual_compare(lpips, one, other, &value, NULL, 0));
        EXPECT_CODE(PERCEPTUAL_OK, perceptual_free(other));

        /* A step against the gradient makes the images more alike, by as much as it says. */
        float *gradient = guarded(3 * SIDE * SIDE * sizeof *gradient, at_end), *samples = (float *)floats.data;
        double before, norm = 0;
        EXPECT_CODE(PERCEPTUAL_OK, perceptual_gradient(lpips, a, &floats, gradient, 3 * SIDE * SIDE, &before));
        for (int i = 0; i < 3 * SIDE * SIDE; i++)
            norm += gradient[i] * gradient[i];
        for (int i = 0; i < 3 * SIDE * SIDE; i++)
            samples[i] = fminf(fmaxf(samples[i] - (float)(1e-3 * gradient[i] / sqrt(norm)), 0), 1);
        double moved = before - distance_of(a, &floats); /* on [0, 1] a step is twice as long as on [-1, 1] */
        EXPECT(moved > 0.5e-3 * sqrt(norm) && moved < 2.1e-3 * sqrt(norm));
    }
}

static void wrong_arguments_give_codes(void)
{
    perceptual_image a = image_of(1, 1), b = image_of(2, 1), floats = floats_of(&a, 1), wrong;
    perceptual_handle handle = 77, psnr, pixels;
    double value, layers[16];
    float map[SIDE * SIDE];
    int32_t size;
    char text[16], names[4096];
#define WRONG_IMAGE(change) \
    (wrong = a, change, \
        EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_distance(lpips, &wrong, &b, &value, NULL, 0)), \
        EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_distance(lpips, &b, &wrong, &value, NULL, 0)))
    WRONG_IMAGE(wrong.data = NULL);
    WRONG_IMAGE(wrong.width = 0);
    WRONG_IMAGE(wrong.width = -SIDE);
    WRONG_IMAGE(wrong.height = 0);
    WRONG_IMAGE(wrong.height = INT32_MIN);
    WRONG_IMAGE((wrong.width = INT32_MAX, wrong.height = INT32_MAX, wrong.stride = 0));
    WRONG_IMAGE((wrong.width = INT32_MAX, wrong.height = 1, wrong.stride = 0));
    WRONG_IMAGE(wrong.height = SIDE - 1);
    WRONG_IMAGE(wrong.stride = 3 * SIDE - 1);
    WRONG_IMAGE(wrong.stride = -wrong.stride);
    WRONG_IMAGE(wrong.stride = INT64_MAX);
    WRONG_IMAGE(wrong.stride = 1LL << 40);
    WRONG_IMAGE(wrong.format = 8);
    WRONG_IMAGE(wrong.format = -1);
    WRONG_IMAGE((wrong.width = 4, wrong.height = 4));
    WRONG_IMAGE((wrong = floats, wrong.maximum = wrong.minimum));
    WRONG_IMAGE((wrong = floats, wrong.maximum = NAN));
    WRONG_IMAGE((wrong = floats, wrong.maximum = INFINITY));
    WRONG_IMAGE((wrong = floats, wrong.maximum = 0.5f));
    WRONG_IMAGE((wrong = floats, wrong.overshoot = NAN));
    WRONG_IMAGE((wrong = floats, wrong.overshoot = 1.5f));
    WRONG_IMAGE((wrong = floats, wrong.overshoot = -1));
    WRONG_IMAGE((wrong = floats, wrong.plane_stride = 4 * SIDE * SIDE - 1));
    WRONG_IMAGE((wrong = floats, wrong.plane_stride = INT64_MAX));
    WRONG_IMAGE((wrong = floats, ((float *)floats.data)[7] = NAN));

    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_distance(lpips, NULL, &b, &value, NULL, 0));
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_distance(lpips, &a, NULL, &value, NULL, 0));
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_distance(lpips, &a, &b, NULL, NULL, 0));
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_distance(lpips, &a, &b, &value, layers, 1));
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_distance(lpips, &a, &b, &value, NULL, 5));
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_batch(lpips, &a, &b, 0, &value, NULL, 0));
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_batch(lpips, &a, &b, -1, &value, NULL, 0));
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_batch(lpips, &a, &b, INT64_MAX, &value, NULL, 0));
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_map(lpips, &a, &b, NULL, SIDE * SIDE, NULL));
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_map(lpips, &a, &b, map, SIDE * SIDE - 1, NULL));
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_gradient(lpips, &a, &b, map, SIDE * SIDE, NULL));
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_extract(lpips, NULL, &handle));
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_extract(lpips, &a, NULL));
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_describe(lpips, NULL));
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_vectors(NULL, sizeof text));
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_vectors(text, 2));
    EXPECT_CODE(PERCEPTUAL_OK, perceptual_vectors(text, sizeof text));
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_metric_names(NULL, sizeof names));
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_metric_names(text, sizeof text));
    EXPECT_CODE(PERCEPTUAL_OK, perceptual_metric_names(names, sizeof names));
    EXPECT(strstr(names, "\nssimulacra2\n") != NULL && names[strlen(names) - 1] == '\n');

    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_load(NULL, NULL));
#define WRONG_OPTIONS(code, ...) EXPECT_CODE(code, perceptual_load(&(perceptual_options){__VA_ARGS__}, &handle))
    WRONG_OPTIONS(PERCEPTUAL_BAD_ARGUMENT, .net = "alexa");
    WRONG_OPTIONS(PERCEPTUAL_BAD_ARGUMENT, .net = "");
    WRONG_OPTIONS(PERCEPTUAL_BAD_ARGUMENT, .net = "\xff");
    WRONG_OPTIONS(PERCEPTUAL_BAD_ARGUMENT, .net = "lite", .version = "0.2");
    WRONG_OPTIONS(PERCEPTUAL_BAD_ARGUMENT, .net = "lite", .threads = -1);
    WRONG_OPTIONS(PERCEPTUAL_BAD_FILE, .net = "alex", .weights = "/no/such/folder");
    WRONG_OPTIONS(PERCEPTUAL_BAD_FILE, .net = "alex", .trunk = "/no/such/file");
    WRONG_OPTIONS(PERCEPTUAL_BAD_FILE, .net = "alex", .weights = "/proc/self/status");
    WRONG_OPTIONS(PERCEPTUAL_NO_WEIGHTS, .net = "alex", .weights = "/proc/self/task");
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_metric("nothing", 0, &handle));
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_metric(NULL, 0, &handle));
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_metric("psnr", 1 << 30, &handle));
    EXPECT(handle == 77);

    EXPECT_CODE(PERCEPTUAL_OK, perceptual_metric("psnr", 0, &psnr));
    EXPECT_CODE(PERCEPTUAL_NOT_SUPPORTED, perceptual_distance(psnr, &a, &b, &value, layers, 5));
    EXPECT_CODE(PERCEPTUAL_NOT_SUPPORTED, perceptual_gradient(psnr, &a, &b, map, SIDE * SIDE, NULL));
    EXPECT_CODE(PERCEPTUAL_OK, perceptual_extract(lpips, &a, &handle));
    EXPECT_CODE(PERCEPTUAL_BAD_HANDLE, perceptual_distance(handle, &a, &b, &value, NULL, 0));
    EXPECT_CODE(PERCEPTUAL_BAD_HANDLE, perceptual_compare(lpips, handle, lpips, &value, NULL, 0));
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_compare(psnr, handle, handle, &value, NULL, 0));
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_features_size(handle, -1, &size, &size, &size));
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_features_size(handle, 16, &size, &size, &size));
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_features_size(handle, 0, &size, &size, NULL));
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_features_copy(handle, 16, map, 1));
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_features_copy(handle, 0, NULL, 1));
    EXPECT_CODE(PERCEPTUAL_BAD_HANDLE, perceptual_features_copy(lpips, 0, map, 1));
    EXPECT_CODE(PERCEPTUAL_OK, perceptual_extract(psnr, &a, &pixels));
    EXPECT_CODE(PERCEPTUAL_NOT_SUPPORTED, perceptual_features_size(pixels, 0, &size, &size, &size));
    EXPECT_CODE(PERCEPTUAL_OK, perceptual_free(pixels));
    wrong = floats, wrong.overshoot = 0.5f;
    ((float *)floats.data)[7] = 0.5f;
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_distance(psnr, &wrong, &b, &value, NULL, 0));
    ((float *)floats.data)[7] = 1.25f;
    EXPECT_CODE(PERCEPTUAL_OK, perceptual_distance(lpips, &wrong, &b, &value, NULL, 0));
    ((float *)floats.data)[7] = -0.75f;
    EXPECT_CODE(PERCEPTUAL_BAD_ARGUMENT, perceptual_distance(lpips, &wrong, &b, &value, NULL, 0));
    EXPECT_CODE(PERCEPTUAL_OK, perceptual_free(handle));
    EXPECT_CODE(PERCEPTUAL_BAD_HANDLE, perceptual_free(handle));
    EXPECT_CODE(PERCEPTUAL_OK, perceptual_free(psnr));
    EXPECT_CODE(PERCEPTUAL_BAD_HANDLE, perceptual_distance(psnr, &a, &b, &value, NULL, 0));
    for (perceptual_handle made_up = 0; made_up < 1000; made_up++)
        EXPECT_CODE(PERCEPTUAL_BAD_HANDLE, perceptual_free(made_up));
    EXPECT_CODE(PERCEPTUAL_BAD_HANDLE, perceptual_free((perceptual_handle)(uintptr_t)&a));
}

static void the_rounding_of_the_host_changes_nothing(void)
{
    perceptual_handle ssimulacra2;
    perceptual_image a = image_of(1, 1), b = image_of(2, 1);
    double usual, found;
    EXPECT_CODE(PERCEPTUAL_OK, perceptual_metric("ssimulacra2", 0, &ssimulacra2));
    EXPECT_CODE(PERCEPTUAL_OK, perceptual_distance(ssimulacra2, &a, &b, &usual, NULL, 0));
    EXPECT(fesetround(FE_DOWNWARD) == 0 && feenableexcept(FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW) == 0);
    EXPECT_CODE(PERCEPTUAL_OK, perceptual_distance(ssimulacra2, &a, &b, &found, NULL, 0));
    EXPECT(usual == found && distance_of(&a, &b) == expected);
    EXPECT(fegetround() == FE_DOWNWARD && fegetexcept() == (FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW));
    EXPECT(fesetenv(FE_DFL_ENV) == 0);
    EXPECT_CODE(PERCEPTUAL_OK, perceptual_free(ssimulacra2));
}

static long resident(void)
{
    long all, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    EXPECT(file != NULL && fscanf(file, "%ld %ld", &all, &pages) == 2);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE) >> 10;
}

static volatile int stop;

static void *work(void *calls)
{
    perceptual_image a = image_of(1, 1), b = image_of(2, 1);
    for (long i = 0; i < (long)calls && !stop; i++) {
        perceptual_handle features;
        EXPECT(distance_of(&a, &b) == expected);
        if (i % 16 == 0) {
            EXPECT_CODE(PERCEPTUAL_OK, perceptual_extract(lpips, &a, &features));
            EXPECT_CODE(PERCEPTUAL_OK, perceptual_free(features));
            EXPECT(perceptual_free(features) == PERCEPTUAL_BAD_HANDLE);
        }
    }
    return NULL;
}

static void start(pthread_t *threads, long calls)
{
    for (int i = 0; i < THREADS; i++)
        EXPECT(pthread_create(&threads[i], NULL, work, (void *)calls) == 0);
}

static void join(const pthread_t *threads)
{
    for (int i = 0; i < THREADS; i++)
        EXPECT(pthread_join(threads[i], NULL) == 0);
}

static void many_threads_get_the_same_bits_and_memory_stays_flat(void)
{
    enum { FLAT = 24 << 10 }; /* kB; the pixels of the calls alone are 100 MB */
    pthread_t threads[THREADS];
    start(threads, CALLS / 4 / THREADS);
    join(threads);
    long before = resident();
    start(threads, CALLS / THREADS);
    join(threads);
    printf("%d calls in %d threads: %ld kB, then %ld kB\n", CALLS, THREADS, before, resident());
    EXPECT(resident() - before < FLAT);
}

static void a_child_forked_later_gets_a_code(void)
{
    pthread_t threads[THREADS];
    start(threads, 1000000);
    for (int i = 0; i < FORKS; i++) {
        pid_t child = fork();
        if (child == 0) {
            perceptual_image a = {.data = "", .width = 1, .height = 1};
            perceptual_handle other;
            double value;
            alarm(20); /* a call that waits for ever ends here */
            EXPECT_CODE(PERCEPTUAL_FORKED, perceptual_distance(lpips, &a, &a, &value, NULL, 0));
            EXPECT_CODE(PERCEPTUAL_FORKED, perceptual_load(NULL, &other));
            EXPECT_CODE(PERCEPTUAL_FORKED, perceptual_free(lpips));
            EXPECT(strstr(perceptual_last_error(), "forked") != NULL);
            _exit(0);
        }
        check_child(child, "a child that was forked after the first call gets a code");
    }
    stop = 1;
    join(threads);
    measure(NULL);
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    a_child_forked_before_the_first_call_works();
    the_handlers_of_the_host_are_called();
    values_are_right_and_only_their_bytes_are_touched();
    wrong_arguments_give_codes();
    perceptual_image a = image_of(1, 1), b = image_of(2, 1);
    expected = distance_of(&a, &b);
    the_rounding_of_the_host_changes_nothing();
    many_threads_get_the_same_bits_and_memory_stays_flat();
    a_child_forked_later_gets_a_code();
    EXPECT_CODE(PERCEPTUAL_OK, perceptual_free(lpips));
    printf("perceptual %s keeps its promises\n", perceptual_version());
    return 0;
}
