"""Images of callers as the library takes them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Optional, Sequence, Union

import numpy as np

from ._library import FLOAT_PLANES, Image

if TYPE_CHECKING:
    from typing import BinaryIO

    import PIL.Image

    ImageLike = Union[np.ndarray, PIL.Image.Image, str, bytes, os.PathLike[str], BinaryIO]
    Range = Sequence[float]

_FORMATS = {1: 6, 3: 0, 4: 2}  # samples of a pixel: GRAY8, RGB8, RGBA8
_FILES_OF_8_BITS = {"BMP", "DIB", "GIF", "ICO", "JPEG", "MPO", "PCX", "TGA", "WEBP"}  # always


class Images:
    """An array of the library's images, and what must live as long as it."""

    def __init__(self, kept: list[np.ndarray], described: Sequence[Image]) -> None:
        self.kept = kept
        self.array = (Image * len(described))(*described)
        self.count = len(described)

    def size(self, i: int) -> tuple[int, int]:
        """Height and width."""
        return self.array[i].height, self.array[i].width


def is_batch(images: Any) -> bool:
    return isinstance(images, (list, tuple)) or getattr(images, "ndim", 0) == 4


def is_tensor(image: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(image, torch.Tensor)


def numbers(tensor: Any) -> np.ndarray:
    tensor = tensor.detach().cpu()
    found: np.ndarray = (tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy()
    return found


def of(value_range: Optional[Range], *sides: Any) -> list[Images]:
    """Of each side one image, or a batch."""
    limits = None if value_range is None else _limits(value_range)
    arrays = [_arrays(side) for side in sides]
    if limits is not None and all(array.dtype == np.uint8 for side in arrays for array in side):
        raise ValueError("images of 8 bits are on 0 to 255: give no range with them")
    found = []
    for side in arrays:
        kept = [_named(len(side), i, _prepared, array, limits) for i, array in enumerate(side)]
        found.append(Images(kept, [_described(array, limits) for array in kept]))
    return found


def of_planes(planes: np.ndarray, value_range: tuple[float, float], overshoot: float) -> Images:
    """A batch of floats [N, 3, height, width]."""
    planes = np.ascontiguousarray(planes, dtype=np.float32)
    return Images([planes], [_planes(image, value_range, overshoot) for image in planes])


def read_rgb(file: Any) -> np.ndarray:
    """The colours of a file that Pillow opens, with no look at its alpha: uint8 [height, width, 3]."""
    return np.asarray(_read(file, lambda image: _of_8_bits(image, _name(file)).convert("RGB")))


def _limits(value_range: Range) -> tuple[float, float]:
    try:
        if isinstance(value_range, (str, bytes)):
            raise ValueError
        black, white = (float(value) for value in value_range)
        return black, white
    except (TypeError, ValueError):
        raise ValueError(f"range={value_range!r}: give two numbers, those of black and white, such as range=(0, 1)")


def _arrays(images: Any) -> list[np.ndarray]:
    single = list(images) if is_batch(images) else [images]
    if not single:
        raise ValueError("a batch needs at least one image")
    return [_named(len(single), i, _array, image) for i, image in enumerate(single)]


def _named(count: int, i: int, function: Any, *arguments: Any) -> Any:
    """Calls a function; if it refuses an image of a batch, the message says which."""
    try:
        return function(*arguments)
    except (TypeError, ValueError) as error:
        if count == 1 or type(error) not in (TypeError, ValueError):
            raise
        raise type(error)(f"image {i} of the batch: {error}") from error
    except OSError as error:
        if count == 1 or error.filename is not None:
            raise
        raise OSError(f"image {i} of the batch: {error}") from error


def _array(image: Any) -> np.ndarray:
    if isinstance(image, (str, bytes, os.PathLike)) or hasattr(image, "read"):
        return _read(image, lambda opened: _pixels(opened, _name(image)))
    if hasattr(image, "getbands"):
        return _pixels(image, "the image")
    if is_tensor(image):
        return numbers(image)
    if np.ma.isMaskedArray(image):
        raise TypeError("a masked array has pixels that are not to count, which no metric here can leave out")
    array = np.asarray(image)
    if array.dtype.kind not in "fui" or array.ndim == 0:
        what = f"an array of {array.dtype}" if isinstance(image, np.ndarray) else f"a {type(image).__name__}"
        raise TypeError(f"{what} is no image: give an array of numbers, an image of Pillow or the path of a file")
    return array


def _name(file: Any) -> str:
    return os.fsdecode(file) if isinstance(file, (str, bytes, os.PathLike)) else "the file"


def _read(file: Any, take: Any) -> Any:
    from PIL import Image as Pillow
    from PIL import ImageOps

    try:
        with Pillow.open(file) as opened:
            if not _keeps_all_bits(opened):
                raise ValueError(f"{_name(file)}, a {opened.format}, has more than 8 bits a sample, or may have, of "
                                 "which Pillow keeps 8: give its samples as an array, such as one of uint16 with "
                                 "range=(0, 65535)")
            return take(ImageOps.exif_transpose(opened))
    except OSError as error:
        if error.filename is not None or _name(file) in str(error):
            raise
        raise OSError(f"{_name(file)}: {error}") from error


def _keeps_all_bits(opened: Any) -> bool:
    """Whether Pillow loses no bits of a file's samples, which its modes do not show."""
    if opened.format == "PNG":
        return not any(";16" in str(tile) for tile in opened.tile)
    if opened.format == "TIFF":
        bits: Any = opened.tag_v2.get(258, (1,))
        return max(bits) <= 8
    if opened.format == "PPM":
        decoder, _, _, arguments = opened.tile[0]
        return decoder == "raw" or arguments[-1] <= 255  # the largest value
    return opened.format in _FILES_OF_8_BITS


def _of_8_bits(image: Any, name: str) -> Any:
    if image.mode in ("1", "L", "P", "LA", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"):
        return image
    raise ValueError(f"{name} has the mode {image.mode} of Pillow, of which nothing is made here by guessing: give its "
                     "samples as an array, with their range")


def _pixels(image: Any, name: str) -> np.ndarray:
    image = _of_8_bits(image, name)
    if image.mode in ("1", "L", "RGB") and "transparency" in image.info:
        raise ValueError(f"{name} has a colour that is transparent: blend it over a background first")
    if "A" in image.mode or "transparency" in image.info:
        return np.asarray(image.convert("RGBA"))
    return np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"))


def _prepared(array: np.ndarray, limits: Optional[tuple[float, float]]) -> np.ndarray:
    """An array whose pixels (uint8) or planes (floats) lie as the library takes them."""
    if array.ndim == 2:
        array = array[..., np.newaxis]
    if array.ndim != 3 or array.shape[2] not in _FORMATS or 0 in array.shape:
        raise ValueError(f"an array of {' x '.join(map(str, array.shape))} is no image: needed is height x width x 3 "
                         "(4 with alpha, 1 for gray); tensors N x 3 x height x width go to perceptual.compat.lpips")
    if array.dtype == np.uint8:
        inner = array.strides[1:] == (array.shape[2], 1) and array.strides[0] >= array.shape[1] * array.shape[2]
        return array if inner else np.ascontiguousarray(array)
    if limits is None:
        raise ValueError(f"an array of {array.dtype} says nothing of black and white: give range=(0, 1), "
                         "range=(-1, 1), range=(0, 65535) or what else they are")
    if array.shape[2] == 4:
        raise ValueError(f"an array of {array.dtype} has 3 samples a pixel, or 1 for gray: blend it over a background "
                         "first")
    planes = np.moveaxis(array, 2, 0)
    return np.ascontiguousarray(np.broadcast_to(planes, (3, *planes.shape[1:])), dtype=np.float32)


def _described(array: np.ndarray, limits: Optional[tuple[float, float]]) -> Image:
    if array.dtype == np.float32:
        assert limits is not None
        return _planes(array, limits)
    height, width, samples = array.shape
    return Image(array.ctypes.data, width, height, _FORMATS[samples], 0, 0, 0, array.strides[0] if height > 1 else 0, 0)


def _planes(planes: np.ndarray, limits: tuple[float, float], overshoot: float = 0) -> Image:
    _, height, width = planes.shape
    return Image(planes.ctypes.data, width, height, FLOAT_PLANES, *limits, overshoot, 0, 0)
