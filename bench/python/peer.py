"""LPIPS with AlexNet, by this package and by PyTorch with the same network, both in one run, ten calls each by turns:

    python bench/python/peer.py            # milliseconds of a call, medians, with 1 and 2 threads
    python bench/python/peer.py first      # seconds from the start of Python to the first number

PyTorch computes with random weights, this package with those that PERCEPTUAL_WEIGHTS names, or random ones. Both are
given what they take without a conversion: tensors on [-1, 1], and arrays of uint8.
"""

import os
import statistics
import subprocess
import sys
import time

PEER = """
import torch
layers = [(3, 64, 11, 4, 2), (64, 192, 5, 1, 2), (192, 384, 3, 1, 1), (384, 256, 3, 1, 1), (256, 256, 3, 1, 1)]
convolutions = [torch.nn.Conv2d(i, o, k, s, p).requires_grad_(False) for i, o, k, s, p in layers]
lin = [torch.rand(1, o, 1, 1) for _, o, *_ in layers]
shift = torch.tensor([-.030, -.088, -.188])[None, :, None, None]
scale = torch.tensor([.458, .448, .450])[None, :, None, None]

def taps(x):
    x, found = (x - shift) / scale, []
    for i, convolution in enumerate(convolutions):
        if i in (1, 2):
            x = torch.nn.functional.max_pool2d(x, 3, 2)
        x = torch.relu(convolution(x))
        found.append(x / (x.pow(2).sum(1, keepdim=True).sqrt() + 1e-10))
    return found

def distance(a, b):
    with torch.no_grad():
        return sum(((x - y).pow(2) * w).sum(1, keepdim=True).mean((2, 3)) for x, y, w in zip(taps(a), taps(b), lin))
"""
OURS = """
import os, numpy, perceptual
seed = None if os.environ.get("PERCEPTUAL_WEIGHTS") else 1
"""
FIRST = {
    "nothing": "import numpy; numpy.zeros((1, 64, 64, 3), numpy.uint8)",
    "import perceptual": "import perceptual",
    "perceptual, lite": "import numpy, perceptual; a = numpy.zeros((64, 64, 3), numpy.uint8); "
                        "perceptual.LPIPS('lite')(a, a)",
    "perceptual, alex": OURS + "a = numpy.zeros((64, 64, 3), numpy.uint8); perceptual.LPIPS('alex', seed=seed)(a, a)",
    "PyTorch": PEER + "a = torch.zeros(1, 3, 64, 64); distance(a, a)",
}


def first() -> None:
    times = {name: [] for name in FIRST}
    for _ in range(7):
        for name, code in FIRST.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            times[name].append(time.perf_counter() - start)
    for name, found in times.items():
        print(f"{name:20} {statistics.median(found):.3f} s (least {min(found):.3f})")


def steady() -> None:
    scope = {}
    exec(PEER + OURS, scope)
    torch, numpy, perceptual = scope["torch"], scope["numpy"], scope["perceptual"]
    from perceptual._library import _level

    print(f"PyTorch {torch.__version__}, load {os.getloadavg()[0]:.1f}, vectors {_level()}")
    random = numpy.random.default_rng(1)
    for threads in (1, 2):
        torch.set_num_threads(threads)
        lpips = perceptual.LPIPS("alex", seed=scope["seed"], threads=threads)
        for count, side in ((1, 64), (1, 256), (32, 64)):
            a, b = (random.integers(0, 256, (count, side, side, 3), numpy.uint8) for _ in range(2))
            x, y = (torch.from_numpy((v.transpose(0, 3, 1, 2) / 127.5 - 1).astype(numpy.float32)) for v in (a, b))
            if count == 1:
                a, b = a[0], b[0]
            times = [[], []]
            for _ in range(8):
                for found, call in zip(times, (lambda: scope["distance"](x, y), lambda: lpips(a, b))):
                    time.sleep(.1)  # the other's threads wait for work with busy loops
                    for i in range(13):
                        start = time.perf_counter()
                        call()
                        if i > 2:
                            found.append(1e3 * (time.perf_counter() - start))
            theirs, ours = (statistics.median(found) for found in times)
            print(f"{threads} threads, {count} x {side}x{side}: PyTorch {theirs:.2f} ms, perceptual {ours:.2f} ms, "
                  f"{theirs / ours:.1f} times; least {min(times[0]):.2f} and {min(times[1]):.2f}")


if __name__ == "__main__":
    first() if sys.argv[1:] == ["first"] else steady()
