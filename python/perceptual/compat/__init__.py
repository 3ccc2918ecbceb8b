"""Stand-ins for packages that people use."""

from __future__ import annotations


def __getattr__(name: str) -> object:
    if name != "lpips":
        raise AttributeError(f"module 'perceptual.compat' has no attribute {name!r}")
    import importlib

    return importlib.import_module(".lpips", __name__)
