/* The border of the library: what C calls. It enters managed code only in the process that did so first, because the
 * threads and locks of the runtime do not survive a fork: a call would wait for ever for a thread that is not there.
 * Errors of a thread are kept here, where they can be read after a fork, too. */
#include "perceptual.h"

#include <fenv.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum { MESSAGE_LENGTH = 1024 }; /* also in Exports.cs */

int managed_vectors(char *message, char *text, int64_t length);
int managed_load(char *message, const perceptual_options *options, perceptual_handle *model);
int managed_metric(char *message, const char *name, int32_t threads, perceptual_handle *model);
int managed_metric_names(char *message, char *text, int64_t length);
int managed_on_download(char *message, perceptual_progress progress, void *context);
int managed_describe(char *message, perceptual_handle model, perceptual_info *info);
int managed_free(char *message, perceptual_handle handle);
int managed_batch(char *message, perceptual_handle model, const perceptual_image *references,
    const perceptual_image *distorted, int64_t count, double *values, double *layers, int64_t layer_count);
int managed_map(char *message, perceptual_handle model, const perceptual_image *reference,
    const perceptual_image *distorted, float *map, int64_t length, double *value);
int managed_extract(char *message, perceptual_handle model, const perceptual_image *image,
    perceptual_handle *features);
int managed_features_size(char *message, perceptual_handle features, int32_t layer, int32_t *channels, int32_t *height,
    int32_t *width);
int managed_features_copy(char *message, perceptual_handle features, int32_t layer, float *values, int64_t length);
int managed_compare(char *message, perceptual_handle model, perceptual_handle reference, perceptual_handle distorted,
    double *value, double *layers, int64_t layer_count);
int managed_gradient(char *message, perceptual_handle model, const perceptual_image *reference,
    const perceptual_image *image, float *gradient, int64_t length, double *value);

static _Thread_local char message[MESSAGE_LENGTH];
static _Atomic pid_t owner;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static volatile int is_child;

static void in_child(void)
{
    is_child = 1;
}

/* The runtime starts with the first call into it, and would leave SIGPIPE ignored in the whole process. */
static void start(void)
{
    pthread_atfork(NULL, NULL, in_child);
    struct sigaction pipe;
    char level[16];
    sigaction(SIGPIPE, NULL, &pipe);
    managed_vectors(message, level, sizeof level);
    sigaction(SIGPIPE, &pipe, NULL);
}

static int is_forked(void)
{
    pid_t self = getpid(), before = 0;
    message[0] = '\0';
    /* A child may have the number of its parent, in another namespace. */
    if (!is_child && (atomic_compare_exchange_strong(&owner, &before, self) || before == self)) {
        pthread_once(&once, start);
        return 0;
    }
    strcpy(message, "this process was forked from one that had used the library, whose threads it lacks: use the "
        "library only after the fork, or start the process anew (in Python: the start method \"spawn\")");
    return 1;
}

/* Managed code has the rounding and the exceptions of floats that every program starts with, whatever the host has. */
#define CALL(function, ...) \
    do { \
        fenv_t host; \
        fegetenv(&host); \
        fesetenv(FE_DFL_ENV); \
        int code = is_forked() ? PERCEPTUAL_FORKED : managed_##function(message, __VA_ARGS__); \
        fesetenv(&host); \
        return code; \
    } while (0)

static int64_t int_of(size_t length)
{
    return length > INT32_MAX ? INT32_MAX : (int64_t)length;
}

EXPORT const char *perceptual_version(void)
{
    return PERCEPTUAL_VERSION;
}

EXPORT const char *perceptual_last_error(void)
{
    return message;
}

EXPORT int perceptual_vectors(char *text, size_t length)
{
    CALL(vectors, text, int_of(length));
}

EXPORT int perceptual_load(const perceptual_options *options, perceptual_handle *model)
{
    CALL(load, options, model);
}

EXPORT int perceptual_metric(const char *name, int32_t threads, perceptual_handle *model)
{
    CALL(metric, name, threads, model);
}

EXPORT int perceptual_on_download(perceptual_progress progress, void *context)
{
    CALL(on_download, progress, context);
}

EXPORT int perceptual_metric_names(char *text, size_t length)
{
    CALL(metric_names, text, int_of(length));
}

EXPORT int perceptual_describe(perceptual_handle model, perceptual_info *info)
{
    CALL(describe, model, info);
}

EXPORT int perceptual_free(perceptual_handle handle)
{
    CALL(free, handle);
}

EXPORT int perceptual_distance(perceptual_handle model, const perceptual_image *reference,
    const perceptual_image *distorted, double *value, double *layers, int64_t layer_count)
{
    CALL(batch, model, reference, distorted, 1, value, layers, layer_count);
}

EXPORT int perceptual_batch(perceptual_handle model, const perceptual_image *references,
    const perceptual_image *distorted, int64_t count, double *values, double *layers, int64_t layer_count)
{
    CALL(batch, model, references, distorted, count, values, layers, layer_count);
}

EXPORT int perceptual_map(perceptual_handle model, const perceptual_image *reference,
    const perceptual_image *distorted, float *map, int64_t length, double *value)
{
    CALL(map, model, reference, distorted, map, length, value);
}

EXPORT int perceptual_extract(perceptual_handle model, const perceptual_image *image, perceptual_handle *features)
{
    CALL(extract, model, image, features);
}

EXPORT int perceptual_features_size(perceptual_handle features, int32_t layer, int32_t *channels, int32_t *height,
    int32_t *width)
{
    CALL(features_size, features, layer, channels, height, width);
}

EXPORT int perceptual_features_copy(perceptual_handle features, int32_t layer, float *values, int64_t length)
{
    CALL(features_copy, features, layer, values, length);
}

EXPORT int perceptual_compare(perceptual_handle model, perceptual_handle reference, perceptual_handle distorted,
    double *value, double *layers, int64_t layer_count)
{
    CALL(compare, model, reference, distorted, value, layers, layer_count);
}

EXPORT int perceptual_gradient(perceptual_handle model, const perceptual_image *reference,
    const perceptual_image *image, float *gradient, int64_t length, double *value)
{
    CALL(gradient, model, reference, image, gradient, length, value);
}
