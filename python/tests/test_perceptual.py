"""The package, from an installed wheel: python -m unittest discover python/tests

Tests with published weights need the folder that PERCEPTUAL_WEIGHTS names, and beside it the folders golden and images.
"""

import copy
import gc
import io
import json
import os
import pathlib
import pickle
import pty
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import warnings
import zlib

import numpy as np
from PIL import Image

import perceptual
from perceptual.compat import lpips as package

try:
    import torch
except ImportError:
    torch = None

WEIGHTS = os.environ.get("PERCEPTUAL_WEIGHTS")
SHARED = pathlib.Path(WEIGHTS).parent if WEIGHTS else None
needs_weights = unittest.skipUnless(SHARED and (SHARED / "golden/lpips.json").exists(),
                                    "PERCEPTUAL_WEIGHTS names no folder of weights beside golden values")
needs_torch = unittest.skipUnless(torch, "PyTorch is not installed")
SAMPLES = pathlib.Path(__file__).parents[2] / "samples"


def picture(seed: int, side: int = 40) -> np.ndarray:
    """Smooth, and another for each seed."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side] / side
    waves = [np.sin(2 * np.pi * (random.uniform(1, 4) * x + random.uniform(1, 4) * y) + random.uniform(0, 6))
             for _ in range(3)]
    return np.round(127.5 + 127.5 * np.stack(waves, -1)).astype(np.uint8)


def tensors(*images: np.ndarray) -> np.ndarray:
    """[N, 3, height, width] on [-1, 1]."""
    return (np.stack(images).transpose(0, 3, 1, 2) / 127.5 - 1).astype(np.float32)


def run(code: str, **variables: str) -> str:
    return subprocess.run([sys.executable, "-c", code], env={**os.environ, **variables}, check=True, timeout=120,
                          capture_output=True, text=True).stdout.strip()


class Importing(unittest.TestCase):
    def test_importing_loads_neither_numpy_nor_ctypes_nor_the_library(self):
        found = run("import sys, perceptual; dir(perceptual); "
                    "print([name for name in ('numpy', 'ctypes', 'torch', 'PIL') if name in sys.modules])")
        self.assertEqual("[]", found)

    def test_it_has_a_version_and_says_what_is_not_there(self):
        self.assertRegex(perceptual.__version__, r"^\d+\.\d+\.\d+")
        with self.assertRaisesRegex(AttributeError, "nothing"):
            perceptual.nothing


class Images(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lpips = perceptual.LPIPS("lite")
        cls.a, cls.b = picture(1), picture(2)
        cls.expected = cls.lpips(cls.a, cls.b)

    def test_identical_images_have_distance_zero_and_others_do_not(self):
        self.assertEqual(0, self.lpips(self.a, self.a))
        self.assertGreater(self.expected, 0.01)
        self.assertIsInstance(self.expected, float)

    def test_the_sample_has_the_distance_that_the_readme_names(self):
        found = self.lpips(SAMPLES / "reference.png", str(SAMPLES / "damaged.png"))
        self.assertEqual(0.162, round(found, 3))

    def test_the_same_pixels_have_the_same_bits_in_every_form(self):
        wide = np.zeros((40, 47, 3), np.uint8)
        wide[:, :40] = self.a
        opaque = np.dstack([self.a, np.full((40, 40), 255, np.uint8)])
        forms = [wide[:, :40], np.asfortranarray(self.a), opaque, Image.fromarray(self.a), Image.fromarray(opaque),
                 self.a[::-1][::-1]]
        with tempfile.TemporaryDirectory() as folder:
            Image.fromarray(self.a).save(folder + "/a.png")
            forms += [folder + "/a.png", pathlib.Path(folder, "a.png")]
            for form in forms:
                self.assertEqual(self.expected, self.lpips(form, self.b))

    def test_floats_have_nearly_the_same_distance_whatever_their_range(self):
        for scaled, limits in ((lambda v: v / 255, (0, 1)), (lambda v: v / 127.5 - 1, (-1, 1)),
                               (lambda v: v * 1.0, (0, 255)), (lambda v: v * 257.0, (0, 65535)),
                               (lambda v: v.astype(np.uint16) * 257, (0, 65535)),
                               (lambda v: v.astype(np.int64) * 4, (0, 1020))):
            found = self.lpips(scaled(self.a), scaled(self.b), range=limits)
            self.assertAlmostEqual(1, found / self.expected, delta=1e-4)

    def test_a_file_is_compared_with_floats(self):
        with tempfile.TemporaryDirectory() as folder:
            Image.fromarray(self.a).save(folder + "/a.png")
            found = self.lpips(folder + "/a.png", self.b / 255, range=(0, 1))
            self.assertAlmostEqual(1, found / self.expected, delta=1e-4)
            self.assertEqual(found, self.lpips(Image.fromarray(self.a), self.b / 255, range=[0, 1]))
            with open(folder + "/a.png", "rb") as file:
                self.assertEqual(self.expected, self.lpips(file, self.b))
            self.assertEqual(self.expected,
                             self.lpips(io.BytesIO(pathlib.Path(folder, "a.png").read_bytes()), self.b))

    def test_files_whose_samples_would_be_lost_are_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            path = folder + "/a.png"
            for image, transparency in ((Image.fromarray(self.a), tuple(int(v) for v in self.a[0, 0])),
                                        (Image.fromarray(self.a[..., 0]), int(self.a[0, 0, 0]))):
                image.save(path, transparency=transparency)
                with self.assertRaisesRegex(ValueError, "transparent"):
                    self.lpips(path, self.b)
            chunks = [(b"IHDR", struct.pack(">2L5B", 40, 40, 16, 2, 0, 0, 0)),
                      (b"IDAT", zlib.compress(b"".join(b"\0" + row.astype(">u2").tobytes() for row in self.a))),
                      (b"IEND", b"")]
            pathlib.Path(path).write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(
                struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))
                for kind, data in chunks))
            for read in (package.load_image, self.lpips.features):
                with self.assertRaisesRegex(ValueError, "a.png, a PNG, has more than 8 bits"):
                    read(path)
            ppm = folder + "/a.ppm"
            for largest, samples in ((255, self.a.tobytes()), (1023, self.a.astype(">u2").tobytes())):
                pathlib.Path(ppm).write_bytes(b"P6 40 40 %d\n" % largest + samples)
                if largest == 255:
                    self.assertEqual(self.expected, self.lpips(ppm, self.b))
                else:
                    with self.assertRaisesRegex(ValueError, "a.ppm, a PPM"):
                        self.lpips(ppm, self.b)
            Image.fromarray(self.a).save(folder + "/a.tif")
            self.assertEqual(self.expected, self.lpips(folder + "/a.tif", self.b))
            entries = [(256, 3, 1, 40), (257, 3, 1, 40), (258, 3, 3, 8), (259, 3, 1, 1), (262, 3, 1, 2),
                       (273, 4, 3, 14), (277, 3, 1, 3), (278, 3, 1, 40), (279, 4, 3, 26), (284, 3, 1, 2)]
            head = 38  # where the directory begins, behind what its entries point to
            pathlib.Path(folder, "planes.tif").write_bytes(
                struct.pack("<2sHL3H3L3L", b"II", 42, head, 16, 16, 16, *(head + 126 + i * 3200 for i in range(3)),
                            3200, 3200, 3200)
                + struct.pack("<H", len(entries))
                + b"".join(struct.pack("<HHLL", *entry) for entry in entries) + bytes(4)
                + self.a.astype("<u2").transpose(2, 0, 1).tobytes())
            with self.assertRaisesRegex(ValueError, "planes.tif, a TIFF"):
                self.lpips(folder + "/planes.tif", self.b)
            Image.fromarray(self.a).save(folder + "/a.sgi", bpc=2)
            with self.assertRaisesRegex(ValueError, "a.sgi, a SGI"):
                self.lpips(folder + "/a.sgi", self.b)
            Image.fromarray(self.a).save(path)
            content = pathlib.Path(path).read_bytes()
            pathlib.Path(path).write_bytes(content[:len(content) // 2])
            with self.assertRaisesRegex(OSError, "a.png"):
                self.lpips([self.b, path], [self.b, self.b])
            Image.fromarray(np.arange(40 * 30, dtype=np.uint16).reshape(40, 30)).save(path)
            with self.assertRaisesRegex(ValueError, "a.png.*(mode I|8 bits)"):
                package.load_image(path)

    def test_gray_is_three_channels_alike(self):
        gray, other = self.a[..., 0], self.b[..., 0]
        expected = self.lpips(np.dstack([gray] * 3), np.dstack([other] * 3))
        self.assertEqual(expected, self.lpips(gray, other))
        self.assertEqual(expected, self.lpips(Image.fromarray(gray), other[..., np.newaxis]))
        self.assertAlmostEqual(1, self.lpips(gray / 255, other / 255, range=(0, 1)) / expected, delta=1e-4)

    def test_a_file_is_turned_as_its_orientation_says(self):
        with tempfile.TemporaryDirectory() as folder:
            exif = Image.Exif()
            exif[0x0112] = 3  # upside down
            Image.fromarray(self.a[::-1, ::-1]).save(folder + "/a.png", exif=exif)
            self.assertEqual(self.expected, self.lpips(folder + "/a.png", self.b))

    def test_a_batch_has_the_bits_of_its_pairs(self):
        pictures = [picture(seed) for seed in range(10)]
        found = self.lpips(np.stack(pictures[:5]), pictures[5:])
        self.assertEqual([self.lpips(a, b) for a, b in zip(pictures[:5], pictures[5:])], found.tolist())
        sizes = [picture(1, 64), self.a], [picture(2, 64), self.b]
        self.assertEqual([self.lpips(sizes[0][0], sizes[1][0]), self.expected], self.lpips(*sizes).tolist())
        layers = self.lpips.layers(pictures[:5], pictures[5:])
        np.testing.assert_allclose(layers.sum(1), found, rtol=1e-9)

    def test_features_have_the_bits_of_the_images(self):
        features = self.lpips.features(self.a), self.lpips.features(self.b)
        self.assertEqual(self.expected, self.lpips(*features))
        self.assertEqual((40, 40), (features[0].height, features[0].width))
        np.testing.assert_array_equal(self.lpips.layers(self.a, self.b), self.lpips.layers(*features))
        one, other = features
        self.assertEqual([self.expected, 0, self.expected],
                         self.lpips([one, other, other], [other, other, one]).tolist())
        copied = copy.deepcopy(one), copy.copy(other)
        del one, other, features
        gc.collect()
        self.assertEqual(self.expected, self.lpips(*copied))
        with self.assertRaisesRegex(TypeError, "memory of this process"):
            pickle.dumps(copied[0])

    def test_features_are_activations_from_which_the_layers_follow(self):
        baseline = perceptual.LPIPS("lite", baseline=True)
        taps = [baseline.features(image).arrays() for image in (self.a, self.b)]
        layers = []
        for one, other in zip(*taps):
            self.assertEqual((np.float32, one.shape), (other.dtype, other.shape))
            one, other = (tap / (np.sqrt((tap.astype(float) ** 2).sum(0)) + 1e-10) for tap in (one, other))
            layers.append(((one - other) ** 2).sum(0).mean())
        np.testing.assert_allclose(layers, baseline.layers(self.a, self.b), rtol=1e-5)
        with self.assertRaisesRegex(NotImplementedError, "LPIPS"):
            perceptual.metric("psnr").features(self.a).arrays()

    def test_the_gradient_is_that_of_finite_differences_in_the_units_of_the_samples(self):
        self.assertTrue(self.lpips.has_gradient and not perceptual.metric("psnr").has_gradient)
        for scale, limits in ((1 / 255, (0, 1)), (1.0, (0, 255))):
            a, b = self.a * scale, np.clip(self.b, 10, 245) * scale
            value, gradient = self.lpips.gradient(a, b, range=limits)
            self.assertEqual((value, b.shape), (self.lpips(a, b, range=limits), gradient.shape))
            norm = np.linalg.norm(gradient.astype(float))
            step = 0.5 * scale * gradient / norm  # of one sample of 8 bits, spread over all
            slope = (self.lpips(a, b + step, range=limits) - self.lpips(a, b - step, range=limits)) / (scale * norm)
            self.assertAlmostEqual(1, slope, delta=0.02)
        signed = self.lpips.gradient(a.astype(np.int16) - 128, b.astype(np.int16) - 128,
                                     range=(np.int8(-128), np.int8(127)))
        np.testing.assert_allclose(signed[1], self.lpips.gradient(a.astype(np.int16), b.astype(np.int16),
                                                                  range=(0, 255))[1], rtol=1e-4, atol=1e-9)
        bytes_value, bytes_gradient = self.lpips.gradient(self.a, np.clip(self.b, 10, 245))
        self.assertAlmostEqual(1, bytes_value / value, delta=1e-4)
        np.testing.assert_allclose(bytes_gradient, gradient, atol=1e-3 * np.abs(gradient).max())

    def test_a_map_is_where_images_differ(self):
        changed = self.a.copy()
        changed[5:15, 25:35] = 255 - changed[5:15, 25:35]
        found = self.lpips.map(self.a, changed)
        self.assertEqual(((40, 40), np.float32), (found.shape, found.dtype))
        self.assertGreater(found[5:15, 25:35].mean(), 5 * found[25:, :15].mean())

    def test_threads_do_not_change_a_bit(self):
        one, two = (perceptual.LPIPS("lite", threads=threads) for threads in (1, 2))
        self.assertEqual(one(self.a, self.b), two(self.a, self.b))
        found = []
        workers = [threading.Thread(target=lambda: found.extend(one(self.a, self.b) for _ in range(50)))
                   for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.assertEqual([self.expected] * 200, found)

    def test_classic_metrics_are_called_by_name(self):
        ssim, psnr = perceptual.metric("ssim"), perceptual.metric("PSNR", threads=1)
        self.assertEqual(1, ssim(self.a, self.a))
        self.assertTrue(ssim.larger_is_closer and ssim.has_map)
        mean = ((self.a.astype(float) - self.b) ** 2).mean()
        self.assertAlmostEqual(10 * np.log10(255 ** 2 / mean), psnr(self.a, self.b), places=6)
        self.assertEqual((40, 40), ssim.map(self.a, self.b).shape)
        self.assertLess(perceptual.metric("ssimulacra2")(self.a, self.b), 90)
        self.assertEqual([ssim(self.a, self.b)], ssim([self.a], [self.b]).tolist())
        for name in perceptual.metrics():
            if name.startswith("lpips-") or name.startswith("hdr"):
                continue
            loaded = perceptual.metric(name, threads=1)
            self.assertEqual(name, loaded.name)
            self.assertNotEqual(loaded(picture(1, 200), picture(1, 200)), loaded(picture(1, 200), picture(2, 200)))

    def test_the_library_is_that_for_the_processor(self):
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            flags = set(next((line for line in file if line.startswith("flags")), "").split())
        needed = {"x86-64-v3": {"avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "abm"},
                  "x86-64-v4": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}}
        level = "x86-64-v2"
        for name, flags_of_level in needed.items():
            level = name if flags_of_level <= flags else level
        code = ("import ctypes; from perceptual._library import _level, call; text = ctypes.create_string_buffer(16); "
                "call('vectors', text, 16); print(_level(), text.value.decode())")
        for variable, highest in (("None", "x86-64-v4"), ("AVX512", "x86-64-v3"), ("AVX2", "x86-64-v2")):
            expected = min(level, highest)
            vectors = {"x86-64-v2": "sse", "x86-64-v3": "avx2", "x86-64-v4": "avx512"}[expected]
            self.assertEqual(f"{expected} {vectors}", run(code, **{"DOTNET_Enable" + variable: "0"}))

    def test_every_level_of_vectors_gives_nearly_the_same_distance(self):
        code = "import numpy, perceptual; a = numpy.load({!r}); print(perceptual.LPIPS('lite')(a[0], a[1]))"
        with tempfile.TemporaryDirectory() as folder:
            np.save(folder + "/a.npy", np.stack([self.a, self.b]))
            for variable in ("AVX512", "AVX2"):
                distance = run(code.format(folder + "/a.npy"), **{"DOTNET_Enable" + variable: "0"})
                self.assertAlmostEqual(1, float(distance) / self.expected, delta=1e-5)

    def test_what_is_no_image_is_refused_with_a_reason(self):
        a, floats = self.a, self.a / 255
        for arguments, options, error, text in (
                ((floats, floats), {}, ValueError, "range="),
                ((floats, floats), {"range": (0, 0.5)}, ValueError, "outside the stated range"),
                ((floats * np.nan, floats), {"range": (0, 1)}, ValueError, "NaN"),
                ((floats, floats), {"range": (1, 0)}, ValueError, "ascending"),
                ((a, a), {"range": (0, 1)}, ValueError, "no range"),
                ((floats, floats), {"range": 1}, ValueError, "two numbers"),
                ((floats, floats), {"range": "01"}, ValueError, "two numbers"),
                ((floats, floats), {"range": (0, 1, 2)}, ValueError, "two numbers"),
                ((None, a), {}, TypeError, "NoneType"),
                ((np.ma.masked_equal(a, 3), a), {}, TypeError, "masked"),
                (([a, a], [a, a[:39]]), {}, ValueError, "of pair 1 is 40x39"),
                (([floats, floats], [floats, floats * 1.1]), {"range": (0, 1)}, ValueError, "distorted.* pair 1: the"),
                (([a, a[:, :, 0:2]], [a, a]), {}, ValueError, "image 1 of the batch"),
                ((a.astype(np.int32), a), {}, ValueError, "int32"),
                ((a.astype(np.uint16) + 255, a / 255), {"range": (0, 255)}, ValueError, "outside the stated range"),
                ((a.astype(complex), a), {"range": (0, 255)}, TypeError, "complex"),
                ((a, a[:39]), {}, ValueError, "40x39 but the reference is 40x40"),
                ((a[:4, :4], a[:4, :4]), {}, ValueError, "too small"),
                ((a[:0], a[:0]), {}, ValueError, "no image"),
                ((a.transpose(2, 0, 1), a), {}, ValueError, "compat"),
                ((np.dstack([a, a[..., :1]]), a), {}, ValueError, "transparent"),
                (([a], a), {}, ValueError, "batch"),
                (([a, a], [a]), {}, ValueError, "2 and 1"),
                (([], []), {}, ValueError, "at least one"),
                ((self.lpips.features(a), a), {}, TypeError, "features"),
                (("nothing.png", a), {}, FileNotFoundError, "nothing.png"),
                ((Image.new("I;16", (40, 40)), a), {}, ValueError, "I;16")):
            with self.assertRaisesRegex(error, text):
                self.lpips(*arguments, **options)
        with self.assertRaisesRegex(ValueError, "alex, vgg"):
            perceptual.LPIPS("alexa")
        for arguments, error in (({"net": None}, TypeError), ({"version": 0.1}, TypeError),
                                 ({"net": "lite\0"}, ValueError), ({"weights": ""}, ValueError),
                                 ({"seed": -1}, ValueError), ({"seed": 1 << 64}, ValueError),
                                 ({"threads": 0}, ValueError), ({"threads": 1 << 31}, ValueError)):
            with self.assertRaisesRegex(error, next(iter(arguments))):
                perceptual.LPIPS(**{"net": "lite", **arguments})
        with self.assertRaisesRegex(ValueError, "ssimulacra2"):
            perceptual.metric("nothing")
        with self.assertRaises(NotImplementedError):
            perceptual.metric("psnr").map(a, a)
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaisesRegex(perceptual.NoWeights, "lpips weights fetch alex --weights"):
                perceptual.LPIPS("alex", weights=folder)
        with self.assertRaisesRegex(perceptual.BadFile, "LICENSE"):
            perceptual.LPIPS("alex", weights=SAMPLES.parent / "LICENSE")


class Processes(unittest.TestCase):
    def test_a_child_forked_while_another_thread_loads_can_load(self):
        found = run("""
import os, signal, sys
from perceptual import _library
import numpy, perceptual
_library._lock.acquire()
if os.fork() == 0:
    signal.alarm(20)
    perceptual.LPIPS("lite")
    os._exit(0)
print(os.waitstatus_to_exitcode(os.wait()[1]))
""")
        self.assertEqual("0", found)

    def test_a_child_forked_after_the_first_call_gets_an_error_and_does_not_hang(self):
        found = run("""
import os, sys
import numpy, perceptual
lpips = perceptual.LPIPS("lite")
a = numpy.zeros((40, 40, 3), numpy.uint8)
lpips(a, a)
if os.fork() == 0:
    try:
        lpips(a, a)
    except RuntimeError as error:
        print("refused", "spawn" in str(error))
    del lpips
    sys.exit(0)
print(os.waitstatus_to_exitcode(os.wait()[1]), lpips(a, a))
""")
        self.assertEqual("refused True\n0 0.0", found)

    @needs_torch
    def test_the_workers_of_a_data_loader(self):
        code = """
import sys, numpy, torch, perceptual
class Pairs(torch.utils.data.Dataset):
    model = None
    def __len__(self):
        return 6
    def __getitem__(self, i):
        if self.model is None:
            self.model = perceptual.LPIPS("lite", threads=1)
        images = numpy.random.default_rng(i).integers(0, 256, (2, 40, 40, 3), numpy.uint8)
        return self.model(*images)
def measure(context):
    loader = torch.utils.data.DataLoader(Pairs(), batch_size=2, num_workers=2, multiprocessing_context=context)
    return torch.cat(list(loader)).tolist()
if __name__ == "__main__":
    found = measure("fork")
    print(min(found) > 0, found == measure("spawn"))
    print(found == [Pairs()[i] for i in range(6)])
    print(found == measure("spawn"))
    try:
        measure("fork")
    except RuntimeError as error:
        print("forked" in str(error))
"""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "loader.py")
            path.write_text(code)
            found = subprocess.run([sys.executable, path], check=True, timeout=120, capture_output=True, text=True)
        self.assertEqual("True True\nTrue\nTrue\nTrue\n", found.stdout)

    def test_a_model_can_be_sent_to_a_process_that_is_started_anew(self):
        for metric in (perceptual.LPIPS("lite", threads=1), perceptual.metric("psnr")):
            copy = pickle.loads(pickle.dumps(metric))
            self.assertEqual(metric(picture(1), picture(2)), copy(picture(1), picture(2)))
            self.assertIs(type(metric), type(copy))

    def test_the_library_outlives_dlclose(self):
        found = run("""
import _ctypes
import numpy, perceptual
from perceptual import _library
perceptual.LPIPS("lite")
_ctypes.dlclose(_library._loaded._handle)
print(perceptual.LPIPS("lite")(*numpy.zeros((2, 40, 40, 3), numpy.uint8)))
""")
        self.assertEqual("0.0", found)

    def test_the_handlers_of_python_still_run(self):
        found = run("""
import os, signal, subprocess
import numpy, perceptual
seen = []
signal.signal(signal.SIGUSR1, lambda *_: seen.append("SIGUSR1"))
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that runs this in the background ignores it
perceptual.LPIPS("lite")
os.kill(os.getpid(), signal.SIGUSR1)
try:
    os.kill(os.getpid(), signal.SIGINT)
    for _ in range(1000): pass
except KeyboardInterrupt:
    seen.append("SIGINT")
print(seen, subprocess.run(["true"]).returncode)
""")
        self.assertEqual("['SIGUSR1', 'SIGINT'] 0", found)


class Downloads(unittest.TestCase):
    """A server with the addresses of the real one, behind a proxy and with a certificate that the library trusts."""

    @classmethod
    def setUpClass(cls):
        if shutil.which("openssl") is None:
            raise unittest.SkipTest("openssl, which makes the certificate, is not installed")
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        certificate = cls.folder.name + "/certificate.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", certificate + ".key",
                        "-out", certificate, "-days", "2", "-subj", "/CN=download.pytorch.org",
                        "-addext", "subjectAltName=DNS:download.pytorch.org"], check=True, capture_output=True)
        cls.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        cls.tls.load_cert_chain(certificate, certificate + ".key")
        cls.server = socket.create_server(("127.0.0.1", 0))
        cls.addClassCleanup(cls.server.close)
        cls.asked = []
        threading.Thread(target=cls.serve, daemon=True).start()
        cls.variables = {"https_proxy": f"http://127.0.0.1:{cls.server.getsockname()[1]}", "SSL_CERT_FILE": certificate}

    def environment(self):
        """With a cache folder of its own."""
        kept = {name: value for name, value in os.environ.items()
                if name.lower() not in ("no_proxy", "https_proxy", "perceptual_weights")}
        return {**kept, **self.variables, "XDG_CACHE_HOME": tempfile.mkdtemp(dir=self.folder.name)}

    @classmethod
    def serve(cls):
        while True:
            try:
                connection = cls.server.accept()[0]
            except OSError:
                return
            threading.Thread(target=cls.answer, args=(connection,), daemon=True).start()

    @classmethod
    def answer(cls, connection):
        """Sends a network, slowly and for ever."""
        try:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with cls.tls.wrap_socket(connection, server_side=True) as secure:
                cls.asked.append(secure.recv(65536).split(b"\r\n")[0].decode())
                secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 244408911\r\n\r\n")
                while True:
                    secure.sendall(bytes(1 << 16))
                    time.sleep(0.05)
        except OSError:
            pass

    def test_a_download_is_shown_on_a_terminal_and_ends_with_ctrl_c(self):
        for net in ("LPIPS('alex')", "metric('lpips-alex')"):
            main, other = pty.openpty()
            process = subprocess.Popen(
                [sys.executable, "-c", "import signal, perceptual\n"
                 "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
                 "perceptual." + net], env=self.environment(), stderr=other, stdout=other)
            os.close(other)
            shown = b""
            while shown.count(b"\r") < 3:
                shown += os.read(main, 4096)
            self.assertRegex(shown.decode(), r"^\ralexnet\S*: \d+ of 244 MB\r")
            process.send_signal(signal.SIGINT)
            start = time.monotonic()
            while True:
                try:
                    shown += os.read(main, 4096)
                except OSError:  # the terminal is closed
                    break
            self.assertNotEqual(0, process.wait(10))
            self.assertLess(time.monotonic() - start, 2)
            self.assertIn(b"KeyboardInterrupt", shown)
            os.close(main)
        self.assertEqual({"GET /models/alexnet-owt-7be5be79.pth HTTP/1.1"}, set(self.asked))

    def test_a_download_is_silent_where_nobody_looks(self):
        code = ("import os, perceptual, signal, threading\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
                "threading.Timer(3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()\n"
                "try: perceptual.LPIPS('alex')\nexcept KeyboardInterrupt: print('stopped')")
        found = subprocess.run([sys.executable, "-c", code], timeout=60, capture_output=True, text=True,
                               env=self.environment())
        self.assertEqual((0, "stopped\n", ""), (found.returncode, found.stdout, found.stderr))


@needs_weights
class Golden(unittest.TestCase):
    def test_both_ways_of_calling_give_the_golden_values(self):
        rows = [row for row in json.loads((SHARED / "golden/lpips.json").read_text())
                if row["net"] in ("alex", "squeeze") and "distance" in row]
        self.assertGreater(len(rows), 20)
        models = {}
        for row in rows:
            key = row["net"], row["version"], row["lin"]
            if key not in models:
                models[key] = (perceptual.LPIPS(key[0], key[1], baseline=not key[2], weights=WEIGHTS),
                               package.LPIPS(net=key[0], version=key[1], lpips=key[2]))
            lpips, drop_in = models[key]
            a, b = (np.asarray(Image.open(SHARED / row[name]).convert("RGB")) for name in ("reference", "distorted"))
            with self.subTest(row=row["distorted"], key=key):
                self.assertAlmostEqual(1, lpips(a, b) / row["distance"], delta=2e-5)
                found, layers = drop_in(tensors(a), tensors(b), retPerLayer=True)
                self.assertAlmostEqual(1, found.item() / row["distance"], delta=2e-5)
                np.testing.assert_allclose(np.ravel(layers), row["layers"], rtol=2e-4)
                self.assertAlmostEqual(1, lpips.map(a, b).mean() / row["map_mean"], delta=2e-5)

    @needs_torch
    def test_the_example_of_the_reference_gives_its_published_values(self):
        lpips = package
        loss_fn_alex = lpips.LPIPS(net='alex')
        img0 = torch.zeros(1, 3, 64, 64)
        img1 = torch.zeros(1, 3, 64, 64)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            d = loss_fn_alex(img0, img1)
        self.assertEqual((torch.float32, (1, 1, 1, 1), 0), (d.dtype, tuple(d.shape), d.item()))
        # lpips_2imgs.py -p0 imgs/ex_ref.png -p1 imgs/ex_p0.png: Distance: 0.722; ex_p1.png: 0.138
        loss_fn_alex = lpips.LPIPS(net='alex', version='0.1', lpips=True, spatial=False, pretrained=True).eval()
        img0 = lpips.im2tensor(lpips.load_image(SHARED / "images/ex_ref.png"))
        for name, published in (("ex_p0.png", "0.722"), ("ex_p1.png", "0.138")):
            img1 = lpips.im2tensor(lpips.load_image(SHARED / "images" / name))
            dist01 = loss_fn_alex.forward(img0, img1)
            self.assertEqual(published, "%.3f" % dist01)


class DropIn(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lpips = perceptual.LPIPS("lite")
        cls.model = package.LPIPS(net="lite", verbose=False)
        cls.pictures = [picture(seed) for seed in range(6)]
        cls.a, cls.b = tensors(*cls.pictures[:3]), tensors(*cls.pictures[3:])
        cls.expected = cls.lpips(cls.pictures[:3], cls.pictures[3:])

    def test_arrays_give_arrays(self):
        found = self.model(self.a, self.b)
        self.assertEqual(((3, 1, 1, 1), np.float32), (found.shape, found.dtype))
        np.testing.assert_allclose(found.ravel(), self.expected, rtol=1e-4)
        np.testing.assert_allclose(self.model((self.a + 1) / 2, (self.b + 1) / 2, normalize=True), found, rtol=1e-4)
        one = self.model(self.a[:1], self.b)  # one reference against all
        self.assertEqual((found[0].item(), (3, 1, 1, 1)), (one[0].item(), one.shape))

    def test_layers_sum_to_the_distance(self):
        found, layers = self.model(self.a, self.b, retPerLayer=True)
        self.assertTrue(all(layer.shape == (3, 1, 1, 1) for layer in layers))
        np.testing.assert_allclose(sum(layers), found, rtol=1e-5)

    def test_spatial_gives_maps(self):
        found = package.LPIPS(net="lite", spatial=True)(self.a, self.b)
        self.assertEqual((3, 1, 40, 40), found.shape)
        np.testing.assert_allclose(found[1, 0], self.lpips.map(self.pictures[1], self.pictures[4]), rtol=1e-3,
                                   atol=1e-5)

    def test_what_would_be_another_number_is_refused(self):
        a = self.a
        for arguments, options, error, text in (
                (((a + 1) * 127.5, a), {}, ValueError, "127.5"),
                ((a * 3.1, a), {}, ValueError, "clamp"),
                (((a * 3.1 + 1) / 2, a), {"normalize": True}, ValueError, "255"),
                ((a, a), {"normalize": True}, ValueError, "normalize"),
                ((a * np.nan, a), {}, ValueError, "NaN"),
                ((self.pictures[0], self.pictures[0]), {}, ValueError, "N x 3"),
                ((a.astype(np.uint8), a.astype(np.uint8)), {}, TypeError, "uint8"),
                ((a, a[:2]), {}, ValueError, "in1 is")):
            with self.assertRaisesRegex(error, text):
                self.model(*arguments, **options)
        with self.assertRaisesRegex(TypeError, "net='vgg'"):
            package.LPIPS("vgg")
        for options in ({"pretrained": False}, {"pnet_rand": True}, {"pnet_tune": True}, {"net": "nothing"}):
            with self.assertRaises(ValueError):
                package.LPIPS(**{"net": "lite", **options})

    def test_outputs_of_networks_may_go_beyond_the_range(self):
        beyond = self.b * 1.5
        found = self.model(self.a, beyond)
        np.testing.assert_allclose(self.model((self.a + 1) / 2, (beyond + 1) / 2, normalize=True), found, rtol=1e-4)
        self.assertTrue((np.abs(found / self.model(self.a, np.clip(beyond, -1, 1)) - 1) > 1e-3).all())

    def test_images_on_zero_to_one_are_warned_of(self):
        with self.assertWarnsRegex(UserWarning, "normalize=True") as caught:
            self.model((self.a + 1) / 2, (self.b + 1) / 2)
        self.assertEqual(__file__, caught.filename)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            self.model(self.a, self.b)

    @needs_torch
    def test_images_become_tensors_and_images_again(self):
        image = self.pictures[0]
        tensor = package.im2tensor(image)
        np.testing.assert_array_equal(self.a[:1], tensor.numpy())
        found = package.tensor2im(tensor + 1e-3)  # which are cut off, not rounded
        np.testing.assert_array_equal(image, found)
        self.assertEqual(np.uint8, found.dtype)
        with tempfile.TemporaryDirectory() as folder:
            Image.fromarray(image).save(folder + "/a.png")
            np.testing.assert_array_equal(image, package.load_image(folder + "/a.png"))

    @needs_torch
    def test_tensors_give_tensors_of_their_kind(self):
        expected = self.model(self.a, self.b)
        a, b = torch.from_numpy(self.a), torch.from_numpy(self.b)
        np.testing.assert_array_equal(expected, self.model(a, b).numpy())
        self.assertEqual(torch.float64, self.model(a.double(), b.double()).dtype)
        for half in (torch.float16, torch.bfloat16):
            found = self.model(a.to(half), b.to(half))
            self.assertEqual(half, found.dtype)
            np.testing.assert_allclose(expected, found.float().numpy(), rtol=2e-2)
        found, layers = self.model.cpu().eval()(a, b, retPerLayer=True)
        np.testing.assert_allclose(sum(layers).numpy(), found.numpy(), rtol=1e-5)
        with self.assertRaises(TypeError):
            self.model(a, self.b)

    @needs_torch
    def test_gradients_are_those_of_finite_differences(self):
        for normalize, contrast in ((False, 0.9), (True, 0.9), (False, 1.3)):
            a, b = (torch.from_numpy((v * contrast + 1) / 2 if normalize else v * contrast).requires_grad_()
                    for v in (self.a, self.b))
            weight = torch.tensor([1.0, -2.0, 0.5]).reshape(3, 1, 1, 1)
            loss = (self.model(a, b, normalize=normalize) * weight).sum()
            loss.backward()
            for image in (a, b):
                direction = image.grad / image.grad.norm()
                step = 2e-3
                with torch.no_grad():
                    ends = [[x + sign * step * direction if x is image else x for x in (a, b)] for sign in (1, -1)]
                    up, down = ((self.model(*end, normalize=normalize).double() * weight).sum() for end in ends)
                slope = (up - down).item() / (2 * step)
                self.assertAlmostEqual(1, slope / image.grad.norm().item(), delta=0.02)

    @needs_torch
    def test_gradients_flow_where_they_are_asked_for_and_nowhere_else(self):
        a, b = torch.from_numpy(self.a), torch.from_numpy(self.b).requires_grad_()
        found = self.model(a[:1], b)
        np.testing.assert_array_equal(self.model(self.a[:1], self.b), found.detach().numpy())
        found.mean().backward()
        self.assertEqual(b.shape, b.grad.shape)
        one = torch.from_numpy(self.a[:1]).requires_grad_()
        self.model(one, b.detach()).sum().backward()
        self.assertEqual(one.shape, one.grad.shape)
        wide = torch.from_numpy(self.a).double().requires_grad_()
        self.model(wide, b).sum().backward()
        self.assertEqual((torch.float64, torch.float32), (wide.grad.dtype, b.grad.dtype))
        with torch.no_grad():
            self.assertFalse(self.model(a, b).requires_grad)
        with self.assertRaisesRegex(NotImplementedError, "no_grad"):
            self.model(a, b, retPerLayer=True)

    @needs_torch
    def test_gradients_of_halves_keep_what_a_scaled_loss_asks_for(self):
        a, b = torch.from_numpy(self.a), torch.from_numpy(self.b)
        exact, half = b.clone().requires_grad_(), b.half().requires_grad_()
        self.model(a.half().float(), exact.half().float()).mean().backward()
        (self.model(a.half(), half).mean() * 1024).backward()
        np.testing.assert_allclose(half.grad.float().numpy(), 1024 * exact.grad.numpy(), rtol=5e-3, atol=1e-4)

    @needs_torch
    def test_shapes_are_checked_with_and_without_a_gradient(self):
        image = torch.from_numpy(self.a)
        for other in (image[:, :1], image[0], image[..., :1], torch.zeros(())):
            for grad in (False, True):
                with self.assertRaises(ValueError):
                    self.model(image, other.clone().requires_grad_(grad))

    @needs_torch
    def test_a_second_derivative_is_refused_and_not_left_out(self):
        a, b = torch.from_numpy(self.a[:1]), torch.from_numpy(self.b[:1]).requires_grad_()
        loss = self.model(a, b).sum()
        slope, = torch.autograd.grad(loss, b, create_graph=True)
        np.testing.assert_array_equal(torch.autograd.grad(self.model(a, b).sum(), b)[0].numpy(), slope.detach().numpy())
        with self.assertRaisesRegex(NotImplementedError, "again"):
            (loss + (slope ** 2).sum()).backward()
        weight = torch.tensor(2.0, requires_grad=True)
        by_image, = torch.autograd.grad(self.model(a, b).sum() * weight, b, create_graph=True)
        self.assertAlmostEqual(slope.sum().item(), torch.autograd.grad(by_image.sum(), weight)[0].item(), places=5)

    @needs_torch
    def test_images_may_change_after_the_distance(self):
        a, b = torch.from_numpy(self.a).clone(), torch.from_numpy(self.b).requires_grad_()
        changed = b * 1
        self.model(a, b).sum().backward()
        found = self.model(a, changed).sum()
        with torch.no_grad():
            changed.clamp_(-0.5, 0.5)
            a.zero_()
        before = b.grad.clone()
        found.backward()
        np.testing.assert_array_equal(2 * before.numpy(), b.grad.numpy())

    @needs_torch
    def test_it_is_a_module(self):
        model = torch.nn.ModuleList([package.LPIPS(net="lite").half().eval()])[0]
        self.assertFalse(model.training)
        self.assertIn("LPIPS", dir(package))
        self.assertEqual(({}, []), (dict(model.state_dict()), list(model.parameters())))
        a, b = torch.from_numpy(self.a), torch.from_numpy(self.b)
        for copied in (model, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            np.testing.assert_array_equal(self.model(a, b).numpy(), copied(a, b).numpy())

    @needs_torch
    def test_an_image_comes_closer_by_descent(self):
        a, b = torch.from_numpy(self.a * 0.9), torch.from_numpy(self.b * 0.9).requires_grad_()
        before = self.model(a, b).sum().item()
        optimizer = torch.optim.Adam([b], lr=0.02)
        for _ in range(10):
            optimizer.zero_grad()
            self.model(a, b.clamp(-1, 1)).sum().backward()
            optimizer.step()
        self.assertLess(self.model(a, b.detach().clamp(-1, 1)).sum().item(), 0.8 * before)


if __name__ == "__main__":
    unittest.main()
