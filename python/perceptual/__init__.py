"""How far apart two images look: LPIPS and the metrics it is compared with, with no PyTorch and no GPU.

    import perceptual
    lpips = perceptual.LPIPS("lite")  # or "alex", "vgg", "squeeze", which fetch their weights once
    lpips("reference.png", "distorted.png")  # 0 for identical images; larger is further apart

An image is an array of uint8, [height, width, 3] (or 4, opaque; or no third axis: gray); an array of other numbers
together with range=(black, white), all between these; an image of Pillow; or the path of a file that Pillow opens,
turned as its EXIF orientation says. A batch is an array of images [N, height, width, 3], or a list of images.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._metrics import LPIPS, BadFile, Error, Features, Metric, NoWeights, metric, metrics

__version__ = "@VERSION@"
__all__ = ["LPIPS", "BadFile", "Error", "Features", "Metric", "NoWeights", "metric", "metrics"]


def __getattr__(name: str) -> object:
    # Importing costs nothing until something is used.
    if name == "compat":
        import importlib

        return importlib.import_module(".compat", __name__)
    if name not in __all__:
        raise AttributeError(f"module 'perceptual' has no attribute {name!r}")
    from . import _metrics

    return getattr(_metrics, name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__", "compat"])
