"""In place of `import lpips`: `from perceptual.compat import lpips`.

Images are [N, 3, height, width] on [-1, 1]: tensors of PyTorch, on the processor or elsewhere, or arrays. The distance
comes back as [N, 1, 1, 1] of the same kind and type, and can be differentiated by tensors that require it. Everything
is computed on the processor.
"""

from __future__ import annotations

import functools
import sys
import warnings
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from .. import _images
from .._metrics import LPIPS as _LPIPS

__all__ = ["LPIPS", "im2tensor", "load_image", "tensor2im"]

# Outputs of networks go beyond [-1, 1], and beyond [0, 1] with normalize. What goes further has another range.
_OVERSHOOT, _OVERSHOOT_NORMALIZED = 2.0, 0.5


def load_image(path: str) -> np.ndarray:
    """uint8 [height, width, 3] of a file that Pillow opens, turned as its EXIF orientation says, without its alpha."""
    return _images.read_rgb(path)


def im2tensor(image: np.ndarray, imtype: Any = np.uint8, cent: float = 1.0, factor: float = 255 / 2) -> Any:
    """A tensor [1, 3, height, width] on [-1, 1] of an image [height, width, 3] on [0, 255]."""
    import torch

    return torch.from_numpy(np.ascontiguousarray((image / factor - cent).transpose(2, 0, 1)[np.newaxis], np.float32))


def tensor2im(image_tensor: Any, imtype: Any = np.uint8, cent: float = 1.0, factor: float = 255 / 2) -> np.ndarray:
    """The first image [height, width, 3] on [0, 255] of a tensor [N, 3, height, width] on [-1, 1]."""
    samples = (_images.numbers(image_tensor[0].float()).transpose(1, 2, 0) + cent) * factor
    return samples.astype(imtype)


class _Plain:
    """The class of the package lpips, with its arguments. Those that would make it another metric are refused."""

    def __init__(self, pretrained: bool = True, net: str = "alex", version: str = "0.1", lpips: bool = True,
                 spatial: bool = False, pnet_rand: bool = False, pnet_tune: bool = False, use_dropout: bool = True,
                 model_path: Optional[str] = None, eval_mode: bool = True, verbose: bool = True) -> None:
        if not isinstance(pretrained, (bool, int)):
            raise TypeError(f"pretrained is True or False, not {pretrained!r}: name the network, LPIPS(net='vgg')")
        if lpips and not pretrained and model_path is None:
            raise ValueError("pretrained=False would take random lin weights: for none, give lpips=False")
        if pnet_rand or pnet_tune:
            raise ValueError("pnet_rand and pnet_tune are of training, which `lpips train` does")
        net = {"vgg16": "vgg"}.get(net, net)
        self.spatial = spatial
        self._model = _LPIPS(net, version, baseline=not lpips, lin=model_path if lpips else None)
        if eval_mode:
            self.eval()

    def forward(self, in0: Any, in1: Any, retPerLayer: bool = False, normalize: bool = False) -> Any:
        """The distance [N, 1, 1, 1], or with spatial the map [N, 1, height, width].

        retPerLayer: also a list of what each layer adds. normalize: the images are on [0, 1].
        """
        are_tensors = [_images.is_tensor(image) for image in (in0, in1)]
        if not any(are_tensors):
            return self._run(np.asarray(in0), np.asarray(in1), retPerLayer, normalize)
        if not all(are_tensors):
            raise TypeError("both images are tensors, or both are arrays")
        torch = _torch()
        if torch.is_grad_enabled() and (in0.requires_grad or in1.requires_grad):
            if self.spatial or retPerLayer:
                raise NotImplementedError("maps and layers cannot be differentiated here: leave out spatial and "
                                          "retPerLayer, or call this below torch.no_grad()")
            _check_shapes(in0, in1)
            return _differentiable()(self, normalize, *torch.broadcast_tensors(in0, in1))
        found = self._run(_images.numbers(in0), _images.numbers(in1), retPerLayer, normalize)
        if not retPerLayer:
            return torch.from_numpy(found).to(in0)
        return torch.from_numpy(found[0]).to(in0), [torch.from_numpy(layer).to(in0) for layer in found[1]]

    __call__ = forward

    # What scripts call on a module: there is nothing to move, to train or to freeze.
    def _itself(self, *_: Any, **__: Any) -> _Plain:
        return self

    to = cuda = cpu = eval = train = float = requires_grad_ = _itself

    def parameters(self) -> Any:
        """None: its weights cannot be trained."""
        return iter(())

    def _run(self, in0: np.ndarray, in1: np.ndarray, with_layers: bool, normalize: bool) -> Any:
        images = self._images(in0, in1, normalize)
        if self.spatial:
            if with_layers:
                raise NotImplementedError("the maps of single layers are not computed: leave out spatial or "
                                          "retPerLayer")
            maps = [self._model._map(*images, i) for i in range(images[0].count)]
            return np.stack(maps)[:, np.newaxis]
        values, per_layer = self._model._measure_images(*images, with_layers)
        found = values.astype(np.float32).reshape(-1, 1, 1, 1)
        if per_layer is None:
            return found
        return found, [layer.reshape(-1, 1, 1, 1) for layer in per_layer.astype(np.float32).T]

    def _images(self, in0: np.ndarray, in1: np.ndarray, normalize: bool) -> tuple[_images.Images, _images.Images]:
        _check_shapes(in0, in1)
        for name, image in (("in0", in0), ("in1", in1)):
            if image.dtype.kind != "f":
                raise TypeError(f"{name} is of {image.dtype}: needed are floats on [-1, 1], or on [0, 1] with "
                                "normalize=True")
        _check_range(in0, in1, normalize)
        black_and_white = (0.0, 1.0) if normalize else (-1.0, 1.0)
        overshoot = _OVERSHOOT_NORMALIZED if normalize else _OVERSHOOT
        in0, in1 = np.broadcast_arrays(in0, in1)
        return _images.of_planes(in0, black_and_white, overshoot), _images.of_planes(in1, black_and_white, overshoot)

    def _gradients(self, in0: np.ndarray, in1: np.ndarray, normalize: bool,
                   needed: tuple[bool, bool]) -> tuple[np.ndarray, list[Optional[np.ndarray]]]:
        """The distances, and their derivatives by the images for which they are needed."""
        a, b = self._images(in0, in1, normalize)
        values = np.empty((a.count, 1, 1, 1), np.float32)
        gradients = [np.empty(in0.shape, np.float32) if need else None for need in needed]
        for gradient, fixed, moving in zip(gradients, (b, a), (a, b)):
            if gradient is not None:
                for i in range(a.count):
                    values[i] = self._model._gradient(fixed, moving, i, gradient[i])
                if normalize:
                    gradient *= 2  # a sample on [0, 1] moves the one on [-1, 1] twice as far
        return values, gradients


def _check_shapes(in0: Any, in1: Any) -> None:
    for name, image in (("in0", in0), ("in1", in1)):
        if image.ndim != 4 or image.shape[1] != 3 or 0 in image.shape:
            raise ValueError(f"{name} is {' x '.join(map(str, image.shape))}: needed is N x 3 x height x width")
    if in0.shape[1:] != in1.shape[1:] or (len(in0) != len(in1) and 1 not in (len(in0), len(in1))):
        raise ValueError(f"in0 is {tuple(in0.shape)} but in1 is {tuple(in1.shape)}")


def _check_range(in0: np.ndarray, in1: np.ndarray, normalize: bool) -> None:
    low, high = min(in0.min(), in1.min()), max(in0.max(), in1.max())
    black, overshoot = (0, _OVERSHOOT_NORMALIZED) if normalize else (-1, _OVERSHOOT)
    if low < black - overshoot or high > 1 + overshoot:
        stated = "[0, 1], as normalize=True says" if normalize else "[-1, 1]"
        raise ValueError(f"the images lie on [{low:g}, {high:g}], too far from {stated}: images on [0, 255] are "
                         f"divided by {'255' if normalize else '127.5, less 1'}; of outputs of networks take "
                         f"clamp({black}, 1)")
    if not normalize and 0 <= low < high <= 1:
        warnings.warn("all samples lie on [0, 1], but are taken as [-1, 1]: if black is 0, give normalize=True",
                      stacklevel=_level_of_caller())


def _level_of_caller() -> int:
    """How far up the caller is, outside of this package and of PyTorch."""
    level = 0
    frame: Any = sys._getframe()
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in ("perceptual", "torch"):
        frame, level = frame.f_back, level + 1
    return level


def _torch() -> Any:
    import torch

    return torch


@functools.lru_cache(maxsize=None)
def _module() -> Any:
    """The class as a module of PyTorch, which has methods and places that nothing else may take."""
    Module: Any = _torch().nn.Module

    class LPIPS(Module, _Plain):
        __doc__ = _Plain.__doc__
        __qualname__ = "LPIPS"
        forward = _Plain.forward

        @functools.wraps(_Plain.__init__)
        def __init__(self, *arguments: Any, **options: Any) -> None:
            Module.__init__(self)
            _Plain.__init__(self, *arguments, **options)

    return LPIPS


@functools.lru_cache(maxsize=None)
def _differentiable() -> Any:
    torch = _torch()
    Function: Any = torch.autograd.Function

    class Nothing(Function):
        """Zeros of which nobody knows the derivative by the images."""

        @staticmethod
        def forward(ctx: Any, image: Any, *others: Any) -> Any:
            return torch.zeros_like(image)

        @staticmethod
        def backward(ctx: Any, *_: Any) -> Any:
            raise NotImplementedError("the gradient of LPIPS cannot be differentiated again here")

    class Distance(Function):
        @staticmethod
        def forward(ctx: Any, model: _Plain, normalize: bool, in0: Any, in1: Any) -> Any:
            needed = ctx.needs_input_grad[2:]
            arrays = _images.numbers(in0), _images.numbers(in1)
            values, gradients = model._gradients(*arrays, normalize, needed)
            kept = (None if gradient is None else torch.from_numpy(gradient).to(image.device)
                    for gradient, image in zip(gradients, (in0, in1)))
            ctx.save_for_backward(*kept)
            ctx.images = in0, in1  # not saved: who changes them later changes nothing of this
            return torch.from_numpy(values).to(in0)

        @staticmethod
        def backward(ctx: Any, by_distance: Any) -> Any:
            found = []
            for gradient, image, other in zip(ctx.saved_tensors, ctx.images, ctx.images[::-1]):
                if gradient is not None:
                    # In float32 also of halves, whose scaled losses would otherwise lose the smallest.
                    gradient = (gradient * by_distance.to(image.device)).to(image.dtype)
                    if torch.is_grad_enabled():
                        gradient = gradient + Nothing.apply(image, other)
                found.append(gradient)
            return None, None, *found

    return Distance.apply


if TYPE_CHECKING:
    LPIPS = _Plain


def __getattr__(name: str) -> Any:
    if name != "LPIPS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _Plain if sys.modules.get("torch") is None else _module()


def __dir__() -> list[str]:
    return __all__
