/* How far apart two images look, from C.
 *
 *   dotnet publish src/Perceptual.Native -c Release -r linux-x64 -o artifacts/native
 *   export PKG_CONFIG_PATH=$PWD/artifacts/native/lib/pkgconfig
 *   gcc samples/c/distance.c -o distance $(pkg-config --cflags --libs perceptual) -Wl,-rpath,$PWD/artifacts/native/lib
 *   ./distance reference.ppm distorted.ppm
 *
 * It prints LPIPS by the built-in network, what each of its layers adds, SSIMULACRA 2, and the place where the images
 * differ most. Images are binary PPM of 8 bits, which any program writes (magick a.png a.ppm).
 */
#include <perceptual.h>
#include <stdio.h>
#include <stdlib.h>

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static void check(int status, const char *what)
{
    if (status != PERCEPTUAL_OK)
        fail(what, perceptual_last_error());
}

static perceptual_image read_ppm(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail(path, "cannot be opened");
    int width, height, white;
    if (fscanf(file, "P6 %d %d %d", &width, &height, &white) != 3 || white != 255 || fgetc(file) == EOF
        || width < 1 || height < 1 || width > 1 << 15 || height > 1 << 15)
        fail(path, "is not a binary PPM of 8 bits");
    size_t length = (size_t)width * (size_t)height * 3;
    unsigned char *pixels = malloc(length);
    if (pixels == NULL || fread(pixels, 1, length, file) != length)
        fail(path, "ends too early");
    fclose(file);
    return (perceptual_image){.data = pixels, .width = width, .height = height, .format = PERCEPTUAL_RGB8};
}

/* The place where the map is largest. */
static void print_worst(perceptual_handle lpips, const perceptual_image *reference, const perceptual_image *distorted)
{
    int64_t length = (int64_t)reference->width * reference->height, worst = 0;
    float *map = malloc((size_t)length * sizeof *map);
    if (map == NULL)
        fail("the map", "there is not enough memory");
    check(perceptual_map(lpips, reference, distorted, map, length, NULL), "the map");
    for (int64_t i = 1; i < length; i++)
        if (map[i] > map[worst])
            worst = i;
    printf("worst at x %d, y %d\n", (int)(worst % reference->width), (int)(worst / reference->width));
    free(map);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: distance REFERENCE.ppm DISTORTED.ppm\n");
        return 2;
    }
    perceptual_image reference = read_ppm(argv[1]), distorted = read_ppm(argv[2]);

    perceptual_options options = {.net = "lite"}; /* "alex" needs its published weights */
    perceptual_handle lpips, ssimulacra2;
    check(perceptual_load(&options, &lpips), "LPIPS");
    check(perceptual_metric("ssimulacra2", 0, &ssimulacra2), "SSIMULACRA 2");

    perceptual_info info;
    check(perceptual_describe(lpips, &info), "LPIPS");
    double distance, *layers = calloc((size_t)info.layers, sizeof *layers);
    if (layers == NULL)
        fail("LPIPS", "there is not enough memory");
    check(perceptual_distance(lpips, &reference, &distorted, &distance, layers, info.layers), argv[2]);
    printf("lpips-lite %.6f\n", distance);
    for (int i = 0; i < info.layers; i++)
        printf("  layer %d %.6f\n", i, layers[i]);

    double similarity;
    check(perceptual_distance(ssimulacra2, &reference, &distorted, &similarity, NULL, 0), argv[2]);
    printf("ssimulacra2 %.4f\n", similarity);

    print_worst(lpips, &reference, &distorted);

    perceptual_free(lpips);
    perceptual_free(ssimulacra2);
    free(layers);
    free((void *)reference.data);
    free((void *)distorted.data);
    return 0;
}
