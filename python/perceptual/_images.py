"""Images of callers as the library takes them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Optional, Sequence, Union

import numpy as np

from ._library import FLOAT_PLANES, Image

if TYPE_CHECKING:
    import PIL.Image

    ImageLike = Union[np.ndarray, PIL.Image.Image, str, os.PathLike[str]]
    Range = tuple[float, float]

_FORMATS = {1: 6, 3: 0, 4: 2}  # samples of a pixel: GRAY8, RGB8, RGBA8


class Images:
    """An array of the library's images, and what must live as long as it."""

    def __init__(self, arrays: Sequence[np.ndarray], value_range: Optional[Range]) -> None:
        self.kept = [_prepared(array, value_range) for array in arrays]
        self.array = (Image * len(self.kept))(*(_described(kept, value_range) for kept in self.kept))
        self.count = len(self.kept)

    def size(self, i: int) -> tuple[int, int]:
        """Height and width."""
        return self.array[i].height, self.array[i].width


def is_batch(images: Any) -> bool:
    if isinstance(images, (list, tuple)):
        return True
    return not is_file(images) and not hasattr(images, "getbands") and getattr(images, "ndim", 0) == 4


def is_file(image: Any) -> bool:
    return isinstance(image, (str, os.PathLike))


def of(images: Any, value_range: Optional[Range]) -> Images:
    """One image or a batch."""
    single = [images] if not is_batch(images) else list(images)
    if not single:
        raise ValueError("a batch needs at least one image")
    return Images([_array(image) for image in single], value_range)


def of_planes(planes: np.ndarray, value_range: Range, overshoot: float) -> Images:
    """A batch of floats [N, 3, height, width]."""
    images = Images([], None)
    images.kept = [np.ascontiguousarray(planes, dtype=np.float32)]
    images.array = (Image * len(planes))(*(_planes(image, value_range, overshoot) for image in images.kept[0]))
    images.count = len(planes)
    return images


def _array(image: Any) -> np.ndarray:
    if is_file(image):
        from PIL import Image as Pillow
        from PIL import ImageOps

        with Pillow.open(image) as opened:
            return _pixels(ImageOps.exif_transpose(opened), os.fspath(image))
    if hasattr(image, "getbands"):
        return _pixels(image, "the image")
    if hasattr(image, "detach"):  # a tensor
        image = image.detach().cpu()
    return np.asarray(image)


def _pixels(image: Any, name: str) -> np.ndarray:
    if image.mode in ("L", "RGB", "RGBA"):
        return np.asarray(image)
    if image.mode in ("1", "P", "LA", "PA", "CMYK", "YCbCr", "RGBX"):
        is_transparent = "A" in image.mode or "transparency" in image.info
        return np.asarray(image.convert("RGBA" if is_transparent else "RGB"))
    raise ValueError(f"{name} has the mode {image.mode} of Pillow, which is not 8 bits a sample: "
                     "give its samples as floats, with their range")


def _prepared(array: np.ndarray, value_range: Optional[Range]) -> np.ndarray:
    """An array whose pixels (uint8) or planes (floats) lie as the library takes them."""
    if array.ndim == 2:
        array = array[..., np.newaxis]
    if array.ndim != 3 or array.shape[2] not in _FORMATS or 0 in array.shape:
        raise ValueError(f"an array of {' x '.join(map(str, array.shape))} is no image: needed is height x width x 3 "
                         "(4 with alpha, 1 for gray); tensors N x 3 x height x width go to perceptual.compat.lpips")
    if array.dtype == np.uint8:
        if value_range is not None:
            raise ValueError("an array of uint8 is on 0 to 255: give no range with it")
        inner = array.strides[1:] == (array.shape[2], 1) and array.strides[0] >= array.shape[1] * array.shape[2]
        return array if inner else np.ascontiguousarray(array)
    if array.dtype.kind not in "fui":
        raise TypeError(f"an array of {array.dtype} has no samples of an image, which are numbers")
    if value_range is None:
        raise ValueError(f"an array of {array.dtype} says nothing of black and white: give range=(0, 1), "
                         "range=(-1, 1), range=(0, 65535) or what else they are")
    if array.shape[2] == 4:
        raise ValueError(f"an array of {array.dtype} has 3 samples a pixel, or 1 for gray: blend it over a background "
                         "first")
    planes = np.moveaxis(array, 2, 0)
    return np.ascontiguousarray(np.broadcast_to(planes, (3, *planes.shape[1:])), dtype=np.float32)


def _described(array: np.ndarray, value_range: Optional[Range]) -> Image:
    if array.dtype == np.float32:
        assert value_range is not None
        return _planes(array, value_range)
    height, width, samples = array.shape
    return Image(array.ctypes.data, width, height, _FORMATS[samples], 0, 0, 0, array.strides[0] if height > 1 else 0, 0)


def _planes(planes: np.ndarray, value_range: Range, overshoot: float = 0) -> Image:
    _, height, width = planes.shape
    return Image(planes.ctypes.data, width, height, FLOAT_PLANES, *value_range, overshoot, 0, 0)
