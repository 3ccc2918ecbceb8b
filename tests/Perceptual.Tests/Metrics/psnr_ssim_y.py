"""Golden values of psnr-y and ssim-y for LumaTests.cs, with NumPy and Pillow, from the pictures in samples:

    python3 tests/Perceptual.Tests/Metrics/psnr_ssim_y.py

It is written from the recipes' definitions and shares no code with them or with the C#:
- BasicSR (github.com/XPixelGroup/BasicSR, basicsr/metrics/psnr_ssim.py, calculate_psnr and calculate_ssim with
  test_y_channel=True and crop_border=N): crop; Y = 16 + (65.481 R + 128.553 G + 24.966 B) / 255, not rounded; PSNR
  against 255; SSIM of Wang et al. 2004 with an 11 x 11 Gaussian window of sigma 1.5, where it fits, L = 255.
  BasicSR makes Y in single precision, which is the third number; the first is all in double precision.
- MATLAB (rgb2ycbcr of a uint8 image, as in compute_psnr.m of SRCNN and in VDSR): the same Y rounded to whole levels,
  which is the second number.
"""
from pathlib import Path

import numpy as np
from PIL import Image

SAMPLES = Path(__file__).resolve().parents[3] / "samples"
WEIGHTS = np.array([65.481, 128.553, 24.966])


def luma(image, kind):
    if kind == "single":
        y = (image.astype(np.float32) / np.float32(255)).dot(WEIGHTS) + 16.0
        return (y / 255).astype(np.float32) * np.float32(255)
    y = 16 + image.astype(np.float64).dot(WEIGHTS) / 255
    return np.floor(y + 0.5) if kind == "rounded" else y


def psnr(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    return 10 * np.log10(255.0 ** 2 / np.mean((a - b) ** 2))


def ssim(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    taps = np.exp(-np.arange(-5, 6) ** 2 / (2 * 1.5 ** 2))
    window = np.outer(taps, taps) / taps.sum() ** 2
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    p, q = (np.lib.stride_tricks.sliding_window_view(image, (11, 11)) for image in (a, b))

    def mean(values):
        return (values * window).sum((2, 3), keepdims=True)

    mp, mq = mean(p), mean(q)
    vp, vq, covariance = mean((p - mp) ** 2), mean((q - mq) ** 2), mean((p - mp) * (q - mq))
    return np.mean((2 * mp * mq + c1) * (2 * covariance + c2)
                   / ((mp ** 2 + mq ** 2 + c1) * (vp + vq + c2)))


def crop(image, border):
    return image[border:-border, border:-border] if border else image


for name in ["blurred", "noisy", "damaged"]:
    for border in [0, 4]:
        a, b = (crop(np.asarray(Image.open(SAMPLES / f"{n}.png").convert("RGB")), border)
                for n in ["reference", name])
        for metric in [psnr, ssim]:
            values = [metric(luma(a, kind), luma(b, kind)) for kind in ["double", "rounded", "single"]]
            print(f"{name} {border} {metric.__name__}-y", *(f"{value:.17g}" for value in values))
