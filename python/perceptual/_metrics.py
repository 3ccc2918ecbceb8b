"""Metrics, and LPIPS among them."""

from __future__ import annotations

import ctypes
import os
import weakref
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np

from . import _images
from ._library import BadFile, Error, Handle, Info, NoWeights, Options, call, load

if TYPE_CHECKING:
    from ._images import ImageLike, Range

    Images = Union[ImageLike, "list[ImageLike]"]

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
        load("metric", name.encode(), _count(threads), handle)
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

    def __reduce__(self) -> tuple[Any, ...]:
        # For processes that are started anew: each loads its own.
        return type(self), self._arguments

    def __call__(self, reference: Union[Images, Features], distorted: Union[Images, Features], *,
                 range: Optional[Range] = None) -> Any:
        """The value of two images as a float, or those of two batches as an array [N].

        range: of arrays of floats, the values of black and white.
        """
        return self._measure(reference, distorted, range, with_layers=False)[0]

    def map(self, reference: ImageLike, distorted: ImageLike, *, range: Optional[Range] = None) -> np.ndarray:
        """Where two images differ: float32 [height, width], 0 where they look the same."""
        if _images.is_batch(reference) or _images.is_batch(distorted):
            raise ValueError("a map is of two images, not of batches")
        return self._map(_images.of(reference, range), _images.of(distorted, range), 0)

    def features(self, image: ImageLike, *, range: Optional[Range] = None) -> Features:
        """What the metric compares, computed once: `metric(features_a, features_b)` is then quick."""
        if _images.is_batch(image):
            raise ValueError("features are of one image: for a batch, call this for each")
        images, handle = _images.of(image, range), Handle()
        call("extract", self._handle, images.array, handle)
        return Features(handle, *images.size(0), self._layers)

    def _map(self, reference: _images.Images, distorted: _images.Images, i: int) -> np.ndarray:
        differences = np.empty(reference.size(i), np.float32)
        call("map", self._handle, reference.array[i], distorted.array[i], _floats(differences), differences.size, None)
        return differences

    def _measure(self, reference: Any, distorted: Any, value_range: Optional[Range], with_layers: bool) -> Any:
        if isinstance(reference, Features) != isinstance(distorted, Features):
            raise TypeError("features are compared with features: call features for the other image too")
        if isinstance(reference, Features):
            values, layers = np.empty(1), np.empty((1, self._layers)) if with_layers else None
            call("compare", self._handle, reference._handle, distorted._handle, _doubles(values), _doubles(layers),
                 0 if layers is None else layers.size)
        else:
            if _images.is_batch(reference) != _images.is_batch(distorted):
                raise ValueError("a batch is compared with a batch of as many images, and an image with an image")
            values, layers = self._measure_images(
                _images.of(reference, value_range), _images.of(distorted, value_range), with_layers)
        if _images.is_batch(reference):
            return values, layers
        return float(values[0]), None if layers is None else layers[0]

    def _measure_images(self, reference: _images.Images, distorted: _images.Images,
                        with_layers: bool) -> tuple[np.ndarray, Optional[np.ndarray]]:
        count = reference.count
        if count != distorted.count:
            raise ValueError(f"the batches have {count} and {distorted.count} images")
        values, layers = np.empty(count), np.empty((count, self._layers)) if with_layers else None
        call("batch", self._handle, reference.array, distorted.array, count, _doubles(values), _doubles(layers),
             0 if layers is None else layers.size)
        return values, layers


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
                 weights: Optional[Union[str, os.PathLike[str]]] = None,
                 trunk: Optional[Union[str, os.PathLike[str]]] = None,
                 lin: Optional[Union[str, os.PathLike[str]]] = None, seed: Optional[int] = None,
                 threads: Optional[int] = None) -> None:
        self._arguments = (net, version, baseline, weights, trunk, lin, seed, threads)
        options = Options(net.encode(), version.encode(), _path(weights), _path(trunk), _path(lin), baseline,
                          seed is not None, seed or 0, _count(threads))
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
        a, b = _images.of(reference, range), _images.of(image, range)
        planes = np.empty((3, *b.size(0)), np.float32)
        value = self._gradient(a, b, 0, planes)
        black, white = (0, 255) if range is None else range
        return value, np.moveaxis(planes * np.float32(2 / (white - black)), 0, 2)

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


def _path(path: Optional[Union[str, os.PathLike[str]]]) -> Optional[bytes]:
    return None if path is None else os.fsencode(path)


def _count(threads: Optional[int]) -> int:
    if threads is None:
        return 0
    if not 1 <= threads < 1 << 31:
        raise ValueError(f"{threads} threads: at least 1 is needed")
    return threads
