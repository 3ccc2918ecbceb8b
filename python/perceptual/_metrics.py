"""Metrics, and LPIPS among them."""

from __future__ import annotations

import ctypes
import os
import weakref
from typing import TYPE_CHECKING, Any, NoReturn, Optional, Sequence, Union

import numpy as np

from . import _images
from ._library import BadFile, Error, Handle, Info, NoWeights, Options, call, load

if TYPE_CHECKING:
    from ._images import ImageLike, Range

    Images = Union[ImageLike, Sequence[ImageLike]]
    Path = Union[str, os.PathLike[str]]

__all__ = ["LPIPS", "BadFile", "Error", "Features", "Metric", "NoWeights", "metric", "metrics"]


def _doubles(array: Optional[np.ndarray]) -> Any:
    return None if array is None else array.ctypes.data_as(ctypes.POINTER(ctypes.c_double))


def _floats(array: np.ndarray) -> Any:
    return array.ctypes.data_as(ctypes.POINTER(ctypes.c_float))


def _free(handle: int) -> None:
    try:
        call("free", handle)
    except Error:
        pass  # in a process that was forked, where there is nothing to free


class Features:
    """What a metric compares, computed once for all comparisons of an image."""

    def __init__(self, handle: Handle, height: int, width: int, layers: int) -> None:
        self._handle = handle
        self.height = height
        self.width = width
        self._layers = layers
        weakref.finalize(self, _free, handle.value).atexit = False

    def __repr__(self) -> str:
        return f"<perceptual.Features of an image of {self.width}x{self.height}>"

    def __copy__(self) -> Features:
        return self

    def __deepcopy__(self, _: Any) -> Features:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("features are in the memory of this process: send the image, or arrays() of them")

    def arrays(self) -> list[np.ndarray]:
        """Of LPIPS, the activations at each layer: float32 [channels, height, width], not normalised."""
        if not self._layers:
            raise NotImplementedError("only features of LPIPS are activations")
        return [self._array(layer) for layer in range(self._layers)]

    def _array(self, layer: int) -> np.ndarray:
        size = [ctypes.c_int32() for _ in range(3)]
        call("features_size", self._handle, layer, *size)
        values = np.empty([side.value for side in size], np.float32)
        call("features_copy", self._handle, layer, _floats(values), values.size)
        return values


class Metric:
    """A metric of images, made by `metric`. May be called from several threads at a time."""

    name: str
    larger_is_closer: bool
    minimum_side: int
    has_map: bool
    has_gradient: bool

    def __init__(self, name: str, threads: Optional[int] = None) -> None:
        self._arguments: tuple[Any, ...] = (name, threads)
        handle = Handle()
        load("metric", _text("name", name), _count(threads), handle)
        self._take(handle, name.lower())

    def _take(self, handle: Handle, name: str) -> None:
        self._handle = handle
        weakref.finalize(self, _free, handle.value).atexit = False
        info = Info()
        call("describe", handle, info)
        self.name = name
        self.larger_is_closer = bool(info.larger_is_closer)
        self.minimum_side = info.minimum_side
        self.has_map = bool(info.has_map)
        self.has_gradient = bool(info.has_gradient)
        self._layers = info.layers

    def __repr__(self) -> str:
        return f"<perceptual metric {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # For processes that are started anew: each loads its own.
        return type(self), self._arguments

    def __call__(self, reference: Union[Images, Features], distorted: Union[Images, Features], *,
                 range: Optional[Range] = None) -> Any:
        """The value of two images as a float, or those of two batches as an array [N].

        range: of arrays of other numbers than uint8, the values of black and white.
        """
        return self._measure(reference, distorted, range, with_layers=False)[0]

    def map(self, reference: ImageLike, distorted: ImageLike, *, range: Optional[Range] = None) -> np.ndarray:
        """Where two images differ: float32 [height, width], 0 where they look the same."""
        if _images.is_batch(reference) or _images.is_batch(distorted):
            raise ValueError("a map is of two images, not of batches")
        a, b = _images.of(range, reference, distorted)
        return self._map(a, b, 0)

    def features(self, image: ImageLike, *, range: Optional[Range] = None) -> Features:
        """What the metric compares, computed once: `metric(features_a, features_b)` is then quick."""
        if _images.is_batch(image):
            raise ValueError("features are of one image: for a batch, call this for each")
        (images,), handle = _images.of(range, image), Handle()
        call("extract", self._handle, images.array, handle)
        return Features(handle, *images.size(0), self._layers)

    def _map(self, reference: _images.Images, distorted: _images.Images, i: int) -> np.ndarray:
        differences = np.empty(reference.size(i), np.float32)
        call("map", self._handle, reference.array[i], distorted.array[i], _floats(differences), differences.size, None)
        return differences

    def _measure(self, reference: Any, distorted: Any, value_range: Optional[Range], with_layers: bool) -> Any:
        if _images.is_batch(reference) != _images.is_batch(distorted):
            raise ValueError("a batch is compared with a batch of as many images, and an image with an image")
        one, other = ([*side] if _images.is_batch(side) else [side] for side in (reference, distorted))
        are_features = [isinstance(image, Features) for image in one + other]
        if any(are_features):
            if not all(are_features):
                raise TypeError("features are compared with features: call features for the other image too")
            values, layers = self._measure_features(one, other, with_layers)
        else:
            a, b = _images.of(value_range, one, other)
            values, layers = self._measure_images(a, b, with_layers)
        if _images.is_batch(reference):
            return values, layers
        return float(values[0]), None if layers is None else layers[0]

    def _measure_features(self, reference: Sequence[Features], distorted: Sequence[Features],
                          with_layers: bool) -> tuple[np.ndarray, Optional[np.ndarray]]:
        values, layers = self._room(len(reference), len(distorted), with_layers)
        for i, (one, other) in enumerate(zip(reference, distorted)):
            row = None if layers is None else layers[i]
            call("compare", self._handle, one._handle, other._handle, _doubles(values[i:]), _doubles(row),
                 0 if row is None else row.size)
        return values, layers

    def _measure_images(self, reference: _images.Images, distorted: _images.Images,
                        with_layers: bool) -> tuple[np.ndarray, Optional[np.ndarray]]:
        values, layers = self._room(reference.count, distorted.count, with_layers)
        call("batch", self._handle, reference.array, distorted.array, reference.count, _doubles(values),
             _doubles(layers), 0 if layers is None else layers.size)
        return values, layers

    def _room(self, count: int, other: int, with_layers: bool) -> tuple[np.ndarray, Optional[np.ndarray]]:
        if count != other:
            raise ValueError(f"the batches have {count} and {other} images")
        return np.empty(count), np.empty((count, self._layers)) if with_layers else None


class LPIPS(Metric):
    """LPIPS (Zhang et al., CVPR 2018). 0 for identical images; larger is further apart.

    net: "alex", "vgg", "squeeze", whose weights are fetched once (AlexNet: 233 MB, of which 10 MB are kept), or "lite",
        a small network of our own that needs no download and whose numbers are its own.
    version: "0.1" or "0.0".
    baseline: no lin weights; every channel counts the same.
    weights: a folder with the published weights, or a file with a whole model.
    trunk, lin: files with weights of your own for net.
    seed: random weights in place of the trained ones.
    threads: the most threads of one call; by default one for each processor. The result does not depend on it.
    """

    def __init__(self, net: str = "alex", version: str = "0.1", *, baseline: bool = False,
                 weights: Optional[Path] = None, trunk: Optional[Path] = None, lin: Optional[Path] = None,
                 seed: Optional[int] = None, threads: Optional[int] = None) -> None:
        self._arguments = (net, version, baseline, weights, trunk, lin, seed, threads)
        if seed is not None and not 0 <= seed < 1 << 64:
            raise ValueError(f"seed={seed}: a seed is from 0 to 2**64 - 1")
        options = Options(_text("net", net), _text("version", version), _path("weights", weights),
                          _path("trunk", trunk), _path("lin", lin), bool(baseline), seed is not None, seed or 0,
                          _count(threads))
        handle = Handle()
        load("load", options, handle)
        self._take(handle, f"lpips-{net}")

    def __reduce__(self) -> tuple[Any, ...]:
        return _load, self._arguments

    def layers(self, reference: Union[Images, Features], distorted: Union[Images, Features], *,
               range: Optional[Range] = None) -> np.ndarray:
        """What each layer adds to the distance: [layers], or [N, layers] of batches."""
        return self._measure(reference, distorted, range, with_layers=True)[1]

    def gradient(self, reference: ImageLike, image: ImageLike, *,
                 range: Optional[Range] = None) -> tuple[float, np.ndarray]:
        """The distance, and how fast it grows with each sample of the second image: float32 [height, width, 3].

        The samples are those of the array: of floats in their range, else on 0 to 255.
        """
        if _images.is_batch(reference) or _images.is_batch(image):
            raise ValueError("a gradient is of two images, not of batches")
        a, b = _images.of(range, reference, image)
        planes = np.empty((3, *b.size(0)), np.float32)
        value = self._gradient(a, b, 0, planes)
        span = b.array[0].maximum - b.array[0].minimum or 255  # both are 0 of 8 bits
        return value, np.moveaxis(planes * np.float32(2 / span), 0, 2)

    def _gradient(self, reference: _images.Images, image: _images.Images, i: int,
                  gradient: np.ndarray) -> float:
        """The distance of pair i, and its derivative by the second image's samples on [-1, 1]: [3, height, width]."""
        value = ctypes.c_double()
        call("gradient", self._handle, reference.array[i], image.array[i], _floats(gradient), gradient.size, value)
        return value.value


def metric(name: str, threads: Optional[int] = None) -> Metric:
    """Any metric by its name, such as "psnr", "ssim", "ssimulacra2" or "lpips-alex"."""
    return Metric(name, threads)


def metrics() -> list[str]:
    """The names that `metric` takes."""
    names = ctypes.create_string_buffer(4096)
    call("metric_names", names, len(names))
    return names.value.decode().splitlines()


def _load(net: str, version: str, baseline: bool, weights: Any, trunk: Any, lin: Any, seed: Any,
          threads: Any) -> LPIPS:
    return LPIPS(net, version, baseline=baseline, weights=weights, trunk=trunk, lin=lin, seed=seed, threads=threads)


def _text(name: str, text: str) -> bytes:
    if not isinstance(text, str):
        raise TypeError(f"{name}={text!r}: a text is needed")
    return _without_zero(name, text.encode())


def _path(name: str, path: Optional[Path]) -> Optional[bytes]:
    return None if path is None else _without_zero(name, os.fsencode(path))


def _without_zero(name: str, text: bytes) -> bytes:
    if not text or b"\0" in text:
        raise ValueError(f"{name}={os.fsdecode(text)!r}: it is empty, or has a zero byte")
    return text


def _count(threads: Optional[int]) -> int:
    if threads is None:
        return 0
    if not 1 <= threads < 1 << 31:
        raise ValueError(f"threads={threads}: a number from 1 on is needed")
    return threads
