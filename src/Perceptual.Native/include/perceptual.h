/* Perceptual: how far apart two images look. LPIPS and the classic metrics, for C.
 *
 * Every function that returns an int returns a perceptual_status. If it is not PERCEPTUAL_OK, nothing was written to
 * the results, and perceptual_last_error says what was wrong. All functions may be called from any number of threads
 * at a time, with the same model too. Results do not depend on the number of threads. Text is UTF-8.
 *
 * docs/c.md says what the library does to the process: signal handlers, threads, memory, fork.
 */
#ifndef PERCEPTUAL_H
#define PERCEPTUAL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum perceptual_status {
    PERCEPTUAL_OK = 0,
    PERCEPTUAL_BAD_ARGUMENT = 1,  /* a null pointer, a size, a stride, a sample outside its range, an unknown name */
    PERCEPTUAL_BAD_HANDLE = 2,    /* never given out, freed, or of another kind */
    PERCEPTUAL_BAD_FILE = 3,      /* a weights file or folder that cannot be read, is damaged, or does not fit */
    PERCEPTUAL_NO_WEIGHTS = 4,    /* published weights that are missing and could not be fetched */
    PERCEPTUAL_NOT_SUPPORTED = 5, /* the metric has no map, no layers, no gradient or no activations */
    PERCEPTUAL_OUT_OF_MEMORY = 6,
    PERCEPTUAL_FORKED = 7,        /* this process was forked from one that had used the library */
    PERCEPTUAL_INTERNAL = 8,      /* a mistake in the library: please report it with the text of the error */
    PERCEPTUAL_STOPPED = 9        /* a perceptual_progress has stopped the download */
} perceptual_status;

/* A loaded metric, or the features of an image. Handles are never used twice: one that was freed stays wrong. */
typedef uint64_t perceptual_handle;

typedef enum perceptual_format {
    /* 8 bits a sample, pixel after pixel. Alpha must be 255 everywhere; X is ignored. */
    PERCEPTUAL_RGB8 = 0,
    PERCEPTUAL_BGR8 = 1,
    PERCEPTUAL_RGBA8 = 2,
    PERCEPTUAL_BGRA8 = 3,
    PERCEPTUAL_RGBX8 = 4,
    PERCEPTUAL_BGRX8 = 5,
    PERCEPTUAL_GRAY8 = 6,
    /* Three planes of floats: red, green, blue. */
    PERCEPTUAL_FLOAT_PLANES = 7
} perceptual_format;

/* Pixels of the caller, which are read during the call and never kept. Set to zero what is not needed. */
typedef struct perceptual_image {
    const void *data;     /* the first sample of the top row */
    int32_t width;        /* columns */
    int32_t height;       /* rows */
    int32_t format;       /* a perceptual_format */
    float minimum;        /* floats only: the value of black; samples outside the range are refused */
    float maximum;        /* floats only: the value of white */
    float overshoot;      /* floats only, and LPIPS only: how far samples may go beyond black and white, at most as far
                             as these are apart; 0: not at all */
    int64_t stride;       /* bytes from a row to the next; 0: rows lie without gaps */
    int64_t plane_stride; /* floats only: bytes from a plane to the next; 0: planes lie without gaps */
} perceptual_image;

/* Which LPIPS to load. All zero is LPIPS version 0.1 with AlexNet, on all processors. */
typedef struct perceptual_options {
    const char *net;     /* "alex", "vgg", "squeeze" or "lite"; NULL: that of the model file, or "alex" */
    const char *version; /* "0.1" or "0.0"; NULL: "0.1" */
    const char *weights; /* a folder with the published weights, or a file with a whole model; NULL: the folder that
                            PERCEPTUAL_WEIGHTS names, or the cache folder, to which missing weights are fetched */
    const char *trunk;   /* a file with trunk weights of your own for net; NULL: the published ones */
    const char *lin;     /* a file with lin weights of your own; NULL: the published ones */
    int32_t baseline;    /* 1: no lin weights, every channel counts the same */
    int32_t random;      /* 1: random weights made from the seed, and no lin weights unless lin names some */
    uint64_t seed;
    int32_t threads;     /* the most threads of one call; 0: one for each processor */
} perceptual_options;

typedef struct perceptual_info {
    int32_t layers;           /* of LPIPS, else 0 */
    int32_t minimum_side;     /* pixels */
    int32_t larger_is_closer; /* 1: a larger value means that images look more alike, as with SSIM */
    int32_t has_map;
    int32_t has_gradient;
    int32_t threads;
} perceptual_info;

/* The version of the library, such as "0.1.0". */
const char *perceptual_version(void);

/* What was wrong with the last call of this thread; "" if nothing was. Valid until the thread's next call. */
const char *perceptual_last_error(void);

/* Writes the vector instructions that the library computes with: "sse", "avx2", "avx512", "neon" or "none". */
int perceptual_vectors(char *text, size_t length);

/* Called now and then while published weights are fetched, by the thread that loads: the name of the file, its bytes so
 * far, and those in all, or -1 if the server does not say. Anything but 0 stops the download; it goes on there when it
 * is tried again. */
typedef int (*perceptual_progress)(void *context, const char *file, int64_t received, int64_t total);

/* Sets what is called during downloads of this process from now on; NULL: nothing. */
int perceptual_on_download(perceptual_progress progress, void *context);

/* Loads LPIPS. The first call also starts the .NET runtime inside the library. Null options: all defaults. */
int perceptual_load(const perceptual_options *options, perceptual_handle *model);

/* Loads any metric by its name, such as "psnr", "ssimulacra2" or "lpips-alex"; docs/metrics.md lists them.
 * threads: the most threads of one call; 0: one for each processor. */
int perceptual_metric(const char *name, int32_t threads, perceptual_handle *model);

/* Writes the names that perceptual_metric takes, with a line feed after each. A text of 4096 bytes has room. */
int perceptual_metric_names(char *text, size_t length);

int perceptual_describe(perceptual_handle model, perceptual_info *info);

/* Frees a model or features. Calls that are using it in other threads end well. */
int perceptual_free(perceptual_handle handle);

/* The value for two images of one size. LPIPS is 0 for identical images, and larger the further apart they look.
 * layers: NULL with layer_count 0; or receives what each layer adds, layer_count values as in perceptual_info. */
int perceptual_distance(perceptual_handle model, const perceptual_image *reference, const perceptual_image *distorted,
    double *value, double *layers, int64_t layer_count);

/* The values for count pairs, each the same bits as alone; small images are faster together. Sizes may differ between
 * pairs. layers: NULL with layer_count 0; or receives [count, layers], layer_count values in all. */
int perceptual_batch(perceptual_handle model, const perceptual_image *references, const perceptual_image *distorted,
    int64_t count, double *values, double *layers, int64_t layer_count);

/* The value, and where the images differ: [height, width] from the top, 0 where they look the same.
 * length: width * height, checked. value: may be NULL. */
int perceptual_map(perceptual_handle model, const perceptual_image *reference, const perceptual_image *distorted,
    float *map, int64_t length, double *value);

/* What the metric compares, computed once for all comparisons of an image; free it with perceptual_free. */
int perceptual_extract(perceptual_handle model, const perceptual_image *image, perceptual_handle *features);

/* The size of the activations at a layer of LPIPS, from 0; of other metrics, nothing can be read. */
int perceptual_features_size(perceptual_handle features, int32_t layer, int32_t *channels, int32_t *height,
    int32_t *width);

/* Copies the activations at a layer: [channels, height, width], after ReLU and not normalised.
 * length: channels * height * width, checked. */
int perceptual_features_copy(perceptual_handle features, int32_t layer, float *values, int64_t length);

/* The value of two images from their features: the same bits as perceptual_distance. */
int perceptual_compare(perceptual_handle model, perceptual_handle reference, perceptual_handle distorted,
    double *value, double *layers, int64_t layer_count);

/* The distance (if has_gradient), and how fast it grows with each sample of the second image: [3, height, width] for
 * samples on [-1, 1]; multiply by 2 / (maximum - minimum) for others. length: 3 * width * height, checked.
 * value: may be NULL. */
int perceptual_gradient(perceptual_handle model, const perceptual_image *reference, const perceptual_image *image,
    float *gradient, int64_t length, double *value);

#ifdef __cplusplus
}
#endif
#endif
